"""Assign a case to oneself, and unassign it."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actions import render_refusal, try_action
from accounts.requests import StaffRequest
from cases.lifecycle import QUEUES
from cases.views.acting import find_return_url, load_case
from queues.services import claims


@require_POST
def claim_next_case(request: StaffRequest) -> HttpResponse:
    """Assign the next case of one list, or of all lists, and open it."""
    slug = request.POST.get("queue", "")
    if slug and slug not in QUEUES:
        raise Http404("There is no such list.")
    taken = claims.claim_next_case(queue=slug, by=request.user, at=timezone.now())
    if taken is None:
        messages.info(request, "No case is left to take: all are done, or assigned to others.")
        return redirect("desk:queue", slug) if slug else redirect("desk:my_day")
    messages.success(request, f"{taken.case.number} is assigned to you. {taken.why}".strip())
    return redirect(taken.case)


@require_POST
def claim_case(request: StaffRequest, number: str) -> HttpResponse:
    """Assign one case to oneself."""
    case = load_case(number)
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
    case = load_case(number)
    back = find_return_url(request, case.get_absolute_url())
    attempt = try_action(
        lambda: claims.release_case(case_id=case.pk, by=request.user, at=timezone.now())
    )
    if attempt.refusal:
        return render_refusal(request, attempt.refusal, back=back)
    messages.success(request, f"{case.number} is unassigned.")
    return redirect(back)
