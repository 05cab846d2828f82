"""Ranks the panel for cases, and checks reviewers for conflicts with their parties.

The number of queries depends neither on the size of the panel nor on the number of cases.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime

from cases.models import Case
from cases.party_facts import CompanyGraph, build_party_facts, read_party_facts
from deadlines.days import local_day
from directory.affiliations import FoundConflict, Limits, PartyFacts
from reviewers import conflicts
from reviewers.facts import AffiliationRecord, Profile
from reviewers.models import Reviewer

from . import ranking
from .candidacy import (
    IDLE,
    NO_MARKS,
    CandidateData,
    CandidateResult,
    CaseMarks,
    MatchCase,
    MatchItem,
    Rules,
    Scope,
    SpecialtyMapEntry,
    Workload,
)
from .case_input import CaseRows, ItemRow, load_affiliations_near, load_case_rows
from .compiled_panel import CompiledPanel
from .kept_panel import (
    get_shared_input,
    read_change_marks,
    read_shared_input,
    select_marks,
)
from .panel_ranking import PanelRanking
from .specialty_map import KnownCondition, find_conditions
from .track_record import get_conflict_limits, load_workloads


def evaluate_candidates(
    case: Case,
    *,
    on: date,
    known_at: datetime,
    rules: Rules | None = None,
    only: Reviewer | None = None,
) -> tuple[list[CandidateResult], dict[int, Sequence[FoundConflict]]]:
    """Rank the panel for a case on a day and check every reviewer for conflicts.

    :param rules: the weights and limits to use; by default those in force on the day.
    :param only: evaluate only this reviewer. The rank then says nothing about the others.
    :returns: the results in rank order, and the conflicts by reviewer id.
    """
    if only is None:
        placed = rank_case(case, on=on, known_at=known_at, rules=rules)
        results = placed.list_results()
        return results, {one.reviewer_id: placed.get_conflicts(one.reviewer_id) for one in results}
    today = load_matching_context(on=on, known_at=known_at, rules=rules, only=only)
    match_case, people = gather_matching_input(case, today)
    results = ranking.rank_candidates(match_case, people)
    return results, {person.profile.reviewer_id: person.conflicts for person in people}


def rank_case(
    case: Case, *, on: date, known_at: datetime, rules: Rules | None = None
) -> PanelRanking:
    """Rank the panel for a case on a day. Reasons are made when they are asked for.

    :param rules: as for ``evaluate_candidates``.
    """
    today = load_matching_context(on=on, known_at=known_at, rules=rules)
    (case_input,) = gather_ranking_inputs([case], today)
    return case_input.rank(today.work)


@dataclass(frozen=True)
class MatchingContext:
    """The input that all cases of a day share, loaded once for all of them."""

    on: date
    known_at: datetime
    rules: Rules
    limits: Limits
    specialty_map: tuple[SpecialtyMapEntry, ...]
    conditions: tuple[KnownCondition, ...]
    scopes: tuple[Scope, ...]
    panel: CompiledPanel
    graph: CompanyGraph
    work: Mapping[int, Workload]  # of the reviewers who have any


@dataclass(frozen=True)
class RankingInput:
    """The input of the ranking for one case.

    :ivar marks: the reviewers whom something sets apart for this case.
    :ivar no_conflicts: the conflict results of all others.
    :ivar left_out: reviewers who are not considered.
    """

    match_case: MatchCase
    panel: CompiledPanel
    marks: Mapping[int, CaseMarks]
    no_conflicts: tuple[FoundConflict, ...]
    left_out: Set[int] = frozenset()

    def rank(self, work: Mapping[int, Workload]) -> PanelRanking:
        """Rank the panel, with the open work of reviewers as it is now."""
        return PanelRanking(
            self.match_case,
            self.panel,
            work=work,
            marks=self.marks,
            no_conflicts=self.no_conflicts,
            left_out=self.left_out,
        )

    def without_holder(self, reviewer_id: int, seated: Iterable[int]) -> "RankingInput":
        """Return the input without a case's reviewer, and with those in its other seats barred."""
        barred = {
            pk: replace(
                self.marks.get(pk, NO_MARKS), barred_because="has another seat of this case"
            )
            for pk in seated
            if pk != reviewer_id
        }
        return replace(self, marks={**self.marks, **barred}, left_out=self.left_out | {reviewer_id})


def load_matching_context(
    *, on: date, known_at: datetime, rules: Rules | None = None, only: Reviewer | None = None
) -> MatchingContext:
    """Load the panel, or one reviewer, with the rules and the specialty map of a day.

    What does not depend on open work is kept by the process as long as nothing changed. Two
    queries then, or three on the day's first call.

    :param rules: the weights and limits to use; by default those in force on the day.
    """
    marks = read_change_marks()
    # A single reviewer is checked again before an assignment. Reading one is cheaper than the
    # whole panel, which may have to be compiled first.
    if only is None:
        shared = get_shared_input(on=on, known_at=known_at, marks=marks)
    else:
        shared = read_shared_input(Reviewer.objects.filter(pk=only.pk), on=on, known_at=known_at)
    rules = rules or shared.rules
    return MatchingContext(
        on=on,
        known_at=known_at,
        rules=rules,
        limits=shared.limits,
        specialty_map=shared.specialty_map,
        conditions=shared.conditions,
        scopes=shared.scopes,
        panel=shared.panel,
        graph=shared.graph,
        work=load_workloads(
            rules, on=on, known_at=known_at, reviews_state=select_marks(marks, "reviews")
        ),
    )


def gather_ranking_inputs(cases: Sequence[Case], today: MatchingContext) -> list[RankingInput]:
    """Read what the ranking needs of each case. Three queries, whatever the number of cases.

    One more where someone has resolved a possible conflict.
    """
    rows_of = load_case_rows(cases, known_at=today.known_at)
    parties_of = build_party_facts(
        [rows_of[case.pk].parties for case in cases], today.graph, known_at=today.known_at
    )
    # A panel has many affiliations and few concern these parties, so only those are read.
    near = load_affiliations_near(
        [party for parties in parties_of for party in parties],
        on=today.on,
        known_at=today.known_at,
    )
    return [
        RankingInput(
            match_case=_build_match_case(case, rows_of[case.pk].items, today),
            panel=today.panel,
            marks=_build_marks(rows_of[case.pk], parties, near, today),
            # Shared by all reviewers with nothing on file, who are most of the panel.
            no_conflicts=tuple(party.no_conflict for party in parties),
        )
        for case, parties in zip(cases, parties_of, strict=True)
    ]


def _build_marks(
    rows: CaseRows,
    parties: Sequence[PartyFacts],
    near: Mapping[int, tuple[AffiliationRecord, ...]],
    today: MatchingContext,
) -> dict[int, CaseMarks]:
    """Find the reviewers whom an affiliation, a name or the history of a case sets apart."""
    organizations: set[int] = set()
    persons: set[int] = set()
    for party in parties:
        organizations |= party.all_organizations
        persons |= party.all_persons
    marks = dict(rows.histories)
    # All others certainly pass. Comparing them would be most of the work of a ranking.
    compared = today.panel.names.near(parties) | today.panel.with_contracts
    compared |= {
        pk
        for pk, held in near.items()
        if any(one.organization_id in organizations or one.person_id in persons for one in held)
    }
    for pk in compared:
        if (member := today.panel.member_of.get(pk)) is None:
            continue  # entered after the panel was compiled
        profile = member.profile
        if pk in near:
            # Those that matter for every case are on the profile already.
            held = {one.pk: one for one in (*profile.affiliations, *near[pk])}
            profile = replace(profile, affiliations=tuple(held[key] for key in sorted(held)))
        possible = conflicts.find_conflicts(profile, parties, today.limits, name=member.name)
        found = tuple(conflicts.apply_resolutions(possible, rows.resolutions.get(pk, {})))
        marks[pk] = replace(marks.get(pk, NO_MARKS), conflicts=found)
    return marks


def gather_matching_input(
    case: Case, today: MatchingContext
) -> tuple[MatchCase, list[CandidateData]]:
    """Build the input of ``ranking.rank_candidates`` for a case: the case and all candidates."""
    (case_input,) = gather_ranking_inputs([case], today)
    people = []
    for member in today.panel.members:
        pk = member.profile.reviewer_id
        work = today.work.get(pk, IDLE)
        marks = case_input.marks.get(pk, NO_MARKS)
        people.append(
            CandidateData(
                profile=member.profile,
                workload=work.workload,
                overdue=work.overdue,
                allowed_categories=member.allowed_categories,
                days_off=member.days_off,
                record=work.record,
                removed_from_case_on=marks.removed_from_case_on,
                barred_because=marks.barred_because,
                was_on_earlier_round=marks.was_on_earlier_round,
                has_declined=marks.has_declined,
                conflicts=case_input.no_conflicts if marks.conflicts is None else marks.conflicts,
                daily_results=member.daily_results,
            )
        )
    return case_input.match_case, people


def find_case_conflicts(case: Case, profile: Profile, *, known_at: datetime) -> list[FoundConflict]:
    """Check one reviewer against the parties of a case, with resolutions by people applied.

    :param known_at: use only rows recorded by this moment.
    """
    limits = get_conflict_limits(local_day(known_at), known_at=known_at)
    parties = read_party_facts(case, known_at=known_at, limits=limits)
    possible = conflicts.find_conflicts(profile, parties, limits)
    resolutions = load_case_rows([case], known_at=known_at)[case.pk].resolutions
    return conflicts.apply_resolutions(possible, resolutions.get(profile.reviewer_id, {}))


def _build_match_case(case: Case, items: Sequence[ItemRow], today: MatchingContext) -> MatchCase:
    return MatchCase(
        case_number=case.number,
        items=tuple(_build_item(item, today) for item in items),
        specialty_map=today.specialty_map,
        on=today.on,
        rules=today.rules,
        scopes=today.scopes,
    )


def _build_item(item: ItemRow, today: MatchingContext) -> MatchItem:
    """Build an item with the conditions found in the diagnosis of its own case.

    Items of consolidated cases keep the diagnosis of the case they came with.
    """
    found = find_conditions(item.diagnosis, today.conditions)
    return MatchItem(
        item_id=item.pk,
        position=item.position,
        title=item.title,
        # The item's own category and its parent.
        categories=tuple(pk for pk in (item.category_id, item.parent_id) if pk is not None),
        body_part=item.body_part,
        conditions=frozenset(one.condition_id for one in found),
        diagnosis=", ".join(one.name for one in found) or item.diagnosis,
        is_experimental=item.is_experimental,
    )
