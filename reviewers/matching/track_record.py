"""How reviewers stand when a case is given away: the rules in force, and what each has done.

A fixed number of queries however big the panel is.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from threading import Lock

from django.db.models import F, Max, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from cases.models import Case, Deadline
from deadlines.days import local_day, midnight
from deadlines.kinds import DETERMINATION_DEADLINE_KINDS
from reviewers.facts import years_before
from reviewers.models import MatchingRules, Reviewer, ReviewerAssignment

from .candidacy import DEFAULT_RULES, Record, Rules

State = ReviewerAssignment.State

_KEPT_AT_MOST = 4
_kept: dict[tuple[date, int], Mapping[int, tuple[int, int]]] = {}
_lock = Lock()


def rules_on(day: date, *, known_at: datetime) -> Rules:
    """The weights and limits in force on a day, as set by a moment. Queries once."""
    row = (
        MatchingRules.objects.filter(effective_from__lte=day, recorded_at__lte=known_at)
        .order_by("-effective_from", "-recorded_at", "-pk")
        .first()
    )
    return Rules.of(row.weights, row.limits) if row else DEFAULT_RULES


def records(
    panel: QuerySet[Reviewer], *, rules: Rules, on: date, known_at: datetime
) -> dict[int, Record]:
    """What each of the panel did before, by reviewer. One query, two on a day's first time.

    Reviews count from the day after they were issued; an offer only as long as rotation asks.
    """
    before = min(on, local_day(known_at))
    finished = finished_before(before, many=rules.limits["timeliness_reviews"])
    offered = dict(
        ReviewerAssignment.objects.filter(
            reviewer__in=panel.values("pk"),
            offered_at__gte=midnight(on - timedelta(days=rules.limits["rotation_days"])),
            offered_at__lte=known_at,
        )
        .order_by()
        .values("reviewer_id")
        .annotate(last=Max("offered_at"))
        .values_list("reviewer_id", "last")
    )
    nothing = (0, 0)
    return {
        pk: Record(
            *finished.get(pk, nothing),
            last_offered_on=local_day(offered[pk]) if pk in offered else None,
        )
        for pk in offered.keys() | finished.keys()
    }


def finished_before(day: date, *, many: int) -> Mapping[int, tuple[int, int]]:
    """Of each reviewer's latest reviews issued before a day: how many, and how many in time.

    What was issued before today changes no more, so it is read once a day. Reviews without a day
    to keep, and those of more than a year ago, do not count.
    """
    with _lock:
        found = _kept.get((day, many))
    if found is None:
        found = _read_finished(day, many=many)
        with _lock:
            while len(_kept) >= _KEPT_AT_MOST:
                del _kept[next(iter(_kept))]
            _kept[day, many] = found
    return found


def forget() -> None:
    """Drop what is kept: for whoever puts a database back to an earlier state."""
    with _lock:
        _kept.clear()


def _read_finished(day: date, *, many: int) -> Mapping[int, tuple[int, int]]:
    deadlines = Deadline.objects.filter(
        case=OuterRef("case"),
        round=OuterRef("round"),
        deadline_kind__in=DETERMINATION_DEADLINE_KINDS,
        replaced_at__isnull=True,
    )
    latest = (
        ReviewerAssignment.objects.filter(
            state=State.FINISHED,
            ended_at__gte=midnight(years_before(day, 1)),
            ended_at__lt=midnight(day),
            reviewer__isnull=False,
        )
        .annotate(due=Subquery(deadlines.order_by("due_on").values("due_on")[:1]))
        .filter(due__isnull=False)
        .annotate(
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
        assert ended_at is not None  # noqa: S101 - the database holds it of what is finished
        finished, on_time = found.get(pk, (0, 0))
        found[pk] = (finished + 1, on_time + (local_day(ended_at) <= due_on))
    return found


def had_it(case: Case, *, known_at: datetime) -> dict[int, date]:
    """Who accepted this case in its present round and had it taken back, and until when.

    Once it is offered to someone else they have taken over, and it does not return to the one
    before them: not when the organization moved it, and not when it is taken back from those in
    turn. What is taken back at this very moment is being moved, so that does not count either. Who
    gave it back is another matter, and so is an earlier round: that reviewer is refused.
    """
    rows = ReviewerAssignment.objects.filter(
        case=case, round=case.round, offered_at__lte=known_at
    ).order_by("offered_at", "pk")
    had: dict[int, datetime] = {}
    for one in rows:
        if one.reviewer_id is None or one.offered_at is None:
            continue
        had = {
            pk: ended
            for pk, ended in had.items()
            if pk == one.reviewer_id or ended > one.offered_at
        }
        if one.state == State.REMOVED and one.accepted_at and one.ended_at:
            had[one.reviewer_id] = one.ended_at
    return {pk: local_day(ended) for pk, ended in had.items() if ended < known_at}
