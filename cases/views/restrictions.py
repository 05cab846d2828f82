"""Pages of restricted cases: the list, and the restriction and clearances of one case."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.names import name_actor
from accounts.requests import StaffRequest, posted_data
from cases import policies
from cases.forms.restrictions import (
    ClearForm,
    RestrictForm,
    RestrictRelatedForm,
    list_people_to_clear,
)
from cases.models import Case
from cases.models.restrictions import restricted_now, select_joint_restrictions
from cases.open_work import select_restrictions
from cases.related_cases import list_related_cases
from cases.services import restrictions as services

from .acting import answer_reason_form, load_case

MAX_ROWS = 200


@require_safe
def list_restricted_cases(request: StaffRequest) -> HttpResponse:
    """List the restricted cases for which the reader is cleared, newest restriction first."""
    rows = select_restrictions(request.user)
    context = {
        "rows": [(row, name_actor(row.begun_by, reader=request.user)) for row in rows[:MAX_ROWS]],
        "today": timezone.localdate(),
    }
    return render(request, "cases/restricted_cases.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def show_restriction(request: StaffRequest, number: str) -> HttpResponse:
    """Show whether a case is restricted and who is cleared, and restrict it."""
    case = load_case(request, number)
    people = list_people_to_clear(request.user, without={request.user.pk, *case.barred_staff})
    form = RestrictForm(posted_data(request), people=people, related=list_related_cases(case))
    attempt = run_action(
        request,
        form,
        lambda: services.restrict_case(
            case_id=case.pk,
            ground=form.cleaned_data["ground"],
            reason=form.cleaned_data["reason"],
            cleared=[int(pk) for pk in form.cleaned_data["cleared"]],
            related=form.cleaned_data.get("related", []),
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        count = restricted_now().filter(root=attempt.result).count()
        more = f" and {count} related case{'' if count == 1 else 's'}" if count else ""
        messages.success(
            request, f"Restricted: this case{more}. Only cleared people find them now."
        )
        return redirect("cases:restriction", number)
    return _render_page(request, case, form=form, status=attempt.status)


@require_POST
def restrict_related_cases(request: StaffRequest, number: str) -> HttpResponse:
    """Restrict more cases together with a restricted one."""
    case = load_case(request, number)
    form = RestrictRelatedForm(request.POST, related=list_related_cases(case))
    attempt = run_action(
        request,
        form,
        lambda: services.restrict_related_cases(
            case_id=case.pk,
            related=form.cleaned_data.get("related", []),
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "Restricted as well. The same people are cleared.")
        return redirect("cases:restriction", number)
    return _render_page(request, case, related_form=form, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def lift_restriction(request: StaffRequest, number: str) -> HttpResponse:
    """Lift the restriction of a case for a reason."""
    return answer_reason_form(
        request,
        number,
        title="Lift the restriction",
        button="Lift restriction",
        why_not=policies.why_not_keep_clearances,
        service=services.lift_restriction,
        success_message="The restriction is lifted. Everyone whose role opens cases finds it.",
        extra={"warning": _describe_joint_lift(request, number)},
    )


@require_POST
def clear_person(request: StaffRequest, number: str) -> HttpResponse:
    """Clear one person for a restricted case."""
    case = load_case(request, number)
    form = _build_clear_form(request, case, request.POST)
    attempt = run_action(
        request,
        form,
        lambda: services.clear_person(
            case_id=case.pk,
            user_id=int(form.cleaned_data["person"]),
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "Clearance granted.")
        return redirect("cases:restriction", number)
    return _render_page(request, case, clear_form=form, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def end_clearance(request: StaffRequest, number: str, clearance_id: int) -> HttpResponse:
    """End the clearance of one person for a reason."""
    clearance = get_object_or_404(
        load_case(request, number).clearances.select_related("user"), pk=clearance_id
    )
    name = name_actor(clearance.user, reader=request.user)

    def end_this_clearance(*, case_id: int, **named: Any) -> None:
        services.end_clearance(clearance_id=clearance_id, **named)

    return answer_reason_form(
        request,
        number,
        title=f"End the clearance of {name}",
        button="End clearance",
        why_not=lambda user, case: (
            policies.why_not_keep_clearances(user, case)
            or policies.why_not_end_clearance(clearance)
        ),
        service=end_this_clearance,
        success_message="The clearance has ended.",
    )


def _describe_joint_lift(request: StaffRequest, number: str) -> str:
    """Name the other cases whose restriction is lifted too; empty if there are none."""
    others = _list_joint_cases(load_case(request, number))
    if not others:
        return ""
    return (
        "These cases were restricted together and are lifted together: "
        f"{', '.join(one.number for one in others)}."
    )


def _list_joint_cases(case: Case) -> list[Case]:
    """List the other cases that were restricted together with this one."""
    own = restricted_now().filter(case=case).first()
    if own is None:
        return []
    rows = select_joint_restrictions(own).exclude(pk=own.pk).select_related("case")
    return [row.case for row in rows]


def _build_clear_form(
    request: StaffRequest, case: Case, posted: QueryDict | None = None
) -> ClearForm:
    """Build the form that clears one more person."""
    cleared = set(case.clearances.filter(ended_at__isnull=True).values_list("user", flat=True))
    people = list_people_to_clear(request.user, without={*cleared, *case.barred_staff})
    return ClearForm(posted, people=people, cleared=cleared)


def _render_page(
    request: StaffRequest,
    case: Case,
    *,
    form: RestrictForm | None = None,
    clear_form: ClearForm | None = None,
    related_form: RestrictRelatedForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page of the restriction with its forms, one of which may be bound."""
    reader = request.user
    rows = list(
        case.clearances.select_related("user", "cleared_by", "ended_by").order_by(
            "-cleared_at", "-pk"
        )
    )
    restrictions = case.restrictions.select_related("begun_by", "ended_by").order_by("-pk")
    people = list_people_to_clear(reader, without={reader.pk, *case.barred_staff})
    related = list_related_cases(case)
    context = {
        "case": case,
        "tab": "",
        "today": timezone.localdate(),
        "restriction": restrictions.filter(ended_at__isnull=True).first(),
        "earlier": [
            (one, name_actor(one.begun_by, reader=reader), name_actor(one.ended_by, reader=reader))
            for one in restrictions.filter(ended_at__isnull=False)
        ],
        "clearances": [
            (
                one,
                name_actor(one.user, reader=reader),
                name_actor(one.cleared_by, reader=reader),
                name_actor(one.ended_by, reader=reader) if one.ended_at else "",
            )
            for one in rows
        ],
        "joint": _list_joint_cases(case),
        "related_form": (related_form or RestrictRelatedForm(related=related)) if related else None,
        "form": form or RestrictForm(people=people, related=related),
        "clear_form": clear_form or _build_clear_form(request, case),
        "why_not": policies.why_not_restrict(reader),
    }
    return render(request, "cases/restriction.html", context, status=status)
