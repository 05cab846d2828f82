"""The clock engine: every due date as a printed sum.

Pure: facts, rules and calendars come in as arguments; nothing here reads a clock or a database, so
the same facts give the same date on any day. A rule is a dated row, chosen by the day of the
trigger. What is missing makes the answer ``Unknown`` and is named; it never makes anything late.

The order of a count in days: the trigger day is not counted; the rule's length; then the extension
for the way of service and any extension that the law grants; then, once, the roll off a closed day.
A count in hours is elapsed time across daylight saving and never rolls.
"""

import calendar as month_lengths
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from .calendars import (
    Calendar,
    CalendarName,
    Calendars,
    CannotCount,
    OutOfRange,
    UnknownCalendar,
    refuse_out_of_range,
    say,
)

__all__ = [
    "CLOCKS",
    "PACIFIC",
    "BadFact",
    "BadRules",
    "BarDay",
    "CannotCount",
    "Clock",
    "DayKind",
    "Effect",
    "Extension",
    "Hold",
    "Kind",
    "Late",
    "LegalHold",
    "NoRule",
    "OutOfRange",
    "Penalty",
    "Roll",
    "Rule",
    "Step",
    "StepKind",
    "Sum",
    "Timely",
    "Unknown",
    "UnknownCalendar",
    "UnknownClock",
    "Whose",
    "days_between_for_bar",
    "due",
    "records_penalty",
    "refuse_gap_or_overlap",
    "rule_for",
    "timeliness",
]

PACIFIC = ZoneInfo("America/Los_Angeles")
EXTENSION = "EXTENSION"  # the reason code of an extension for good cause


class UnknownClock(CannotCount):
    """A clock was asked for that does not exist."""


class NoRule(CannotCount):
    """No rule of a clock is on file for a day."""


class BadRules(CannotCount):
    """Rules of one clock overlap, leave a gap, or cannot be read."""


class BadFact(CannotCount):
    """A fact was given that the clock does not know or that cannot be read."""


class Kind(StrEnum):
    """What is counted."""

    CALENDAR = "CALENDAR"
    WORKING = "WORKING"
    BUSINESS = "BUSINESS"
    HOURS = "HOURS"
    MONTHS = "MONTHS"

    @property
    def unit(self) -> str:
        return {
            Kind.CALENDAR: "calendar day",
            Kind.WORKING: "working day",
            Kind.BUSINESS: "business day",
            Kind.HOURS: "hour",
            Kind.MONTHS: "month",
        }[self]


class Roll(StrEnum):
    """What happens when the last day is closed."""

    NONE = "NONE"
    FORWARD = "FORWARD"

    @property
    def words(self) -> str:
        return "Stays" if self is Roll.NONE else "Goes to the next open day"


class Whose(StrEnum):
    """Whose duty a clock measures."""

    OURS = "OURS"
    PARTY = "PARTY"
    INFORMATION = "INFORMATION"  # decides nothing


class Effect(StrEnum):
    """What a hold with a legal source does to the legal date."""

    EXTENDS = "EXTENDS"  # adds its length, once approved
    SUSPENDS = "SUSPENDS"  # the clock stands still while it lasts
    RESTARTS = "RESTARTS"  # the clock begins anew when it ends


METHODS: dict[str, str] = {
    "in_hand": "in hand",
    "mail_ca": "by mail to a California address",
    "mail_us": "by mail to another state",
    "mail_abroad": "by mail to another country",
    "express": "by express mail",
    "fax": "by fax",
    "electronic": "electronically",
}


# --- Rules ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extension:
    """Days added for the way of service.

    :ivar court_days: counted as court days on the judicial calendar, not as calendar days.
    """

    days: int
    source: str = ""
    court_days: bool = False


@dataclass(frozen=True)
class LegalHold:
    """A reason for which the law itself moves the date.

    :ivar max_days: most days that all holds for this reason may add together.
    :ivar restarts_as: the clock that begins when a ``RESTARTS`` hold ends.
    """

    effect: Effect
    source: str
    max_days: int | None = None
    restarts_as: str = ""


@dataclass(frozen=True)
class Rule:
    """One rule of one clock, in force from a day to a day, both included.

    :ivar length: how many units; ``None`` where the length hangs on the way of service.
    :ivar length_by_method: way of service to length, where the rule itself states it so.
    :ivar extensions: way of service to the days it adds (CCP 1013).
    :ivar legal_holds: reason code to what a hold for that reason does to the legal date.
    :ivar cutoff: local time after which something received counts for the next open day.
    :ivar deemed_received: way of sending to the calendar days after which it counts as received.
    :ivar outer_days: the date is never later than this many days after the fact ``recommended``.
    :ivar usd_per_day: penalty for each day late, up to ``usd_limit``.
    :ivar confirmed_by: who compared the row with the text of the law; empty until somebody has.
    """

    clock: str
    kind: Kind
    source: str
    effective_from: date
    effective_to: date | None = None
    length: int | None = None
    calendar: str = ""
    roll: Roll = Roll.NONE
    length_by_method: Mapping[str, int] = field(default_factory=dict)
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    legal_holds: Mapping[str, LegalHold] = field(default_factory=dict)
    cutoff: time | None = None
    deemed_received: Mapping[str, int] = field(default_factory=dict)
    outer_days: int | None = None
    usd_per_day: int | None = None
    usd_limit: int | None = None
    note: str = ""
    confirmed_by: str = ""
    confirmed_on: date | None = None

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise BadRules(f"The rule {self} cannot be used: {problem}")

    def _problem(self) -> str:
        lengths = [
            *self.length_by_method.values(),
            *([self.length] if self.length else []),
        ]
        methods = {*self.length_by_method, *self.extensions, *self.deemed_received}
        if self.clock not in CLOCKS:
            return "there is no such clock."
        if self.effective_to is not None and self.effective_to < self.effective_from:
            return "it ends before it begins."
        if self.usd_per_day is not None:
            return "" if self.usd_per_day > 0 else "its penalty is not above nothing."
        if not lengths or min(lengths) < 1:
            return "its length is missing or below 1."
        if unknown := sorted(methods - set(METHODS)):
            return f"it names an unknown way of service, {', '.join(unknown)}."
        counted = (
            self.kind in (Kind.WORKING, Kind.BUSINESS) or self.roll is Roll.FORWARD
        )
        if counted and not self.calendar:
            return "it names no calendar."
        if self.kind is Kind.HOURS and self.roll is not Roll.NONE:
            return "a clock in hours never rolls."
        return ""

    def __str__(self) -> str:
        until = f"to {say(self.effective_to)}" if self.effective_to else "with no end"
        return f"“{self.clock}” from {say(self.effective_from)} {until}"

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_on is not None

    @property
    def needs_method(self) -> bool:
        return bool(self.length_by_method or self.extensions)

    def holds_on(self, day: date) -> bool:
        """Whether the rule is in force on a day."""
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )


def rule_for(clock: str, trigger_day: date, rules: Sequence[Rule]) -> Rule:
    """The one rule of a clock that is in force on the day of its trigger.

    :raises NoRule: none is.
    :raises BadRules: two are; the message names both.
    """
    found = [
        rule for rule in rules if rule.clock == clock and rule.holds_on(trigger_day)
    ]
    if len(found) > 1:
        raise BadRules(
            f"Two rules are in force on {say(trigger_day)}: {found[0]}, and {found[1]}."
        )
    if not found:
        raise NoRule(
            f"No rule of “{clock}” is on file for {say(trigger_day)}. {_on_file(clock, rules)}"
        )
    return found[0]


def _rule_of(clock: str, year: str, rules: Sequence[Rule]) -> Rule:
    """The rule of a named year, or of a named day: for study, never by default."""
    if not re.fullmatch(r"\d{4}", year):
        day = read_day("rules_of", year)
        return rule_for(clock, day, rules)
    if year == "0000":
        raise BadFact("rules_of=0000 is not a year.")
    first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    found = [
        rule
        for rule in rules
        if rule.clock == clock
        and rule.effective_from <= last
        and (rule.effective_to is None or rule.effective_to >= first)
    ]
    if len(found) > 1:
        raise BadFact(
            f"The rule of “{clock}” changed during {year}. Name a day instead: rules_of={year}-07-01."
        )
    if not found:
        raise NoRule(
            f"No rule of “{clock}” is on file for {year}. {_on_file(clock, rules)}"
        )
    return found[0]


def _on_file(clock: str, rules: Sequence[Rule]) -> str:
    mine = sorted((rule for rule in rules if rule.clock == clock), key=_start)
    return (
        f"On file: {'; '.join(map(str, mine))}." if mine else "It has no rules at all."
    )


def _start(row: Any) -> Any:
    return row.effective_from


def refuse_gap_or_overlap(rows: Sequence[Any]) -> None:
    """Say no to dated rows of one thing that overlap or leave days without a rule.

    :param rows: rules of one clock, or versions of one holiday: anything that has
        ``effective_from``, ``effective_to`` and says its name and days as text.
    :raises BadRules: naming both rows and the days in question.
    """
    ordered = sorted(rows, key=_start)
    for earlier, later in zip(ordered, ordered[1:], strict=False):
        if earlier.effective_to is None or earlier.effective_to >= later.effective_from:
            raise BadRules(
                f"Two rows would be in force on {say(later.effective_from)}: {earlier}, "
                f"and {later}. End the earlier one on the day before."
            )
        expected = earlier.effective_to + timedelta(days=1)
        if expected != later.effective_from:
            raise BadRules(
                f"Nothing would be in force from {say(expected)} to "
                f"{say(later.effective_from - timedelta(days=1))}: {earlier}, and {later}. "
                "Let the later one begin on the day after the earlier one ends."
            )


# --- Clocks -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clock:
    """A clock by name: what starts it and whose duty it measures.

    :ivar trigger: the key of the fact that starts it.
    :ivar event: that event in words, "the UR decision was served".
    :ivar act: what must have happened by the end, "the application is received".
    """

    name: str
    label: str
    trigger: str
    event: str
    act: str
    whose: Whose
    takes: tuple[str, ...] = ()


_COMMON = ("rules_of", "calendar", "friday_after_thanksgiving_is_working")
_SERVED = ("method", "form_served")
_EXTENDED = ("extension_days", "extension_approved")


def _clock_table() -> Iterator[Clock]:
    ours, party, information = Whose.OURS, Whose.PARTY, Whose.INFORMATION
    decided = "the UR decision was served"
    filed = "the application is received"
    noarfi = "the notice of assignment was sent"
    yield Clock("application", "Application", "served", decided, filed, party, _SERVED)
    yield Clock(
        "application_formulary",
        "Application, formulary dispute",
        "served",
        decided,
        filed,
        party,
        _SERVED,
    )
    yield Clock(
        "application_after_liability",
        "Application after a liability dispute",
        "served",
        "the notice that the liability dispute is resolved was served",
        filed,
        party,
        _SERVED,
    )
    yield Clock(
        "internal_appeal",
        "Request for an internal UR appeal",
        "received",
        "the UR decision was received",
        "the request for an internal appeal is made",
        party,
    )
    yield Clock(
        "eligibility_information",
        "Answer to a request for eligibility information",
        "received",
        "the request for information was received",
        "the information is received",
        party,
    )
    yield Clock(
        "noarfi",
        "Notice of assignment",
        "found_eligible",
        "the application was found eligible",
        "the notice of assignment is sent",
        ours,
    )
    yield Clock(
        "records",
        "Medical records",
        "noarfi",
        noarfi,
        "the records are received",
        party,
        ("method",),
    )
    yield Clock(
        "records_expedited",
        "Medical records, expedited",
        "received",
        "the notice of assignment was received",
        "the records are received",
        party,
    )
    yield Clock(
        "own_papers",
        "Papers of the employee or the requesting physician",
        "noarfi",
        noarfi,
        "the papers are received",
        party,
        ("method",),
    )
    yield Clock(
        "own_papers_expedited",
        "Papers of the employee or the requesting physician, expedited",
        "received",
        "the notice of assignment was received",
        "the papers are received",
        party,
    )
    for name, label in (
        ("reviewer_information", "Answer to the reviewer's request"),
        (
            "reviewer_information_expedited",
            "Answer to the reviewer's request, expedited",
        ),
    ):
        yield Clock(
            name,
            label,
            "received",
            "the reviewer's request was received",
            "the answer is received",
            party,
        )
    for name, label in (
        ("determination_regular", "Determination, regular"),
        ("determination_formulary", "Determination, formulary dispute"),
    ):
        yield Clock(
            name,
            label,
            "records_complete",
            "the file was complete",
            "the determination is issued",
            ours,
            _EXTENDED,
        )
    yield Clock(
        "determination_expedited",
        "Determination, expedited",
        "information_complete",
        "the information was complete",
        "the determination is issued",
        ours,
        _EXTENDED,
    )
    yield Clock(
        "notice_mark",
        "45 days from the notice of assignment",
        "noarfi",
        noarfi,
        "the determination is issued",
        information,
    )
    yield Clock(
        "petition",
        "Petition to the WCAB",
        "mailed",
        "the determination was served",
        "the petition is filed",
        party,
        ("method",),
    )
    yield Clock(
        "authorise",
        "Authorise services not yet given",
        "received",
        "the determination was received",
        "the treatment is authorised",
        party,
    )
    yield Clock(
        "reimburse",
        "Reimburse services already given",
        "received",
        "the determination was received",
        "the services are reimbursed",
        party,
    )
    yield Clock(
        "ur_decision",
        "UR decision",
        "rfa",
        "the request for authorisation was received",
        "the UR decision is made",
        information,
        ("method", "recommended"),
    )
    yield Clock(
        "ur_decision_expedited",
        "UR decision, expedited",
        "rfa",
        "the request for authorisation was received",
        "the UR decision is made",
        information,
    )
    yield Clock(
        "twelve_month_bar",
        "Twelve months of the UR decision",
        "ur_denied",
        "the UR decision was made",
        "the same treatment may be asked again",
        information,
    )
    yield Clock(
        "records_penalty",
        "Penalty for late records",
        "records_due",
        "the records were due",
        "the records are received",
        information,
        ("records_received",),
    )


CLOCKS: dict[str, Clock] = {clock.name: clock for clock in _clock_table()}


def clock_named(name: str) -> Clock:
    """A clock by its name.

    :raises UnknownClock: naming those that exist.
    """
    if name not in CLOCKS:
        raise UnknownClock(
            f"There is no clock “{name}”. Clocks: {', '.join(sorted(CLOCKS))}."
        )
    return CLOCKS[name]


# --- Facts ------------------------------------------------------------------------------------


def read_day(key: str, value: object) -> date:
    """A day from a date, a moment (its local day) or ISO text.

    :raises BadFact: naming the key and what was given.
    """
    if isinstance(value, str):
        value = _read_text(key, value)
    if isinstance(value, datetime):
        return value.astimezone(PACIFIC).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    raise BadFact(f"{key}={value} is not a date. Write it as 2014-06-20.")


def read_moment(key: str, value: object) -> datetime | None:
    """A moment in Los Angeles time, ``None`` when only a day is known.

    :raises BadFact: not a moment, or a local time that the change of clocks skipped.
    """
    if isinstance(value, str):
        value = _read_text(key, value)
    if not isinstance(value, datetime):
        read_day(key, value)
        return None
    if value.tzinfo:
        return value.astimezone(PACIFIC)
    local = value.replace(tzinfo=PACIFIC)
    if local.astimezone(UTC).astimezone(PACIFIC).replace(tzinfo=None) != value:
        raise BadFact(
            f"{key}={value:%Y-%m-%dT%H:%M} did not exist: the clocks went forward over it."
        )
    return local


def _read_text(key: str, text: str) -> date | datetime:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise BadFact(
        f"{key}={text} is not a date. Write it as 2014-06-20, or 2014-06-20T16:00 with the hour."
    )


def _read_yes_no(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    answer = {"true": True, "yes": True, "false": False, "no": False}.get(
        str(value).lower()
    )
    if answer is None:
        raise BadFact(f"{key}={value} is neither yes nor no.")
    return answer


class _Facts:
    """What is known, by key. ``None`` and empty text mean: not known."""

    def __init__(self, clock: Clock, given: Mapping[str, object]) -> None:
        allowed = (clock.trigger, *clock.takes, *_COMMON)
        if unknown := sorted(set(given) - set(allowed)):
            raise BadFact(
                f"The clock “{clock.name}” does not know {', '.join(unknown)}. "
                f"It takes {', '.join(allowed)}."
            )
        self._known = {
            key: value for key, value in given.items() if value not in (None, "")
        }

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
        if not re.fullmatch(r"\d{1,3}", text):
            raise BadFact(f"{key}={text} is not a number of days.")
        return int(text)

    def method(self) -> str:
        method = self.text("method")
        if method and method not in METHODS:
            raise BadFact(
                f"method={method} is not a way of service. Use {', '.join(METHODS)}."
            )
        return method

    def friday_is_working(self) -> bool | None:
        return self.yes_no("friday_after_thanksgiving_is_working")


@dataclass(frozen=True)
class Hold:
    """A time during which work on a case stood still.

    :ivar reason: its code. Whether it moves a legal date, the clock's rule says.
    :ivar end: the day on which it ended, else on which it is planned to; not itself held.
    :ivar has_ended: whether ``end`` is past rather than planned.
    :ivar approved_on: day of the Administrative Director's approval, for an extension.
    :ivar method: how the notice that ended it was served, where a clock begins anew from it.
    """

    reason: str
    start: date
    end: date | None = None
    has_ended: bool = False
    approved_on: date | None = None
    method: str = ""
    by: str = ""

    @property
    def days(self) -> int | None:
        """Its length in calendar days, ``None`` while no end is set."""
        return None if self.end is None else max(0, (self.end - self.start).days)

    def __str__(self) -> str:
        until = f"to {say(self.end)}" if self.end else "with no end yet"
        who = f", by {self.by}" if self.by else ""
        return f"Hold {self.reason} from {say(self.start)} {until}{who}"


# --- Answers ----------------------------------------------------------------------------------


class StepKind(StrEnum):
    """What a line of the sum does."""

    CHOICE = "CHOICE"
    TRIGGER = "TRIGGER"
    LENGTH = "LENGTH"
    EXTENSION = "EXTENSION"
    HOLD = "HOLD"
    ROLL = "ROLL"
    LIMIT = "LIMIT"
    TARGET = "TARGET"
    RESULT = "RESULT"


@dataclass(frozen=True)
class Step:
    """One line of the sum: a sentence, the date on which the count then stands, and its source.

    :ivar confirmed: whether the source was compared with the law; letters quote no other.
    """

    kind: StepKind
    sentence: str
    on: date | datetime | None = None
    source: str = ""
    confirmed: bool = False

    def as_row(self) -> dict[str, Any]:
        """The line as plain values, for JSON."""
        return {
            "kind": self.kind.value,
            "sentence": self.sentence,
            "date": None if self.on is None else iso(self.on),
            "source": self.source,
            "confirmed": self.confirmed,
        }


@dataclass(frozen=True)
class Sum:
    """A due date with its arithmetic.

    :ivar raw: the last day before the roll.
    :ivar limit: the legal date, or the moment (Los Angeles time) for a clock in hours.
    :ivar target: the day or moment that we aim at for a duty of our own; ``None`` for others'.
    :ivar steps: how ``limit`` came about; ``target_steps`` how ``target`` did.
    """

    clock: Clock
    rule: Rule
    trigger: date | datetime
    raw: date | datetime
    limit: date | datetime
    target: date | datetime | None
    calendar: str
    steps: tuple[Step, ...]
    target_steps: tuple[Step, ...] = ()

    @property
    def due_on(self) -> date:
        """The local day of the legal date."""
        return read_day("limit", self.limit)

    @property
    def due_at(self) -> datetime | None:
        """The legal moment, for a clock in hours."""
        return self.limit if isinstance(self.limit, datetime) else None

    @property
    def target_on(self) -> date | None:
        """The local day of the internal target."""
        return None if self.target is None else read_day("target", self.target)

    @property
    def target_is_after_limit(self) -> bool:
        """Whether holds have pushed our own target past a legal date that they cannot move."""
        if isinstance(self.target, datetime) and isinstance(self.limit, datetime):
            return self.target.astimezone(UTC) > self.limit.astimezone(UTC)
        return self.target_on is not None and self.target_on > self.due_on

    @property
    def is_confirmed(self) -> bool:
        """Whether the rule was compared with the text of the law."""
        return self.rule.is_confirmed

    def lines(self) -> list[str]:
        """The printed sum, legal date first, then the internal target."""
        return [
            f"{step.sentence}{f' [{step.source}]' if step.source else ''}"
            for step in (*self.steps, *self.target_steps)
        ]

    def as_row(self) -> dict[str, Any]:
        """The sum as plain values, for JSON."""
        return {
            "clock": self.clock.name,
            "due": iso(self.limit),
            "raw": iso(self.raw),
            "internal_target": None if self.target is None else iso(self.target),
            "calendar": self.calendar,
            "source": self.rule.source,
            "confirmed": self.is_confirmed,
            "steps": [step.as_row() for step in self.steps],
            "target_steps": [step.as_row() for step in self.target_steps],
        }


@dataclass(frozen=True)
class Unknown:
    """No date can be said, and why.

    :ivar missing: the facts that are missing, each in words.
    :ivar dates: where calendars disagree, the earliest and the latest date.
    """

    clock: Clock
    sentence: str
    missing: tuple[str, ...] = ()
    dates: tuple[date, ...] = ()

    def as_row(self) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        return {
            "clock": self.clock.name,
            "due": None,
            "unknown": self.sentence,
            "missing": list(self.missing),
            "dates": [iso(day) for day in self.dates],
        }


@dataclass(frozen=True)
class Timely:
    """It was in time, on every calendar that may apply."""

    limit: date | datetime
    received: date | datetime
    sentence: str


@dataclass(frozen=True)
class Late:
    """It was late, on every calendar that may apply.

    :ivar days: calendar days late; at least 1, also where a clock in hours was missed by less.
    """

    limit: date | datetime
    received: date | datetime
    days: int
    sentence: str


@dataclass(frozen=True)
class Penalty:
    """A sum of money with its arithmetic."""

    clock: Clock
    rule: Rule
    days_late: int
    usd: int
    steps: tuple[Step, ...]

    def lines(self) -> list[str]:
        """The printed sum."""
        return [
            f"{step.sentence}{f' [{step.source}]' if step.source else ''}"
            for step in self.steps
        ]

    def as_row(self) -> dict[str, Any]:
        """The sum as plain values, for JSON."""
        return {
            "clock": self.clock.name,
            "penalty_usd": self.usd,
            "days_late": self.days_late,
            "source": self.rule.source,
            "confirmed": self.rule.is_confirmed,
            "steps": [step.as_row() for step in self.steps],
        }


def iso(when: date | datetime) -> str:
    """``2014-07-21``, or ``2015-07-05T16:00`` in Los Angeles time."""
    return (
        when.isoformat(timespec="minutes")[:16]
        if isinstance(when, datetime)
        else str(when)
    )


def say_when(when: date | datetime) -> str:
    """A day, or a day with its local hour."""
    if isinstance(when, datetime):
        local = when.astimezone(PACIFIC)
        return f"{say(local.date())}, {local:%H:%M %Z}"
    return say(when)


def _plural(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


# --- Counting ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _DayCount:
    """A count in days that is ready but for the calendar, so that calendars can be compared."""

    rule: Rule
    trigger: date
    length: int
    court: Calendar
    extension: Extension | None = None
    legal_days: int = 0
    after_cutoff: bool = False
    outer: date | None = None

    def start(self, on: Calendar) -> date:
        """The day after which counting begins."""
        if self.after_cutoff:
            return on.on_or_after(self.trigger + timedelta(days=1))
        return self.trigger

    def counted(self, on: Calendar) -> date:
        """The last day by length alone."""
        start = self.start(on)
        if self.rule.kind is Kind.MONTHS:
            return _months_later(start, self.length)
        if self.rule.kind is Kind.CALENDAR:
            return start + timedelta(days=self.length)
        return on.add(start, self.length)

    def served(self, on: Calendar) -> date:
        """The last day with the extension for the way of service."""
        day = self.counted(on)
        if self.extension is None:
            return day
        if self.extension.court_days:
            return self.court.add(day, self.extension.days)
        return day + timedelta(days=self.extension.days)

    def raw(self, on: Calendar) -> date:
        """The last day before the roll."""
        day = self.served(on) + timedelta(days=self.legal_days)
        refuse_out_of_range(day)
        return day

    def rolled(self, on: Calendar) -> date:
        """The last day after the roll."""
        day = self.raw(on)
        return on.on_or_after(day) if self.rule.roll is Roll.FORWARD else day

    def limit(self, on: Calendar) -> date:
        """The legal date."""
        day = self.rolled(on)
        return day if self.outer is None else min(day, self.outer)


def _months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last day of a month that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > 9998:
        raise OutOfRange(
            f"{say(day)} lies outside the years for which holidays are on file."
        )
    last = month_lengths.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


@dataclass(frozen=True)
class _Setting:
    """A clock with its rule, facts and holds, before the count."""

    clock: Clock
    facts: _Facts
    rule: Rule
    calendars: Calendars
    holds: tuple[Hold, ...]
    before: tuple[
        Step, ...
    ] = ()  # lines that explain the choice of rule, calendar or trigger

    @property
    def calendar_name(self) -> str:
        return (
            self.facts.text("calendar") or self.rule.calendar or CalendarName.JUDICIAL
        )

    def calendar(self) -> Calendar:
        friday = self.facts.friday_is_working()
        return self.calendars.get(self.calendar_name, friday_is_working=friday)

    def step(
        self, kind: StepKind, sentence: str, on: date | datetime | None = None
    ) -> Step:
        """A line that stands on the rule itself."""
        return Step(kind, sentence, on, self.rule.source, self.rule.is_confirmed)

    def plausible(self) -> list[Calendar]:
        """Every calendar that a person could hold to apply, the rule's own first.

        A calendar or a Friday named by hand stands alone. Where no calendar matters there is one.
        """
        mine = self.calendar()
        counted = (
            self.rule.kind in (Kind.WORKING, Kind.BUSINESS)
            or self.rule.roll is Roll.FORWARD
        )
        if (
            not counted
            or "calendar" in self.facts
            or self.facts.friday_is_working() is not None
        ):
            return [mine]
        others = [
            self.calendars.get(name) for name in CalendarName if name != mine.name
        ]
        # Gomez (2018) has the Friday after Thanksgiving working, Pa'u (2019) makes it arguable.
        no_friday = self.calendars.get(CalendarName.GOV6700, friday_is_working=False)
        return [mine, *others, no_friday]


def _prepare(
    clock: Clock,
    given: Mapping[str, object],
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold],
) -> _Setting | Unknown:
    """Choose the rule and check the facts, or say what is missing."""
    facts = _Facts(clock, given)
    if clock.trigger not in facts:
        return _missing(clock, f"the day on which {clock.event}")
    if facts.yes_no("form_served") is False:
        sentence = (
            f"{clock.label}: the application form was never sent with the decision, so the time "
            "to apply has not begun to run (LC 4610.5(h)(3), not confirmed)."
        )
        return Unknown(
            clock, sentence, ("the day on which the application form was sent",)
        )
    day = read_day(clock.trigger, facts[clock.trigger])
    refuse_out_of_range(day)
    before: list[Step] = []
    if "rules_of" in facts:
        rule = _rule_of(clock.name, facts.text("rules_of"), rules)
        sentence = (
            f"Counted by the rules of {facts.text('rules_of')}, chosen by name: {rule}."
        )
        before.append(Step(StepKind.CHOICE, sentence))
    else:
        rule = rule_for(clock.name, day, rules)
    if "calendar" in facts and facts.text("calendar") != rule.calendar:
        before.append(
            Step(
                StepKind.CHOICE,
                f"Counted on the {facts.text('calendar')} calendar, chosen by name; the rule "
                f"counts on {rule.calendar or 'none'}.",
            )
        )
    if (friday := facts.friday_is_working()) is not None:
        state = "working" if friday else "closed"
        sentence = f"The Friday after Thanksgiving is taken as {state}, chosen by name."
        before.append(Step(StepKind.CHOICE, sentence))
    if rule.needs_method and not facts.method():
        return _missing(clock, f"the way in which {clock.event}")
    return _Setting(
        clock, facts, rule, calendars, (*holds, *_extension(facts)), tuple(before)
    )


def _extension(facts: _Facts) -> list[Hold]:
    """The extension for good cause, when it is given as plain facts."""
    if "extension_days" not in facts:
        return []
    approved = facts.day("extension_approved")
    start = approved or date(2012, 1, 1)
    end = start + timedelta(days=facts.number("extension_days"))
    return [Hold(EXTENSION, start, end, approved_on=approved)]


def _missing(clock: Clock, *facts: str) -> Unknown:
    return Unknown(
        clock,
        f"{clock.label}: not known, because {' and '.join(facts)} is missing.",
        facts,
    )


def due(
    clock: str,
    given: Mapping[str, object],
    *,
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold] = (),
) -> Sum | Unknown:
    """Work out when a clock runs out, and how.

    :param given: facts by key, as dates, moments or ISO text: the clock's trigger, the way of
        service where it matters, and the overrides ``rules_of``, ``calendar`` and
        ``friday_after_thanksgiving_is_working``. A moment without a zone is Los Angeles time.
    :param holds: every hold of the case; those without a legal source move our own target only.
    :returns: the printed sum, or what is missing.
    :raises CannotCount: an unknown clock, a fact that cannot be read, no rule for the day, or a day
        outside the years on file. The message is fit to show to staff.
    """
    setting = _prepare(clock_named(clock), given, rules, calendars, holds)
    if isinstance(setting, Unknown):
        return setting
    if setting.rule.usd_per_day is not None:
        raise UnknownClock(f"“{clock}” is a sum of money, not a date.")
    stopped = _stopped(setting, rules)
    if stopped is not None:
        return stopped
    return _hours(setting) if setting.rule.kind is Kind.HOURS else _days(setting)


def _stopped(setting: _Setting, rules: Sequence[Rule]) -> Sum | Unknown | None:
    """The answer where a hold stands still or begins the clock anew; ``None`` where none does."""
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        legal = setting.rule.legal_holds.get(hold.reason)
        if legal is None or legal.effect is Effect.EXTENDS:
            continue
        if hold.end is None or not hold.has_ended:
            return Unknown(
                setting.clock,
                f"{setting.clock.label}: the clock has stood still since {say(hold.start)} "
                f"({hold.reason}) and has no date until that ends ({legal.source}).",
                (f"the day on which the hold {hold.reason} ends",),
            )
        if legal.effect is Effect.RESTARTS:
            anew = due(
                legal.restarts_as,
                {"served": hold.end, "method": hold.method},
                rules=rules,
                calendars=setting.calendars,
            )
            if isinstance(anew, Unknown):
                return anew
            first = Step(
                StepKind.HOLD,
                f"{hold}: the clock begins anew when it ends.",
                hold.end,
                legal.source,
                setting.rule.is_confirmed,
            )
            return Sum(
                setting.clock,
                anew.rule,
                anew.trigger,
                anew.raw,
                anew.limit,
                anew.target,
                anew.calendar,
                (*setting.before, first, *anew.steps),
            )
    return None


def _legal_days(setting: _Setting, after: date) -> tuple[int, list[Step]]:
    """How many days the law's own holds add, with a line for every hold of the case."""
    total, steps = 0, []
    by_reason: dict[str, int] = {}
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        legal = setting.rule.legal_holds.get(hold.reason)
        if legal is None:
            steps.append(
                Step(
                    StepKind.HOLD,
                    f"{hold}: does not move the legal date, for the rule names no source for it.",
                )
            )
            continue
        days = hold.days or 0
        reason = f"{hold}: adds {_plural(days, 'day')}."
        if legal.effect is Effect.EXTENDS:
            if hold.approved_on is None:
                days, reason = (
                    0,
                    f"{_extension_words(hold)}: not approved, so it adds nothing.",
                )
            else:
                left = (legal.max_days or days) - by_reason.get(hold.reason, 0)
                days = min(days, left)
                reason = (
                    f"{_extension_words(hold)}, approved {say(hold.approved_on)}: "
                    f"adds {_plural(days, 'day')}"
                    f"{f', the most allowed being {legal.max_days}' if legal.max_days else ''}."
                )
        elif hold.end is not None:
            days = max(0, (hold.end - max(hold.start, after)).days)
            reason = f"{hold}: the clock stood still for {_plural(days, 'day')}."
        by_reason[hold.reason] = by_reason.get(hold.reason, 0) + days
        total += days
        steps.append(
            Step(StepKind.HOLD, reason, None, legal.source, setting.rule.is_confirmed)
        )
    return total, steps


def _extension_words(hold: Hold) -> str:
    return f"Extension of {_plural(hold.days or 0, 'day')} for good cause"


def _day_count(setting: _Setting) -> tuple[_DayCount, list[Step], list[Step]] | Unknown:
    """The count, the lines up to its start, and the lines for the holds."""
    clock, rule, facts = setting.clock, setting.rule, setting.facts
    method = facts.method()
    length = rule.length_by_method.get(method, rule.length)
    stated = ", ".join(
        METHODS[way] for way in (rule.length_by_method or rule.extensions)
    )
    if length is None or (rule.extensions and method not in rule.extensions):
        return Unknown(
            clock,
            f"{clock.label}: not known. The rule says nothing of service {METHODS[method]}; "
            f"it speaks of service {stated}.",
            ("the time that the law allows for this way of service",),
        )
    trigger = read_day(clock.trigger, facts[clock.trigger])
    by_method = f" {METHODS[method]}" if method and rule.needs_method else ""
    lines = [
        Step(
            StepKind.TRIGGER,
            f"{say(trigger)}: {clock.event}{by_method}. This day is not counted.",
            trigger,
        )
    ]
    if method in rule.deemed_received:
        days = rule.deemed_received[method]
        trigger += timedelta(days=days)
        lines = [
            setting.step(
                StepKind.TRIGGER,
                f"Posted {_plural(days, 'day')} earlier, so received on {say(trigger)}. "
                "This day is not counted.",
                trigger,
            )
        ]
    moment = read_moment(clock.trigger, facts[clock.trigger])
    late = bool(
        rule.cutoff
        and moment
        and moment.time().replace(second=0, microsecond=0) > rule.cutoff
    )
    recommended = facts.day("recommended")
    outer = None
    if rule.outer_days is not None and recommended is not None:
        outer = recommended + timedelta(days=rule.outer_days)
    legal_days, hold_lines = _legal_days(setting, trigger)
    count = _DayCount(
        rule,
        trigger,
        length,
        setting.calendars.get(CalendarName.JUDICIAL),
        rule.extensions.get(method),
        legal_days,
        late,
        outer,
    )
    return count, lines, hold_lines


def _days(setting: _Setting) -> Sum | Unknown:
    """A sum in days or months."""
    ready = _day_count(setting)
    if isinstance(ready, Unknown):
        return ready
    count, lines, hold_lines = ready
    on = setting.calendar()
    raw, limit = count.raw(on), count.limit(on)
    steps = [
        *setting.before,
        *lines,
        *_length_steps(setting, count, on),
        *hold_lines,
        *_end_steps(setting, count, on),
    ]
    target, target_steps = _target(setting, count, on)
    return Sum(
        setting.clock,
        setting.rule,
        count.trigger,
        raw,
        limit,
        target,
        on.label,
        tuple(steps),
        tuple(target_steps),
    )


def _length_steps(setting: _Setting, count: _DayCount, on: Calendar) -> Iterator[Step]:
    """The lines for the start, the length and the extension by way of service."""
    rule, start, end = setting.rule, count.start(on), count.counted(on)
    if count.after_cutoff:
        yield setting.step(
            StepKind.TRIGGER,
            f"It arrived after {rule.cutoff:%H:%M}, so it counts as received on the next "
            f"business day, {say(start)}.",
            start,
        )
    sentence = f"{_plural(count.length, rule.kind.unit)}: {say(end)}."
    if rule.kind in (Kind.WORKING, Kind.BUSINESS):
        left_out = [
            f"{say(day)} ({name})" for day, name in on.holidays_between(start, end)
        ]
        sentence += f" Counted on the {on.label} calendar, without weekends"
        sentence += f" and without {' and '.join(left_out)}." if left_out else "."
    yield setting.step(StepKind.LENGTH, sentence, end)
    if count.extension is not None and count.extension.days:
        unit = "court day" if count.extension.court_days else "day"
        yield Step(
            StepKind.EXTENSION,
            f"{_plural(count.extension.days, unit)} more, because it was served "
            f"{METHODS[setting.facts.method()]}: {say(count.served(on))}.",
            count.served(on),
            count.extension.source,
            rule.is_confirmed,
        )


def _end_steps(setting: _Setting, count: _DayCount, on: Calendar) -> Iterator[Step]:
    """The lines for the roll, an outer limit and the result."""
    raw, rolled, limit = count.raw(on), count.rolled(on), count.limit(on)
    if setting.rule.roll is Roll.FORWARD:
        if rolled != raw:
            yield Step(
                StepKind.ROLL,
                f"{say(raw)} is closed ({on.why_closed(raw)}). On the {on.label} calendar the next "
                f"open day is {say(rolled)}.",
                rolled,
                "CCP 12a",
            )
        else:
            yield Step(
                StepKind.ROLL,
                f"{say(raw)} is open on the {on.label} calendar, so it stays.",
                raw,
            )
    if count.outer is not None:
        yield setting.step(
            StepKind.LIMIT,
            f"Never later than {setting.rule.outer_days} days after the treatment was recommended: "
            f"{say(count.outer)}.",
            limit,
        )
    yield Step(StepKind.RESULT, f"Last day: {say(limit)}.", limit)


def _target(
    setting: _Setting, count: _DayCount, on: Calendar
) -> tuple[date | None, list[Step]]:
    """The day that we aim at, for a duty of our own: the earliest that anyone could hold us to."""
    if setting.clock.whose is not Whose.OURS:
        return None, []
    ends = {calendar.label: count.limit(calendar) for calendar in setting.plausible()}
    target = min(ends.values())
    steps = []
    if len(set(ends.values())) > 1:
        said = "; ".join(f"{label}: {say(day)}" for label, day in ends.items())
        steps.append(
            Step(
                StepKind.TARGET,
                f"Calendars differ ({said}). We aim at the earliest, {say(target)}.",
                target,
            )
        )
    raw = count.raw(on)
    if count.limit(on) > raw:
        target = min(target, on.on_or_before(raw))
        steps.append(
            Step(
                StepKind.TARGET,
                f"The legal date rolls, so we aim at the open day before: {say(target)}.",
                target,
            )
        )
    limit = count.limit(on)
    return _held_target(setting, target, limit, count.trigger, steps, on), steps


def _held_target(
    setting: _Setting,
    target: date,
    limit: date,
    trigger: date,
    steps: list[Step],
    on: Calendar,
) -> date:
    """Move our own target by the holds that cannot move the legal date. Adds their lines."""
    for hold, days in _ordinary_holds(setting, trigger):
        if days is None:
            steps.append(
                Step(
                    StepKind.HOLD,
                    f"{hold}: it moves our target once its end is set.",
                    target,
                )
            )
            continue
        if hold.start > target:
            steps.append(
                Step(StepKind.HOLD, f"{hold}: begins after our target, moves nothing.")
            )
            continue
        target += timedelta(days=days)
        steps.append(
            Step(
                StepKind.HOLD,
                f"{hold}: moves our target by {_plural(days, 'day')}, to {say(target)}.",
                target,
            )
        )
    if setting.holds and not on.is_open(target) and setting.rule.roll is not Roll.NONE:
        target = on.on_or_before(target)
        steps.append(
            Step(
                StepKind.TARGET,
                f"That day is closed; the open day before is {say(target)}.",
            )
        )
    late = (
        " It lies after the legal date, which these holds do not move."
        if target > limit
        else ""
    )
    steps.append(
        Step(StepKind.TARGET, f"Internal target: {say(target)}.{late}", target)
    )
    return target


def _ordinary_holds(
    setting: _Setting, after: date
) -> Iterator[tuple[Hold, int | None]]:
    """Holds without a legal source, each with the days that no earlier one has counted."""
    counted_to = after
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        if hold.reason in setting.rule.legal_holds:
            continue
        if hold.end is None:
            yield hold, None
            continue
        start = max(hold.start, counted_to)
        yield hold, max(0, (hold.end - start).days)
        counted_to = max(counted_to, hold.end)


def _hours(setting: _Setting) -> Sum | Unknown:
    """A sum in elapsed hours: daylight saving neither gives nor takes an hour, nothing rolls."""
    clock, rule = setting.clock, setting.rule
    start = read_moment(clock.trigger, setting.facts[clock.trigger])
    if start is None:
        return _missing(clock, f"the hour at which {clock.event}")
    if rule.length is None:
        raise BadRules(f"The rule {rule} counts hours and has no length.")
    raw = _hours_later(start, rule.length)
    refuse_out_of_range(raw.date())
    steps = [
        *setting.before,
        Step(StepKind.TRIGGER, f"{say_when(start)}: {clock.event}.", start),
        setting.step(
            StepKind.LENGTH,
            f"{_plural(rule.length, 'hour')} elapsed: {say_when(raw)}.",
            raw,
        ),
    ]
    days, lines = _legal_days(setting, start.date())
    limit = _hours_later(raw, 24 * days)
    refuse_out_of_range(limit.date())
    steps += [
        *lines,
        Step(
            StepKind.RESULT, f"Last moment: {say_when(limit)}. It does not roll.", limit
        ),
    ]
    target = limit if clock.whose is Whose.OURS else None
    target_steps = []
    if target is not None:
        for hold, held in _ordinary_holds(setting, start.date()):
            target = _hours_later(target, 24 * (held or 0))
            target_steps.append(
                Step(
                    StepKind.HOLD,
                    f"{hold}: moves our target by {_plural(held or 0, 'day')}, "
                    f"to {say_when(target)}.",
                    target,
                )
            )
        target_steps.append(
            Step(StepKind.TARGET, f"Internal target: {say_when(target)}.", target)
        )
    return Sum(
        clock,
        rule,
        start,
        raw,
        limit,
        target,
        "none",
        tuple(steps),
        tuple(target_steps),
    )


def _hours_later(moment: datetime, hours: int) -> datetime:
    return (moment.astimezone(UTC) + timedelta(hours=hours)).astimezone(PACIFIC)


# --- In time or not ---------------------------------------------------------------------------


def timeliness(
    clock: str,
    received: date | datetime | str | None,
    given: Mapping[str, object],
    *,
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold] = (),
) -> Timely | Late | Unknown:
    """Say whether something came in time.

    A clock in days counts the local day to 24:00. Where the calendars that may apply disagree and
    a party's timeliness turns on it, the answer is ``Unknown`` and names both dates. A duty of our
    own is judged by its legal date alone; that it was late voids nothing (Margaris, 2016).

    :raises CannotCount: as ``due`` does.
    """
    of = clock_named(clock)
    answer = due(clock, given, rules=rules, calendars=calendars, holds=holds)
    if isinstance(answer, Unknown):
        return answer
    if received in (None, ""):
        return _missing(of, f"the day on which {of.act}")
    if isinstance(answer.limit, datetime):
        return _timely_by_the_hour(answer, answer.limit, received)
    day = read_day("received", received)
    if day < answer.trigger_day:
        return Unknown(
            of,
            f"{of.label}: {say(day)} lies before {say(answer.trigger_day)}, the day on which "
            f"{of.event}. Check both dates.",
            ("a pair of dates that can both be true",),
        )
    ends = _possible_ends(answer, given, rules, calendars, holds)
    first, last = min(ends.values()), max(ends.values())
    if day <= first:
        left = (first - day).days
        when = (
            "on the last day" if left == 0 else f"with {_plural(left, 'day')} to spare"
        )
        return Timely(
            answer.limit, day, f"{say(day)} is in time, {when} (limit {say(first)})."
        )
    if day > last:
        days = (day - last).days
        return Late(
            answer.limit,
            day,
            days,
            f"{say(day)} is {_plural(days, 'day')} late (limit {say(last)}).",
        )
    said = "; ".join(f"{label}: {say(end)}" for label, end in ends.items())
    return Unknown(
        of,
        f"{of.label}: {say(day)} is in time or late by which calendar applies ({said}). "
        f"The limit is {say(first)} or {say(last)}; a person must decide.",
        ("which calendar applies",),
        (first, last),
    )


def _possible_ends(
    answer: Sum,
    given: Mapping[str, object],
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold],
) -> dict[str, date]:
    """The legal date by each calendar that may apply, by the calendar's label."""
    own = {answer.calendar: answer.due_on}
    if answer.clock.whose is Whose.OURS:
        return own
    setting = _prepare(answer.clock, given, rules, calendars, holds)
    if isinstance(setting, Unknown):
        return own
    for calendar in setting.plausible():
        friday = (
            {"friday_after_thanksgiving_is_working": False}
            if " " in calendar.label
            else {}
        )
        other = due(
            answer.clock.name,
            {**given, "calendar": calendar.name, **friday},
            rules=rules,
            calendars=calendars,
            holds=holds,
        )
        if isinstance(other, Sum):
            own.setdefault(calendar.label, other.due_on)
    return own


def _timely_by_the_hour(
    answer: Sum, limit: datetime, received: date | datetime | str | None
) -> Timely | Late | Unknown:
    moment = read_moment("received", received)
    if moment is None:
        day = read_day("received", received)
        if day == limit.date():
            return _missing(answer.clock, f"the hour at which {answer.clock.act}")
        moment = datetime.combine(day, time(12), tzinfo=PACIFIC)
    over = moment.astimezone(UTC) - limit.astimezone(UTC)
    if over <= timedelta(0):
        return Timely(
            limit, moment, f"{say_when(moment)} is in time (limit {say_when(limit)})."
        )
    days = max(1, -(-over // timedelta(days=1)))
    return Late(
        limit, moment, days, f"{say_when(moment)} is late (limit {say_when(limit)})."
    )


# --- Penalty for late records -----------------------------------------------------------------


def records_penalty(
    given: Mapping[str, object], *, rules: Sequence[Rule]
) -> Penalty | Unknown:
    """What the claims administrator may owe for records that came late, for the penalty file.

    Only the Division of Workers' Compensation imposes it; this is the arithmetic.

    :param given: ``records_due`` and ``records_received``; the latter is the day to count to.
    :raises CannotCount: no rule for the day, or a fact that cannot be read.
    """
    clock = CLOCKS["records_penalty"]
    facts = _Facts(clock, given)
    owed, came = facts.day("records_due"), facts.day("records_received")
    if owed is None or came is None:
        missing = "were due" if owed is None else "were received"
        return _missing(clock, f"the day on which the records {missing}")
    refuse_out_of_range(owed)
    refuse_out_of_range(came)
    rule = rule_for(clock.name, owed, rules)
    per_day, most = rule.usd_per_day or 0, rule.usd_limit
    days = max(0, (came - owed).days)
    full = days * per_day
    usd = full if most is None else min(full, most)
    steps = [
        Step(StepKind.TRIGGER, f"{say(owed)}: the records were due.", owed),
        Step(
            StepKind.LENGTH,
            f"{say(came)}: they came {_plural(days, 'day')} late.",
            came,
        ),
        Step(
            StepKind.LENGTH,
            f"{_plural(days, 'day')} × ${per_day:,} = ${full:,}.",
            None,
            rule.source,
            rule.is_confirmed,
        ),
    ]
    if usd < full:
        steps.append(
            Step(
                StepKind.LIMIT,
                f"At most ${most:,}.",
                None,
                rule.source,
                rule.is_confirmed,
            )
        )
    steps.append(Step(StepKind.RESULT, f"Penalty: ${usd:,}."))
    return Penalty(clock, rule, days, usd, tuple(steps))


# --- The clock bar ----------------------------------------------------------------------------


class DayKind(StrEnum):
    """How one cell of the clock bar is drawn."""

    ELAPSED = "elapsed"
    STOPPED = "stopped"
    TODAY = "today"
    AHEAD = "ahead"
    LIMIT = "limit"
    OVER = "over"


@dataclass(frozen=True)
class BarDay:
    """One day of a clock."""

    day: date
    kind: DayKind


def days_between_for_bar(
    trigger: date,
    due: date,
    today: date,
    holds: Sequence[Hold] = (),
    *,
    most_over: int = 14,
) -> list[BarDay]:
    """The days of a clock as cells: from the day after the trigger to the limit, or past it.

    A held day is "stopped" whether it lies behind or ahead. Today shows as "today" even on the
    limit. Past the limit come at most ``most_over`` days, the last of which is today.
    """
    held = [(hold.start, hold.end or today) for hold in holds]

    def kind(day: date) -> DayKind:
        if day == today:
            return DayKind.TODAY
        if day == due:
            return DayKind.LIMIT
        if day > due:
            return DayKind.OVER
        if any(start <= day < end for start, end in held):
            return DayKind.STOPPED
        return DayKind.ELAPSED if day < today else DayKind.AHEAD

    first = trigger + timedelta(days=1)
    cells = [first + timedelta(days=n) for n in range(max(0, (due - trigger).days))]
    over = max(0, (today - due).days)
    cells += [
        today - timedelta(days=n) for n in range(min(over, most_over) - 1, -1, -1)
    ]
    return [BarDay(day, kind(day)) for day in cells]
