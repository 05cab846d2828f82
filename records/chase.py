"""Who owes records: a page at a time, with the last contact and what the clock says.

The claims administrator must send them (8 CCR 9792.10.5(a)(1)); the others may.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Max, Q

from accounts.models import User
from accounts.names import who
from cases.models import AssignmentNotice, Case, Deadline, Event, Role
from cases.models.clocks import rules_on_file
from cases.services.intake import local_day

from .models import Document

PAGE = 50
# Working days before the due date on which a chaser is due, when nothing has come.
REMIND_WORKING_DAYS_BEFORE = 3


@dataclass(frozen=True)
class Contact:
    """The last time somebody asked for the records."""

    on: date
    by: str
    sentence: str


@dataclass(frozen=True)
class Owing:
    """One case whose records are awaited: who owes them, since when, and what follows."""

    case: Case
    notice: AssignmentNotice | None
    days_since: int | None
    came: int
    contact: Contact | None
    deadline: Deadline | None
    effect: str
    remind_from: date | None  # set while a chaser is due: nothing came, nobody reminded them


@dataclass(frozen=True)
class Page:
    """Some rows, and the key of those that follow; empty on the last page."""

    rows: list[Owing]
    next_key: str


def owing(reader: User, *, today: date, after: str = "", late: bool = False) -> Page:
    """Cases that wait for records, by their clock, a page at a time. Seven queries.

    :param late: only those whose day has passed.
    :raises ValueError: the key is not one that we gave out.
    """
    cases = Case.objects.own().in_queue("records")
    if late:
        cases = cases.filter(due_on__lt=today)
    if after:
        due, _, pk = after.partition(",")
        cases = cases.after(date.fromisoformat(due), int(pk))
    found = list(cases[: PAGE + 1])
    more = found[PAGE - 1] if len(found) > PAGE else None
    return Page(
        rows_of(found[:PAGE], reader, today=today),
        f"{more.due_on.isoformat()},{more.pk}" if more else "",
    )


def rows_of(cases: list[Case], reader: User, *, today: date) -> list[Owing]:
    """What the list says of these cases. Six queries however many there are."""
    notices, deadlines = _notices(cases), _deadlines(cases)
    contacts, reminded = _contacts(cases), _reminded(cases)
    came = _came(cases)
    _, calendars = rules_on_file()
    office = calendars.get("office")
    rows = []
    for case in cases:
        notice, deadline = notices.get(case.pk), deadlines.get(case.pk)
        number = came.get(case.pk, 0)
        event = contacts.get(case.pk)
        first_day = (
            before_working_days(office, deadline.due_on, REMIND_WORKING_DAYS_BEFORE)
            if deadline
            else None
        )
        due_for_reminder = (
            first_day is not None and first_day <= today and not number and case.pk not in reminded
        )
        rows.append(
            Owing(
                case=case,
                notice=notice,
                days_since=(today - notice.sent_on).days if notice and notice.sent_on else None,
                came=number,
                contact=Contact(
                    on=local_day(event.happened_at),
                    by=who(event.by, reader=reader),
                    sentence=event.sentence,
                )
                if event
                else None,
                deadline=deadline,
                effect=_effect(deadline, number, today),
                remind_from=first_day if due_for_reminder else None,
            )
        )
    return rows


def before_working_days(calendar: Any, day: date, count: int) -> date:
    """The open day that lies ``count`` working days before a day, which itself is not counted."""
    for _ in range(count):
        day = calendar.on_or_before(date.fromordinal(day.toordinal() - 1))
    return day


def _notices(cases: Iterable[Case]) -> dict[int, AssignmentNotice]:
    rows = AssignmentNotice.objects.filter(
        case__in=cases, round=F("case__round"), party__role=Role.CLAIMS_ADMINISTRATOR
    )
    return {row.case_id: row for row in rows.select_related("party").order_by("pk")}


def _deadlines(cases: Iterable[Case]) -> dict[int, Deadline]:
    rows = Deadline.objects.filter(
        case__in=cases,
        round=F("case__round"),
        clock__startswith="records",
        replaced_at__isnull=True,
    )
    return {row.case_id: row for row in rows.order_by("due_on", "pk")}


def _contacts(cases: Iterable[Case]) -> dict[int, Event]:
    last = (
        Event.objects.filter(case__in=cases, kind=Event.Kind.CHASED)
        .order_by()
        .values("case")
        .annotate(last=Max("pk"))
        .values("last")
    )
    rows = Event.objects.filter(pk__in=last).select_related("by")
    return {row.case_id: row for row in rows}


def _reminded(cases: Iterable[Case]) -> set[int]:
    """Cases whose claims administrator got a chaser in this round."""
    rows = Event.objects.filter(
        case__in=cases, kind=Event.Kind.CHASED, facts__way="REMINDER", facts__round=F("case__round")
    )
    return set(rows.values_list("case_id", flat=True))


def _came(cases: Iterable[Case]) -> dict[int, int]:
    """How many records the claims administrator has sent since the notice went out."""
    rows = (
        Document.objects.filter(
            Q(case__assigned_on__isnull=True) | Q(received_on__gte=F("case__assigned_on")),
            case__in=cases,
            sent_by=Document.SentBy.CLAIMS_ADMINISTRATOR,
        )
        .order_by()
        .values("case")
        .annotate(number=Count("pk"))
    )
    return {row["case"]: row["number"] for row in rows}


def _effect(deadline: Deadline | None, came: int, today: date) -> str:
    if deadline is None:
        return "No clock runs: mark the notices as sent first."
    left = (deadline.due_on - today).days
    if came:
        return "Something came: look whether the file is complete."
    if left >= 0:
        return "The case waits for them until then."
    days = f"{-left} day{'' if left == -1 else 's'}"
    return f"{days} over: the case can go on with what is on file."
