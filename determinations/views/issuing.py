"""Pages to issue a determination, return it to QA review, mark it as sent, and see its versions."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions import run_action, try_action
from accounts.requests import StaffRequest, posted, seen_version
from accounts.services import note_look
from cases.views.acting import load_case
from determinations import history, policies
from determinations.forms import SendForm
from determinations.services import issuing as issue_services
from determinations.services import quality as quality_services
from determinations.services import sending
from form_fields.reasons import ReasonForm

from .loading import determination_context, preview_pdf


@require_http_methods(["GET", "HEAD", "POST"])
def issue(request: StaffRequest, number: str) -> HttpResponse:
    """Show the review with all facts that support the letter, and issue the determination."""
    case = load_case(number)
    now = timezone.now()
    error, status = "", 200
    if request.method == "POST":
        tried = try_action(
            lambda: issue_services.issue(
                case_id=case.pk, seen_version=seen_version(request), by=request.user, at=now
            )
        )
        error, status = str(tried.refusal), tried.status
        if tried.done:
            messages.success(request, f"{number} issued. The letter is being generated.")
            return redirect("desk:letters", number)
        case = load_case(number)
    context = determination_context(request, case)
    context |= {
        "error": error,
        "why_not": policies.why_not_issue(request.user, case),
        "readiness": issue_services.readiness(case, at=now),
        "back_form": ReasonForm(),
    }
    return render(request, "determinations/issue.html", context, status=status)


@require_POST
def preview(request: StaffRequest, number: str) -> HttpResponse:
    """Return the letter exactly as it would be issued now. Issuing requires this preview."""
    return preview_pdf(request, load_case(number))


@require_POST
def send_back(request: StaffRequest, number: str) -> HttpResponse:
    """Void the approval and return the case to QA review."""
    case = load_case(number)
    form = ReasonForm(request.POST)
    tried = run_action(
        request,
        form,
        lambda: quality_services.send_back(
            case_id=case.pk,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if tried.done:
        messages.success(request, f"{number} returned to QA review.")
        return redirect(case)
    context = determination_context(request, case)
    context |= {
        "why_not": policies.why_not_issue(request.user, case),
        "readiness": issue_services.readiness(case, at=timezone.now()),
        "back_form": form,
    }
    return render(request, "determinations/issue.html", context, status=tried.status)


@require_http_methods(["GET", "HEAD", "POST"])
def send(request: StaffRequest, number: str) -> HttpResponse:
    """Mark the determination as sent to its recipients, which closes the case."""
    case = load_case(number)
    now = timezone.now()
    today = timezone.localdate(now)
    form = SendForm(posted(request), today=today, initial={"sent_on": f"{today:%m/%d/%Y}"})
    tried = run_action(
        request,
        form,
        lambda: sending.mark_determination_sent(
            case_id=case.pk, sent_on=form.cleaned_data["sent_on"], by=request.user, at=now
        ),
    )
    if tried.done:
        messages.success(request, f"{number} marked as sent. The case is closed.")
        return redirect("desk:case", number)
    determination = policies.live_determination(case)
    letter = determination.letter if determination else None
    context = {
        "case": case,
        "form": form,
        "letter": letter,
        "deliveries": letter.deliveries.order_by("pk") if letter else [],
        "why_not": policies.why_not_send(request.user, case),
    }
    return render(
        request,
        "determinations/send.html",
        context,
        status=tried.status,
    )


@require_GET
def versions(request: StaffRequest, number: str) -> HttpResponse:
    """Show all versions of the determination with their differences."""
    case = load_case(number)
    note_look(by=request.user, subject="case", reference=number, granted=True, at=timezone.now())
    context = determination_context(request, case)
    context |= {"tab": "versions", "parts": history.parts_of(case, request.user)}
    return render(request, "determinations/versions.html", context)
