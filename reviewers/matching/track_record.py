"""The rules and limits in force, and each reviewer's open work, past offers and reviews.

The number of queries does not depend on the size of the panel.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple

from django.db.models import (
    CharField,
    Count,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    Window,
)
from django.db.models.functions import RowNumber

from accounts.kept_queries import KeptQuery, Slot
from cases.lifecycle import Status
from cases.models import Deadline
from deadlines.days import local_day, start_of_day
from deadlines.kinds import DETERMINATION_DEADLINE_KINDS
from directory.affiliations import DEFAULT_LIMITS, Limits
from reviewers.facts import subtract_years
from reviewers.models import ConflictLimits, MatchingRules, ReviewerAssignment

from .candidacy import DEFAULT_RULES, Rules, TrackRecord, Workload

State = ReviewerAssignment.State

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

# One entry covers the whole panel, and few different days and limits are in use at a time.
_KEPT_AT_MOST = 4
_kept: dict[tuple[Any, ...], Mapping[int, tuple[int, int]]] = {}
_lock = Lock()


def get_matching_rules(day: date, *, known_at: datetime) -> Rules:
    """Return the weights and limits in force on a day, as recorded by a moment. One query."""
    # Several rows may start on one day. The one that was recorded last replaces the others.
    row = (
        MatchingRules.objects.filter(effective_from__lte=day, recorded_at__lte=known_at)
        .order_by("-effective_from", "-recorded_at", "-pk")
        .first()
    )
    return Rules.of(row.weights, row.limits) if row else DEFAULT_RULES


def get_conflict_limits(day: date, *, known_at: datetime) -> Limits:
    """Return the conflict limits in force on a day, as recorded by a moment. One query."""
    row = (
        ConflictLimits.objects.filter(effective_from__lte=day, recorded_at__lte=known_at)
        .order_by("-effective_from")
        .first()
    )
    return Limits(row.holding_percent, frozenset(row.kin), row.source) if row else DEFAULT_LIMITS


def load_workloads(
    rules: Rules, *, on: date, known_at: datetime, reviews_state: tuple[Any, ...]
) -> dict[int, Workload]:
    """Count the open and overdue cases of reviewers and load their track records, by id.

    One query, or two on the day's first call. Reviewers without open work, finished reviews and
    recent offers are left out. Reviews count from the day after they were issued; offers count for
    the days of the rotation limit.

    :param reviews_state: the marks of change of the reviews that count.
    """
    # A day that was not over at ``known_at`` may still change, and the counts are kept.
    before = min(on, local_day(known_at))
    open_work: dict[int, tuple[int, int]] = {}
    offered: dict[int, datetime] = {}
    just_finished = (0, 0)
    for kind, reviewer_id, many, more, last in _WORK.fetch(
        on=on,
        known_at=known_at,
        # An older offer earns full rotation points anyway, so it need not be read.
        offered_from=start_of_day(on - timedelta(days=rules.limits["rotation_days"])),
        finished_from=start_of_day(before - timedelta(days=2)),
        finished_before=start_of_day(before),
    ):
        if kind == "open":
            open_work[reviewer_id] = (many, more)
        elif kind == "offered":
            offered[reviewer_id] = last
        else:
            just_finished = (many, more)
    finished = count_finished_reviews(
        before, many=rules.limits["timeliness_reviews"], state=(reviews_state, just_finished)
    )
    nothing = (0, 0)
    return {
        pk: Workload(
            *open_work.get(pk, nothing),
            TrackRecord(
                *finished.get(pk, nothing),
                last_offered_on=local_day(offered[pk]) if pk in offered else None,
            ),
        )
        for pk in open_work.keys() | offered.keys() | finished.keys()
    }


def _select_work() -> QuerySet[Any]:
    """Select open work and last offers by reviewer, and how many reviews were just finished."""
    columns = ("row_kind", "of_reviewer", "many", "more", "last")
    nothing = Value(0, output_field=IntegerField())
    # A union reads the moments of all parts as those of the first.
    never = Max("offered_at", filter=Q(pk__isnull=True))
    assignments = ReviewerAssignment.objects.order_by()
    open_work = (
        # Grouped from the open assignments, which are far fewer than the reviewers.
        assignments.filter(
            reviewer__isnull=False,
            state__in=ReviewerAssignment.LIVE,
            case__status__in=WITH_REVIEWER,
        )
        .values("reviewer_id")
        .annotate(
            row_kind=_name_kind("open"),
            of_reviewer=F("reviewer_id"),
            many=Count("pk"),
            more=Count("pk", filter=Q(case__due_on__lt=Slot("on"))),
            last=never,
        )
    )
    offered = (
        # An offer that was undone does not move the reviewer back in the rotation.
        assignments.exclude(state=State.UNDONE)
        .filter(
            reviewer__isnull=False,
            offered_at__gte=Slot("offered_from"),
            offered_at__lte=Slot("known_at"),
        )
        .values("reviewer_id")
        .annotate(
            row_kind=_name_kind("offered"),
            of_reviewer=F("reviewer_id"),
            many=nothing,
            more=nothing,
            last=Max("offered_at"),
        )
    )
    # A review that was stored around midnight may appear after the day's first count.
    finished = (
        assignments.filter(
            state=State.FINISHED,
            ended_at__gte=Slot("finished_from"),
            ended_at__lt=Slot("finished_before"),
        )
        .values("state")
        .annotate(
            row_kind=_name_kind("finished"),
            of_reviewer=nothing,
            many=Count("pk"),
            more=Max("pk"),
            last=never,
        )
    )
    return open_work.values_list(*columns).union(
        offered.values_list(*columns), finished.values_list(*columns), all=True
    )


def _name_kind(kind: str) -> Value:
    return Value(kind, output_field=CharField())


_WORK = KeptQuery(_select_work)


def count_finished_reviews(
    day: date, *, many: int, state: tuple[Any, ...]
) -> Mapping[int, tuple[int, int]]:
    """Count each reviewer's latest reviews issued before a day, as (finished, on time).

    Reviews issued before today seldom change, so the result is kept for the day. Reviews without a
    due date, and those more than a year old, do not count.

    :param state: differs from that of an earlier call if a review that counts may have changed.
    """
    key = (day, many, state)
    with _lock:
        cached = _kept.get(key)
    if cached is None:
        # Read without the lock. Two threads may do the same work, but none waits for the other.
        cached = _read_finished_reviews(day, many=many)
        with _lock:
            while len(_kept) >= _KEPT_AT_MOST:
                del _kept[next(iter(_kept))]
            _kept[key] = cached
    return cached


def clear_track_records() -> None:
    """Drop the cached counts. Needed after a database is restored to an earlier state."""
    with _lock:
        _kept.clear()


def _read_finished_reviews(day: date, *, many: int) -> Mapping[int, tuple[int, int]]:
    deadlines = Deadline.objects.filter(
        case=OuterRef("case"),
        round=OuterRef("round"),
        deadline_kind__in=DETERMINATION_DEADLINE_KINDS,
        # The deadline in force counts, so a review within an extension is on time.
        replaced_at__isnull=True,
    )
    latest = (
        ReviewerAssignment.objects.filter(
            state=State.FINISHED,
            ended_at__gte=start_of_day(subtract_years(day, 1)),
            ended_at__lt=start_of_day(day),
            reviewer__isnull=False,
        )
        .annotate(due=Subquery(deadlines.order_by("due_on").values("due_on")[:1]))
        .filter(due__isnull=False)
        .annotate(
            # Numbered in the database, so that only each reviewer's latest rows are transferred.
            place=Window(
                RowNumber(),
                partition_by=F("reviewer_id"),
                order_by=[F("ended_at").desc(), F("pk").desc()],
            )
        )
        .filter(place__lte=many)
        .values_list("reviewer_id", "ended_at", "due")
    )
    counts: dict[int, tuple[int, int]] = {}
    for pk, ended_at, due_on in latest:
        assert ended_at is not None  # noqa: S101 - a database constraint requires it
        finished, on_time = counts.get(pk, (0, 0))
        counts[pk] = (finished + 1, on_time + (local_day(ended_at) <= due_on))
    return counts


class PastAssignment(NamedTuple):
    """An assignment of a case to a reviewer, live or ended."""

    pk: int
    reviewer_id: int
    round: int
    state: str
    offered_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None


def find_previous_assignments(
    assignments: Iterable[PastAssignment], *, this_round: int, known_at: datetime
) -> dict[int, datetime]:
    """Find who accepted a case in its current round and was removed from it, and when.

    A reviewer no longer counts once the case was offered to someone else after the removal. A
    removal at ``known_at`` itself does not count either: the case is then being moved to another
    reviewer. Reviewers who declined are not included, and those of earlier rounds are refused by a
    requirement.
    """
    offers = sorted(
        (one.offered_at, one.pk, one)
        for one in assignments
        if one.round == this_round and one.offered_at is not None and one.offered_at <= known_at
    )
    had: dict[int, datetime] = {}
    for offered_at, _, one in offers:
        # With several seats an offer may come before a removal, which then still counts.
        had = {
            pk: ended for pk, ended in had.items() if pk == one.reviewer_id or ended > offered_at
        }
        # Without an acceptance the reviewer never opened the records and does not know the case.
        if one.state == State.REMOVED and one.accepted_at and one.ended_at:
            had[one.reviewer_id] = one.ended_at
    return {pk: ended for pk, ended in had.items() if ended < known_at}
