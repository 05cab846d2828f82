"""Pages of this organization: its members, their affiliations, and conflicts found."""

from collections import Counter
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import run_action
from accounts.models import User
from accounts.requests import StaffRequest
from cases import organization_facts, policies
from cases.forms.own_conflicts import (
    MEMBER_FORMS,
    CorrectFactForm,
    MemberAffiliationForm,
    OwnOrganizationForm,
    ResolveConflictForm,
)
from cases.forms.parties import AsOfForm
from cases.models import MemberAffiliation, OrganizationMember, OwnConflictResult
from cases.models.restrictions import select_visible
from cases.services import organization as services
from cases.services import own_conflicts
from directory.models import OrganizationName, PersonName
from form_fields.reasons import ReasonForm

TITLES = {
    "ITSELF": "This organization",
    "OWNER": "Owners",
    "OFFICER": "Officers and directors",
    "STAFF": "Staff",
}


@require_safe
def show_own_organization(request: StaffRequest) -> HttpResponse:
    """Show the members of the organization today or on another day."""
    return _render_own_organization_page(request)


@require_POST
def add_member(request: StaffRequest, kind: str) -> HttpResponse:
    """Add a member of the organization."""
    if kind not in MEMBER_FORMS:
        raise Http404("There is no such kind.")
    now = timezone.now()
    # The page has a form for each kind, so the ids of the fields must differ.
    form = MEMBER_FORMS[kind](request.POST, today=timezone.localdate(now), auto_id=f"{kind}-%s")

    def record() -> OrganizationMember:
        values = dict(form.cleaned_data)
        if "user" in values:
            values["user_id"] = values.pop("user")
        return services.record_member(kind=kind, by=request.user, at=now, **values)

    attempt = run_action(request, form, record, once=True)
    if attempt.done:
        messages.success(
            request,
            f"{attempt.result.name} added. Conflict checks include this member from now on.",
        )
        return redirect("cases:organization_member", attempt.result.pk)
    return _render_own_organization_page(request, status=attempt.status, **{kind: form})


@require_safe
def show_member(request: StaffRequest, member_id: int) -> HttpResponse:
    """Show a member of the organization with affiliations and history."""
    return _render_member_page(request, member_id)


@require_POST
def add_affiliation(request: StaffRequest, member_id: int) -> HttpResponse:
    """Add an affiliation of a member."""
    get_object_or_404(OrganizationMember, pk=member_id)
    now = timezone.now()
    form = MemberAffiliationForm(
        request.POST, today=timezone.localdate(now), auto_id="affiliation-%s"
    )
    attempt = run_action(
        request,
        form,
        lambda: services.record_member_affiliation(
            member_id=member_id, by=request.user, at=now, **form.cleaned_data
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, "Affiliation added. Conflict checks include it from now on.")
        return redirect("cases:organization_member", member_id)
    return _render_member_page(request, member_id, status=attempt.status, adding=form)


@require_POST
def correct_fact(request: StaffRequest, member_id: int, kind: str, fact_id: int) -> HttpResponse:
    """Correct the period, share or source of a member or an affiliation, or end it."""
    # The fact must belong to the member in the address.
    _load_member_fact(member_id, kind, fact_id)
    now = timezone.now()
    form = CorrectFactForm(
        request.POST, today=timezone.localdate(now), auto_id=f"{kind}-{fact_id}-%s"
    )
    attempt = run_action(
        request,
        form,
        lambda: services.correct_member_fact(
            kind=kind, fact_id=fact_id, changes=form.cleaned_data, by=request.user, at=now
        ),
    )
    if attempt.done:
        messages.success(request, "Correction saved. The earlier entry stays in the history.")
        return redirect("cases:organization_member", member_id)
    return _render_member_page(
        request, member_id, status=attempt.status, correcting={(kind, fact_id): form}
    )


@require_POST
def withdraw_fact(request: StaffRequest, member_id: int, kind: str, fact_id: int) -> HttpResponse:
    """Withdraw a member or an affiliation that was never true."""
    _load_member_fact(member_id, kind, fact_id)
    # The page has a form for each fact; the ids tell them apart.
    form = ReasonForm(request.POST, auto_id=f"why-{kind}-{fact_id}-%s")
    attempt = run_action(
        request,
        form,
        lambda: services.withdraw_member_fact(
            kind=kind,
            fact_id=fact_id,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "Entry withdrawn. It stays in the history.")
        return redirect("cases:organization_member", member_id)
    return _render_member_page(request, member_id, status=attempt.status, withdrawing=form)


@require_safe
def list_own_conflicts(request: StaffRequest) -> HttpResponse:
    """List possible and confirmed affiliations in open cases."""
    return _render_conflicts_page(request)


@require_POST
def resolve_conflict(request: StaffRequest, own_conflict_result_id: int) -> HttpResponse:
    """Resolve a possible affiliation."""
    results = select_visible(OwnConflictResult.objects.all(), request.user)
    conflict_result = get_object_or_404(results, pk=own_conflict_result_id)
    # The page has a form for each finding; the prefix tells them apart.
    form = ResolveConflictForm(request.POST, prefix=str(conflict_result.pk))
    attempt = run_action(
        request,
        form,
        lambda: own_conflicts.resolve_own_conflict(
            result_id=conflict_result.pk, by=request.user, at=timezone.now(), **form.cleaned_data
        ),
    )
    if attempt.done:
        messages.success(request, "Possible affiliation resolved.")
        return redirect(reverse("cases:own_conflicts"))
    return _render_conflicts_page(request, resolving=form, status=attempt.status)


def _load_member_fact(
    member_id: int, kind: str, fact_id: int
) -> OrganizationMember | MemberAffiliation:
    """Return a fact of this member, or answer 404."""
    versions = organization_facts.list_member_versions(
        get_object_or_404(OrganizationMember, pk=member_id)
    )
    if kind == "member":
        return get_object_or_404(
            OrganizationMember, pk=fact_id, pk__in=[row.pk for row in versions]
        )
    if kind == "affiliation":
        return get_object_or_404(MemberAffiliation, pk=fact_id, member__in=versions)
    raise Http404("There is no such fact.")


def _render_own_organization_page(
    request: StaffRequest, *, status: int = 200, **bound: OwnOrganizationForm
) -> HttpResponse:
    """Render the members on a day, with the forms to add one."""
    today = timezone.localdate()
    as_of = AsOfForm(request.GET or None, today=today)
    requested_day: date | None = as_of.cleaned_data["on"] if as_of.is_valid() else None
    on = requested_day or today
    rows = list(
        OrganizationMember.objects.current()
        .true_on(on)
        .select_related("user")
        .order_by("name", "pk")
    )
    counts = _count_affiliations(on)
    on_file = [row.user.pk for row in rows if row.user is not None]
    signs_in = User.objects.filter(is_active=True, ever_reviewer=False)
    # Staff who are not on file are not checked, so the page names them.
    missing = signs_in.exclude(pk__in=on_file).order_by("name", "pk")
    context = {
        "sections": [
            (
                kind,
                title,
                [(row, counts[row.pk]) for row in rows if row.kind == kind],
                bound.get(kind) or MEMBER_FORMS[kind](today=today, auto_id=f"{kind}-%s"),
            )
            for kind, title in TITLES.items()
        ],
        "as_of": as_of,
        "on": on,
        "is_as_of": requested_day is not None and requested_day != today,
        "missing": list(missing.values_list("name", flat=True)),
        "today": today,
    }
    return render(request, "cases/own_organization.html", context, status=status)


def _count_affiliations(on: date) -> Counter[int]:
    """Count the affiliations of each member on a day, by the id of its last version."""
    rows = list(OrganizationMember.objects.order_by("pk"))
    first = organization_facts.map_first_versions(rows)
    # Rows are in the order of their ids, so the last version stays.
    last = {first[row.pk]: row.pk for row in rows}
    member_ids = MemberAffiliation.objects.current().true_on(on).values_list("member_id", flat=True)
    return Counter(last[first[pk]] for pk in member_ids)


def _render_member_page(
    request: StaffRequest,
    member_id: int,
    *,
    adding: MemberAffiliationForm | None = None,
    correcting: dict[tuple[str, int], CorrectFactForm] | None = None,
    withdrawing: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a member, with the forms to correct or withdraw facts."""
    today = timezone.localdate()
    versions = organization_facts.list_member_versions(
        get_object_or_404(OrganizationMember, pk=member_id)
    )
    row = versions[-1]
    affiliations = list(
        MemberAffiliation.objects.current()
        .filter(member__in=versions)
        .order_by("-valid_from", "pk")
    )
    names = _name_affiliations(affiliations)

    def correction(kind: str, fact: OrganizationMember | MemberAffiliation) -> CorrectFactForm:
        sent = (correcting or {}).get((kind, fact.pk))
        initial = {name: getattr(fact, name) for name in CorrectFactForm.base_fields}
        return sent or CorrectFactForm(initial=initial, today=today, auto_id=f"{kind}-{fact.pk}-%s")

    context = {
        "member": row,
        "is_withdrawn": row.withdrawn,
        "earlier": versions[:-1],
        "conflicts": [
            (conflict, names[conflict.pk], correction("affiliation", conflict))
            for conflict in affiliations
        ],
        "conflict_form": adding or MemberAffiliationForm(today=today, auto_id="affiliation-%s"),
        "correct_form": correction("member", row),
        "withdrawing": withdrawing,
        "today": today,
    }
    return render(request, "cases/organization_member.html", context, status=status)


def _name_affiliations(affiliations: list[MemberAffiliation]) -> dict[int, str]:
    """Name the other side of each affiliation by its newest name. Two queries."""
    companies = OrganizationName.objects.current().filter(
        organization__in=[
            conflict.organization_id for conflict in affiliations if conflict.organization_id
        ]
    )
    persons = PersonName.objects.current().filter(
        person__in=[conflict.person_id for conflict in affiliations if conflict.person_id]
    )
    # Later rows replace earlier ones, so the newest name stays.
    company = dict(companies.order_by("pk").values_list("organization_id", "printed"))
    person = dict(persons.order_by("pk").values_list("person_id", "printed"))
    return {
        conflict.pk: ", ".join(
            [person[pk] for pk in [conflict.person_id] if pk in person]
            + [company[pk] for pk in [conflict.organization_id] if pk in company]
        )
        for conflict in affiliations
    }


def _render_conflicts_page(
    request: StaffRequest, *, resolving: ResolveConflictForm | None = None, status: int = 200
) -> HttpResponse:
    """Render the findings of open cases, with the forms to resolve them."""
    findings = organization_facts.list_open_case_findings(request.user)
    waiting = [one for one in findings if one.is_open]
    sent = {resolving.prefix: resolving} if resolving else {}
    context: dict[str, Any] = {
        "waiting": [
            (
                one,
                sent.get(str(one.row.pk)) or ResolveConflictForm(prefix=str(one.row.pk)),
                policies.why_not_resolve_own_conflict(request.user, one.row),
            )
            for one in waiting
        ],
        "confirmed": [one for one in findings if not one.is_open],
        # Someone may have resolved it, or checked the case again, in the meantime.
        "refused": resolving
        if resolving and resolving.prefix not in {str(one.row.pk) for one in waiting}
        else None,
        "today": timezone.localdate(),
    }
    return render(request, "cases/own_conflicts.html", context, status=status)
