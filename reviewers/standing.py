"""How reviewers stand when a case is given away: the rules in force, and what each has done.

A fixed number of queries however big the panel is.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F, Max, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from cases.deadlines import local_day
from cases.models import Case, Deadline

from .matching import DEFAULT_RULES, Rules
from .models import MatchingRules, Reviewer, ReviewerAssignment

State = ReviewerAssignment.State


@dataclass(frozen=True)
class Record:
    """What a reviewer did before, as the ranking reads it."""

    finished: int = 0
    on_time: int = 0
    last_offered_on: date | None = None


def rules_on(day: date, *, known_at: datetime) -> Rules:
    """The weights and limits in force on a day, as set by a moment. Queries once."""
    row = (
        MatchingRules.objects.filter(effective_from__lte=day, recorded_at__lte=known_at)
        .order_by("-effective_from", "-recorded_at", "-pk")
        .first()
    )
    return Rules.of(row.weights, row.limits) if row else DEFAULT_RULES


def records(panel: QuerySet[Reviewer], *, rules: Rules, known_at: datetime) -> dict[int, Record]:
    """What each of the panel did before a moment, by reviewer. Two queries."""
    held = ReviewerAssignment.objects.filter(
        reviewer__in=panel.values("pk"), offered_at__lte=known_at
    )
    last = dict(
        held.values("reviewer_id")
        .annotate(last=Max("offered_at"))
        .values_list("reviewer_id", "last")
    )
    finished: dict[int, int] = defaultdict(int)
    on_time: dict[int, int] = defaultdict(int)
    for reviewer_id, ended_at, due_on in _latest_finished(held, rules, known_at=known_at):
        finished[reviewer_id] += 1
        on_time[reviewer_id] += local_day(ended_at) <= due_on
    return {
        pk: Record(
            finished=finished[pk],
            on_time=on_time[pk],
            last_offered_on=local_day(last[pk]) if pk in last else None,
        )
        for pk in last.keys() | finished.keys()
    }


def _latest_finished(
    held: QuerySet[ReviewerAssignment], rules: Rules, *, known_at: datetime
) -> QuerySet[Any, Any]:
    """Each one's last reviews that had a day to keep: reviewer, when it was issued, the day."""
    deadlines = Deadline.objects.filter(
        case=OuterRef("case"),
        round=OuterRef("round"),
        clock__startswith="determination",
        replaced_at__isnull=True,
    )
    return (
        held.filter(state=State.FINISHED, ended_at__lte=known_at)
        .annotate(due=Subquery(deadlines.order_by("due_on").values("due_on")[:1]))
        .filter(due__isnull=False)
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=F("reviewer_id"),
                order_by=[F("ended_at").desc(), F("pk").desc()],
            )
        )
        .filter(place__lte=rules.limits["timeliness_reviews"])
        .values_list("reviewer_id", "ended_at", "due")
    )


def had_it(case: Case, *, known_at: datetime) -> dict[int, date]:
    """Who accepted this case in its present round and had it taken back, and until when.

    Once it is offered to somebody else they have taken over, and it does not return to the one
    before them: not when the house moved it, and not when it is taken back from those in turn.
    What is taken back at this very moment is being moved, so that does not count either.
    Who gave it back is another matter, and so is an earlier round: that reviewer is refused.
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
