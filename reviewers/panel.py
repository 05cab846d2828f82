"""Data of the panel pages: the roster, a reviewer's file, and a reviewer's own work."""

import re
from calendar import day_name
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.models import User
from cases.item_groups import group_item_sentences
from cases.models import Case, DisputedItem, TreatmentCategory
from cases.models.restrictions import select_visible
from directory.affiliations import Limits, judge_affiliation
from reviewers.forms.panel import TITLES
from reviewers.matching.candidacy import DEFAULT_RULES, SETTINGS, CandidateData, Reason, Rules
from reviewers.matching.track_record import (
    WITH_REVIEWER,
    get_conflict_limits,
    get_matching_rules,
)

from .conflicts import LevelCount, count_levels
from .facts import PanelStatus, PracticeKind, Profile
from .matching import ranking
from .models import (
    Affiliation,
    CandidateList,
    ConflictResult,
    CredentialFact,
    MatchingRules,
    Reviewer,
    ReviewerAssignment,
)
from .profiles import load_facts_by_reviewer, load_profiles
from .services.conflicts import list_open_questions
from .services.credentialing import FACT_KINDS
from .stored_lists import StoredCandidate

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
    text: str
    lapsed: bool
    lapses_soon: bool
    level: str = ""  # of an affiliation: who forbids it, and where


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

    candidate: StoredCandidate
    reviewer: Reviewer
    line: str
    reasons: Sequence[str]


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
    rows_found = list(annotate_workload(rows, on=on).distinct()[: PAGE + 1])
    page_rows = rows_found[:PAGE]
    profiles = load_profiles(
        Reviewer.objects.filter(pk__in=[row.pk for row in page_rows]), on=on, known_at=known_at
    )
    rules = get_matching_rules(on, known_at=known_at)
    entries = load_roster_entries(page_rows, known_at=known_at)
    lines = [
        _build_roster_line(row, profiles[row.pk], rules, entries.get(row.pk), with_work=with_work)
        for row in page_rows
    ]
    return lines, page_rows[-1].code if len(rows_found) > PAGE else ""


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
    candidate = CandidateData(
        profile,
        workload=row.workload,
        overdue=row.overdue,
        days_off=frozenset(row.days_off if entry is None else entry.days_off),
    )
    passed_over = set() if with_work else {"WORKLOAD", "OVERDUE"}
    answers = ranking.check_general_requirements(candidate, rules)
    return [one for one in answers if not one.is_met and one.requirement not in passed_over]


def describe_offer_limits(
    subjects: Sequence[int] | None, days_off: Sequence[int]
) -> tuple[str, str]:
    """Describe the treatments that a reviewer is offered and the days off. At most one query."""
    names = "All treatments"
    if subjects is not None:
        excluded = TreatmentCategory.objects.filter(pk__in=subjects).order_by("name")
        names = ", ".join(str(row) for row in excluded) or "None"
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


def list_open_work(reviewer: Reviewer, reader: User) -> QuerySet[ReviewerAssignment]:
    """Return the live assignments of a reviewer that the reader may see: expedited ones first."""
    return (
        select_visible(ReviewerAssignment.objects.all(), reader)
        .filter(
            reviewer=reviewer,
            state__in=ReviewerAssignment.LIVE,
            case__status__in=WITH_REVIEWER,
        )
        .select_related("case")
        .order_by("case__urgency", "case__due_on", "pk")
    )


def load_reviewer_file(
    reviewer: Reviewer, *, on: date, known_at: datetime, holding_only: bool
) -> list[tuple[str, str, list[FactLine]]]:
    """Return every kind of fact with its title and rows, newest first. One query per kind.

    :param holding_only: only facts in force on the day; otherwise also past and future ones.
    """
    sections = []
    limits = get_conflict_limits(on, known_at=known_at)
    for kind, model in FACT_KINDS.items():
        manager: Any = model._default_manager
        rows = manager.known_at(known_at).filter(reviewer=reviewer)
        if holding_only:
            rows = rows.true_on(on)
        related = {
            "certification": ("specialty", "parent"),
            "affiliation": ("organization", "person"),
        }.get(kind, ())
        rows = rows.select_related(*related).order_by("-valid_from", "-pk")
        # Names are rows of their own and would otherwise take a query for each line.
        if kind == "affiliation":
            rows = rows.prefetch_related("organization__names", "person__names")
        sections.append((kind, TITLES[kind], [_build_fact_line(row, on, limits) for row in rows]))
    return sections


def count_affiliation_levels(limits: Limits, *, on: date, known_at: datetime) -> list[LevelCount]:
    """Count the affiliations of active reviewers by who forbids them. One query."""
    active = Reviewer.objects.filter(status=PanelStatus.ACTIVE)
    found = load_facts_by_reviewer(on=on, known_at=known_at, of=active, kinds=["affiliations"])
    return count_levels({pk: facts["affiliations"] for pk, facts in found.items()}, limits)


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
    """Return the cases that this person reviews: expedited, then by due date. Three queries."""
    rows = list(
        ReviewerAssignment.objects.filter(
            reviewer__user=user,
            state__in=ReviewerAssignment.LIVE,
            case__status__in=WITH_REVIEWER,
        )
        .select_related("case", "reviewer")
        .prefetch_related("case__items", "attestations")
        .order_by("case__urgency", "case__due_on", "pk")
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
        *((f"License in {fact.state}", fact.valid_to) for fact in profile.licenses),
        *((f"Certification in {fact.specialty}", fact.valid_to) for fact in profile.certifications),
        *(
            ("Attestation of weekly hours", fact.valid_to)
            for fact in profile.practice
            if fact.kind == PracticeKind.HOURS
        ),
        *(("Training", fact.valid_to) for fact in profile.trainings),
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


def split_candidates(
    candidate_list: CandidateList,
) -> tuple[list[CandidateLine], list[CandidateLine]]:
    """Split a candidate list into eligible candidates by rank and ineligible ones. One query."""
    candidates = candidate_list.candidates
    # The whole panel is read at once: a statement with thousands of ids would cost more.
    reviewers = Reviewer.objects.in_bulk()
    lines = [_build_candidate_line(one, reviewers[one.reviewer_id]) for one in candidates]
    eligible = [one for one in lines if one.candidate.rank is not None]
    return eligible, [one for one in lines if one.candidate.rank is None]


def count_exclusion_reasons(excluded: Iterable[CandidateLine]) -> list[tuple[int, str]]:
    """Count the ineligible candidates of each requirement, most first."""
    tally: Counter[str] = Counter()
    for one in excluded:
        tally.update(one.candidate.refusing_requirements)
    return ranking.describe_counts(tally)


def list_open_conflicts(
    case: Case, excluded: Iterable[CandidateLine], live: Iterable[ReviewerAssignment]
) -> list[ConflictResult]:
    """Return the possible conflicts of a case that a person must resolve.

    They concern the reviewers who have the case or, while no one has it, candidates who are
    otherwise eligible.
    """
    waiting = [assignment.reviewer_id for assignment in live if assignment.reviewer_id is not None]
    if not waiting:
        waiting = [
            one.reviewer.pk
            for one in excluded
            if one.candidate.refusing_requirements == {"UNSETTLED"}
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
    row: Any, profile: Profile, rules: Rules, entry: RosterEntry | None, *, with_work: bool
) -> RosterLine:
    # ``load_profiles`` gives the current status, and the page may show an earlier day.
    if entry is not None:
        profile = replace(profile, status=entry.status, capacity=entry.capacity)
    return RosterLine(
        reviewer=row,
        specialties=", ".join(profile.specialties),
        states=", ".join(dict.fromkeys(held_license.state for held_license in profile.licenses)),
        workload=row.workload,
        hindrances=list_blocking_reasons(
            profile, row, rules=rules, entry=entry, with_work=with_work
        ),
    )


def _build_fact_line(row: Any, on: date, limits: Limits) -> FactLine:
    lapsed = row.valid_to is not None and row.valid_to < on
    soon = not lapsed and row.valid_to is not None and row.valid_to <= on + LAPSES_SOON
    level = _describe_level(row, limits) if isinstance(row, Affiliation) else ""
    return FactLine(row, _describe_fact(row), lapsed, soon, level)


def _describe_level(row: Affiliation, limits: Limits) -> str:
    """Describe who forbids an affiliation. With which parties is decided for each case."""
    level = judge_affiliation(row, limits)
    return str(level) if level else "No conflict: within the limits in force."


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


def _build_candidate_line(row: StoredCandidate, reviewer: Reviewer) -> CandidateLine:
    sentences: dict[str, list[str]] = {}
    for reason in row.reasons:
        sentences.setdefault(reason["requirement"], []).append(reason["sentence"])
    sentences = {name: _group_by_item(some) for name, some in sentences.items()}
    if row.rank is None:
        return CandidateLine(
            row, reviewer, "", [sentence for some in sentences.values() for sentence in some]
        )
    # The choice depends on these. The stored list keeps all reasons.
    line = [
        one for name in ("CERTIFICATION", "LICENSE", "WORKLOAD") for one in sentences.get(name, [])
    ]
    why = [one for name in ("SPECIALTY", "CONFLICT", "REMARK") for one in sentences.get(name, [])]
    return CandidateLine(row, reviewer, " ".join(line), why)


def _group_by_item(sentences: Sequence[str]) -> list[str]:
    """Say once what the sentences say of several items: “Item 1: …”, “Item 2: …”."""
    parts = [_ABOUT_ITEM.fullmatch(sentence) for sentence in sentences]
    about = [(int(part[1]), part[2]) for part in parts if part]
    others = [sentence for sentence, part in zip(sentences, parts, strict=True) if not part]
    return [*group_item_sentences(about), *others]


_ABOUT_ITEM = re.compile(r"Item (\d+): (.+)", re.DOTALL)
