"""Taking a case out of a list to work on it, and giving it back."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actions import refused_page, try_action
from accounts.requests import StaffRequest
from cases.lifecycle import QUEUES
from cases.views.acting import load_case, way_back
from queues.services import claims


@require_POST
def claim_next(request: StaffRequest) -> HttpResponse:
    """Take the case that comes next, of one list or of all, and open it."""
    slug = request.POST.get("queue", "")
    if slug and slug not in QUEUES:
        raise Http404("There is no such list.")
    taken = claims.claim_next(queue=slug, by=request.user, at=timezone.now())
    if taken is None:
        messages.info(request, "Nothing is left to take here: it is done, or others have it.")
        return redirect("desk:queue", slug) if slug else redirect("desk:my_day")
    messages.success(request, f"{taken.case.number} is yours. {taken.why}".strip())
    return redirect(taken.case)


@require_POST
def claim(request: StaffRequest, number: str) -> HttpResponse:
    """Take one case."""
    case = load_case(number)
    back = way_back(request, case.get_absolute_url())
    tried = try_action(lambda: claims.claim(case_id=case.pk, by=request.user, at=timezone.now()))
    if tried.refusal:
        return refused_page(request, tried.refusal, back=back)
    messages.success(request, f"{case.number} is yours.")
    return redirect(back)


@require_POST
def release(request: StaffRequest, number: str) -> HttpResponse:
    """Give a case back to its list."""
    case = load_case(number)
    back = way_back(request, case.get_absolute_url())
    tried = try_action(lambda: claims.release(case_id=case.pk, by=request.user, at=timezone.now()))
    if tried.refusal:
        return refused_page(request, tried.refusal, back=back)
    messages.success(request, f"{case.number} is back in its list.")
    return redirect(back)
