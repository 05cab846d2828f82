"""Filters of a list: read from the address, written back into it, and described in words.

A filter is kept in the address, so it survives a reload, the Back button and being mailed to a
colleague. A saved view is such an address under a name. Unknown parts of an address are left out,
with a sentence for the reader.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Channel, Party, Priority, Role
from cases.models.case import CaseQuerySet
from deadlines.calendars import format_day
from directory.models import PersonName
from directory.names import fold_name, fold_number
from queues.forms.filters import AssignmentFilter, DueFilter, FilterForm, HoldFilter

from .models import WorkClaim
from .work_order import Sort

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Chip:
    """One filter in words, and the address of the list without it."""

    words: str
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
        """The filter and the order as a query string; empty when there is neither."""
        found = QueryDict(mutable=True)
        for name, value in self._values().items():
            found[name] = value.isoformat() if isinstance(value, date) else str(value)
        # The usual order is left out, so that equal filters have equal addresses.
        if self.sort != Sort.DUE:
            found["sort"] = self.sort.value
        return found.urlencode()

    @property
    def narrows(self) -> bool:
        """Whether the filter leaves any case out."""
        return bool(self._values())

    def without(self, name: str) -> "Filter":
        """The same filter with one field empty."""
        kept: dict[str, Any] = {key: value for key, value in self._values().items() if key != name}
        return Filter(**kept, sort=self.sort)

    def sorted_by(self, sort: Sort) -> "Filter":
        """The same filter in another order."""
        return replace(self, sort=sort)

    def chips(self) -> list[Chip]:
        """Each filter in words, with the address without it."""
        return [
            Chip(self._words(name, value), self.without(name).query())
            for name, value in self._values().items()
        ]

    def in_words(self) -> str:
        """ "Expedited, overdue and unassigned"."""
        *first, last = [chip.words for chip in self.chips()] or [""]
        return f"{', '.join(first)} and {last[0].lower()}{last[1:]}" if first else last

    def apply(self, rows: CaseQuerySet, *, user: User, today: date, at: datetime) -> CaseQuerySet:
        """Return the cases that match. Makes no join that could return a case twice."""
        exact = {
            "priority": self.priority,
            "status": self.stage,
            "application__channel": self.channel,
            "due_on__lte": self.due_by,
            "received_on__gte": self.received_from,
            "received_on__lte": self.received_to,
        }
        rows = rows.filter(**{name: value for name, value in exact.items() if value})
        if self.due:
            # A case without an active deadline still has a ``due_on``, by which lists sort.
            last = {
                DueFilter.OVER: today - timedelta(days=1),
                DueFilter.TODAY: today,
                DueFilter.WEEK: today + WEEK,
            }
            rows = rows.filter(due_on__lte=last[DueFilter(self.due)]).exclude(due_deadline_kind="")
        if self.taken:
            rows = self._by_claim(rows, user=user, at=at)
        if self.hold:
            rows = rows.held(on=today) if self.hold == HoldFilter.YES else rows.not_held(on=today)
        if self.administrator:
            # A subquery, because a join lists a case once for each party that matches.
            rows = rows.filter(Exists(_find_administrators(self.administrator)))
        return rows.filter(_match_search_text(self.q)) if self.q else rows

    def _by_claim(self, rows: CaseQuerySet, *, user: User, at: datetime) -> CaseQuerySet:
        live = WorkClaim.objects.filter(case=OuterRef("pk")).live(at=at)
        match AssignmentFilter(self.taken):
            case AssignmentFilter.ME:
                return rows.filter(Exists(live.filter(by=user)))
            case AssignmentFilter.NOBODY:
                return rows.exclude(Exists(live))
            case _:
                return rows.filter(Exists(live))

    def _values(self) -> Mapping[str, str | date]:
        names = [one.name for one in fields(self) if one.name not in {"sort", "ignored"}]
        return {name: value for name in names if (value := getattr(self, name))}

    def _words(self, name: str, value: str | date) -> str:
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


def _find_administrators(name: str) -> QuerySet[Party]:
    rows = Party.objects.current().filter(case=OuterRef("pk"), role=Role.CLAIMS_ADMINISTRATOR)
    return rows.filter(name__icontains=name)


def _match_search_text(text: str) -> Q:
    """Match the case number, the claim number or the employee's name, as the search box does."""
    found = Q(number__istartswith=text)
    # Text without letters and digits folds to an empty text, which every number begins with.
    if claim := fold_number(text):
        found |= Q(claim_number_normal__startswith=claim)
    if name := fold_name(text):
        employees = Party.objects.filter(
            case=OuterRef("pk"),
            role=Role.EMPLOYEE,
            person__in=PersonName.objects.current().filter(normal__contains=name).values("person"),
        )
        found |= Q(Exists(employees))
    return found
