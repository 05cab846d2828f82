"""Assign a case to oneself, unassign or skip it, and the list of skipped cases."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import render_refusal, run_action, try_action
from accounts.requests import StaffRequest, posted_data, read_whole_number
from cases.lifecycle import QUEUES
from cases.views.acting import find_return_url, load_case
from form_fields.reasons import ReasonForm
from queues import policies
from queues.services import claims

SKIPS_SHOWN = 50


@require_POST
def claim_next_case(request: StaffRequest) -> HttpResponse:
    """Assign the next case of one list, or of all lists, and open it."""
    slug = request.POST.get("queue", "")
    if slug and slug not in QUEUES:
        raise Http404("There is no such list.")
    claimed = claims.claim_next_case(queue=slug, by=request.user, at=timezone.now())
    if claimed is None:
        messages.info(request, "No other case is left to take: all are done, or assigned.")
        return redirect("desk:queue", slug) if slug else redirect("desk:my_day")
    messages.success(request, f"{claimed.case.number} is assigned to you. {claimed.why}".strip())
    return redirect(claimed.case)


@require_POST
def claim_case(request: StaffRequest, number: str) -> HttpResponse:
    """Assign one case to oneself."""
    case = load_case(request, number)
    back = find_return_url(request, case.get_absolute_url())
    attempt = try_action(
        lambda: claims.claim_case(case_id=case.pk, by=request.user, at=timezone.now())
    )
    if attempt.refusal:
        return render_refusal(request, attempt.refusal, back=back)
    messages.success(request, f"{case.number} is assigned to you.")
    return redirect(back)


@require_POST
def release_case(request: StaffRequest, number: str) -> HttpResponse:
    """Unassign a case."""
    case = load_case(request, number)
    back = find_return_url(request, case.get_absolute_url())
    attempt = try_action(
        lambda: claims.release_case(case_id=case.pk, by=request.user, at=timezone.now())
    )
    if attempt.refusal:
        return render_refusal(request, attempt.refusal, back=back)
    messages.success(request, f"{case.number} is unassigned.")
    return redirect(back)


@require_http_methods(["GET", "HEAD", "POST"])
def skip_case(request: StaffRequest, number: str) -> HttpResponse:
    """Skip a case with a reason; then the next one is shown."""
    case, now = load_case(request, number), timezone.now()
    form = ReasonForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: claims.skip_case(
            case_id=case.pk, reason=form.cleaned_data["reason"], by=request.user, at=now
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"{case.number} is skipped. It comes last for you for a day.")
        return redirect("desk:work_next", attempt.result.queue)
    context = {
        "case": case,
        "form": form,
        "title": "Skip this case",
        "button": "Skip case",
        "why_not": policies.why_not_skip(request.user, case),
    }
    return render(request, "cases/reason.html", context, status=attempt.status)


@require_safe
def show_skipped_cases(request: StaffRequest) -> HttpResponse:
    """List which cases were skipped, by whom and why, latest first."""
    before = read_whole_number(request.GET.get("before", ""))
    skips = claims.list_skips(reader=request.user, before=before, limit=SKIPS_SHOWN + 1)
    context = {
        "skips": skips[:SKIPS_SHOWN],
        "older": skips[SKIPS_SHOWN - 1].pk if len(skips) > SKIPS_SHOWN else None,
        "is_first": before is None,
        "today": timezone.localdate(),
    }
    return render(request, "queues/skipped.html", context)
