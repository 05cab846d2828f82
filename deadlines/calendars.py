"""Calendars of legal holidays, built from dated rows: which days are open, and why not.

Pure: the holiday rows come in as arguments, and nothing here reads a clock or a database.

``gov6700`` holds the state's holidays (Gov. Code 6700 and 6701), ``judicial`` the courts' (CCP 135)
and ``office`` the days on which state offices are closed. They differ, and a due date may depend
on the difference, so a sum always names the calendar that it used.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from accounts.refusals import Refused

# The years that the shipped holidays cover. Outside them a holiday could be missed without notice,
# so counting is refused.
FIRST_DAY = date(2012, 1, 1)
LAST_DAY = date(2060, 12, 31)

_ONE_DAY = timedelta(days=1)
_SATURDAY, _SUNDAY = 5, 6
_WEEKDAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
_NTH_PATTERN = r"([1-4]|LAST) ([A-Z]{3}) (\d\d)(?: \+(\d))?"
_NTH_WORDS = {"1": "first", "2": "second", "3": "third", "4": "fourth", "LAST": "last"}


class CannotCount(Refused):
    """A date cannot be computed from what was given; the message tells staff why."""


class OutOfRange(CannotCount):
    """A day is outside the years for which holidays are on file."""


class UnknownCalendar(CannotCount):
    """The requested calendar is not on file."""


class BadHoliday(CannotCount):
    """A holiday row cannot be read."""


class CalendarName(StrEnum):
    """The calendars, by the names used in rules and on the command line."""

    GOV6700 = "gov6700"
    JUDICIAL = "judicial"
    OFFICE = "office"

    @property
    def label(self) -> str:
        """Return the label for staff."""
        return {
            CalendarName.GOV6700: "State holidays (Gov. Code 6700)",
            CalendarName.JUDICIAL: "Court holidays (CCP 135)",
            CalendarName.OFFICE: "State office closures",
        }[self]


@dataclass(frozen=True)
class Holiday:
    """One holiday of one calendar, as a dated row.

    :ivar pattern: when it falls: ``12-25`` (month and day), ``3 MON 01`` (third Monday of January),
        ``LAST MON 05``, ``4 THU 11 +1`` (the day after a fourth Thursday), or listed days
        ``2026-02-17 2027-02-06``.
    :ivar sunday_moves_to_monday: on a Sunday it is observed on the Monday after.
    :ivar saturday_moves_to_friday: on a Saturday it is observed on the Friday before.
    :ivar effective_from: first day on which this holiday may fall; ``effective_to`` is the last
        one, ``None`` while there is no end.
    """

    calendar: str
    name: str
    pattern: str
    source: str
    effective_from: date
    effective_to: date | None = None
    sunday_moves_to_monday: bool = False
    saturday_moves_to_friday: bool = False
    note: str = ""
    confirmed_by: str = ""
    confirmed_on: date | None = None

    def falls_on(self, year: int) -> list[date]:
        """Return the days of one year on which it falls, before it is moved off a weekend."""
        return [
            day
            for day in read_pattern(self.pattern)(year)
            if self.effective_from <= day
            and (self.effective_to is None or day <= self.effective_to)
        ]

    def kept_on(self, day: date) -> date:
        """Return the day on which a holiday that falls on ``day`` is observed."""
        if self.sunday_moves_to_monday and day.weekday() == _SUNDAY:
            return day + _ONE_DAY
        if self.saturday_moves_to_friday and day.weekday() == _SATURDAY:
            return day - _ONE_DAY
        return day

    def observed_in(self, year: int) -> list[tuple[date, date]]:
        """Return the days of a year on which it is observed, each with the day on which it falls."""
        # A holiday that is moved off a weekend may be observed in the year before or after.
        return [
            (kept, day)
            for falls_in in range(max(year - 1, FIRST_DAY.year), year + 2)
            for day in self.falls_on(falls_in)
            if (kept := self.kept_on(day)).year == year
        ]


# Each pattern is used for every year, so it is parsed only once.
@lru_cache(maxsize=256)
def read_pattern(pattern: str) -> Callable[[int], list[date]]:
    """Return a function from a year to the days on which the pattern falls.

    :raises BadHoliday: with a sentence that shows the four ways to write one.
    """
    try:
        if re.fullmatch(r"\d\d-\d\d", pattern):
            month, day = int(pattern[:2]), int(pattern[3:])
            date(2012, month, day)  # a leap year, so that 02-29 is accepted
            return lambda year: _month_day(year, month, day)
        if found := re.fullmatch(_NTH_PATTERN, pattern):
            nth, weekday, in_month, later = found.groups()
            return _nth_weekday(nth, _WEEKDAYS.index(weekday), int(in_month), int(later or 0))
        listed = [date.fromisoformat(word) for word in pattern.split()]
        if not listed:
            raise ValueError
    except ValueError:
        raise BadHoliday(
            f"“{pattern}” does not say when a holiday falls. Write 12-25, 3 MON 01, LAST MON 05, "
            "4 THU 11 +1, or a list of days such as 2026-02-17 2027-02-06."
        ) from None
    return lambda year: [day for day in listed if day.year == year]


def describe_pattern(pattern: str) -> str:
    """Describe when a holiday falls, such as "third Monday of January".

    :raises BadHoliday: the pattern cannot be read.
    """
    read_pattern(pattern)
    if re.fullmatch(r"\d\d-\d\d", pattern):
        # A leap year, so that February 29 can be named.
        day = date(2012, int(pattern[:2]), int(pattern[3:]))
        return f"{day:%B} {day.day}"
    if found := re.fullmatch(_NTH_PATTERN, pattern):
        nth, weekday, month, later = found.groups()
        # January 2, 2012 was a Monday.
        weekday_name = f"{date(2012, 1, 2 + _WEEKDAYS.index(weekday)):%A}"
        description = f"{_NTH_WORDS[nth]} {weekday_name} of {date(2012, int(month), 1):%B}"
        if not int(later or 0):
            return description
        return (
            f"the day after the {description}"
            if later == "1"
            else f"{later} days after the {description}"
        )
    listed = sorted(date.fromisoformat(word) for word in pattern.split())
    if len(listed) == 1:
        return f"only {format_day(listed[0])}"
    return f"{len(listed)} listed days, {format_day(listed[0])} to {format_day(listed[-1])}"


def _month_day(year: int, month: int, day: int) -> list[date]:
    try:
        return [date(year, month, day)]
    except ValueError:  # February 29 of a common year
        return []


def _nth_weekday(nth: str, weekday: int, month: int, later: int) -> Callable[[int], list[date]]:
    date(2012, month, 1)  # raises ValueError for a bad month now, not when the days are asked for

    def days(year: int) -> list[date]:
        if nth == "LAST":
            # The day before the first of the next month; after December, that is in the next year.
            end = date(year + month // 12, month % 12 + 1, 1) - _ONE_DAY
            day = end - timedelta(days=(end.weekday() - weekday) % 7)
        else:
            start = date(year, month, 1)
            day = start + timedelta(days=(weekday - start.weekday()) % 7 + 7 * (int(nth) - 1))
        return [day + timedelta(days=later)]

    return days


@lru_cache(maxsize=64)
def friday_after_thanksgiving(year: int) -> date:
    """Return the day after the fourth Thursday of November."""
    return _nth_weekday("4", 3, 11, 1)(year)[0]


def format_day(day: date) -> str:
    """Format a day for staff: ``Fri, Jun 20, 2014``."""
    return f"{day:%a, %b} {day.day}, {day.year}"


def refuse_out_of_range(day: date) -> None:
    """Refuse a day for which no holidays are on file.

    :raises OutOfRange: before 2012 or after 2060.
    """
    if not FIRST_DAY <= day <= LAST_DAY:
        raise OutOfRange(
            f"{format_day(day)} is outside {FIRST_DAY.year} to {LAST_DAY.year}, the years for which "
            "holidays are on file. Check the year."
        )


class Calendar:
    """One calendar: which days are open, and why a day is closed."""

    def __init__(self, name: str, closed: Mapping[date, str], *, label: str = "") -> None:
        self.name = name
        self.label = label or name
        self._closed = closed

    def __repr__(self) -> str:
        return f"<Calendar {self.label}>"

    def is_open(self, day: date) -> bool:
        """Return whether the day is neither a weekend day nor a holiday.

        Saturday is closed on all three: for the courts by CCP 135, for working days by
        Pa'u v Cal Fire (2019).

        :raises OutOfRange: before 2012 or after 2060.
        """
        refuse_out_of_range(day)
        return day.weekday() < _SATURDAY and day not in self._closed

    def why_closed(self, day: date) -> str:
        """Return the name of the holiday or weekend day; empty if the day is open."""
        if self.is_open(day):
            return ""
        return self._closed.get(day) or ("Saturday" if day.weekday() == _SATURDAY else "Sunday")

    def on_or_after(self, day: date) -> date:
        """Return the first open day from ``day`` on."""
        while not self.is_open(day):
            day += _ONE_DAY
        return day

    def on_or_before(self, day: date) -> date:
        """Return the last open day up to ``day``."""
        while not self.is_open(day):
            day -= _ONE_DAY
        return day

    def add(self, day: date, count: int) -> date:
        """Return the ``count``-th open day after ``day``, which itself is not counted."""
        # With a count of 0, the loop below would check no day.
        refuse_out_of_range(day)
        while count > 0:
            day += _ONE_DAY
            count -= self.is_open(day)
        return day

    def holidays_between(self, after: date, until: date) -> list[tuple[date, str]]:
        """Return the holidays on a weekday after ``after`` and up to ``until``, in order."""
        days = (after + timedelta(days=n) for n in range(1, (until - after).days + 1))
        return [
            (day, self._closed[day])
            for day in days
            if day in self._closed and day.weekday() < _SATURDAY
        ]


def _place_in_order(holiday: Holiday) -> tuple[str, str, date]:
    return holiday.calendar, holiday.name, holiday.effective_from


class Calendars:
    """The calendars made from a set of holiday rows. Build once and pass it to every sum."""

    def __init__(self, holidays: Iterable[Holiday]) -> None:
        self._closed: dict[str, dict[date, str]] = {}
        # In one order, because a sum names two holidays of one day in this order.
        for holiday in sorted(holidays, key=_place_in_order):
            closed = self._closed.setdefault(holiday.calendar, {})
            # One more year: New Year's Day on a Saturday may be observed on December 31 before it.
            for year in range(FIRST_DAY.year, LAST_DAY.year + 2):
                for day in holiday.falls_on(year):
                    kept = holiday.kept_on(day)
                    name = holiday.name if kept == day else f"{holiday.name}, observed"
                    # Two holidays may be observed on one day. A sum then names both.
                    other = closed.get(kept)
                    closed[kept] = f"{other} and {name}" if other and other != name else name
        # Built when first used: most sums need only one of them.
        self._built: dict[tuple[str, bool | None], Calendar] = {}

    @property
    def names(self) -> list[str]:
        return sorted(self._closed)

    def get(self, name: str, *, friday_is_working: bool | None = None) -> Calendar:
        """Return a calendar by name.

        :param friday_is_working: whether the Friday after Thanksgiving is open. ``None`` leaves it
            as in the rows of the calendar.
        :raises UnknownCalendar: naming those on file.
        """
        key = (name, friday_is_working)
        if key not in self._built:
            self._built[key] = self._build(name, friday_is_working)
        return self._built[key]

    def _build(self, name: str, friday_is_working: bool | None) -> Calendar:
        if name not in self._closed:
            raise UnknownCalendar(
                f"There is no calendar “{name}”. On file: {', '.join(self.names) or 'none'}."
            )
        closed, label = self._closed[name], name
        if friday_is_working is not None:
            # A copy, because the calendar without this choice stays in use.
            closed = dict(closed)
            for year in range(FIRST_DAY.year, LAST_DAY.year + 1):
                friday = friday_after_thanksgiving(year)
                if friday_is_working:
                    # Not every calendar is closed on that Friday.
                    closed.pop(friday, None)
                else:
                    closed[friday] = "the Friday after Thanksgiving"
            state = "working" if friday_is_working else "closed"
            label = f"{name} with the Friday after Thanksgiving {state}"
        return Calendar(name, closed, label=label)


# The rows themselves are the key, so a changed row leads to new calendars. There is room for the
# stored rows, the shipped rows and a preview.
@lru_cache(maxsize=4)
def calendars_from(holidays: tuple[Holiday, ...]) -> Calendars:
    """Return the calendars of these rows; cached, so the same rows are not built again."""
    return Calendars(holidays)
