"""The orders of a list, paged by key: the rows after a given one, without counting earlier rows.

By due date and by date of receipt, an index gives the rows in order. For the order by time to
spare, the same number of days is subtracted from every due date of a stage
(``queues.lead_time``). Within a stage that is the order by due date, so the index gives the first
rows of each stage, and they are merged here. Nothing is stored that a new measurement would make
stale, and a list costs one short query for each of its few stages, however many cases it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import merge
from itertools import islice

from django.db.models import Max, Q, TextChoices

from cases.lifecycle import QUEUE_OF, Status
from cases.models import Case
from cases.models.case import CaseQuerySet

from .lead_time import Paces, stage_duration_of
from .models import StageDuration


class Sort(TextChoices):
    """What a list is sorted by. Equal rows sort by id, so paging never skips a case."""

    DUE = "due", "Due date"
    RECEIVED = "received", "Received"
    SLACK = "lead_time", "Time to spare"


@dataclass(frozen=True, order=True)
class Key:
    """The sort key of a row: its day, then its id. Written as "2026-03-02,17"."""

    day: date
    pk: int

    def __str__(self) -> str:
        return f"{self.day.isoformat()},{self.pk}"

    @classmethod
    def read(cls, text: str) -> "Key":
        """Read a key from an address.

        :raises ValueError: it is malformed.
        """
        day, _, pk = text.partition(",")
        # More digits may exceed the id column, which is an error in the database.
        if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
            raise ValueError("The key is malformed.")
        return cls(date.fromisoformat(day), int(pk))

    def later(self, days: int) -> "Key":
        """The key moved by a number of days.

        :raises ValueError: there is no such day.
        """
        try:
            return Key(self.day + timedelta(days=days), self.pk)
        except OverflowError as error:
            raise ValueError("The key names no day.") from error


def stage_durations_now() -> dict[str, int]:
    """The newest measured duration of each stage, in days. One query."""
    # Rows are only added, so the highest id of a stage is its newest measurement.
    newest = StageDuration.objects.values("status").annotate(newest=Max("pk")).values("newest")
    rows = StageDuration.objects.filter(pk__in=newest)
    return dict(rows.values_list("status", "median_days"))


def next_rows(
    rows: CaseQuerySet,
    *,
    sort: Sort,
    stages: Sequence[Status],
    stage_durations: Paces,
    after: Key | None = None,
    limit: int,
) -> list[Case]:
    """Return the rows after a key, at most ``limit``.

    :param rows: open cases of one or more lists, filtered; their own order does not matter.
    :param stages: the stages that these cases may be in.
    :raises ValueError: the key leads to a day that does not exist.
    """
    shifts = {
        stage_duration_of(stage, stage_durations) if sort == Sort.SLACK else 0 for stage in stages
    }
    # Without different shifts the order is plain, and one indexed query is enough.
    one_list = len({QUEUE_OF[stage] for stage in stages}) == 1
    if one_list and len(shifts) == 1:
        column = "received_on" if sort == Sort.RECEIVED else "due_on"
        # The key holds the shifted day, the column the stored one.
        return list(_rows_after(rows, column, after and after.later(*shifts))[:limit])
    heads = [
        _keys_of_stage(
            rows, stage, stage_duration_of(stage, stage_durations), after=after, limit=limit
        )
        for stage in stages
    ]
    chosen = [key.pk for key in islice(merge(*heads), limit)]
    # The heads hold keys only. The chosen cases are loaded in one query.
    found = {case.pk: case for case in rows.filter(pk__in=chosen)}
    # A case may have left the list between the two queries.
    return [found[pk] for pk in chosen if pk in found]


def sort_key_of(case: Case, *, sort: Sort, stage_durations: Paces) -> Key:
    """The sort key of a case."""
    if sort == Sort.RECEIVED:
        return Key(case.received_on or date.min, case.pk)
    shift = stage_duration_of(case.status, stage_durations) if sort == Sort.SLACK else 0
    return Key(case.due_on, case.pk).later(-shift)


def _keys_of_stage(
    rows: CaseQuerySet, stage: Status, shift: int, *, after: Key | None, limit: int
) -> list[Key]:
    """The first keys of one stage, shifted to the order by time to spare."""
    part = rows.filter(queue=QUEUE_OF[stage], status=stage)
    found = _rows_after(part, "due_on", after and after.later(shift)).values_list("due_on", "pk")
    return [Key(day, pk).later(-shift) for day, pk in found[:limit]]


def _rows_after(rows: CaseQuerySet, column: str, key: Key | None) -> CaseQuerySet:
    """The rows after a key, in order.

    The plain bound on the column lets the database start in the index; the condition with the id
    then drops the rows of the same day that came before.
    """
    ordered = rows.order_by(column, "pk")
    if key is None:
        return ordered
    return ordered.filter(
        Q(**{f"{column}__gt": key.day}) | Q(**{column: key.day}, pk__gt=key.pk),
        **{f"{column}__gte": key.day},
    )
