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
from dataclasses import dataclass, field, replace
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
from .clocks import (
    CLOCKS,
    EXTENSION,
    METHODS,
    BadClockFact,
    BadRules,
    Clock,
    Effect,
    Extension,
    Kind,
    LegalHold,
    NoRule,
    Roll,
    Rule,
    UnknownClock,
    Whose,
    clock_named,
    on_file,
    refuse_gap_or_overlap,
    rule_for,
)

__all__ = [
    "CLOCKS",
    "PACIFIC",
    "BadClockFact",
    "BadRules",
    "CannotCount",
    "Clock",
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
    "due",
    "local_day",
    "midnight",
    "records_penalty",
    "refuse_gap_or_overlap",
    "rule_for",
    "timeliness",
]

PACIFIC = ZoneInfo("America/Los_Angeles")


def local_day(moment: datetime) -> date:
    """The day in Los Angeles on which a moment falls: an application counts for it until 24:00."""
    return moment.astimezone(PACIFIC).date()


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Los Angeles."""
    return datetime.combine(day, time.min, tzinfo=PACIFIC)


# --- Facts ------------------------------------------------------------------------------------


def read_day(key: str, value: object) -> date:
    """A day from a date, a moment (its local day) or ISO text.

    :raises BadClockFact: naming the key and what was given.
    """
    if isinstance(value, str):
        value = _read_text(key, value)
    if isinstance(value, datetime):
        return _local(key, value).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    raise BadClockFact(f"{key}={value} is not a date. Write it as 2014-06-20.")


def read_moment(key: str, value: object) -> datetime | None:
    """A moment in Los Angeles time, ``None`` when only a day is known.

    :raises BadClockFact: not a moment, or a local time that the change of clocks skipped.
    """
    if isinstance(value, str):
        value = _read_text(key, value)
    if not isinstance(value, datetime):
        read_day(key, value)
        return None
    if value.tzinfo:
        return _local(key, value)
    local = value.replace(tzinfo=PACIFIC)
    if local.astimezone(UTC).astimezone(PACIFIC).replace(tzinfo=None) != value:
        raise BadClockFact(
            f"{key}={value:%Y-%m-%dT%H:%M} did not exist: the clocks went forward over it."
        )
    return local


def _local(key: str, moment: datetime) -> datetime:
    try:
        return moment.astimezone(PACIFIC)
    except OverflowError:
        raise BadClockFact(f"{key}={moment} is not a date that can be counted from.") from None


def _read_text(key: str, text: str) -> date | datetime:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise BadClockFact(
        f"{key}={text} is not a date. Write it as 2014-06-20, or 2014-06-20T16:00 with the hour."
    )


def _read_yes_no(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    answer = {"true": True, "yes": True, "false": False, "no": False}.get(str(value).lower())
    if answer is None:
        raise BadClockFact(f"{key}={value} is neither yes nor no.")
    return answer


class _Facts:
    """What is known, by key. ``None`` and empty text mean: not known."""

    def __init__(self, clock: Clock, given: Mapping[str, object]) -> None:
        if unknown := sorted(set(given) - set(clock.keys)):
            raise BadClockFact(
                f"The clock “{clock.name}” does not know {', '.join(unknown)}. "
                f"It takes {', '.join(clock.keys)}."
            )
        self._known = {key: value for key, value in given.items() if value not in (None, "")}

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
            raise BadClockFact(f"{key}={text} is not a number of days.")
        return int(text)

    def method(self) -> str:
        method = self.text("method")
        if method and method not in METHODS:
            raise BadClockFact(
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
    :ivar label: the reason in words; the code is printed where there are none.
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
        """Its length in calendar days, ``None`` while no end is set."""
        return None if self.end is None else max(0, (self.end - self.start).days)

    def __str__(self) -> str:
        until = f"to {say(self.end)}" if self.end else "with no end yet"
        who = f", by {self.by}" if self.by else ""
        said = f"“{self.label}”" if self.label else self.reason
        return f"Hold {said} from {say(self.start)} {until}{who}"


def _rule_of(clock: str, year: str, rules: Sequence[Rule]) -> Rule:
    """The rule of a named year, or of a named day: for study, never by default."""
    if not re.fullmatch(r"\d{4}", year):
        day = read_day("rules_of", year)
        return rule_for(clock, day, rules)
    if year == "0000":
        raise BadClockFact("rules_of=0000 is not a year.")
    first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    found = [
        rule
        for rule in rules
        if rule.clock == clock
        and rule.effective_from <= last
        and (rule.effective_to is None or rule.effective_to >= first)
    ]
    if len(found) > 1:
        raise BadClockFact(
            f"The rule of “{clock}” changed during {year}. "
            f"Name a day instead: rules_of={year}-07-01."
        )
    if not found:
        raise NoRule(f"No rule of “{clock}” is on file for {year}. {on_file(clock, rules)}")
    return found[0]


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
    :ivar ends: the legal date by each calendar that could be held to apply, by its label.
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
    ends: Mapping[str, date] = field(default_factory=dict)

    @property
    def trigger_day(self) -> date:
        """The local day of the trigger, which is not counted."""
        return read_day("trigger", self.trigger)

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
            f"{step.sentence}{f' [{step.source}]' if step.source else ''}" for step in self.steps
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
    return when.isoformat(timespec="minutes")[:16] if isinstance(when, datetime) else str(when)


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
    before: tuple[Step, ...] = ()  # lines that explain the choice of rule, calendar or trigger

    @property
    def calendar_name(self) -> str:
        return self.facts.text("calendar") or self.rule.calendar or CalendarName.JUDICIAL

    def calendar(self) -> Calendar:
        friday = self.facts.friday_is_working()
        return self.calendars.get(self.calendar_name, friday_is_working=friday)

    def step(self, kind: StepKind, sentence: str, on: date | datetime | None = None) -> Step:
        """A line that stands on the rule itself."""
        return Step(kind, sentence, on, self.rule.source, self.rule.is_confirmed)

    def plausible(self) -> list[Calendar]:
        """Every calendar that a person could hold to apply, the rule's own first.

        A calendar or a Friday named by hand stands alone. Where no calendar matters there is one.
        """
        mine = self.calendar()
        counted = self.rule.kind in (Kind.WORKING, Kind.BUSINESS) or self.rule.roll is Roll.FORWARD
        if not counted or "calendar" in self.facts or self.facts.friday_is_working() is not None:
            return [mine]
        others = [self.calendars.get(name) for name in CalendarName if name != mine.name]
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
        return Unknown(clock, sentence, ("the day on which the application form was sent",))
    day = read_day(clock.trigger, facts[clock.trigger])
    refuse_out_of_range(day)
    before: list[Step] = []
    if "rules_of" in facts:
        rule = _rule_of(clock.name, facts.text("rules_of"), rules)
        sentence = f"Counted by the rules of {facts.text('rules_of')}, chosen by name: {rule}."
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
    return _Setting(clock, facts, rule, calendars, (*holds, *_extension(facts)), tuple(before))


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
        clock, f"{clock.label}: not known, because {' and '.join(facts)} is missing.", facts
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
    if clock_named(clock).name == "records_penalty":
        raise UnknownClock("“records_penalty” is a sum of money, not a date.")
    try:
        return _due(clock_named(clock), given, rules, calendars, holds)
    except OverflowError:
        raise OutOfRange("A date or a hold lies too far off to be counted. Check it.") from None


def _due(
    clock: Clock,
    given: Mapping[str, object],
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold],
) -> Sum | Unknown:
    setting = _prepare(clock, given, rules, calendars, holds)
    if isinstance(setting, Unknown):
        return setting
    stopping = [hold for hold in holds if _stops(setting.rule, hold)]
    if stopping:
        # A hold that begins after the last day has come too late to move it.
        plain = _due(clock, given, rules, calendars, ())
        if isinstance(plain, Unknown):
            return plain
        late = [hold for hold in stopping if hold.start > plain.due_on]
        note = "begins after the last day, so it moves nothing."
        setting = replace(
            setting,
            holds=tuple(hold for hold in setting.holds if hold not in late),
            before=(*setting.before, *(Step(StepKind.HOLD, f"{hold}: {note}") for hold in late)),
        )
        stopped = _stopped(setting, rules)
        if stopped is not None:
            return stopped
    return _hours(setting) if setting.rule.kind is Kind.HOURS else _days(setting)


def _stops(rule: Rule, hold: Hold) -> bool:
    """Whether the hold makes the clock stand still or begin anew."""
    legal = rule.legal_holds.get(hold.reason)
    return legal is not None and legal.effect is not Effect.EXTENDS


def _stopped(setting: _Setting, rules: Sequence[Rule]) -> Sum | Unknown | None:
    """The answer where a hold stands still or begins the clock anew; ``None`` where none does."""
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        if not _stops(setting.rule, hold):
            continue
        legal = setting.rule.legal_holds[hold.reason]
        if hold.end is None or not hold.has_ended:
            return Unknown(
                setting.clock,
                f"{setting.clock.label}: the clock has stood still since {say(hold.start)} "
                f"({hold.reason}) and has no date until that ends ({legal.source}).",
                (f"the day on which the hold {hold.reason} ends",),
            )
        if legal.effect is Effect.RESTARTS:
            facts = {"served": hold.end, "method": hold.method}
            anew = _due(CLOCKS[legal.restarts_as], facts, rules, setting.calendars, ())
            if isinstance(anew, Unknown):
                return anew
            sentence = f"{hold}: the clock begins anew when it ends."
            confirmed = setting.rule.is_confirmed
            first = Step(StepKind.HOLD, sentence, hold.end, legal.source, confirmed)
            return replace(anew, clock=setting.clock, steps=(*setting.before, first, *anew.steps))
    return None


def _legal_days(setting: _Setting, after: date) -> tuple[int, list[Step]]:
    """How many days the law's own holds add, with a line for every hold of the case."""
    total, steps = 0, []
    by_reason: dict[str, int] = {}
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        legal = setting.rule.legal_holds.get(hold.reason)
        if legal is None:
            note = "does not move the legal date, for the rule names no source for it."
            steps.append(Step(StepKind.HOLD, f"{hold}: {note}"))
            continue
        if legal.effect is Effect.EXTENDS:
            days, sentence = _granted(hold, legal, by_reason.get(hold.reason, 0))
        else:
            days = max(0, ((hold.end or after) - max(hold.start, after)).days)
            sentence = f"{hold}: the clock stood still for {_plural(days, 'day')}."
        by_reason[hold.reason] = by_reason.get(hold.reason, 0) + days
        total += days
        confirmed = setting.rule.is_confirmed
        steps.append(Step(StepKind.HOLD, sentence, None, legal.source, confirmed))
    return total, steps


def _granted(hold: Hold, legal: LegalHold, already: int) -> tuple[int, str]:
    """The days that an extension adds, and the sentence for it."""
    asked = hold.days or 0
    if hold.approved_on is None:
        return 0, f"{_extension_words(hold)}: not approved, so it adds nothing."
    days = asked if legal.max_days is None else max(0, min(asked, legal.max_days - already))
    most = f"; all together may add {legal.max_days} at most" if days < asked else ""
    return days, (
        f"{_extension_words(hold)}, approved {say(hold.approved_on)}: "
        f"adds {_plural(days, 'day')}{most}."
    )


def _extension_words(hold: Hold) -> str:
    return f"Extension of {_plural(hold.days or 0, 'day')} for good cause"


def _day_count(setting: _Setting) -> tuple[_DayCount, list[Step], list[Step]] | Unknown:
    """The count, the lines up to its start, and the lines for the holds."""
    clock, rule, facts = setting.clock, setting.rule, setting.facts
    method = facts.method()
    length = rule.length_by_method.get(method, rule.length)
    stated = ", ".join(METHODS[way] for way in (rule.length_by_method or rule.extensions))
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
    late = bool(rule.cutoff and moment and moment.time() > rule.cutoff)
    late = late and method not in rule.deemed_received
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
    ends = {calendar.label: count.limit(calendar) for calendar in setting.plausible()}
    steps = [
        *setting.before,
        *lines,
        *_length_steps(setting, count, on),
        *hold_lines,
        *_end_steps(setting, count, on),
    ]
    target, target_steps = _target(setting, count, on, ends)
    return Sum(
        setting.clock,
        setting.rule,
        count.trigger,
        raw,
        limit,
        target,
        on.name,
        tuple(steps),
        tuple(target_steps),
        ends,
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
        left_out = [f"{say(day)} ({name})" for day, name in on.holidays_between(start, end)]
        sentence += f" Counted on the {on.name} calendar, without weekends"
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
                f"{say(raw)} is closed ({on.why_closed(raw)}). On the {on.name} calendar the next "
                f"open day is {say(rolled)}.",
                rolled,
                "CCP 12a",
            )
        elif setting.rule.kind is Kind.CALENDAR:
            yield Step(
                StepKind.ROLL, f"{say(raw)} is open on the {on.name} calendar, so it stays.", raw
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
    setting: _Setting, count: _DayCount, on: Calendar, ends: Mapping[str, date]
) -> tuple[date | None, list[Step]]:
    """The day that we aim at, for a duty of our own: the earliest that anyone could hold us to."""
    if setting.clock.whose is not Whose.OURS:
        return None, []
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
    setting: _Setting, target: date, limit: date, trigger: date, steps: list[Step], on: Calendar
) -> date:
    """Move our own target by the holds that cannot move the legal date. Adds their lines."""
    before_holds = target
    for hold, days in _ordinary_holds(setting, trigger):
        if days is None:
            steps.append(
                Step(StepKind.HOLD, f"{hold}: it moves our target once its end is set.", target)
            )
            continue
        if hold.start > target:
            steps.append(Step(StepKind.HOLD, f"{hold}: begins after our target, moves nothing."))
            continue
        target += timedelta(days=days)
        steps.append(
            Step(
                StepKind.HOLD,
                f"{hold}: moves our target by {_plural(days, 'day')}, to {say(target)}.",
                target,
            )
        )
    if target != before_holds and not on.is_open(target):
        target = on.on_or_before(target)
        steps.append(
            Step(StepKind.TARGET, f"That day is closed; the open day before is {say(target)}.")
        )
    late = " It lies after the legal date, which these holds do not move." if target > limit else ""
    steps.append(Step(StepKind.TARGET, f"Internal target: {say(target)}.{late}", target))
    return target


def _ordinary_holds(setting: _Setting, after: date) -> Iterator[tuple[Hold, int | None]]:
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
            StepKind.LENGTH, f"{_plural(rule.length, 'hour')} elapsed: {say_when(raw)}.", raw
        ),
    ]
    days, lines = _legal_days(setting, start.date())
    limit = _hours_later(raw, 24 * days)
    refuse_out_of_range(limit.date())
    steps += [
        *lines,
        Step(StepKind.RESULT, f"Last moment: {say_when(limit)}. It does not roll.", limit),
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
        target_steps.append(Step(StepKind.TARGET, f"Internal target: {say_when(target)}.", target))
    return Sum(clock, rule, start, raw, limit, target, "none", tuple(steps), tuple(target_steps))


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
    ends = {answer.calendar: answer.due_on}
    if of.whose is not Whose.OURS:
        ends = dict(answer.ends)
    first, last = min(ends.values()), max(ends.values())
    if day <= first:
        left = (first - day).days
        when = "on the last day" if left == 0 else f"with {_plural(left, 'day')} to spare"
        return Timely(answer.limit, day, f"{say(day)} is in time, {when} (limit {say(first)}).")
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
        return Timely(limit, moment, f"{say_when(moment)} is in time (limit {say_when(limit)}).")
    days = max(1, -(-over // timedelta(days=1)))
    return Late(limit, moment, days, f"{say_when(moment)} is late (limit {say_when(limit)}).")


# --- Penalty for late records -----------------------------------------------------------------


def records_penalty(given: Mapping[str, object], *, rules: Sequence[Rule]) -> Penalty | Unknown:
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
        Step(StepKind.LENGTH, f"{say(came)}: they came {_plural(days, 'day')} late.", came),
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
            Step(StepKind.LIMIT, f"At most ${most:,}.", None, rule.source, rule.is_confirmed)
        )
    steps.append(Step(StepKind.RESULT, f"Penalty: ${usd:,}."))
    return Penalty(clock, rule, days, usd, tuple(steps))
