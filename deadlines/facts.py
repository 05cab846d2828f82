"""Read the facts given for a deadline, from text, days and moments. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from .calendars import format_day
from .days import PACIFIC
from .kinds import METHODS, PLACES, BadDeadlineFact, DeadlineKind
from .rules import MAIL_METHODS


def read_day(key: str, value: object) -> date:
    """Read a day from a date, a moment (its Pacific day) or ISO text.

    :raises BadDeadlineFact: naming the key and the value.
    """
    if isinstance(value, str):
        value = _read_text(key, value)
    if isinstance(value, datetime):
        # A moment without a zone is Pacific time already.
        return _to_pacific_time(key, value).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    raise BadDeadlineFact(f"{key}={value} is not a date. Write it as 2014-06-20.")


def read_moment(key: str, value: object) -> datetime | None:
    """Read a Pacific moment; ``None`` if only a day is known.

    :raises BadDeadlineFact: not a moment, or a local time skipped by the change to summer time.
    """
    if isinstance(value, str):
        value = _read_text(key, value)
    if not isinstance(value, datetime):
        # Raises an error if the value is no date either.
        read_day(key, value)
        return None
    if value.tzinfo:
        return _to_pacific_time(key, value)
    local = value.replace(tzinfo=PACIFIC)
    # A time that the clocks skipped does not survive the conversion to UTC and back.
    if local.astimezone(UTC).astimezone(PACIFIC).replace(tzinfo=None) != value:
        raise BadDeadlineFact(
            f"{key}={value:%Y-%m-%dT%H:%M} did not exist: the clocks were set forward over it."
        )
    return local


def _to_pacific_time(key: str, moment: datetime) -> datetime:
    try:
        return moment.astimezone(PACIFIC)
    except OverflowError:
        raise BadDeadlineFact(f"{key}={moment} is not a date that can be counted from.") from None


def _read_text(key: str, text: str) -> date | datetime:
    try:
        # fromisoformat() alone also accepts 20140620 and 2014-W25-5, which are more likely
        # mistakes.
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise BadDeadlineFact(
        f"{key}={text} is not a date. Write it as 2014-06-20, or 2014-06-20T16:00 with the hour."
    )


def _read_yes_no(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    answer = {"true": True, "yes": True, "false": False, "no": False}.get(str(value).lower())
    if answer is None:
        raise BadDeadlineFact(f"{key}={value} is neither yes nor no.")
    return answer


class Facts:
    """The known facts by key. ``None`` and empty text mean: not known."""

    def __init__(self, deadline_kind: DeadlineKind, given: Mapping[str, object]) -> None:
        # A misspelled key that was ignored would give a wrong date without notice.
        if unknown := sorted(set(given) - set(deadline_kind.keys)):
            raise BadDeadlineFact(
                f"The deadline “{deadline_kind.name}” does not know {', '.join(unknown)}. "
                f"It takes {', '.join(deadline_kind.keys)}."
            )
        self._deadline_kind = deadline_kind
        self._known = {key: value for key, value in given.items() if value not in (None, "")}

    def replace(self, key: str, value: object) -> "Facts":
        """Return the same facts with one replaced."""
        return Facts(self._deadline_kind, {**self._known, key: value})

    def __getitem__(self, key: str) -> object:
        return self._known[key]

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def text(self, key: str) -> str:
        return str(self._known.get(key, ""))

    def day(self, key: str) -> date | None:
        return read_day(key, self._known[key]) if key in self._known else None

    def yes_no(self, key: str) -> bool | None:
        return _read_yes_no(key, self._known[key]) if key in self._known else None

    def number(self, key: str) -> int:
        text = self.text(key)
        # At most three digits, so that a slip cannot ask for thousands of days.
        if not re.fullmatch(r"\d{1,3}", text):
            raise BadDeadlineFact(f"{key}={text} is not a number of days.")
        return int(text)

    def method(self) -> str:
        method = self.text("method")
        if method and method not in METHODS:
            raise BadDeadlineFact(
                f"method={method} is not a way of service. Use {', '.join(METHODS)}."
            )
        return method

    def place(self) -> str:
        """Return where the address of the person served is; empty if nothing says so.

        :raises BadDeadlineFact: no such place, or the way of service names another one.
        """
        method, place = self.method(), self.text("place")
        if place and place not in PLACES:
            raise BadDeadlineFact(f"place={place} is not a place. Use {', '.join(PLACES)}.")
        by_method = {way: where for where, way in MAIL_METHODS.items()}.get(method, "")
        if place and by_method and place != by_method:
            raise BadDeadlineFact(
                f"method={method} and place={place} contradict each other. Check the address."
            )
        return place or by_method

    def friday_is_working(self) -> bool | None:
        return self.yes_no("friday_after_thanksgiving_is_working")


@dataclass(frozen=True)
class Hold:
    """A time during which a case was on hold.

    :ivar reason: its code. The rule of the deadline says whether it moves the legal date.
    :ivar end: the first day after it, actual or planned.
    :ivar has_ended: whether ``end`` is actual, not planned.
    :ivar approved_on: for an extension, the day of the Administrative Director's approval.
    :ivar method: how the notice that ended it was served, if the deadline restarts from it.
    :ivar label: the reason in words; if empty, the code is printed.
    """

    reason: str
    start: date
    end: date | None = None
    has_ended: bool = False
    approved_on: date | None = None
    method: str = ""
    by: str = ""
    label: str = ""

    @property
    def days(self) -> int | None:
        """Its length in calendar days; ``None`` while no end is set."""
        return None if self.end is None else max(0, (self.end - self.start).days)

    def __str__(self) -> str:
        until = f"to {format_day(self.end)}" if self.end else "with no end yet"
        who = f", by {self.by}" if self.by else ""
        said = f"“{self.label}”" if self.label else self.reason
        return f"Hold {said} from {format_day(self.start)} {until}{who}"
