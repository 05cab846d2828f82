"""Shared parts of case pages: loading the case, and forms that ask only for a reason."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.actions import run_action
from accounts.models import User
from accounts.requests import StaffRequest, posted_data
from cases.models import Case, DisputedItem
from form_fields.reasons import ReasonForm


def answer_reason_form(
    request: StaffRequest,
    number: str,
    *,
    title: str,
    button: str,
    why_not: Callable[[User, Case], str],
    act: Callable[..., Any],
    done: str,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show and process the form of an action that needs only a reason."""
    case = load_case(number)
    form = ReasonForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: act(
            case_id=case.pk,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, done)
        return redirect(case)
    context = {
        "case": case,
        "form": form,
        "title": title,
        "button": button,
        "why_not": why_not(request.user, case),
        "items": case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"),
        **(extra or {}),
    }
    return render(request, "cases/reason.html", context, status=attempt.status)


def load_case(number: str) -> Case:
    """Return the case with this number, or answer 404."""
    return get_object_or_404(Case.objects.select_related("ur_decision"), number=number)


def find_return_url(request: StaffRequest, otherwise: str) -> str:
    """Return the address that the form came from, if it is an address of this site."""
    to: str = request.POST.get("back", "")
    # Without allowed hosts only a path passes; “//host” is refused.
    ours = to.startswith("/") and url_has_allowed_host_and_scheme(to, allowed_hosts=None)
    return to if ours else otherwise
