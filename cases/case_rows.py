"""The rows of one case, each table read at most once while one page is made.

A page asks for the deadlines of its case in its bar, in its list and in its rules. ``load_case``
gives the case of a page that only reads an object of this class, which lives as long as the
request. Services lock a case of their own and always read again: see ``rows_of``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, TypeVar

from django.db import connection
from django.db.models import BooleanField, IntegerField, TextField
from django.db.models.expressions import RawSQL

from accounts.models import User

from .models import (
    Case,
    Deadline,
    DisputedItem,
    Hold,
    OwnConflictResult,
    Party,
    PartyRole,
    TimeExtension,
)
from .models.case import CaseQuerySet
from .models.restrictions import HIDDEN_CASES

T = TypeVar("T")

_ATTRIBUTE = "_rows_of_page"
OTHER_CASES_SHOWN = 3
_ROLE_ORDER = {role.value: place for place, role in enumerate(PartyRole)}


# What the bar of every page about a case shows, as columns of the query that loads the case. As
# text, because Django would take longer to write these statements than the database to run them.
_EMPLOYEE = (
    "SELECT p.{column} FROM cases_party p WHERE p.case_id = cases_case.id AND p.role = 'EMPLOYEE' "
    "AND NOT p.withdrawn AND (p.valid_from IS NULL OR p.valid_from <= %s) "
    "AND (p.valid_to IS NULL OR p.valid_to >= %s) "
    "AND NOT EXISTS (SELECT 1 FROM cases_party c WHERE c.corrects_id = p.id) "
    "ORDER BY p.id LIMIT 1"
)
_EMPLOYEE_NAME = _EMPLOYEE.format(column="name")
_EMPLOYEE_PERSON = _EMPLOYEE.format(column="person_id")
_FAILED_JOBS = (
    "EXISTS (SELECT 1 FROM jobs_jobrun j WHERE j.reference = cases_case.number "
    "AND j.outcome IN ('FAILED', 'STOPPED') AND j.resolved_at IS NULL)"
)
_RESTRICTED = (
    "EXISTS (SELECT 1 FROM cases_caserestriction r "
    "WHERE r.case_id = cases_case.id AND r.ended_at IS NULL)"
)
_CONFLICTS = (
    "EXISTS (SELECT 1 FROM cases_ownconflictresult o "
    "WHERE o.case_id = cases_case.id AND o.result <> 'PASS')"
)
# Other cases of the injured worker that the reader may see, newest first, one more than shown.
_OTHER_CASES = (
    "SELECT DISTINCT o.id, o.number, o.status FROM cases_party mine "  # noqa: S608 - ours
    "JOIN cases_party p ON p.person_id = mine.person_id AND p.role = 'EMPLOYEE' "
    "AND NOT p.withdrawn JOIN cases_case o ON o.id = p.case_id "
    "WHERE mine.case_id = cases_case.id AND mine.role = 'EMPLOYEE' AND NOT mine.withdrawn "
    f"AND o.id <> cases_case.id AND o.id NOT IN ({HIDDEN_CASES}) "
    f"ORDER BY o.id DESC LIMIT {OTHER_CASES_SHOWN + 1}"
)
_OTHER_CASES_LISTS = {
    "postgresql": "SELECT json_agg(json_build_array(t.number, t.status) ORDER BY t.id DESC)::text ",
    "sqlite": "SELECT json_group_array(json_array(t.number, t.status)) ",
}
_CITED = (
    "SELECT count(*) FROM cases_administratorcitation a "
    "WHERE a.item_id = cases_disputeditem.id AND a.removed_at IS NULL"
)
_LISTS = {
    "postgresql": "SELECT json_agg(json_build_array({values}) ORDER BY {order})::text "
    "FROM {table} t WHERE t.case_id = cases_case.id",
    "sqlite": "SELECT json_group_array(json_array({values})) FROM (SELECT * FROM {table} "
    "WHERE case_id = cases_case.id ORDER BY {order}) AS t",
}
TITLES = {"values": "t.title", "table": "cases_disputeditem", "order": "position"}
_BODY_PARTS = {"values": "t.body_part", "table": "cases_disputeditem", "order": "position"}
_HOLDS = {
    "values": "t.round, t.deadline_kind, t.starts_on, coalesce(t.ended_on, t.planned_end)",
    "table": "cases_hold",
    "order": "starts_on",
}


def annotate_bar(rows: CaseQuerySet, *, today: date, reader: User) -> CaseQuerySet:
    """Load cases with what the bar of their pages shows of other tables.

    Also whether any check found a conflict of interest, which many rules ask.
    """
    other_cases = f"{_OTHER_CASES_LISTS[connection.vendor]}FROM ({_OTHER_CASES}) AS t"
    return rows.annotate(
        other_cases_json=RawSQL(other_cases, [reader.pk], TextField()),  # noqa: S611 - ours
        employee_name=RawSQL(_EMPLOYEE_NAME, [today, today], TextField()),  # noqa: S611 - ours
        employee_person=RawSQL(_EMPLOYEE_PERSON, [today, today], IntegerField()),  # noqa: S611
        restricted_now=RawSQL(_RESTRICTED, [], BooleanField()),  # noqa: S611
        has_conflicts=RawSQL(_CONFLICTS, [], BooleanField()),  # noqa: S611
        has_failed_jobs=RawSQL(_FAILED_JOBS, [], BooleanField()),  # noqa: S611
        body_parts_json=list_column(**_BODY_PARTS),
        holds_json=list_column(**_HOLDS),
    )


def list_column(*, values: str, table: str, order: str) -> RawSQL:
    """Return a column of a query of cases: the rows of another table of each case, as JSON.

    :param values: the columns of that table, called ``t``.
    """
    statement = _LISTS[connection.vendor].format(values=values, table=table, order=order)
    return RawSQL(statement, [], TextField())  # noqa: S611 - our own names


def read_list_column(case: Case, column: str) -> list[Any]:
    """Return the rows of ``list_column``, each a list of values."""
    found: list[Any] = json.loads(case.__dict__[column] or "[]")
    return found


@dataclass(frozen=True)
class HoldSpan:
    """The days of a hold, for the bars of deadlines.

    :ivar end: the first day after it.
    """

    round: int
    deadline_kind: str
    starts_on: date
    end: date


class CaseRows:
    """The rows of a case as pages show them. Each property is at most one query."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._read: dict[tuple[Any, ...], Any] = {}

    def once(self, key: tuple[Any, ...], read: Callable[[], T]) -> T:
        """Return what ``read`` returned the first time: for rows of apps that this one knows not.

        :param key: what is read, and for whom, if not everyone may see the same.
        """
        if key not in self._read:
            self._read[key] = read()
        found: T = self._read[key]
        return found

    @cached_property
    def deadlines(self) -> list[Deadline]:
        """The current deadlines of all rounds with their service, next due first."""
        rows = self._case.deadlines.filter(replaced_at__isnull=True).select_related("service")
        return list(rows.order_by("due_on", "pk"))

    def deadlines_of_round(self) -> list[Deadline]:
        """The current deadlines of the current round, oldest row first."""
        rows = [row for row in self.deadlines if row.round == self._case.round]
        return sorted(rows, key=lambda row: row.pk)

    @cached_property
    def holds(self) -> list[Hold]:
        """All holds with the people who began and ended them, in the order in which they begin."""
        rows = self._case.holds.select_related("begun_by", "ended_by")
        return list(rows.order_by("starts_on", "pk"))

    @cached_property
    def hold_spans(self) -> list[HoldSpan]:
        """The days of all holds. No query if the case was loaded with its bar."""
        if "holds_json" in self._case.__dict__:
            return [
                HoldSpan(number, kind, date.fromisoformat(first), date.fromisoformat(end))
                for number, kind, first, end in read_list_column(self._case, "holds_json")
            ]
        return [
            HoldSpan(row.round, row.deadline_kind, row.starts_on, row.end) for row in self.holds
        ]

    @cached_property
    def body_parts(self) -> list[str]:
        """The body part of each item. No query if the case was loaded with its bar."""
        if "body_parts_json" in self._case.__dict__:
            return [part for (part,) in read_list_column(self._case, "body_parts_json")]
        return [item.body_part for item in self.items]

    def employee_name_on(self, day: date) -> str:
        """The name of the injured worker. No query if the case was loaded with its bar."""
        if "employee_name" in self._case.__dict__:
            return str(self._case.__dict__["employee_name"] or "")
        employee = self.employee_on(day)
        return employee.name if employee else ""

    def employee_person_on(self, day: date) -> int | None:
        """The id of the injured worker as a person. No query if the case has its bar."""
        if "employee_person" in self._case.__dict__:
            found: int | None = self._case.__dict__["employee_person"]
            return found
        employee = self.employee_on(day)
        return employee.person_id if employee else None

    @property
    def has_conflicts(self) -> bool:
        """Whether any check may have found a conflict; true where the case does not say."""
        return bool(self._case.__dict__.get("has_conflicts", True))

    @cached_property
    def conflict_results(self) -> list[OwnConflictResult]:
        """The results of all conflict checks of this organization, oldest first."""
        rows = OwnConflictResult.objects.filter(case=self._case)
        return list(rows.select_related("member__user", "party", "tested_by").order_by("pk"))

    @cached_property
    def extensions(self) -> list[TimeExtension]:
        """All extensions, in the order in which they were recorded."""
        return list(self._case.extensions.order_by("recorded_at", "pk"))

    @cached_property
    def items(self) -> list[DisputedItem]:
        """The disputed items, with the number of sources that the UR decision cites for each."""
        cited = RawSQL(_CITED, [], IntegerField())  # noqa: S611 - ours
        rows = self._case.items.select_related("category__parent", "parent").annotate(
            cited_count=cited
        )
        return list(rows.order_by("position"))

    @cached_property
    def _parties(self) -> list[Party]:
        rows = self._case.parties.current().select_related("item", "recorded_by").order_by("pk")
        return list(rows)

    def parties_on(self, day: date) -> list[Party]:
        """The parties on a day, in the order of ``PartyRole``."""
        rows = [party for party in self._parties if party.held_on(day)]
        return sorted(rows, key=lambda party: (_ROLE_ORDER[party.role], party.pk))

    def employee_on(self, day: date) -> Party | None:
        """The injured worker of a day, or ``None``."""
        rows = self.parties_on(day)
        return next((party for party in rows if party.role == PartyRole.EMPLOYEE), None)

    @cached_property
    def versions(self) -> list[tuple[str, str, datetime]]:
        """The queue, the state and the moment of each version of the case, oldest first."""
        rows: Any = self._case.history.order_by("history_id")
        return list(rows.values_list("queue", "status", "history_date"))


def keep_rows(case: Case) -> None:
    """Let everything that asks for the rows of this object share one reading of each table.

    Only for a page that changes nothing: the rows would not show what it has changed.
    """
    setattr(case, _ATTRIBUTE, CaseRows(case))


def keeps_rows(case: Case) -> bool:
    """Whether this object belongs to a page that only reads."""
    return hasattr(case, _ATTRIBUTE)


def rows_of(case: Case) -> CaseRows:
    """Return the rows of a case: those of its page, or freshly read ones for anything else."""
    kept: CaseRows | None = getattr(case, _ATTRIBUTE, None)
    return kept or CaseRows(case)
