"""What the pages of the panel show: the roster, one person's file, a reviewer's own work."""

from calendar import day_name
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.models import User
from cases.models import Case, DisputedItem, TreatmentCategory
from reviewers.forms.panel import TITLES
from reviewers.matching.candidacy import DEFAULT_RULES, SETTINGS, Applicant, Reason, Rules
from reviewers.matching.candidates import WITH_REVIEWER
from reviewers.matching.track_record import rules_on

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
from .profiles import profiles
from .services.conflicts import open_questions
from .services.credentialing import KINDS

PAGE = 50
LAPSES_SOON = timedelta(days=90)
TOLD_FOR = timedelta(days=14)  # so long, who lost a case reads that it is gone


@dataclass(frozen=True)
class Line:
    """One reviewer on the roster."""

    reviewer: Reviewer
    specialties: str
    states: str
    workload: int
    hindrances: Sequence[Reason]  # what keeps them from every case today


@dataclass(frozen=True)
class FactLine:
    """One stored fact as the file shows it."""

    row: CredentialFact
    words: str
    lapsed: bool
    lapses_soon: bool


@dataclass(frozen=True)
class Work:
    """One case on a reviewer's own list."""

    assignment: ReviewerAssignment
    items: Sequence[DisputedItem]
    is_offer: bool
    attest_again: bool


@dataclass(frozen=True)
class RulesChange:
    """One setting of the rules: what it changed, as label, old and new value."""

    row: MatchingRules
    changed: Sequence[tuple[str, int, int]]


@dataclass(frozen=True)
class Shown:
    """One candidate as the page of choosing shows them."""

    candidate: Candidate
    line: str
    reasons: Sequence[str]

    @property
    def reviewer(self) -> Reviewer:
        return self.candidate.reviewer


def roster(
    *, on: date, known_at: datetime, find: str = "", after: str = "", with_work: bool = True
) -> tuple[list[Line], str]:
    """A page of the panel by code, and the code to go on after. Five queries at most.

    :param find: part of a name, a code or a certified specialty.
    :param with_work: ask what each has open, which is known of today alone.
    """
    rows = Reviewer.objects.order_by("code")
    for word in find.split():
        rows = rows.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(code__iexact=word)
            | Q(certifications__specialty__name__icontains=word)
        )
    if after:
        rows = rows.filter(code__gt=after)
    found = list(with_workload(rows, on=on).distinct()[: PAGE + 1])
    shown = found[:PAGE]
    held = profiles(
        Reviewer.objects.filter(pk__in=[row.pk for row in shown]), on=on, known_at=known_at
    )
    rules = rules_on(on, known_at=known_at)
    then = as_they_stood(shown, known_at=known_at)
    lines = [
        _line(row, held[row.pk], rules, then.get(row.pk), with_work=with_work) for row in shown
    ]
    return lines, shown[-1].code if len(found) > PAGE else ""


@dataclass(frozen=True)
class Stood:
    """What a version of a reviewer's row says, of a moment."""

    status: str
    capacity: int
    subjects: Sequence[int] | None  # ids of treatment categories; None is all
    days_off: Sequence[int]  # weekdays, Monday 0


def as_they_stood(rows: Sequence[Reviewer], *, known_at: datetime) -> dict[int, Stood]:
    """Reviewers as their rows stood at a moment, from their versions. One query."""
    versions = Reviewer.history.filter(
        id__in=[row.pk for row in rows], history_date__lte=known_at
    ).order_by("history_date", "history_id")
    return {
        pk: Stood(*said)
        for pk, *said in versions.values_list("id", "status", "capacity", "subjects", "days_off")
    }


def hindrances(
    profile: Profile, row: Any, *, rules: Rules, stood: Stood | None = None, with_work: bool = True
) -> list[Reason]:
    """What keeps a reviewer from every case on the profile's day.

    :param row: the reviewer as ``with_workload`` loads one.
    :param stood: how the row stood then; as it stands now when left out.
    :param with_work: ask what they have open, which is known of today alone.
    """
    applicant = Applicant(
        profile,
        workload=row.workload,
        overdue=row.overdue,
        days_off=frozenset(row.days_off if stood is None else stood.days_off),
    )
    passed_over = set() if with_work else {"WORKLOAD", "OVERDUE"}
    answers = ranking.fitness(applicant, rules)
    return [one for one in answers if not one.holds and one.requirement not in passed_over]


def receives(subjects: Sequence[int] | None, days_off: Sequence[int]) -> tuple[str, str]:
    """Which treatments someone is offered, and on which days not, in words. At most one query."""
    names = "All treatments"
    if subjects is not None:
        found = TreatmentCategory.objects.filter(pk__in=subjects).order_by("name")
        names = ", ".join(str(row) for row in found) or "None"
    return names, ", ".join(f"{day_name[day]}s" for day in sorted(days_off))


def with_workload(rows: QuerySet[Reviewer], *, on: date) -> QuerySet[Any]:
    """Reviewers with their open cases counted, and those of them that are past their day."""
    open_now = Q(
        assignments__state__in=ReviewerAssignment.LIVE,
        assignments__case__status__in=WITH_REVIEWER,
    )
    past = open_now & Q(assignments__case__due_on__lt=on)
    return rows.annotate(
        workload=Count("assignments", filter=open_now, distinct=True),
        overdue=Count("assignments", filter=past, distinct=True),
    )


def open_work(reviewer: Reviewer) -> QuerySet[ReviewerAssignment]:
    """The live assignments of a reviewer, by what is due first."""
    return (
        ReviewerAssignment.objects.filter(
            reviewer=reviewer,
            state__in=ReviewerAssignment.LIVE,
            case__status__in=WITH_REVIEWER,
        )
        .select_related("case")
        .order_by("case__due_on", "pk")
    )


def file_of(
    reviewer: Reviewer, *, on: date, known_at: datetime, holding_only: bool
) -> list[tuple[str, str, list[FactLine]]]:
    """Every kind of fact with its title and its rows, newest first. One query a kind.

    :param holding_only: only what held on the day; otherwise also what has lapsed or is to come.
    """
    found = []
    for kind, model in KINDS.items():
        manager: Any = model._default_manager
        rows = manager.known_at(known_at).filter(reviewer=reviewer)
        if holding_only:
            rows = rows.on(on)
        related = {
            "certification": ("specialty", "parent"),
            "affiliation": ("organization", "person"),
        }.get(kind, ())
        rows = rows.select_related(*related).order_by("-valid_from", "-pk")
        if kind == "affiliation":
            rows = rows.prefetch_related("organization__names", "person__names")
        found.append((kind, TITLES[kind], [_fact_line(row, on) for row in rows]))
    return found


def taken_lately(user: User, *, now: datetime) -> list[ReviewerAssignment]:
    """The cases that the organization took from this person a few days ago, latest first. Queries
    once.

    One that has come back to them is not among them.
    """
    back = ReviewerAssignment.objects.filter(
        reviewer__user=user, case=OuterRef("case"), state__in=ReviewerAssignment.LIVE
    )
    return list(
        ReviewerAssignment.objects.filter(
            ~Exists(back),
            reviewer__user=user,
            state=ReviewerAssignment.State.REMOVED,
            ended_at__gt=now - TOLD_FOR,
        )
        .select_related("case")
        .order_by("-ended_at", "-pk")
    )


def my_work(user: User) -> list[Work]:
    """The cases that this person has as their reviewer, by what is due first. Three queries."""
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
        Work(
            assignment=row,
            items=sorted(
                (one for one in row.case.items.all() if one.is_live),
                key=lambda one: one.position,
            ),
            is_offer=row.state == ReviewerAssignment.State.OFFERED,
            attest_again=row.state == ReviewerAssignment.State.ACCEPTED and not _attested_now(row),
        )
        for row in rows
    ]


def lapsing(profile: Profile) -> list[tuple[str, date]]:
    """What of a reviewer's file runs out soon, first things first."""
    dated = [
        *((f"License in {held.state}", held.valid_to) for held in profile.licenses),
        *((f"Certificate in {held.specialty}", held.valid_to) for held in profile.certifications),
        *(
            ("Attestation of weekly hours", held.valid_to)
            for held in profile.practice
            if held.kind == PracticeKind.HOURS
        ),
        *(("Training", held.valid_to) for held in profile.trainings),
    ]
    soon = [(words, day) for words, day in dated if day and day <= profile.on + LAPSES_SOON]
    return sorted(soon, key=lambda pair: pair[1])


def rules_in_words(rules: Rules) -> list[tuple[str, int]]:
    """Every weight and limit with its label."""
    return [(SETTINGS[name].label, value) for name, value in rules.values.items()]


def changes_of_rules() -> list[RulesChange]:
    """Every setting of the rules, newest first, with what it changed. One query."""
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


def choices(listed: CandidateList) -> tuple[list[Shown], list[Shown]]:
    """The candidates of a stored list: those in order, and those who are out. One query."""
    rows = listed.candidates.select_related("reviewer").order_by("rank", "reviewer__code")
    shown = [_shown(row) for row in rows]
    eligible = [one for one in shown if one.candidate.rank is not None]
    return eligible, [one for one in shown if one.candidate.rank is None]


def counted(excluded: Iterable[Shown]) -> list[tuple[int, str]]:
    """How many each requirement keeps out, most first."""
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


def doubts(
    case: Case, excluded: Iterable[Shown], live: Iterable[ReviewerAssignment]
) -> list[ConflictResult]:
    """Possible conflicts of a case that wait for someone.

    About those who have the case; and while no one has it, about those who are else fit.
    """
    waiting = [held.reviewer_id for held in live if held.reviewer_id is not None]
    if not waiting:
        waiting = [
            one.reviewer.pk
            for one in excluded
            if {reason["requirement"] for reason in one.candidate.reasons if not reason["holds"]}
            == {"UNSETTLED"}
        ]
    return open_questions(case, waiting)


def surname_notes(assignment: ReviewerAssignment) -> list[str]:
    """Parties whose surname the reviewer shares, as last tested; the attestation asks."""
    rows = ConflictResult.objects.filter(
        case_id=assignment.case_id, reviewer_id=assignment.reviewer_id or 0, relation="SURNAME"
    ).select_related("party")
    return sorted({f"{row.party.get_role_display()}: {row.party.name}" for row in rows})


def _line(row: Any, held: Profile, rules: Rules, stood: Stood | None, *, with_work: bool) -> Line:
    if stood is not None:
        held = replace(held, status=stood.status, capacity=stood.capacity)
    return Line(
        reviewer=row,
        specialties=", ".join(held.specialties),
        states=", ".join(dict.fromkeys(held_license.state for held_license in held.licenses)),
        workload=row.workload,
        hindrances=hindrances(held, row, rules=rules, stood=stood, with_work=with_work),
    )


def _fact_line(row: Any, on: date) -> FactLine:
    lapsed = row.valid_to is not None and row.valid_to < on
    soon = not lapsed and row.valid_to is not None and row.valid_to <= on + LAPSES_SOON
    return FactLine(row, _words(row), lapsed, soon)


def _words(row: Any) -> str:
    """A fact in one line."""
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
        share = f", {row.share_percent} %" if row.share_percent is not None else ""
        note = f". {row.note}" if row.note else ""
        return f"{row.get_relation_display()}: {_whose(row)}{kin}{share}{note}"
    if kind == "TreatmentExperience":
        return f"{row.treatment}. {row.detail}" if row.detail else row.treatment
    if kind == "FileProof":
        return f"{row.get_kind_display()}: {row.detail}"
    if kind == "Leave":
        return row.note or "Leave"
    return str(row)


def _whose(row: Any) -> str:
    named = [
        name.printed
        for whose in (row.organization, row.person)
        if whose is not None
        for name in list(whose.names.all())[-1:]
    ]
    return ", ".join(named) or "somebody"


def _attested_now(row: ReviewerAssignment) -> bool:
    return any(
        signed.voided_at is None and signed.party_list_version == row.case.party_list_version
        for signed in row.attestations.all()
    )


def _shown(row: Candidate) -> Shown:
    said: dict[str, list[str]] = {}
    for reason in row.reasons:
        said.setdefault(reason["requirement"], []).append(reason["sentence"])
    if row.rank is None:
        return Shown(row, "", [sentence for ones in said.values() for sentence in ones])
    line = [*said.get("CERTIFICATION", []), *said.get("LICENSE", []), *said.get("WORKLOAD", [])]
    why = [*said.get("SPECIALTY", []), *said.get("CONFLICT", []), *said.get("REMARK", [])]
    return Shown(row, " ".join(line), why)
