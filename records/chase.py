"""Who owes records: a page at a time, with the last contact and what the deadline says.

The claims administrator must send them (8 CCR 9792.10.5(a)(1)); the others may.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.names import who
from cases.models import AssignmentNotice, Case, Deadline, Event, Role
from cases.services.notice_deadlines import RECORDS_DEADLINE_KINDS
from deadlines.calendars import Calendar, CalendarName
from deadlines.days import local_day
from deadlines.models import rules_on_file

from .models import Document

PAGE = 50
_ONE_DAY = timedelta(days=1)
# Working days before the due date on which a reminder is due, when nothing has come.
REMIND_WORKING_DAYS_BEFORE = 3


@dataclass(frozen=True)
class Contact:
    """The last time someone asked for the records."""

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
    remind_from: date | None  # set while a reminder is due


@dataclass(frozen=True)
class Page:
    """Some rows, and the key of those that follow; empty on the last page."""

    rows: list[Owing]
    next_key: str


class Show(StrEnum):
    """What part of the list is shown."""

    ALL = ""
    REMIND = "remind"  # a reminder is due: nothing came, and no one asked since it became due
    LATE = "late"  # their day has passed


def owing(reader: User, *, today: date, after: str = "", show: Show = Show.ALL) -> Page:
    """Cases that wait for records, by their deadline, a page at a time. Eight queries.

    A page of those to be reminded may be shorter than its place: who was asked is left out last.

    :raises ValueError: the key is not one that we gave out.
    """
    cases = Case.objects.own().in_queue("records")
    if show == Show.LATE:
        cases = cases.filter(due_on__lt=today)
    if show == Show.REMIND:
        cases = cases.filter(~Exists(_from_administrator().filter(case=OuterRef("pk"))))
        cases = cases.filter(due_on__lte=_last_day_to_remind_of(today))
    if after:
        due, _, pk = after.partition(",")
        cases = cases.after(date.fromisoformat(due), int(pk))
    found = list(cases[: PAGE + 1])
    more = found[PAGE - 1] if len(found) > PAGE else None
    rows = rows_of(found[:PAGE], reader, today=today)
    return Page(
        [row for row in rows if show != Show.REMIND or row.remind_from],
        f"{more.due_on.isoformat()},{more.pk}" if more else "",
    )


def rows_of(cases: list[Case], reader: User, *, today: date) -> list[Owing]:
    """What the list says of these cases. Six queries however many there are."""
    notices, deadlines = _notices(cases), _deadlines(cases)
    contacts, came, office = _contacts(cases), _came(cases), _office()
    rows = []
    for case in cases:
        notice, deadline = notices.get(case.pk), deadlines.get(case.pk)
        number = came.get(case.pk, 0)
        event = contacts.get(case.pk)
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
                remind_from=_remind_from(case, deadline, event, number, office, today),
            )
        )
    return rows


def before_working_days(calendar: Calendar, day: date, count: int) -> date:
    """The open day that lies ``count`` working days before a day, which itself is not counted."""
    for _ in range(count):
        day = calendar.on_or_before(day - _ONE_DAY)
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
        deadline_kind__in=RECORDS_DEADLINE_KINDS,
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


def _remind_from(
    case: Case,
    deadline: Deadline | None,
    contact: Event | None,
    came: int,
    office: Calendar,
    today: date,
) -> date | None:
    """Since when a reminder is due; ``None`` before its day, after an answer, and once one went.

    Derived from what is on file, so a day on which no one looked changes nothing.
    """
    if deadline is None or deadline.due_on is None or came:
        return None
    first_day = before_working_days(office, deadline.due_on, REMIND_WORKING_DAYS_BEFORE)
    if today < first_day:
        return None
    asked_since = (
        contact is not None
        and contact.facts.get("round") == case.round
        and local_day(contact.happened_at) >= first_day
    )
    return None if asked_since else first_day


def _last_day_to_remind_of(today: date) -> date:
    """The latest due date of which a reminder is due today."""
    office, day = _office(), today
    while before_working_days(office, day + _ONE_DAY, REMIND_WORKING_DAYS_BEFORE) <= today:
        day += _ONE_DAY
    return day


def _office() -> Calendar:
    _, calendars = rules_on_file()
    return calendars.get(CalendarName.OFFICE)


def _from_administrator() -> QuerySet[Document]:
    """What claims administrators sent since the notice of the present round went out."""
    return Document.objects.filter(
        Q(case__assigned_on__isnull=True) | Q(received_on__gte=F("case__assigned_on")),
        sent_by=Document.SentBy.CLAIMS_ADMINISTRATOR,
    )


def _came(cases: Iterable[Case]) -> dict[int, int]:
    """How many records the claims administrator has sent since the notice went out."""
    sent = _from_administrator().filter(case__in=cases).order_by()
    rows = sent.values("case").annotate(number=Count("pk"))
    return {row["case"]: row["number"] for row in rows}


def _effect(deadline: Deadline | None, came: int, today: date) -> str:
    if deadline is None:
        return "No deadline runs: mark the notices as sent first."
    if came:
        return "Something came: look whether the file is complete."
    if deadline.due_on is None:
        return "Their day is not known: a fact that it hangs on is missing."
    left = (deadline.due_on - today).days
    if left >= 0:
        return "The case waits for them until then."
    days = f"{-left} day{'' if left == -1 else 's'}"
    return f"{days} over: the case can go on with what is on file."
