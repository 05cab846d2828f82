"""Data of the panel pages: the roster, a reviewer's file, and a reviewer's own work."""

from calendar import day_name
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.models import User
from cases.models import Case, DisputedItem, TreatmentCategory
from reviewers.forms.panel import TITLES
from reviewers.matching.candidacy import DEFAULT_RULES, SETTINGS, CandidateData, Reason, Rules
from reviewers.matching.candidates import WITH_REVIEWER
from reviewers.matching.track_record import get_matching_rules

from .facts import PracticeKind, Profile
from .matching import ranking, requirements
from .models import (
    Candidate,
    CandidateList,
    ConflictResult,
    CredentialFact,
    MatchingRules,
    Reviewer,
    ReviewerAssignment,
)
from .profiles import load_profiles
from .services.conflicts import list_open_questions
from .services.credentialing import FACT_KINDS

PAGE = 50
LAPSES_SOON = timedelta(days=90)
REMOVED_SHOWN_FOR = timedelta(
    days=14
)  # how long a reviewer sees that they were removed from a case


@dataclass(frozen=True)
class RosterLine:
    """One reviewer on the roster."""

    reviewer: Reviewer
    specialties: str
    states: str
    workload: int
    hindrances: Sequence[Reason]  # reasons that block every case today


@dataclass(frozen=True)
class FactLine:
    """One stored fact for display in a file."""

    row: CredentialFact
    words: str
    lapsed: bool
    lapses_soon: bool


@dataclass(frozen=True)
class ReviewerWork:
    """One case in a reviewer's own list."""

    assignment: ReviewerAssignment
    items: Sequence[DisputedItem]
    is_offer: bool
    attest_again: bool


@dataclass(frozen=True)
class RulesChange:
    """One change of the matching rules, as (label, old value, new value)."""

    row: MatchingRules
    changed: Sequence[tuple[str, int, int]]


@dataclass(frozen=True)
class CandidateLine:
    """One candidate for display on the assignment page."""

    candidate: Candidate
    line: str
    reasons: Sequence[str]

    @property
    def reviewer(self) -> Reviewer:
        return self.candidate.reviewer


def list_roster(
    *, on: date, known_at: datetime, find: str = "", after: str = "", with_work: bool = True
) -> tuple[list[RosterLine], str]:
    """Return a page of the panel by code, and the code after which the next page starts.

    At most five queries.

    :param find: part of a name, a code or a certified specialty.
    :param with_work: consider open cases, which are known only for today.
    """
    rows = Reviewer.objects.order_by("code")
    for word in find.split():
        # One filter for each word, so that a first name and a specialty find a reviewer together.
        rows = rows.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(code__iexact=word)
            | Q(certifications__specialty__name__icontains=word)
        )
    # Paged by code: with an offset, a new reviewer would shift the next page.
    if after:
        rows = rows.filter(code__gt=after)
    # distinct(): the join with certifications repeats reviewers who have several that match.
    found = list(annotate_workload(rows, on=on).distinct()[: PAGE + 1])
    shown = found[:PAGE]
    held = load_profiles(
        Reviewer.objects.filter(pk__in=[row.pk for row in shown]), on=on, known_at=known_at
    )
    rules = get_matching_rules(on, known_at=known_at)
    then = load_roster_entries(shown, known_at=known_at)
    lines = [
        _build_roster_line(row, held[row.pk], rules, then.get(row.pk), with_work=with_work)
        for row in shown
    ]
    return lines, shown[-1].code if len(found) > PAGE else ""


@dataclass(frozen=True)
class RosterEntry:
    """The values of a reviewer's row at a moment, from its history."""

    status: str
    capacity: int
    subjects: Sequence[int] | None  # ids of treatment categories; None: all
    days_off: Sequence[int]  # weekdays, Monday 0


def load_roster_entries(rows: Sequence[Reviewer], *, known_at: datetime) -> dict[int, RosterEntry]:
    """Load the rows of reviewers as they were at a moment, by id. One query."""
    # Oldest first, so that the latest version by that moment remains for each reviewer.
    versions = Reviewer.history.filter(
        id__in=[row.pk for row in rows], history_date__lte=known_at
    ).order_by("history_date", "history_id")
    return {
        pk: RosterEntry(*values)
        for pk, *values in versions.values_list("id", "status", "capacity", "subjects", "days_off")
    }


def list_blocking_reasons(
    profile: Profile,
    row: Any,
    *,
    rules: Rules,
    entry: RosterEntry | None = None,
    with_work: bool = True,
) -> list[Reason]:
    """Return the reasons that block every case for a reviewer on the profile's day.

    :param row: a reviewer loaded by ``annotate_workload``.
    :param entry: the row's values at that time; the current ones when left out.
    :param with_work: consider open cases, which are known only for today.
    """
    applicant = CandidateData(
        profile,
        workload=row.workload,
        overdue=row.overdue,
        days_off=frozenset(row.days_off if entry is None else entry.days_off),
    )
    passed_over = set() if with_work else {"WORKLOAD", "OVERDUE"}
    answers = ranking.check_general_requirements(applicant, rules)
    return [one for one in answers if not one.holds and one.requirement not in passed_over]


def describe_offer_limits(
    subjects: Sequence[int] | None, days_off: Sequence[int]
) -> tuple[str, str]:
    """Describe the treatments that a reviewer is offered and the days off. At most one query."""
    names = "All treatments"
    if subjects is not None:
        found = TreatmentCategory.objects.filter(pk__in=subjects).order_by("name")
        names = ", ".join(str(row) for row in found) or "None"
    return names, ", ".join(f"{day_name[day]}s" for day in sorted(days_off))


def annotate_workload(rows: QuerySet[Reviewer], *, on: date) -> QuerySet[Any]:
    """Annotate reviewers with their number of open and overdue cases."""
    open_now = Q(
        assignments__state__in=ReviewerAssignment.LIVE,
        assignments__case__status__in=WITH_REVIEWER,
    )
    past = open_now & Q(assignments__case__due_on__lt=on)
    # Joins multiply the rows that are counted, so each assignment is counted once by its id.
    return rows.annotate(
        workload=Count("assignments", filter=open_now, distinct=True),
        overdue=Count("assignments", filter=past, distinct=True),
    )


def list_open_work(reviewer: Reviewer) -> QuerySet[ReviewerAssignment]:
    """Return the live assignments of a reviewer, by due date."""
    return (
        ReviewerAssignment.objects.filter(
            reviewer=reviewer,
            state__in=ReviewerAssignment.LIVE,
            case__status__in=WITH_REVIEWER,
        )
        .select_related("case")
        .order_by("case__due_on", "pk")
    )


def load_reviewer_file(
    reviewer: Reviewer, *, on: date, known_at: datetime, holding_only: bool
) -> list[tuple[str, str, list[FactLine]]]:
    """Return every kind of fact with its title and rows, newest first. One query per kind.

    :param holding_only: only facts in force on the day; otherwise also past and future ones.
    """
    found = []
    for kind, model in FACT_KINDS.items():
        manager: Any = model._default_manager
        rows = manager.known_at(known_at).filter(reviewer=reviewer)
        if holding_only:
            rows = rows.on(on)
        related = {
            "certification": ("specialty", "parent"),
            "affiliation": ("organization", "person"),
        }.get(kind, ())
        rows = rows.select_related(*related).order_by("-valid_from", "-pk")
        # Names are rows of their own and would otherwise take a query for each line.
        if kind == "affiliation":
            rows = rows.prefetch_related("organization__names", "person__names")
        found.append((kind, TITLES[kind], [_build_fact_line(row, on) for row in rows]))
    return found


def list_recently_removed(user: User, *, now: datetime) -> list[ReviewerAssignment]:
    """Return the cases from which this person was recently removed, latest first. One query.

    Cases that were assigned to them again are left out.
    """
    back = ReviewerAssignment.objects.filter(
        reviewer__user=user, case=OuterRef("case"), state__in=ReviewerAssignment.LIVE
    )
    return list(
        ReviewerAssignment.objects.filter(
            ~Exists(back),
            reviewer__user=user,
            state=ReviewerAssignment.State.REMOVED,
            ended_at__gt=now - REMOVED_SHOWN_FOR,
        )
        .select_related("case")
        .order_by("-ended_at", "-pk")
    )


def list_my_work(user: User) -> list[ReviewerWork]:
    """Return the cases that this person reviews, by due date. Three queries."""
    rows = list(
        ReviewerAssignment.objects.filter(
            reviewer__user=user,
            state__in=ReviewerAssignment.LIVE,
            case__status__in=WITH_REVIEWER,
        )
        .select_related("case", "reviewer")
        .prefetch_related("case__items", "attestations")
        .order_by("case__due_on", "pk")
    )
    return [
        ReviewerWork(
            assignment=row,
            items=sorted(
                (one for one in row.case.items.all() if one.is_live),
                key=lambda one: one.position,
            ),
            is_offer=row.state == ReviewerAssignment.State.OFFERED,
            attest_again=row.state == ReviewerAssignment.State.ACCEPTED
            and not _has_current_attestation(row),
        )
        for row in rows
    ]


def list_expiring_facts(profile: Profile) -> list[tuple[str, date]]:
    """Return the facts of a reviewer's file that expire soon, by date."""
    dated = [
        *((f"License in {held.state}", held.valid_to) for held in profile.licenses),
        *((f"Certification in {held.specialty}", held.valid_to) for held in profile.certifications),
        *(
            ("Attestation of weekly hours", held.valid_to)
            for held in profile.practice
            if held.kind == PracticeKind.HOURS
        ),
        *(("Training", held.valid_to) for held in profile.trainings),
    ]
    soon = [(words, day) for words, day in dated if day and day <= profile.on + LAPSES_SOON]
    return sorted(soon, key=lambda pair: pair[1])


def list_rule_values(rules: Rules) -> list[tuple[str, int]]:
    """Return every weight and limit as (label, value)."""
    return [(SETTINGS[name].label, value) for name, value in rules.values.items()]


def list_rule_changes() -> list[RulesChange]:
    """Return all changes of the matching rules, newest first. One query."""
    # The defaults were in force before the first row, so that row is compared with them.
    changes, before = [], DEFAULT_RULES
    for row in MatchingRules.objects.select_related("recorded_by").order_by(
        "effective_from", "recorded_at", "pk"
    ):
        now = Rules.of(row.weights, row.limits)
        changes.append(
            RulesChange(
                row,
                [
                    (SETTINGS[name].label, before.values[name], value)
                    for name, value in now.values.items()
                    if value != before.values[name]
                ],
            )
        )
        before = now
    return changes[::-1]


def split_candidates(listed: CandidateList) -> tuple[list[CandidateLine], list[CandidateLine]]:
    """Split a candidate list into eligible candidates by rank and ineligible ones. One query."""
    rows = listed.candidates.select_related("reviewer").order_by("rank", "reviewer__code")
    shown = [_build_candidate_line(row) for row in rows]
    eligible = [one for one in shown if one.candidate.rank is not None]
    return eligible, [one for one in shown if one.candidate.rank is None]


def count_exclusion_reasons(excluded: Iterable[CandidateLine]) -> list[tuple[int, str]]:
    """Count the ineligible candidates of each requirement, most first."""
    tally = dict.fromkeys(requirements.REQUIREMENTS, 0)
    for one in excluded:
        for requirement in {
            reason["requirement"] for reason in one.candidate.reasons if not reason["holds"]
        }:
            tally[requirement] += 1
    pairs = [
        (number, requirements.REQUIREMENTS[requirement])
        for requirement, number in tally.items()
        if number
    ]
    return sorted(pairs, key=lambda pair: -pair[0])


def list_open_conflicts(
    case: Case, excluded: Iterable[CandidateLine], live: Iterable[ReviewerAssignment]
) -> list[ConflictResult]:
    """Return the possible conflicts of a case that a person must resolve.

    They concern the reviewers who have the case or, while no one has it, candidates who are
    otherwise eligible.
    """
    waiting = [held.reviewer_id for held in live if held.reviewer_id is not None]
    if not waiting:
        waiting = [
            one.reviewer.pk
            for one in excluded
            if {reason["requirement"] for reason in one.candidate.reasons if not reason["holds"]}
            == {"UNSETTLED"}
        ]
    return list_open_questions(case, waiting)


def list_shared_surnames(assignment: ReviewerAssignment) -> list[str]:
    """Return the parties who share the reviewer's surname, for a notice in the attestation."""
    # An assignment of a published letter names no reviewer, and no reviewer has the id 0.
    rows = ConflictResult.objects.filter(
        case_id=assignment.case_id, reviewer_id=assignment.reviewer_id or 0, relation="SURNAME"
    ).select_related("party")
    return sorted({f"{row.party.get_role_display()}: {row.party.name}" for row in rows})


def _build_roster_line(
    row: Any, held: Profile, rules: Rules, entry: RosterEntry | None, *, with_work: bool
) -> RosterLine:
    # ``load_profiles`` gives the current status, and the page may show an earlier day.
    if entry is not None:
        held = replace(held, status=entry.status, capacity=entry.capacity)
    return RosterLine(
        reviewer=row,
        specialties=", ".join(held.specialties),
        states=", ".join(dict.fromkeys(held_license.state for held_license in held.licenses)),
        workload=row.workload,
        hindrances=list_blocking_reasons(held, row, rules=rules, entry=entry, with_work=with_work),
    )


def _build_fact_line(row: Any, on: date) -> FactLine:
    lapsed = row.valid_to is not None and row.valid_to < on
    soon = not lapsed and row.valid_to is not None and row.valid_to <= on + LAPSES_SOON
    return FactLine(row, _describe_fact(row), lapsed, soon)


def _describe_fact(row: Any) -> str:
    """Describe a fact in one line."""
    kind = type(row).__name__
    if kind == "License":
        return f"{row.get_kind_display()}, {row.state}, {row.number}: {row.get_standing_display()}"
    if kind == "Certification":
        parent = f", under {row.parent}" if row.parent else ""
        keeps = f", {row.get_maintenance_display().lower()}" if row.maintenance else ""
        standing = row.get_standing_display()
        return f"{row.specialty}{parent} ({row.board}): {standing}{keeps}"
    if kind == "PracticeFact":
        hours = f": {row.weekly_hours.normalize():f}" if row.weekly_hours is not None else ""
        return f"{row.get_kind_display()}{hours}"
    if kind == "SanctionCheck":
        note = f". {row.note}" if row.note else ""
        return f"{row.register}: {'a sanction was found' if row.found else 'nothing found'}{note}"
    if kind == "Affiliation":
        kin = f", {row.get_kin_display().lower()}" if row.kin else ""
        share = f", {row.share_percent}%" if row.share_percent is not None else ""
        note = f". {row.note}" if row.note else ""
        return f"{row.get_relation_display()}: {_name_affiliated_parties(row)}{kin}{share}{note}"
    if kind == "TreatmentExperience":
        return f"{row.treatment}. {row.detail}" if row.detail else row.treatment
    if kind == "FileProof":
        return f"{row.get_kind_display()}: {row.detail}"
    if kind == "Leave":
        return row.note or "Leave"
    return str(row)


def _name_affiliated_parties(row: Any) -> str:
    named = [
        name.printed
        for obligor in (row.organization, row.person)
        if obligor is not None
        for name in list(obligor.names.all())[-1:]
    ]
    return ", ".join(named) or "not named"


def _has_current_attestation(row: ReviewerAssignment) -> bool:
    # Filtered in Python, because a query would not use the prefetched attestations.
    return any(
        signed.voided_at is None and signed.party_list_version == row.case.party_list_version
        for signed in row.attestations.all()
    )


def _build_candidate_line(row: Candidate) -> CandidateLine:
    sentences: dict[str, list[str]] = {}
    for reason in row.reasons:
        sentences.setdefault(reason["requirement"], []).append(reason["sentence"])
    if row.rank is None:
        return CandidateLine(
            row, "", [sentence for some in sentences.values() for sentence in some]
        )
    # The choice depends on these. The stored list keeps all reasons.
    line = [
        one for name in ("CERTIFICATION", "LICENSE", "WORKLOAD") for one in sentences.get(name, [])
    ]
    why = [one for name in ("SPECIALTY", "CONFLICT", "REMARK") for one in sentences.get(name, [])]
    return CandidateLine(row, " ".join(line), why)
