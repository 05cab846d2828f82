"""Decide whether something was received or done in time. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from .calendars import Calendars, format_day
from .days import PACIFIC, format_count, format_moment
from .engine import compute_deadline
from .facts import Hold, read_day, read_moment
from .kinds import Obligor, find_deadline_kind
from .results import ComputedDeadline, UnknownDeadline, describe_due_dates, unknown_for_missing
from .rules import Rule


@dataclass(frozen=True)
class Timely:
    """In time, by every calendar that may apply."""

    due: date | datetime
    received: date | datetime
    sentence: str


@dataclass(frozen=True)
class Late:
    """Late, by every calendar that may apply.

    :ivar days: calendar days late; at least 1, even if a deadline in hours was missed by less.
    """

    due: date | datetime
    received: date | datetime
    days: int
    sentence: str


def judge_timeliness(
    deadline_kind: str,
    received: date | datetime | str | None,
    given: Mapping[str, object],
    *,
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold] = (),
) -> Timely | Late | UnknownDeadline:
    """Decide whether something was in time.

    For a deadline in days the whole Pacific day counts. If the calendars that may apply disagree
    and a party's timeliness depends on it, the answer is ``UnknownDeadline`` with both dates. For
    the organization's own deadlines only the legal date counts; lateness does not void the act
    (CHP v. WCAB (Margaris), 2016).

    :raises CannotCount: as ``compute_deadline`` does.
    """
    kind = find_deadline_kind(deadline_kind)
    answer = compute_deadline(deadline_kind, given, rules=rules, calendars=calendars, holds=holds)
    if isinstance(answer, UnknownDeadline):
        return answer
    # Only now: if the due date is unknown too, the missing fact of the deadline is named first.
    if received in (None, ""):
        return unknown_for_missing(kind, f"the day on which {kind.act}")
    if isinstance(answer.due, datetime):
        return _judge_hourly_deadline(answer, answer.due, received)
    day = read_day("received", received)
    # Something cannot arrive before the event that it answers, so one of the dates is wrong.
    if day < answer.trigger_day:
        return UnknownDeadline(
            kind,
            f"{kind.label}: {format_day(day)} is before {format_day(answer.trigger_day)}, the "
            "day on which "
            f"{kind.event}. Check both dates.",
            ("two consistent dates",),
        )
    due_dates = {answer.calendar: answer.due_on}
    if kind.obligor is not Obligor.ORGANIZATION:
        due_dates = dict(answer.by_calendar)
    first, last = min(due_dates.values()), max(due_dates.values())
    # Where the law itself defines the days, nobody who acts by its own date is called late.
    if answer.rule.defines_calendar:
        first = answer.due_on
    if day <= first:
        left = (first - day).days
        when = "on the last day" if left == 0 else f"with {format_count(left, 'day')} to spare"
        return Timely(
            answer.due, day, f"{format_day(day)} is in time, {when} (limit {format_day(first)})."
        )
    if day > last:
        days = (day - last).days
        return Late(
            answer.due,
            day,
            days,
            f"{format_day(day)} is {format_count(days, 'day')} late (limit {format_day(last)}).",
        )
    return UnknownDeadline(
        kind,
        f"{kind.label}: {format_day(day)} is in time or late, depending on how the days are "
        f"counted: {describe_due_dates(due_dates)}. "
        "A person must decide.",
        ("which of these dates applies",),
        (first, last),
    )


def _judge_hourly_deadline(
    answer: ComputedDeadline, due: datetime, received: date | datetime | str | None
) -> Timely | Late | UnknownDeadline:
    """Decide timeliness for a deadline in hours; a day alone decides, unless it is the last."""
    moment = read_moment("received", received)
    if moment is None:
        day = read_day("received", received)
        if day == due.date():
            return unknown_for_missing(
                answer.deadline_kind, f"the hour at which {answer.deadline_kind.act}"
            )
        # Noon, because on any other day than the last one the hour does not matter.
        moment = datetime.combine(day, time(12), tzinfo=PACIFIC)
    overrun = moment.astimezone(UTC) - due.astimezone(UTC)
    if overrun <= timedelta(0):
        return Timely(
            due, moment, f"{format_moment(moment)} is in time (limit {format_moment(due)})."
        )
    # Rounded up: a day that has begun counts as a day late.
    days = max(1, -(-overrun // timedelta(days=1)))
    return Late(due, moment, days, f"{format_moment(moment)} is late (limit {format_moment(due)}).")
