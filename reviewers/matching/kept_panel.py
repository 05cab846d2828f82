"""What all cases of a day share, kept by the process as long as nothing of it changes.

The panel with its facts, the specialty map, the rules and limits, and which companies belong
together. Database triggers replace a ``ChangeMark`` with every change of the rows behind these
(migration 0003), whichever process makes it, so one small query shows whether what is kept is
current. Open work is no part of it and is counted for every ranking.
"""

import gc
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Any

from django.db.models import DateTimeField, Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from accounts.kept_queries import KeptQuery
from cases.party_facts import CompanyGraph, read_company_graph
from deadlines.days import local_day
from directory.affiliations import Limits
from directory.models import (
    OrganizationOfficer,
    OrganizationParent,
    SameOrganization,
    SamePerson,
)
from reviewers.models import (
    Affiliation,
    Certification,
    ChangeMark,
    Condition,
    ConflictLimits,
    FileProof,
    Leave,
    License,
    MatchingRules,
    PracticeFact,
    Reviewer,
    SanctionCheck,
    ScopeLimit,
    SpecialtyFit,
    Training,
    TreatmentExperience,
)
from reviewers.profiles import load_profiles

from .candidacy import Rules, Scope, SpecialtyMapEntry
from .compiled_panel import CompiledPanel, Member
from .specialty_map import KnownCondition
from .track_record import get_conflict_limits, get_matching_rules

# The rows that count from the moment at which they were recorded.
_RECORDED: list[Any] = [
    License,
    Certification,
    PracticeFact,
    Training,
    SanctionCheck,
    TreatmentExperience,
    FileProof,
    Leave,
    Affiliation,
    MatchingRules,
    ConflictLimits,
    SamePerson,
    SameOrganization,
    OrganizationOfficer,
    OrganizationParent,
]
# The only affiliation that matters for every case. All others are read for each case.
_RELEVANT_TO_EVERY_CASE = Q(relation=Affiliation.Relation.UR_CONTRACT)
_LARGE_PANEL = 500  # members from which a panel is frozen out of garbage collection
_MOST_KEPT = 2  # days; some ten megabytes each for 3,000 reviewers

_kept: dict[tuple[Any, ...], tuple[datetime | None, "SharedInput"]] = {}
_lock = Lock()


ChangeMarks = tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class SharedInput:
    """The input that all cases of a day share."""

    panel: CompiledPanel
    rules: Rules
    limits: Limits
    specialty_map: tuple[SpecialtyMapEntry, ...]
    conditions: tuple[KnownCondition, ...]
    scopes: tuple[Scope, ...]
    graph: CompanyGraph


def get_shared_input(*, on: date, known_at: datetime, marks: ChangeMarks) -> SharedInput:
    """Return what all cases of a day share, as known at a moment. No query if it is kept.

    :param marks: the marks of change, read before: a change that comes after them then is either in
        what is read or leads to another reading.
    """
    # Ownership counts on the day of the check, which may be another one.
    key = (on, local_day(known_at), select_marks(marks, "matching"))
    with _lock:
        newest, kept = _kept.get(key, (None, None))
    # From the moment of its newest row on, what is kept holds until something changes.
    if kept is not None and (newest is None or newest <= known_at):
        return kept
    # Read without the lock, so that other threads can use what is kept meanwhile.
    newest = _read_newest()
    shared = read_shared_input(Reviewer.objects.all(), on=on, known_at=known_at)
    # A question about an earlier moment has an answer of its own. Without a mark of the database
    # nobody could tell when the answer changes.
    if not key[-1] or (newest is not None and newest > known_at):
        return shared
    if len(shared.panel.members) >= _LARGE_PANEL:
        # A large panel is hundreds of thousands of objects without cycles. Without the freeze, the
        # garbage collector would walk through them during requests. Other objects frozen along
        # with it are freed when the process restarts, as all our processes do.
        gc.freeze()
    with _lock:
        while len(_kept) >= _MOST_KEPT:
            del _kept[next(iter(_kept))]
        _kept[key] = (newest, shared)
    return shared


def read_shared_input(
    reviewers: QuerySet[Reviewer], *, on: date, known_at: datetime
) -> SharedInput:
    """Read what all cases of a day share, with these reviewers as the panel. Twelve queries."""
    limits = get_conflict_limits(on, known_at=known_at)
    # exclude() keeps the lines without a condition; filter() on an active one would drop them.
    fits = SpecialtyFit.objects.filter(is_active=True).exclude(condition__is_active=False)
    conditions = Condition.objects.filter(is_active=True).order_by("name")
    scopes = ScopeLimit.objects.filter(is_active=True).order_by("pk")
    return SharedInput(
        panel=CompiledPanel(_read_members(reviewers, on=on, known_at=known_at)),
        rules=get_matching_rules(on, known_at=known_at),
        limits=limits,
        specialty_map=tuple(
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
        graph=read_company_graph(known_at=known_at, limits=limits, with_offices=True),
    )


def read_change_marks() -> ChangeMarks:
    """Read the marks of change. Equal marks mean that no row behind them has changed. One query."""
    return tuple(sorted(_MARKS.fetch()))


def select_marks(marks: ChangeMarks, subject: str) -> ChangeMarks:
    """Return the marks of one subject."""
    return tuple(mark for mark in marks if mark[0] == subject)


def clear_kept_panel() -> None:
    """Drop what is kept. Needed after a database is restored to an earlier state."""
    with _lock:
        _kept.clear()


_MARKS = KeptQuery(lambda: ChangeMark.objects.values_list("subject", "pk", "token"))


def _read_members(reviewers: QuerySet[Reviewer], *, on: date, known_at: datetime) -> list[Member]:
    """Read the members of the panel. Three queries."""
    profiles = load_profiles(
        reviewers, on=on, known_at=known_at, affiliations=_RELEVANT_TO_EVERY_CASE
    )
    return [
        Member.of(
            profiles[pk],
            allowed_categories=None if subjects is None else frozenset(subjects),
            days_off=frozenset(days_off),
        )
        for pk, subjects, days_off in reviewers.values_list("pk", "subjects", "days_off")
        # A reviewer added between the queries has no profile yet and changes the mark.
        if pk in profiles
    ]


def _read_newest() -> datetime | None:
    """Read when the newest row that counts from its recording was recorded. One query."""
    parts = [
        model._default_manager.order_by()
        .annotate(same=Value(1))
        .values("same")
        .annotate(newest=Max("recorded_at", output_field=DateTimeField()))
        .values_list("newest", flat=True)
        for model in _RECORDED
    ]
    moments: list[datetime] = [one for one in parts[0].union(*parts[1:], all=True) if one]
    return max(moments, default=None)
