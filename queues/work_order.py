"""The orders of a list, paged by key: the rows after a given one, without counting earlier rows.

By due date and by date of receipt, an index gives the rows in order. By due date, all expedited
cases come first (``CaseQuerySet.next_by_due_date``). Cases without a due date come after all
others, and by time to spare expedited cases before others of their day: ``Case.list_day`` and
``Case.urgency`` hold that order. For the order by time to spare, the same number of days is
subtracted from every due date of a stage (``queues.lead_time``). Within a stage that is the order
by due date, so the index gives the first rows of each stage, and they are merged here. Nothing is
stored that a new measurement would make stale, and a list costs one statement with a part for each
stage, however many cases it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Max, Q, TextChoices

from cases.lifecycle import QUEUE_OF, Status
from cases.models import Case
from cases.models.case import AFTER_DATED, CaseQuerySet, ListPlace

from .lead_time import StageDurations, stage_duration_of
from .models import StageDuration


class Sort(TextChoices):
    """What a list is sorted by. Equal rows sort by id, so paging never skips a case."""

    DUE = "due", "Due date"
    RECEIVED = "received", "Received"
    SLACK = "lead_time", "Time to spare"


@dataclass(frozen=True, order=True)
class Key:
    """The sort key of a row: its day, its urgency, its id. Written as "2026-03-02,1,17".

    ``urgency`` is 0 in the order by date of receipt, which it does not change.
    """

    day: date
    urgency: int
    pk: int

    def __str__(self) -> str:
        return f"{self.day.isoformat()},{self.urgency},{self.pk}"

    @classmethod
    def read(cls, text: str) -> "Key":
        """Read a key from an address.

        :raises ValueError: it is malformed.
        """
        day, _, rest = text.partition(",")
        urgency, _, pk = rest.partition(",")
        # More digits may exceed the id column, which is an error in the database.
        if urgency not in {"0", "1"} or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
            raise ValueError("The key is malformed.")
        return cls(date.fromisoformat(day), int(urgency), int(pk))

    @property
    def is_undated(self) -> bool:
        """Whether this is the key of a case without a due date."""
        return self.day >= date.min + AFTER_DATED

    @property
    def place(self) -> ListPlace:
        """The place that this key gives in a list by due date."""
        return ListPlace(self.day, self.urgency, self.pk)

    def later(self, days: int) -> "Key":
        """Return the key moved by a number of days.

        :raises ValueError: there is no such day.
        """
        try:
            return Key(self.day + timedelta(days=days), self.urgency, self.pk)
        except OverflowError as error:
            raise ValueError("The key names no day.") from error


def stage_durations_now() -> dict[str, int]:
    """Return the newest measured duration of each stage, in days. One query."""
    # Rows are only added, so the highest id of a stage is its newest measurement.
    newest = StageDuration.objects.values("status").annotate(newest=Max("pk")).values("newest")
    rows = StageDuration.objects.filter(pk__in=newest)
    return dict(rows.values_list("status", "median_days"))


def next_rows(
    rows: CaseQuerySet,
    *,
    sort: Sort,
    stages: Sequence[Status],
    stage_durations: StageDurations,
    after: Key | None = None,
    limit: int,
    few: bool = False,
) -> list[Case]:
    """Return the rows after a key, at most ``limit``.

    :param rows: open cases of one or more lists, filtered; their own order does not matter.
    :param stages: the stages that these cases may be in.
    :param few: the rows were found by a search, so all their keys are read and sorted here. In the
        order of an index, the database might look for them in the whole list.
    :raises ValueError: the key leads to a day that does not exist.
    """
    if few:
        place = _place_by_due_date if sort == Sort.DUE else _place_by_day
        keys = sorted(_read_few_keys(rows, sort, stage_durations), key=place)
        later = [key for key in keys if not after or place(key) > place(after)]
        return _load_in_order(rows, later[:limit])
    shifts = {
        stage_duration_of(stage, stage_durations) if sort == Sort.SLACK else 0 for stage in stages
    }
    # Without different shifts the order is plain, and one indexed query is enough.
    one_list = len({QUEUE_OF[stage] for stage in stages}) == 1
    if one_list and sort == Sort.DUE:
        return rows.next_by_due_date(after=after.place if after else None, limit=limit)
    if one_list and len(shifts) == 1:
        # The key holds the shifted day, the column the stored one.
        return list(_rows_after(rows, sort, after and after.later(*shifts))[:limit])
    keys = _read_keys(rows, stages, stage_durations, after=after, limit=limit)
    return _load_in_order(rows, sorted(keys)[:limit])


def _load_in_order(rows: CaseQuerySet, keys: Sequence[Key]) -> list[Case]:
    """Load the cases of these keys, in their order. One query."""
    by_id = {case.pk: case for case in rows.filter(pk__in=[key.pk for key in keys])}
    # A case may have left the list since its key was read.
    return [by_id[key.pk] for key in keys if key.pk in by_id]


def _place_by_day(key: Key) -> tuple[bool, Key]:
    return False, key


def _place_by_due_date(key: Key) -> tuple[bool, Key]:
    """Expedited cases first, as ``CaseQuerySet.next_by_due_date`` has them."""
    return not key.place.is_expedited, key


def _read_few_keys(rows: CaseQuerySet, sort: Sort, stage_durations: StageDurations) -> list[Key]:
    """Return the keys of all of these rows. One query."""
    found = rows.order_by().values_list("status", "list_day", "urgency", "received_on", "id")
    return [
        Key(received_on or date.min, 0, pk)
        if sort == Sort.RECEIVED
        else Key(list_day, urgency, pk).later(
            -stage_duration_of(status, stage_durations) if sort == Sort.SLACK else 0
        )
        for status, list_day, urgency, received_on, pk in found
    ]


def sort_key_of(case: Case, *, sort: Sort, stage_durations: StageDurations) -> Key:
    """Return the sort key of a case."""
    if sort == Sort.RECEIVED:
        return Key(case.received_on or date.min, 0, case.pk)
    shift = stage_duration_of(case.status, stage_durations) if sort == Sort.SLACK else 0
    return Key(case.list_day, case.urgency, case.pk).later(-shift)


def _read_keys(
    rows: CaseQuerySet,
    stages: Sequence[Status],
    stage_durations: StageDurations,
    *,
    after: Key | None,
    limit: int,
) -> list[Key]:
    """Return the first keys of each stage, shifted to the order by time to spare. One query.

    One statement of as many parts as there are stages, each with its own limit.
    """
    parts = []
    for stage in stages:
        shift = stage_duration_of(stage, stage_durations)
        part = rows.filter(queue=QUEUE_OF[stage], status=stage)
        parts.append((shift, _rows_after(part, Sort.SLACK, after and after.later(shift))[:limit]))
    return [key.later(-int(shift)) for shift, key in read_keys(parts)]


def read_keys(parts: Sequence[tuple[Any, CaseQuerySet]]) -> list[tuple[Any, Key]]:
    """Return the keys of several ordered and limited selections of cases. One query.

    :param parts: each selection with a label, which is returned with its keys.
    """
    statements, params = [], []
    for label, rows in parts:
        # Only the key: what a row shows is loaded for the rows of the page.
        bare = rows.values_list("list_day", "urgency", "id")
        try:
            statement, values = bare.query.sql_with_params()
        except EmptyResultSet:  # nothing can match, for example a name that nobody has
            continue
        statements.append(
            f"SELECT %s, list_day, urgency, id FROM ({statement}) AS part"  # noqa: S608 - ours
        )
        params += [label, *values]
    if not statements:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(statements), params)
        found = cursor.fetchall()
    return [(label, Key(_read_day(day), urgency, pk)) for label, day, urgency, pk in found]


def _read_day(day: date | str) -> date:
    """Return a day of a statement of our own; SQLite gives it as text."""
    return date.fromisoformat(day) if isinstance(day, str) else day


def _rows_after(rows: CaseQuerySet, sort: Sort, key: Key | None) -> CaseQuerySet:
    """Return the rows after a key, in order.

    The plain bound on the column lets the database start in the index; the condition with the id
    then drops the rows of the same day that came before.
    """
    if sort != Sort.RECEIVED:
        ordered = rows.order_by("list_day", "urgency", "pk")
        return ordered if key is None else ordered.after(key.day, key.urgency, key.pk)
    ordered = rows.order_by("received_on", "pk")
    if key is None:
        return ordered
    return ordered.filter(
        Q(received_on__gt=key.day) | Q(received_on=key.day, pk__gt=key.pk),
        received_on__gte=key.day,
    )
