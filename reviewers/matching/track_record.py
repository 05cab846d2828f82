"""The matching rules in force, and each reviewer's past offers and reviews.

The number of queries does not depend on the size of the panel.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from threading import Lock

from django.db.models import F, Max, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from cases.models import Case, Deadline
from deadlines.days import local_day, start_of_day
from deadlines.kinds import DETERMINATION_DEADLINE_KINDS
from reviewers.facts import subtract_years
from reviewers.models import MatchingRules, Reviewer, ReviewerAssignment

from .candidacy import DEFAULT_RULES, Rules, TrackRecord

State = ReviewerAssignment.State

# One entry covers the whole panel, and few different days and limits are in use at a time.
_KEPT_AT_MOST = 4
_kept: dict[tuple[date, int], Mapping[int, tuple[int, int]]] = {}
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


def load_track_records(
    panel: QuerySet[Reviewer], *, rules: Rules, on: date, known_at: datetime
) -> dict[int, TrackRecord]:
    """Load the track record of each reviewer, by id. One query, or two on the day's first call.

    Reviews count from the day after they were issued. Offers count for the days of the rotation
    limit.
    """
    # A day that was not over at ``known_at`` may still change, and the counts are cached.
    before = min(on, local_day(known_at))
    finished = count_finished_reviews(before, many=rules.limits["timeliness_reviews"])
    offered = dict(
        ReviewerAssignment.objects.filter(
            reviewer__in=panel.values("pk"),
            # An older offer earns full rotation points anyway, so it need not be read.
            offered_at__gte=start_of_day(on - timedelta(days=rules.limits["rotation_days"])),
            offered_at__lte=known_at,
        )
        .order_by()
        .values("reviewer_id")
        .annotate(last=Max("offered_at"))
        .values_list("reviewer_id", "last")
    )
    nothing = (0, 0)
    return {
        pk: TrackRecord(
            *finished.get(pk, nothing),
            last_offered_on=local_day(offered[pk]) if pk in offered else None,
        )
        for pk in offered.keys() | finished.keys()
    }


def count_finished_reviews(day: date, *, many: int) -> Mapping[int, tuple[int, int]]:
    """Count each reviewer's latest reviews issued before a day, as (finished, on time).

    Reviews issued before today no longer change, so the result is cached for the day. Reviews
    without a due date, and those more than a year old, do not count.
    """
    with _lock:
        found = _kept.get((day, many))
    if found is None:
        # Read without the lock. Two threads may do the same work, but none waits for the other.
        found = _read_finished_reviews(day, many=many)
        with _lock:
            while len(_kept) >= _KEPT_AT_MOST:
                del _kept[next(iter(_kept))]
            _kept[day, many] = found
    return found


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
    found: dict[int, tuple[int, int]] = {}
    for pk, ended_at, due_on in latest:
        assert ended_at is not None  # noqa: S101 - a database constraint requires it
        finished, on_time = found.get(pk, (0, 0))
        found[pk] = (finished + 1, on_time + (local_day(ended_at) <= due_on))
    return found


def list_previous_assignments(case: Case, *, known_at: datetime) -> dict[int, date]:
    """Return who accepted this case in its current round and was removed from it, and when.

    A reviewer no longer counts once the case was offered to someone else after the removal. A
    removal at ``known_at`` itself does not count either: the case is then being moved to another
    reviewer. Reviewers who declined are not included, and those of earlier rounds are refused by a
    requirement.
    """
    rows = ReviewerAssignment.objects.filter(
        case=case, round=case.round, offered_at__lte=known_at
    ).order_by("offered_at", "pk")
    had: dict[int, datetime] = {}
    for one in rows:
        if one.reviewer_id is None or one.offered_at is None:
            continue
        # With several seats an offer may come before a removal, which then still counts.
        had = {
            pk: ended
            for pk, ended in had.items()
            if pk == one.reviewer_id or ended > one.offered_at
        }
        # Without an acceptance the reviewer never opened the records and does not know the case.
        if one.state == State.REMOVED and one.accepted_at and one.ended_at:
            had[one.reviewer_id] = one.ended_at
    return {pk: local_day(ended) for pk, ended in had.items() if ended < known_at}
