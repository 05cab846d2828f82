"""The list of outstanding records, with the last reminder and the deadline of each case.

The claims administrator must send records (8 CCR 9792.10.5(a)(1)). Other parties may send them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.names import name_actor
from cases.models import AssignmentNotice, Case, Deadline, Event, PartyRole
from cases.models.case import ListPlace
from cases.services.notice_deadlines import RECORDS_DEADLINE_KINDS
from deadlines.calendars import Calendar, CalendarName
from deadlines.days import local_day
from deadlines.models import rules_on_file

from .models import Document

PAGE_SIZE = 50
_ONE_DAY = timedelta(days=1)
# A reminder is due this many working days before the due date, if no records were received.
REMIND_WORKING_DAYS_BEFORE = 3


@dataclass(frozen=True)
class Reminder:
    """The latest reminder that someone logged: a call, fax or email."""

    on: date
    by: str
    sentence: str


@dataclass(frozen=True)
class OutstandingCase:
    """One case with outstanding records: the notice, the last reminder and the deadline."""

    case: Case
    notice: AssignmentNotice | None
    days_since: int | None  # since the notice was sent
    received_count: int  # documents that the claims administrator has sent
    reminder: Reminder | None
    deadline: Deadline | None
    effect: str  # what the deadline means for the case, as a sentence
    remind_from: date | None  # set while a reminder is due


@dataclass(frozen=True)
class OutstandingPage:
    """One page of the list, and the key of the next page; empty on the last page."""

    rows: list[OutstandingCase]
    next_key: str


class OutstandingFilter(StrEnum):
    """The filters of the list."""

    ALL = ""
    REMIND = "remind"  # a reminder is due: no records, and no reminder logged since it became due
    LATE = "late"  # the due date has passed


def list_outstanding(
    reader: User, *, today: date, after: str = "", show: OutstandingFilter = OutstandingFilter.ALL
) -> OutstandingPage:
    """List cases with outstanding records, expedited ones first, then by deadline. Nine queries.

    With ``OutstandingFilter.REMIND`` a page can be shorter than ``PAGE_SIZE``: cases with a
    reminder logged in time are removed after the page was read.

    :param after: the ``next_key`` of the page before; empty for the first page.
    :raises ValueError: ``after`` is not such a key.
    """
    # While a case is in this queue, its own due date is that of its records deadline.
    cases = Case.objects.own().visible_to(reader).in_queue("records")
    if show == OutstandingFilter.LATE:
        cases = cases.filter(due_on__lt=today)
    if show == OutstandingFilter.REMIND:
        cases = cases.filter(~Exists(_filter_from_administrator().filter(case=OuterRef("pk"))))
        # Working days cannot be counted in SQL, so the latest due date is computed first.
        cases = cases.filter(due_on__lte=_find_last_due_to_remind(today))
    place = None
    if after:
        due, urgency, pk = after.split(",")
        place = ListPlace(date.fromisoformat(due), int(urgency), int(pk))
    # One more than shown tells whether there is a next page, without counting all rows.
    page_cases = cases.next_by_due_date(after=place, limit=PAGE_SIZE + 1)
    # The key is that of the last case read, even if its row is removed below.
    last_case = page_cases[PAGE_SIZE - 1] if len(page_cases) > PAGE_SIZE else None
    rows = build_outstanding_rows(page_cases[:PAGE_SIZE], reader, today=today)
    return OutstandingPage(
        [row for row in rows if show != OutstandingFilter.REMIND or row.remind_from],
        f"{last_case.list_day.isoformat()},{last_case.urgency},{last_case.pk}" if last_case else "",
    )


def build_outstanding_rows(
    cases: list[Case], reader: User, *, today: date
) -> list[OutstandingCase]:
    """Build the rows of the list for these cases. Six queries for any number of cases."""
    notices, deadlines = _load_notices(cases), _load_deadlines(cases)
    reminders, received_counts, office = (
        _load_last_reminders(cases),
        _count_received(cases),
        _load_office_calendar(),
    )
    rows = []
    for case in cases:
        notice, deadline = notices.get(case.pk), deadlines.get(case.pk)
        received_count = received_counts.get(case.pk, 0)
        event = reminders.get(case.pk)
        rows.append(
            OutstandingCase(
                case=case,
                notice=notice,
                days_since=(today - notice.sent_on).days if notice and notice.sent_on else None,
                received_count=received_count,
                reminder=Reminder(
                    on=local_day(event.happened_at),
                    by=name_actor(event.by, reader=reader),
                    sentence=event.sentence,
                )
                if event
                else None,
                deadline=deadline,
                effect=_describe_effect(deadline, received_count, today),
                remind_from=_find_reminder_day(
                    case, deadline, event, received_count, office, today
                ),
            )
        )
    return rows


def subtract_working_days(calendar: Calendar, day: date, count: int) -> date:
    """Return the working day that is ``count`` working days before a day."""
    for _ in range(count):
        day = calendar.on_or_before(day - _ONE_DAY)
    return day


def _load_notices(cases: Iterable[Case]) -> dict[int, AssignmentNotice]:
    rows = AssignmentNotice.objects.filter(
        case__in=cases, round=F("case__round"), party__role=PartyRole.CLAIMS_ADMINISTRATOR
    )
    # With several claims administrators, the latest notice is shown.
    return {row.case_id: row for row in rows.select_related("party").order_by("pk")}


def _load_deadlines(cases: Iterable[Case]) -> dict[int, Deadline]:
    rows = Deadline.objects.filter(
        case__in=cases,
        round=F("case__round"),
        deadline_kind__in=RECORDS_DEADLINE_KINDS,
        replaced_at__isnull=True,
    )
    # A new priority replaces the deadline, so a round has only one. Else the newest is kept.
    return {row.case_id: row for row in rows.order_by("pk")}


def _load_last_reminders(cases: Iterable[Case]) -> dict[int, Event]:
    last = (
        Event.objects.filter(case__in=cases, kind=Event.Kind.REMINDED)
        .order_by()
        .values("case")
        .annotate(last=Max("pk"))
        .values("last")
    )
    rows = Event.objects.filter(pk__in=last).select_related("by")
    return {row.case_id: row for row in rows}


def _find_reminder_day(
    case: Case,
    deadline: Deadline | None,
    reminder: Event | None,
    received_count: int,
    office: Calendar,
    today: date,
) -> date | None:
    """Return the day since which a reminder is due.

    ``None`` if it is too early, if records were received, or if a reminder was logged since.

    The day is derived from stored facts and not from a schedule, so no reminder is lost when the
    portal was not used on that day.
    """
    if deadline is None or deadline.due_on is None or received_count:
        return None
    first_day = subtract_working_days(office, deadline.due_on, REMIND_WORKING_DAYS_BEFORE)
    if today < first_day:
        return None
    reminded_since = (
        reminder is not None
        and reminder.facts.get("round") == case.round
        and local_day(reminder.happened_at) >= first_day
    )
    return None if reminded_since else first_day


def _find_last_due_to_remind(today: date) -> date:
    """Return the latest due date for which a reminder is due today."""
    # Walks forward, because around a weekend several due dates share one reminder day.
    office, day = _load_office_calendar(), today
    while subtract_working_days(office, day + _ONE_DAY, REMIND_WORKING_DAYS_BEFORE) <= today:
        day += _ONE_DAY
    return day


def _load_office_calendar() -> Calendar:
    _, calendars = rules_on_file()
    return calendars.get(CalendarName.OFFICE)


def _filter_from_administrator() -> QuerySet[Document]:
    """Select documents from claims administrators since the notice of the current round."""
    return Document.objects.in_record().filter(
        # What was received before the notice was not sent in answer to it.
        Q(case__assigned_on__isnull=True) | Q(received_on__gte=F("case__assigned_on")),
        sent_by=Document.SentBy.CLAIMS_ADMINISTRATOR,
    )


def _count_received(cases: Iterable[Case]) -> dict[int, int]:
    """Count the documents that the claims administrator sent since the notice, by case."""
    sent = _filter_from_administrator().filter(case__in=cases).order_by()
    rows = sent.values("case").annotate(count=Count("pk"))
    return {row["case"]: row["count"] for row in rows}


def _describe_effect(deadline: Deadline | None, received_count: int, today: date) -> str:
    if deadline is None:
        return "There is no active deadline. Mark the notices as sent first."
    if received_count:
        return "Records received. Check whether the file is complete."
    if deadline.due_on is None:
        return "The due date is not known, because a fact that it requires is missing."
    days_left = (deadline.due_on - today).days
    if days_left >= 0:
        return "The case waits for the records until then."
    days = f"{-days_left} day{'' if days_left == -1 else 's'}"
    return f"{days} overdue. The case can continue with what is on file."
