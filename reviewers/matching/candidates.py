"""Loads the input of matching and conflict checks.

The number of queries does not depend on the size of the panel.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from cases.consolidated_items import list_decided_items
from cases.lifecycle import Status
from cases.models import (
    Case,
    DisputedItem,
)
from cases.party_facts import group_party_rows, read_party_facts
from deadlines.days import local_day
from directory.affiliations import DEFAULT_LIMITS, FoundConflict, Limits, PartyFacts
from reviewers import conflicts
from reviewers.facts import Profile
from reviewers.models import (
    Affiliation,
    Condition,
    ConflictLimits,
    ConflictResult,
    Reviewer,
    ReviewerAssignment,
    ReviewerBar,
    ScopeLimit,
    SpecialtyFit,
)
from reviewers.profiles import load_facts_by_reviewer

from . import ranking
from .candidacy import (
    CandidateData,
    Item,
    MatchCase,
    Rules,
    Scope,
    SpecialtyMapEntry,
    TrackRecord,
    Verdict,
)
from .panel_snapshot import Member, PanelSnapshot, get_panel_snapshot, read_panel_snapshot
from .specialty_map import KnownCondition, find_conditions
from .track_record import get_matching_rules, list_previous_assignments, load_track_records

# Statuses of a case that count as open work of its reviewer. A case with several seats is at
# RECORDS_COMPLETE while one reviewer works and another seat is still free.
WITH_REVIEWER = [
    Status.RECORDS_COMPLETE,
    Status.REVIEWER_CHOSEN,
    Status.IN_REVIEW,
    Status.INFO_FOR_REVIEW,
    Status.QA,
    Status.APPROVED,
]

# reviewer id → (party id, relation) → (result, note), as people resolved possible conflicts
Resolutions = Mapping[int, Mapping[tuple[int, str], tuple[str, str]]]


def evaluate_candidates(
    case: Case,
    *,
    on: date,
    known_at: datetime,
    rules: Rules | None = None,
    only: Reviewer | None = None,
) -> tuple[list[Verdict], dict[int, Sequence[FoundConflict]]]:
    """Rank the panel for a case on a day and check every reviewer for conflicts.

    :param rules: the weights and limits to use; by default those in force on the day.
    :param only: evaluate only this reviewer. The rank then says nothing about the others.
    :returns: the verdicts in rank order, and the conflicts by reviewer id.
    """
    rules = rules or get_matching_rules(on, known_at=known_at)
    question, people = gather_matching_input(
        case, load_matching_context(rules, on=on, known_at=known_at, only=only)
    )
    verdicts = ranking.rank_candidates(question, people)
    return verdicts, {person.profile.reviewer_id: person.conflicts for person in people}


@dataclass(frozen=True)
class Workload:
    """A reviewer's open work and track record. Never cached, because every offer changes it."""

    workload: int
    overdue: int
    has_sign_in: bool
    record: TrackRecord


@dataclass(frozen=True)
class MatchingContext:
    """The input that all cases of a day share, loaded once for all of them."""

    on: date
    known_at: datetime
    rules: Rules
    limits: Limits
    fits: tuple[SpecialtyMapEntry, ...]
    conditions: tuple[KnownCondition, ...]
    scopes: tuple[Scope, ...]
    panel: PanelSnapshot
    work: Mapping[int, Workload]


def load_matching_context(
    rules: Rules, *, on: date, known_at: datetime, only: Reviewer | None = None
) -> MatchingContext:
    """Load the panel, or one reviewer, with the rules and the specialty map of a day.

    Facts come from the cached snapshot if nothing changed. Open work is always counted again.
    """
    reviewers = Reviewer.objects.all() if only is None else Reviewer.objects.filter(pk=only.pk)
    # A single reviewer is checked again before an assignment. Reading one is cheaper than the
    # snapshot of the whole panel, which may have to be built first.
    panel = (
        get_panel_snapshot(on=on, known_at=known_at)
        if only is None
        else read_panel_snapshot(reviewers, on=on, known_at=known_at)
    )
    # exclude() keeps the lines without a condition; filter() on an active one would drop them.
    fits = SpecialtyFit.objects.filter(is_active=True).exclude(condition__is_active=False)
    conditions = Condition.objects.filter(is_active=True).order_by("name")
    scopes = ScopeLimit.objects.filter(is_active=True).order_by("pk")
    return MatchingContext(
        on=on,
        known_at=known_at,
        rules=rules,
        limits=get_conflict_limits(on, known_at=known_at),
        fits=tuple(
            SpecialtyMapEntry(*row)
            for row in fits.order_by("specialty__name", "pk").values_list(
                "specialty__name",
                "category_id",
                "body_part",
                "reason",
                "condition_id",
                Coalesce("condition__name", Value("")),
            )
        ),
        conditions=tuple(
            KnownCondition(*row) for row in conditions.values_list("pk", "name", "codes", "words")
        ),
        scopes=tuple(
            Scope(*row)
            for row in scopes.values_list("license_kind", "category_id", "category__name", "source")
        ),
        panel=panel,
        work=_count_workloads(reviewers, rules, on=on, known_at=known_at),
    )


def gather_matching_input(
    case: Case, today: MatchingContext
) -> tuple[MatchCase, list[CandidateData]]:
    """Build the input of the ranking for a case: the question and all applicants."""
    return _build_question(case, today), _build_applicants(case, today)


def find_case_conflicts(case: Case, profile: Profile, *, known_at: datetime) -> list[FoundConflict]:
    """Check one reviewer against the parties of a case, with resolutions by people applied.

    :param known_at: use only rows recorded by this moment.
    """
    limits = get_conflict_limits(local_day(known_at), known_at=known_at)
    parties = read_party_facts(case, known_at=known_at, limits=limits)
    found = conflicts.find_conflicts(profile, parties, limits)
    resolutions = _load_resolutions(case, known_at=known_at)
    return conflicts.apply_resolutions(found, resolutions.get(profile.reviewer_id, {}))


def get_conflict_limits(day: date, *, known_at: datetime) -> Limits:
    """Return the conflict limits in force on a day, as recorded by a moment. One query."""
    row = (
        ConflictLimits.objects.filter(effective_from__lte=day, recorded_at__lte=known_at)
        .order_by("-effective_from")
        .first()
    )
    return Limits(row.holding_percent, frozenset(row.kin)) if row else DEFAULT_LIMITS


def _build_question(case: Case, today: MatchingContext) -> MatchCase:
    # Withdrawn or authorized items are not decided, so they must not exclude a reviewer.
    items = (
        list_decided_items(case)
        .filter(ending=DisputedItem.Ending.PENDING)
        .select_related("category", "case")
    )
    return MatchCase(
        case_number=case.number,
        items=tuple(_build_item(item, today) for item in items),
        fits=today.fits,
        on=today.on,
        rules=today.rules,
        scopes=today.scopes,
    )


def _build_item(item: DisputedItem, today: MatchingContext) -> Item:
    """Build an item with the conditions found in the diagnosis of its own case.

    Items of consolidated cases keep the diagnosis of the case they came with.
    """
    diagnosis = item.case.diagnosis
    conditions = find_conditions(diagnosis, today.conditions)
    return Item(
        item_id=item.pk,
        position=item.position,
        title=item.title,
        categories=_list_item_categories(item),
        body_part=item.body_part,
        conditions=frozenset(one.condition_id for one in conditions),
        diagnosis=", ".join(one.name for one in conditions) or diagnosis,
        # NULL means that the UR decision does not say. Only a stated yes requires experience.
        is_experimental=item.is_experimental is True,
    )


def _list_item_categories(item: DisputedItem) -> tuple[int, ...]:
    """Return the ids of the item's own category and of its parent."""
    if item.category is None:
        return ()
    parent = item.category.parent_id
    return (item.category.pk,) if parent is None else (item.category.pk, parent)


def _build_applicants(case: Case, today: MatchingContext) -> list[CandidateData]:
    parties = read_party_facts(case, known_at=today.known_at, limits=today.limits)
    # A panel has many affiliations and few concern these parties, so only those are read.
    own_facts = load_facts_by_reviewer(
        on=today.on,
        known_at=today.known_at,
        affiliations=_build_affiliation_filter(parties),
        kinds=["affiliations"],
    )
    resolutions = _load_resolutions(case, known_at=today.known_at)
    histories = _load_case_histories(case, known_at=today.known_at)
    no_history = CaseHistory()
    similar_names = today.panel.names.near(parties)
    # Shared by all reviewers with nothing on file, who are most of the panel.
    no_conflicts = tuple(party.no_conflict for party in parties)
    people = []
    for member in today.panel.members:
        pk = member.profile.reviewer_id
        if (work := today.work.get(pk)) is None:
            continue  # joined the panel after the work was counted
        member = _apply_sign_in(member, work.has_sign_in)
        profile = member.profile
        if pk in own_facts:
            profile = replace(profile, affiliations=tuple(own_facts[pk]["affiliations"]))
        found_conflicts = no_conflicts
        # All others certainly pass. Comparing them would be most of the work of a ranking.
        if profile.affiliations or pk in similar_names:
            found = conflicts.find_conflicts(profile, parties, today.limits, name=member.name)
            found_conflicts = tuple(conflicts.apply_resolutions(found, resolutions.get(pk, {})))
        history = histories.get(pk, no_history)
        people.append(
            CandidateData(
                profile=profile,
                workload=work.workload,
                overdue=work.overdue,
                subjects=member.subjects,
                days_off=member.days_off,
                record=work.record,
                removed_from_case_on=history.removed_from_case_on,
                barred_because=history.barred_because,
                on_earlier_round=history.on_earlier_round,
                declined_before=history.declined_before,
                conflicts=found_conflicts,
                answered=member.answered,
            )
        )
    return people


def _apply_sign_in(member: Member, has_sign_in: bool) -> Member:
    """Return the member with the current sign-in state.

    A withdrawn sign-in does not make a new snapshot, so the snapshot may be out of date.
    """
    if member.profile.has_sign_in == has_sign_in:
        return member
    profile = replace(member.profile, has_sign_in=has_sign_in)
    return Member.of(profile, subjects=member.subjects, days_off=member.days_off)


def _build_affiliation_filter(parties: Sequence[PartyFacts]) -> Q:
    """Build the filter for affiliations that can matter for a case with these parties."""
    organizations: set[int] = set()
    persons: set[int] = set()
    for party in parties:
        organizations |= party.organizations | party.namesake_organizations
        organizations |= party.group | party.part_owned
        persons |= party.persons | party.namesake_persons | party.officers
    return (
        Q(organization_id__in=organizations)
        | Q(person_id__in=persons)
        # Such a contract excludes the reviewer from every case, whoever the parties are.
        | Q(relation=Affiliation.Relation.UR_CONTRACT)
    )


def _count_workloads(
    reviewers: QuerySet[Reviewer], rules: Rules, *, on: date, known_at: datetime
) -> dict[int, Workload]:
    """Count open and overdue cases and load track records by reviewer id. Four queries."""
    # Grouped from the open assignments, which are far fewer than the reviewers.
    open_work = (
        ReviewerAssignment.objects.filter(
            reviewer__in=reviewers.values("pk"),
            state__in=ReviewerAssignment.LIVE,
            case__status__in=WITH_REVIEWER,
        )
        .order_by()
        .values("reviewer_id")
        .annotate(many=Count("pk"), overdue=Count("pk", filter=Q(case__due_on__lt=on)))
    )
    open_of = {
        pk: (many, late)
        for pk, many, late in open_work.values_list("reviewer_id", "many", "overdue")
    }
    before = load_track_records(reviewers, rules=rules, on=on, known_at=known_at)
    nothing = TrackRecord()
    # Without an account, user__is_active is NULL, which counts as no sign-in.
    return {
        pk: Workload(*open_of.get(pk, (0, 0)), bool(signed_in), before.get(pk, nothing))
        for pk, signed_in in reviewers.order_by("pk").values_list("pk", "user__is_active")
    }


@dataclass(frozen=True)
class CaseHistory:
    """A reviewer's history with one case."""

    barred_because: str = ""
    on_earlier_round: bool = False
    declined_before: bool = False
    removed_from_case_on: date | None = None


def _load_case_histories(case: Case, *, known_at: datetime) -> dict[int, CaseHistory]:
    """Load the history of each reviewer who was barred from, or had, a case. Three queries."""
    bars: dict[int, str] = {}
    for pk, reason in (
        ReviewerBar.objects.filter(case=case).order_by("pk").values_list("reviewer_id", "reason")
    ):
        bars.setdefault(pk, reason)
    earlier, declined = set(), set()
    held = ReviewerAssignment.objects.filter(case=case, reviewer__isnull=False)
    for pk, round_, accepted_at, state in held.values_list(
        "reviewer_id", "round", "accepted_at", "state"
    ):
        # Someone who never accepted has not seen the records and may decide the new round.
        if round_ < case.round and accepted_at is not None:
            earlier.add(pk)
        # Declining an earlier round does not count against the reviewer in this one.
        if round_ == case.round and state == ReviewerAssignment.State.DECLINED:
            declined.add(pk)
    had = list_previous_assignments(case, known_at=known_at)
    return {
        pk: CaseHistory(bars.get(pk, ""), pk in earlier, pk in declined, had.get(pk))
        for pk in bars.keys() | earlier | declined | had.keys()
    }


def _load_resolutions(case: Case, *, known_at: datetime) -> Resolutions:
    """Load how people resolved possible conflicts of a case.

    A resolution holds for a party row in every version of the party list, because party rows never
    change. It also holds for a later row that names the same people at another address.
    """
    found: dict[int, dict[tuple[int, str], tuple[str, str]]] = defaultdict(dict)
    rows = (
        ConflictResult.objects.filter(case=case, resolves__isnull=False, tested_at__lte=known_at)
        # Oldest first, so that the latest resolution of a relation replaces earlier ones.
        .order_by("tested_at", "pk")
        .values_list("reviewer_id", "party_id", "relation", "result", "note")
    )
    # Most cases have no resolution, and then the party rows need not be read.
    alike = group_party_rows(case) if rows else {}
    for reviewer_id, party_id, relation, result, note in rows:
        for same in alike[party_id]:
            found[reviewer_id][(same, relation)] = (result, note)
    return found
