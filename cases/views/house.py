"""Pages of this organization: who belongs to it, what ties them to others, and what was found."""

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
from cases import house_facts, policies
from cases.forms.house import MEMBER_FORMS, CorrectForm, HouseForm, SettleForm, TieForm
from cases.forms.parties import AsOfForm
from cases.models import HouseMember, HouseResult, HouseTie
from cases.services import house as services
from cases.services import house_ties
from directory.models import OrganisationName, PersonName
from form_fields.reasons import ReasonForm

TITLES = {
    "ITSELF": "The organization itself",
    "OWNER": "Owners",
    "OFFICER": "Officers and directors",
    "STAFF": "Members of staff",
}


@require_safe
def house(request: StaffRequest) -> HttpResponse:
    """Everybody of the house, today or on a day."""
    return _house_page(request)


@require_POST
def add_member(request: StaffRequest, kind: str) -> HttpResponse:
    """Put somebody on file."""
    if kind not in MEMBER_FORMS:
        raise Http404("There is no such kind.")
    now = timezone.now()
    form = MEMBER_FORMS[kind](request.POST, today=timezone.localdate(now), auto_id=f"{kind}-%s")

    def record() -> HouseMember:
        said = dict(form.cleaned_data)
        if "user" in said:
            said["user_id"] = said.pop("user")
        return services.record_member(kind=kind, by=request.user, at=now, **said)

    tried = run_action(request, form, record)
    if tried.done:
        messages.success(request, f"{tried.result.name} is on file and is tested from now on.")
        return redirect("cases:house_member", tried.result.pk)
    return _house_page(request, status=tried.status, **{kind: form})


@require_safe
def member(request: StaffRequest, member_id: int) -> HttpResponse:
    """One of the house, as believed today, with their ties."""
    return _member_page(request, member_id)


@require_POST
def add_tie(request: StaffRequest, member_id: int) -> HttpResponse:
    """Put a tie of somebody of the house on file."""
    get_object_or_404(HouseMember, pk=member_id)
    now = timezone.now()
    form = TieForm(request.POST, today=timezone.localdate(now), auto_id="tie-%s")
    tried = run_action(
        request,
        form,
        lambda: services.record_tie(
            member_id=member_id, by=request.user, at=now, **form.cleaned_data
        ),
    )
    if tried.done:
        messages.success(request, "The tie is on file; it is looked for from now on.")
        return redirect("cases:house_member", member_id)
    return _member_page(request, member_id, status=tried.status, adding=form)


@require_POST
def correct_fact(request: StaffRequest, member_id: int, kind: str, fact_id: int) -> HttpResponse:
    """Correct the days, the share or the source of a member or a tie, or end it."""
    _fact(member_id, kind, fact_id)
    now = timezone.now()
    form = CorrectForm(request.POST, today=timezone.localdate(now), auto_id=f"{kind}-{fact_id}-%s")
    tried = run_action(
        request,
        form,
        lambda: services.correct(
            kind=kind, fact_id=fact_id, changes=form.cleaned_data, by=request.user, at=now
        ),
    )
    if tried.done:
        messages.success(request, "It is corrected; what was believed before stays on file.")
        return redirect("cases:house_member", member_id)
    return _member_page(request, member_id, status=tried.status, correcting={(kind, fact_id): form})


@require_POST
def withdraw_fact(request: StaffRequest, member_id: int, kind: str, fact_id: int) -> HttpResponse:
    """Say that a member or a tie was never true."""
    _fact(member_id, kind, fact_id)
    form = ReasonForm(request.POST)
    tried = run_action(
        request,
        form,
        lambda: services.withdraw(
            kind=kind,
            fact_id=fact_id,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if tried.done:
        messages.success(request, "It counts no longer; it stays readable in the history.")
        return redirect("cases:house_member", member_id)
    return _member_page(request, member_id, status=tried.status, withdrawing=form)


@require_safe
def ties(request: StaffRequest) -> HttpResponse:
    """What was found in open cases: what waits for an answer, and what stands."""
    return _ties_page(request)


@require_POST
def settle_tie(request: StaffRequest, house_result_id: int) -> HttpResponse:
    """Answer a possible tie."""
    doubt = get_object_or_404(HouseResult, pk=house_result_id)
    form = SettleForm(request.POST, prefix=str(doubt.pk))
    tried = run_action(
        request,
        form,
        lambda: house_ties.settle(
            result_id=doubt.pk, by=request.user, at=timezone.now(), **form.cleaned_data
        ),
    )
    if tried.done:
        messages.success(request, "The possible tie is settled.")
        return redirect(reverse("cases:house_ties"))
    return _ties_page(request, settling=form, status=tried.status)


def _fact(member_id: int, kind: str, fact_id: int) -> HouseMember | HouseTie:
    """The fact, if it is one of this member."""
    versions = house_facts.versions_of(get_object_or_404(HouseMember, pk=member_id))
    if kind == "member":
        return get_object_or_404(HouseMember, pk=fact_id, pk__in=[row.pk for row in versions])
    if kind == "tie":
        return get_object_or_404(HouseTie, pk=fact_id, member__in=versions)
    raise Http404("There is no such fact.")


def _house_page(request: StaffRequest, *, status: int = 200, **bound: HouseForm) -> HttpResponse:
    today = timezone.localdate()
    as_of = AsOfForm(request.GET or None, today=today)
    asked: date | None = as_of.cleaned_data["on"] if as_of.is_valid() else None
    on = asked or today
    rows = list(HouseMember.objects.current().on(on).select_related("user").order_by("name", "pk"))
    counts = _counted_ties(on)
    on_file = [row.user.pk for row in rows if row.user is not None]
    signs_in = User.objects.filter(is_active=True, ever_reviewer=False)
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
        "is_as_of": asked is not None and asked != today,
        "missing": list(missing.values_list("name", flat=True)),
        "today": today,
    }
    return render(request, "cases/house.html", context, status=status)


def _counted_ties(on: date) -> Counter[int]:
    """How many ties each member has on a day, by the id of the member's last version."""
    rows = list(HouseMember.objects.order_by("pk"))
    first = house_facts.first_versions(rows)
    last = {first[row.pk]: row.pk for row in rows}
    tied = HouseTie.objects.current().on(on).values_list("member_id", flat=True)
    return Counter(last[first[pk]] for pk in tied)


def _member_page(
    request: StaffRequest,
    member_id: int,
    *,
    adding: TieForm | None = None,
    correcting: dict[tuple[str, int], CorrectForm] | None = None,
    withdrawing: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    today = timezone.localdate()
    versions = house_facts.versions_of(get_object_or_404(HouseMember, pk=member_id))
    row = versions[-1]
    tied = list(
        HouseTie.objects.current().filter(member__in=versions).order_by("-valid_from", "pk")
    )
    called = _names(tied)

    def correction(kind: str, fact: HouseMember | HouseTie) -> CorrectForm:
        sent = (correcting or {}).get((kind, fact.pk))
        initial = {name: getattr(fact, name) for name in CorrectForm.base_fields}
        return sent or CorrectForm(initial=initial, today=today, auto_id=f"{kind}-{fact.pk}-%s")

    context = {
        "member": row,
        "is_withdrawn": row.withdrawn,
        "earlier": versions[:-1],
        "ties": [(tie, called[tie.pk], correction("tie", tie)) for tie in tied],
        "tie_form": adding or TieForm(today=today, auto_id="tie-%s"),
        "correct_form": correction("member", row),
        "withdrawing": withdrawing,
        "today": today,
    }
    return render(request, "cases/house_member.html", context, status=status)


def _names(tied: list[HouseTie]) -> dict[int, str]:
    """Whom each tie is to, by the newest names. Two queries."""
    companies = OrganisationName.objects.current().filter(
        organization__in=[tie.organization_id for tie in tied if tie.organization_id]
    )
    persons = PersonName.objects.current().filter(
        person__in=[tie.person_id for tie in tied if tie.person_id]
    )
    company = dict(companies.order_by("pk").values_list("organization_id", "printed"))
    person = dict(persons.order_by("pk").values_list("person_id", "printed"))
    return {
        tie.pk: ", ".join(
            [person[pk] for pk in [tie.person_id] if pk in person]
            + [company[pk] for pk in [tie.organization_id] if pk in company]
        )
        for tie in tied
    }


def _ties_page(
    request: StaffRequest, *, settling: SettleForm | None = None, status: int = 200
) -> HttpResponse:
    found = house_facts.found_in_open_cases()
    waiting = [one for one in found if one.is_open]
    sent = {settling.prefix: settling} if settling else {}
    context: dict[str, Any] = {
        "waiting": [
            (
                one,
                sent.get(str(one.row.pk)) or SettleForm(prefix=str(one.row.pk)),
                policies.why_not_settle_house_tie(request.user, one.row),
            )
            for one in waiting
        ],
        "tied": [one for one in found if not one.is_open],
        # Somebody may have settled it, or tested the case again, in between.
        "refused": settling
        if settling and settling.prefix not in {str(one.row.pk) for one in waiting}
        else None,
        "today": timezone.localdate(),
    }
    return render(request, "cases/house_ties.html", context, status=status)
