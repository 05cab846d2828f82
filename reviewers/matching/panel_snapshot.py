"""Cached snapshot of the panel on a day, used for many cases.

It holds what does not depend on a case: the facts of all reviewers, and the results of the
requirements that do not depend on a case. Open work and sign-ins are not part of it; they are read
for every ranking.
"""

import gc
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from threading import Lock
from typing import Any

from django.db.models import CharField, Count, Max, Model, Q, QuerySet, Value
from django.db.models.functions import Cast

from directory.affiliations import FoldedName
from reviewers import conflicts
from reviewers.facts import Profile
from reviewers.models import (
    Affiliation,
    Certification,
    FileProof,
    Leave,
    License,
    PracticeFact,
    Reviewer,
    SanctionCheck,
    Specialty,
    Training,
    TreatmentExperience,
)
from reviewers.profiles import load_profiles

from . import requirements
from .candidacy import CandidateData, DailyAnswers
from .panel_names import PanelNameIndex

# The sources of a snapshot: append-only facts, and models that keep every version.
_FACTS: list[Any] = [
    License,
    Certification,
    PracticeFact,
    Training,
    SanctionCheck,
    TreatmentExperience,
    FileProof,
    Leave,
    Affiliation,
]
_VERSIONED: list[Any] = [Reviewer, Specialty]
# The only affiliation that matters for every case. All others are read for each case.
_OF_ANY_CASE = Q(relation=Affiliation.Relation.UR_CONTRACT)
_LARGE_PANEL = 500  # members from which a snapshot is frozen out of garbage collection
_KEPT_AT_MOST = 2  # some ten megabytes each for 3,000 reviewers

_kept: dict[tuple[Any, ...], "PanelSnapshot"] = {}
_lock = Lock()


@dataclass(frozen=True)
class Member:
    """A reviewer on the day.

    The profile holds only the affiliations that matter for every case. Those with the parties of
    a case are loaded for that case.
    """

    profile: Profile
    name: FoldedName = field(repr=False)
    subjects: frozenset[int] | None
    days_off: frozenset[int]
    answered: DailyAnswers = field(repr=False)

    @classmethod
    def of(
        cls, profile: Profile, *, subjects: frozenset[int] | None, days_off: frozenset[int]
    ) -> "Member":
        """Build a member and check the requirements that do not depend on a case."""
        return cls(
            profile=profile,
            name=conflicts.fold_reviewer_name(profile),
            subjects=subjects,
            days_off=days_off,
            answered=requirements.check_daily_requirements(
                CandidateData(profile, days_off=days_off)
            ),
        )


@dataclass(frozen=True)
class PanelSnapshot:
    """All members of the panel, by code."""

    members: tuple[Member, ...]

    @cached_property
    def names(self) -> PanelNameIndex:
        """An index to find members by similar names."""
        return PanelNameIndex((one.profile.reviewer_id, one.name) for one in self.members)


def get_panel_snapshot(*, on: date, known_at: datetime) -> PanelSnapshot:
    """Return the panel on a day as known at a moment. One query if the cache is current.

    The cache key holds the newest row of every source table. A fact that is added or corrected,
    or a changed reviewer, therefore leads to a new snapshot at once.
    """
    key = (on, *_read_change_marks(known_at))
    with _lock:
        found = _kept.get(key)
    if found is None:
        # Read without the lock, so that other threads can use the kept snapshots meanwhile.
        found = read_panel_snapshot(Reviewer.objects.all(), on=on, known_at=known_at)
        if len(found.members) >= _LARGE_PANEL:
            # A large panel is hundreds of thousands of objects without cycles. Without the freeze,
            # the garbage collector would walk through them during requests. Other objects frozen
            # along with it are freed when the process restarts, as all our processes do.
            gc.freeze()
        with _lock:
            while len(_kept) >= _KEPT_AT_MOST:
                del _kept[next(iter(_kept))]
            _kept[key] = found
    return found


def read_panel_snapshot(
    reviewers: QuerySet[Reviewer], *, on: date, known_at: datetime
) -> PanelSnapshot:
    """Read a snapshot of these reviewers. Three queries."""
    found = load_profiles(reviewers, on=on, known_at=known_at, affiliations=_OF_ANY_CASE)
    limits = reviewers.order_by("code").values_list("pk", "subjects", "days_off")
    return PanelSnapshot(
        tuple(
            Member.of(
                found[pk],
                subjects=None if subjects is None else frozenset(subjects),
                days_off=frozenset(days_off),
            )
            for pk, subjects, days_off in limits
            # A reviewer added between the queries has no profile yet and is in the next snapshot.
            if pk in found
        )
    )


def clear_panel_snapshots() -> None:
    """Drop all snapshots. Needed after a database is restored to an earlier state."""
    with _lock:
        _kept.clear()


def _read_change_marks(known_at: datetime) -> list[tuple[Any, ...]]:
    """Read the row count, the newest id and the newest time of each source table. One query.

    Rows are never deleted, so a changed count shows a change. The newest id and time also detect
    a row that replaced one that was rolled back.
    """
    parts = [
        _build_change_query(
            model, model._default_manager.filter(recorded_at__lte=known_at), "recorded_at"
        )
        for model in _FACTS
    ]
    for model in _VERSIONED:
        # Profiles carry the current status, so every version counts, whatever ``known_at`` is.
        history = model.history.model
        parts.append(_build_change_query(history, history._default_manager.all(), "history_date"))
    # A UNION has no order, and the same state must always give the same key.
    return sorted(parts[0].union(*parts[1:], all=True))


def _build_change_query(model: type[Model], rows: QuerySet[Any], moment: str) -> QuerySet[Any]:
    answer: QuerySet[Any] = (
        rows.order_by()
        .annotate(table=Value(model._meta.db_table, output_field=CharField()))
        .values("table")
        .annotate(many=Count("pk"), last=Max("pk"), at=Cast(Max(moment), CharField()))
        .values_list("table", "many", "last", "at")
    )
    return answer
