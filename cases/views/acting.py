"""What the pages of a case share: loading it, and the shape of an act with a reason.

A view loads, checks the form, makes one call and answers. What the case refuses is the form again
with 422 and everything that was typed; what someone else changed meanwhile is 409.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from accounts.refusals import BadFact, Refused
from accounts.requests import StaffRequest
from cases.forms.acts import ReasonForm
from cases.models import Case
from cases.paper_fields import whole_number

REFUSALS = (Refused,)


def act_with_reason(
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
    """The common shape of an act that needs nothing but a reason."""
    case = load_case(number)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(
                case_id=case.pk,
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(case)
    context = {
        "case": case,
        "form": form,
        "title": title,
        "button": button,
        "why_not": why_not(request.user, case),
        "items": case.items.filter(ending="PENDING").order_by("position"),
        **(extra or {}),
    }
    return render(
        request, "cases/reason.html", context, status=422 if request.method == "POST" else 200
    )


def load_case(number: str) -> Case:
    return get_object_or_404(Case.objects.select_related("ur_decision"), number=number)


def add_error_of(form: Any, refusal: BadFact) -> None:
    """Put a refusal beside the field that it is about, or above the form."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def way_back(request: StaffRequest, otherwise: str) -> str:
    """Where the form says it stood, if that is a page of ours."""
    to: str = request.POST.get("back", "")
    ours = to.startswith("/") and url_has_allowed_host_and_scheme(to, allowed_hosts=None)
    return to if ours else otherwise


def seen_version(request: StaffRequest) -> int | None:
    return whole_number(request.POST.get("version", ""))
