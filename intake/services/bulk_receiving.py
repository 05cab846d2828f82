"""Receives many applications at once, with the same rows as one by one.

An application that needs more than new rows is received by itself, in its turn: one that disputes a
decision on file, may be a duplicate, comes with files, or names a party with which the organization
may have a conflict. All others are stored table by table, in one transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import NotAllowed, Refused, refuse_if
from cases.duplicates import ApplicationFacts, build_duplicate_keys, compare_applications
from cases.formulary import build_treatment, propose_for_treatments
from cases.lifecycle import Status
from cases.models import Application, Case, DisputedItem, Event, TreatmentCategory, URDecision
from cases.organization_facts import read_own_organization
from cases.party_facts import build_planned_facts_of_many
from cases.services import (
    case_deadlines,
    case_numbers,
    drafting,
    duplicates,
    own_conflicts,
    parties,
)
from deadlines.days import local_day
from deadlines.models import latest_rule_version, rules_on_file
from deadlines.results import ComputedDeadline
from directory.names import fold_number
from guidelines.drug_list import drug_list_on_file
from guidelines.formulary import DrugList, Proposal
from intake.models import IntakeDraft
from intake.policies import why_not_enter_application

from .receiving import (
    ApplicationOnForm,
    build_case,
    build_facts,
    build_items,
    build_received_event,
    build_typed_form,
    build_ur_decision,
    find_case_of_form,
    read_claim_number,
    receive_application,
    refuse_impossible_dates,
    screening_facts,
)


@dataclass(frozen=True)
class ReceiveResult:
    """What became of one application.

    :ivar case: its case, or ``None`` if it was refused.
    :ivar refusal: why it was refused.
    :ivar was_known: the same form was saved before, and nothing was stored.
    """

    case: Case | None
    refusal: Refused | None = None
    was_known: bool = False


@dataclass(frozen=True)
class _Row:
    """An application of the batch, with what was computed before the transaction.

    :ivar candidates: the versions of the cases on file that it was compared with.
    """

    place: int
    application: ApplicationOnForm
    facts: ApplicationFacts
    candidates: Mapping[int, int]
    proposal: Proposal | None
    screening: ComputedDeadline


class _CannotStoreTogether(Exception):
    """Some applications have to be received by themselves."""

    def __init__(self, places: set[int]) -> None:
        super().__init__()
        self.places = places


def receive_many_applications(
    *, applications: Sequence[ApplicationOnForm], by: User, at: datetime
) -> list[ReceiveResult]:
    """Receive some hundred applications in the order given, as ``receive_application`` does.

    One that is refused stops no other. What was received before an error is kept.

    :returns: a result for each application, in the same order.
    """
    results: dict[int, ReceiveResult] = {}
    waiting = _select_acceptable(applications, results, by=by, at=at)
    batch = _Batch({place: applications[place] for place in waiting})
    while waiting:
        together = list(takewhile(lambda place: place not in batch.alone, waiting))
        if not together:
            place = waiting.pop(0)
            results[place] = _receive_alone(applications[place], by=by, at=at)
            continue
        own_ids = {result.case.pk for result in results.values() if result.case}
        rows = [batch.rows[place] for place in together]
        try:
            cases = _receive_together(rows, own_ids, batch.rule_version, by=by, at=at)
        except _CannotStoreTogether as error:
            batch.alone |= error.places
            continue
        except (IntegrityError, NotAllowed):
            # Someone stored one of them at the same moment, or has lost the role.
            batch.alone |= set(together)
            continue
        results |= {place: ReceiveResult(case) for place, case in zip(together, cases, strict=True)}
        waiting = waiting[len(together) :]
    return [results[place] for place in range(len(applications))]


def _receive_alone(application: ApplicationOnForm, *, by: User, at: datetime) -> ReceiveResult:
    try:
        if known := find_case_of_form(application, by=by):
            return ReceiveResult(known, was_known=True)
        return ReceiveResult(receive_application(application=application, by=by, at=at))
    except Refused as refusal:
        return ReceiveResult(None, refusal)


def _select_acceptable(
    applications: Sequence[ApplicationOnForm],
    results: dict[int, ReceiveResult],
    *,
    by: User,
    at: datetime,
) -> list[int]:
    """Return the places of applications that are new and pass the checks without rows.

    The results of the others are added to ``results``.
    """
    keys = [one.key for one in applications]
    known = set(
        Application.objects.filter(idempotency_key__in=keys).values_list(
            "idempotency_key", flat=True
        )
    )
    refusal_of_role = why_not_enter_application(by)
    accepted = []
    seen: set[UUID] = set()
    for place, application in enumerate(applications):
        if application.key in known:
            results[place] = _receive_alone(application, by=by, at=at)
            continue
        try:
            # The case of an earlier form with this key is shown first; it is looked up in its turn.
            if application.key not in seen:
                refuse_if(refusal_of_role)
                refuse_impossible_dates(application=application, at=at)
        except NotAllowed as refusal:
            results[place] = ReceiveResult(None, refusal)
        else:
            accepted.append(place)
            seen.add(application.key)
    return accepted


class _Batch:
    """Applications of one batch, compared with the cases on file and with each other.

    :ivar rows: what was computed, by place.
    :ivar alone: the places of those that have to be received by themselves.
    """

    def __init__(self, applications: Mapping[int, ApplicationOnForm]) -> None:
        self.rule_version = latest_rule_version()
        self._law = rules_on_file()
        self._screenings: dict[date, ComputedDeadline] = {}
        self._drug_lists: dict[date, DrugList | None] = {}
        self._categories = TreatmentCategory.objects.select_related("parent").in_bulk(
            {item.category_id for one in applications.values() for item in one.items} - {None}
        )
        self.alone = _find_forms_to_receive_alone(applications)
        facts = {place: build_facts(application=one) for place, one in applications.items()}
        self.alone |= _find_similar_in_batch(facts)
        comparisons = duplicates.compare_many_with_cases(facts=list(facts.values()))
        self.rows: dict[int, _Row] = {}
        for (place, application), comparison in zip(applications.items(), comparisons, strict=True):
            if any(one.possible_duplicate.is_proposed for one in comparison.similar):
                self.alone.add(place)
            if place in self.alone:
                continue
            try:
                screening = self._compute_screening(local_day(application.received_at))
            except Refused:
                # No rule is on file for its day; received by itself, it is refused for that.
                self.alone.add(place)
                continue
            self.rows[place] = _Row(
                place,
                application,
                comparison.facts,
                comparison.versions,
                self._propose(application),
                screening,
            )

    def _compute_screening(self, received_on: date) -> ComputedDeadline:
        if received_on not in self._screenings:
            self._screenings[received_on] = case_deadlines.compute_rule_sum(
                deadline_kind=case_deadlines.SCREENING,
                given=screening_facts(received_on=received_on),
                law=self._law,
            )
        return self._screenings[received_on]

    def _propose(self, application: ApplicationOnForm) -> Proposal | None:
        return propose_for_treatments(
            [
                build_treatment(
                    title=item.title, category=self._categories.get(item.category_id or 0)
                )
                for item in application.items
            ],
            requested_on=application.ur_decision.requested_on,
            decided_on=application.ur_decision.decided_on,
            received_on=local_day(application.received_at),
            find_drug_list=self._find_drug_list,
        )

    def _find_drug_list(self, on: date) -> DrugList | None:
        if on not in self._drug_lists:
            self._drug_lists[on] = drug_list_on_file(on)
        return self._drug_lists[on]


def _find_forms_to_receive_alone(applications: Mapping[int, ApplicationOnForm]) -> set[int]:
    """Find the applications that more than new rows depend on: a draft, files, a known decision."""
    seen: set[object] = set(
        IntakeDraft.objects.filter(key__in=[one.key for one in applications.values()]).values_list(
            "key", flat=True
        )
    )
    seen |= _find_decisions_on_file(applications.values())
    alone = set()
    for place, application in applications.items():
        # The later one of two that are equal in the batch, too.
        marks = {application.key, _read_decision_key(application)} - {None}
        if (
            marks & seen
            or application.papers
            or application.scan_id is not None
            or application.ur_decision.different_because
        ):
            alone.add(place)
        seen |= marks
    return alone


_DecisionKey = tuple[str, date, str]


def _read_decision_key(application: ApplicationOnForm) -> _DecisionKey | None:
    """What two forms about one UR decision have in common; ``None`` if the form does not say."""
    claim, form = read_claim_number(application=application), application.ur_decision
    if not claim or not form.decided_on:
        return None
    return claim, form.decided_on, fold_number(form.reference)


def _find_decisions_on_file(applications: Iterable[ApplicationOnForm]) -> set[_DecisionKey]:
    """Find which UR decisions of some forms are on file. One query."""
    keys = {key for one in applications if (key := _read_decision_key(one))}
    stored = URDecision.objects.filter(claim_number_normal__in={key[0] for key in keys})
    return keys & set(stored.values_list("claim_number_normal", "decided_on", "reference_normal"))


def _find_similar_in_batch(facts: Mapping[int, ApplicationFacts]) -> set[int]:
    """Find the applications that may be a duplicate of an earlier one of the batch."""
    similar = set()
    by_key: dict[str, list[int]] = defaultdict(list)
    for place, one in facts.items():
        keys = build_duplicate_keys(one)
        earlier = {other for key in keys for other in by_key[key]}
        if any(compare_applications(one, facts[other]).is_proposed for other in earlier):
            similar.add(place)
        for key in keys:
            by_key[key].append(place)
    return similar


@transaction.atomic
def _receive_together(
    rows: Sequence[_Row],
    own_ids: set[int],
    rule_version: tuple[int, int],
    *,
    by: User,
    at: datetime,
) -> list[Case]:
    """Store applications table by table, after checking that what was computed still holds.

    :param own_ids: the cases of earlier applications of the batch, which were compared already.
    :raises _CannotStoreTogether: names those that have to be received by themselves.
    """
    refuse_if(why_not_enter_application(User.objects.get_with_roles(by.pk) or by))
    if latest_rule_version() != rule_version:
        raise _CannotStoreTogether({row.place for row in rows})
    applications = [row.application for row in rows]
    known = _find_decisions_on_file(applications)
    _refuse_if_any(row.place for row in rows if _read_decision_key(row.application) in known)
    decisions = [build_ur_decision(application=one) for one in applications]
    # Sorted, so that two imports that wait for each other's decisions do so in one order.
    URDecision.objects.bulk_store(
        sorted(
            decisions,
            key=lambda one: (one.claim_number_normal, str(one.decided_on), one.reference_normal),
        ),
        by=by,
        at=at,
    )
    # From here on no other application is stored until this transaction ends.
    numbers = case_numbers.take_case_numbers(many=len(rows), at=at)
    _refuse_if_any(_find_changed(rows, own_ids))
    plans = parties.plan_parties_of_many(forms=[one.parties for one in applications])
    compared = _compare_parties(plans, at)
    _refuse_if_any(row.place for row, one in zip(rows, compared, strict=True) if one.conflicts)
    forms = [build_typed_form(application=one, by=by, at=at) for one in applications]
    Application.objects.bulk_store(forms, by=by, at=at)
    cases = [
        build_case(application=one, number=number, typed=typed, ur_decision=decision, lead=None)
        for one, number, typed, decision in zip(
            applications, numbers, forms, decisions, strict=True
        )
    ]
    Case.objects.bulk_store(cases, by=by, at=at)
    _store_rows_of_cases(rows, cases, plans, compared, by=by, at=at)
    return cases


def _refuse_if_any(places: Iterable[int]) -> None:
    if found := set(places):
        raise _CannotStoreTogether(found)


def _find_changed(rows: Sequence[_Row], own_ids: set[int]) -> set[int]:
    """Find the applications that were stored since, or that other cases are similar to now."""
    keys = [row.application.key for row in rows]
    stored = set(
        Application.objects.filter(idempotency_key__in=keys).values_list(
            "idempotency_key", flat=True
        )
    )
    stored |= set(IntakeDraft.objects.filter(key__in=keys).values_list("key", flat=True))
    candidates = duplicates.find_candidates_of_many(facts=[row.facts for row in rows])
    return {
        row.place
        for row, found in zip(rows, candidates, strict=True)
        if row.application.key in stored
        or any(
            pk not in own_ids and row.candidates.get(pk) != version for pk, version in found.items()
        )
    }


def _compare_parties(
    plans: Sequence[parties.PlannedParties], at: datetime
) -> list[own_conflicts.ComparedParties]:
    """Compare the parties of each application with the members of the organization."""
    own_organization = read_own_organization(on=local_day(at), known_at=at)
    facts = build_planned_facts_of_many(
        [plan.rows for plan in plans],
        known_at=at,
        new_persons=[one for plan in plans for one in plan.new_persons],
        new_organizations=[one for plan in plans for one in plan.new_organizations],
    )
    return [own_conflicts.compare_parties(one, own_organization) for one in facts]


def _store_rows_of_cases(
    rows: Sequence[_Row],
    cases: Sequence[Case],
    plans: Sequence[parties.PlannedParties],
    compared: Sequence[own_conflicts.ComparedParties],
    *,
    by: User,
    at: datetime,
) -> None:
    """Store everything that belongs to new cases, in the order of ``receive_application``."""
    pairs = list(zip(rows, cases, strict=True))
    stored = parties.store_parties_of_new_cases(cases=cases, plans=plans, by=by, at=at)
    DisputedItem.objects.bulk_store(
        [
            item
            for row, case in pairs
            for item in build_items(application=row.application, case=case)
        ],
        by=by,
        at=at,
    )
    received = Event.objects.bulk_create(
        [
            build_received_event(
                application=row.application, case=case, proposal=row.proposal, by=by, at=at
            )
            for row, case in pairs
        ]
    )
    Case.objects.move_all_to(cases, Status.SCREENING, by=by, at=at)
    case_deadlines.start_deadlines_of_new_cases(
        cases=cases,
        deadline_kind=case_deadlines.SCREENING,
        given=[screening_facts(received_on=local_day(row.application.received_at)) for row in rows],
        results=[row.screening for row in rows],
        by=by,
        at=at,
    )
    own_conflicts.store_checks_without_findings(
        cases=cases,
        compared=[
            one.renumber({row.pk: party.pk for row, party in zip(plan.rows, of_case, strict=True)})
            for one, plan, of_case in zip(compared, plans, stored, strict=True)
        ],
        by=by,
        at=at,
    )
    drafting.propose_letters_of_new_cases(events=received, by=by, at=at)
    duplicates.store_keys_of_new_cases(cases=cases, facts=[row.facts for row in rows], by=by, at=at)
