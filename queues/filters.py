"""Filters of a list: read from the address, written back into it, and described in words.

A filter is kept in the address, so it survives a reload, the Back button and being mailed to a
colleague. A saved view is such an address under a name. Unknown parts of an address are left out,
with a sentence for the reader.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import QueryDict

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Channel, Party, PartyRole, Priority
from cases.models.case import CaseQuerySet
from cases.search import MOST_FOUND, FoundCases, search_cases
from deadlines.calendars import format_day
from directory.models import OrganizationName
from directory.names import fold_organization
from queues.forms.filters import AssignmentFilter, DueFilter, FilterForm, HoldFilter

from .models import WorkClaim
from .work_order import Sort

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Chip:
    """One filter in words, and the address of the list without it."""

    label: str
    query: str


@dataclass(frozen=True)
class Filter:
    """Which cases a list shows, and in which order. Empty fields do not filter."""

    priority: str = ""
    stage: str = ""
    due: str = ""
    due_by: date | None = None
    channel: str = ""
    taken: str = ""
    hold: str = ""
    received_from: date | None = None
    received_to: date | None = None
    administrator: str = ""
    q: str = ""
    sort: Sort = Sort.DUE
    ignored: tuple[str, ...] = ()  # sentences about parts of the address that are not filters

    @classmethod
    def read(cls, query: str | QueryDict, *, queue: str, today: date) -> "Filter":
        """Read the filter from an address. Never fails: unknown parts are named in ``ignored``."""
        given = QueryDict(query) if isinstance(query, str) else query
        form = FilterForm(given, queue=queue, today=today)
        # The valid fields are used even if others are not; those are named in ``ignored``.
        form.is_valid()
        values = {name: value for name, value in form.cleaned_data.items() if value}
        ignored = [
            f"{form.fields[name].label or name.capitalize()}: “{given.get(name, '')[:60]}” is not "
            "a filter of this list, so it was left out."
            for name in form.errors
        ]
        sort = given.get("sort", "")
        return cls(
            **values,
            sort=Sort(sort) if sort in Sort.values else Sort.DUE,
            ignored=tuple(ignored),
        )

    def query(self) -> str:
        """Return the filter and the order as a query string; empty when there is neither."""
        query = QueryDict(mutable=True)
        for name, value in self._values().items():
            query[name] = value.isoformat() if isinstance(value, date) else str(value)
        # The usual order is left out, so that equal filters have equal addresses.
        if self.sort != Sort.DUE:
            query["sort"] = self.sort.value
        return query.urlencode()

    @property
    def narrows(self) -> bool:
        """Whether the filter leaves any case out."""
        return bool(self._values())

    def without(self, name: str) -> "Filter":
        """Return the same filter with one field empty."""
        values: dict[str, Any] = {
            key: value for key, value in self._values().items() if key != name
        }
        return Filter(**values, sort=self.sort)

    def sorted_by(self, sort: Sort) -> "Filter":
        """Return the same filter in another order."""
        return replace(self, sort=sort)

    def chips(self) -> list[Chip]:
        """Return each filter in words, with the address without it."""
        return [
            Chip(self._describe_condition(name, value), self.without(name).query())
            for name, value in self._values().items()
        ]

    def describe(self) -> str:
        """ "Expedited, overdue and unassigned"."""
        *first, last = [chip.label for chip in self.chips()] or [""]
        return f"{', '.join(first)} and {last[0].lower()}{last[1:]}" if first else last

    def apply(
        self,
        rows: CaseQuerySet,
        *,
        user: User,
        today: date,
        at: datetime,
        found: FoundCases | None = None,
    ) -> CaseQuerySet:
        """Return the cases that match. Makes no join that could return a case twice.

        :param found: what ``search`` has found for this person; searched for if missing.
        """
        exact = {
            "priority": self.priority,
            "status": self.stage,
            "application__channel": self.channel,
            "list_day__lte": self.due_by,
            "received_on__gte": self.received_from,
            "received_on__lte": self.received_to,
        }
        rows = rows.filter(**{name: value for name, value in exact.items() if value})
        if self.due:
            # Its ``list_day`` leaves out a case without an active deadline.
            last = {
                DueFilter.OVER: today - timedelta(days=1),
                DueFilter.TODAY: today,
                DueFilter.WEEK: today + WEEK,
            }
            rows = rows.filter(list_day__lte=last[DueFilter(self.due)])
        if self.taken:
            rows = self._by_claim(rows, user=user, at=at)
        if self.hold:
            rows = rows.held(on=today) if self.hold == HoldFilter.YES else rows.not_held(on=today)
        if self.administrator:
            rows = _have_administrator(rows, self.administrator)
        if self.q:
            found = found or search_cases(self.q, user)
            rows = rows.filter(pk__in=found.ids)
        return rows

    def search(self, user: User) -> FoundCases:
        """Find the cases of the searched text; none if the filter has no text."""
        return search_cases(self.q, user) if self.q else FoundCases()

    def _by_claim(self, rows: CaseQuerySet, *, user: User, at: datetime) -> CaseQuerySet:
        live = WorkClaim.objects.all().live(at=at)
        match AssignmentFilter(self.taken):
            # Claims are few, so they are read first; most cases have none.
            case AssignmentFilter.ME:
                return rows.filter(pk__in=live.filter(by=user).values("case"))
            case AssignmentFilter.NOBODY:
                return rows.exclude(Exists(live.filter(case=OuterRef("pk"))))
            case _:
                return rows.filter(pk__in=live.values("case"))

    def _values(self) -> Mapping[str, str | date]:
        names = [one.name for one in fields(self) if one.name not in {"sort", "ignored"}]
        return {name: value for name in names if (value := getattr(self, name))}

    def _describe_condition(self, name: str, value: str | date) -> str:
        labels: dict[str, Any] = {
            "priority": Priority,
            "stage": Status,
            "due": DueFilter,
            "taken": AssignmentFilter,
            "hold": HoldFilter,
            "channel": Channel,
        }
        if name in labels:
            label = str(labels[name](value).label)
            return f"Received by {label.lower()}" if name == "channel" else label
        day = format_day(value) if isinstance(value, date) else ""
        return {
            "due_by": f"Due by {day}",
            "received_from": f"Received from {day}",
            "received_to": f"Received to {day}",
            "administrator": f"Claims administrator “{value}”",
            "q": f"Name or claim “{value}”",
        }[name]


def _have_administrator(rows: CaseQuerySet, name: str) -> CaseQuerySet:
    """Select the cases whose claims administrator has a name that contains these words."""
    words = fold_organization(name).split()
    names = OrganizationName.objects.current()
    for word in words:
        names = names.filter(normal__contains=word)
    # There are few organizations, so their names are read before any case. A name of none of them
    # would otherwise be compared with the parties of every case.
    organizations = set(names.values_list("organization", flat=True)) if words else set()
    if not organizations:
        return rows.none()
    parties = Party.objects.current().filter(
        role=PartyRole.CLAIMS_ADMINISTRATOR, organization__in=organizations
    )
    # Of an administrator with few cases, the whole list would be searched for them.
    few = list(parties.values_list("case", flat=True)[: MOST_FOUND + 1])
    if len(few) <= MOST_FOUND:
        return rows.filter(pk__in=few)
    # A subquery, because a join lists a case once for each party that matches.
    return rows.filter(Exists(parties.filter(case=OuterRef("pk"))))
