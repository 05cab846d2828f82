"""The deadline engine: compute every due date, with the arithmetic as a list of steps.

Pure: facts, rules and calendars come in as arguments; nothing here reads a clock or a database, so
the same facts always give the same date. A rule is a dated row, chosen by the day of the trigger.
A missing fact gives an ``UnknownDeadline``, which names it; it never makes anything late.

A count in days goes in this order: the trigger day is not counted; the length of the rule; the
extension for the way of service and any extension that the law grants; finally, once, the roll to
the next open day. A count in hours is elapsed time across daylight saving changes and never rolls.
"""

import calendar as month_lengths
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from .calendars import (
    Calendar,
    CalendarName,
    Calendars,
    OutOfRange,
    format_day,
    refuse_out_of_range,
)
from .days import PACIFIC, format_count, format_moment, format_time
from .facts import Facts, Hold, read_day, read_moment
from .kinds import (
    DEADLINE_KINDS,
    METHODS,
    PLACES,
    BadDeadlineFact,
    DeadlineKind,
    Obligor,
    UnknownDeadlineKind,
    find_deadline_kind,
)
from .results import (
    ComputedDeadline,
    Step,
    StepKind,
    UnknownDeadline,
    describe_due_dates,
    unknown_for_missing,
)
from .rules import (
    EXTENSION,
    MAIL_METHODS,
    BadRules,
    Effect,
    Extension,
    Kind,
    LegalHold,
    NoRule,
    Roll,
    Rule,
    find_rule,
    list_rules_on_file,
)


def _rule_of(deadline_kind: str, year: str, rules: Sequence[Rule]) -> Rule:
    """Return the rule of a year or day that was named explicitly, for study.

    Never used by default.
    """
    if not re.fullmatch(r"\d{4}", year):
        day = read_day("rules_of", year)
        return find_rule(deadline_kind, day, rules)
    # It passes the pattern above, but date() has no year 0.
    if year == "0000":
        raise BadDeadlineFact("rules_of=0000 is not a year.")
    first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    found = [
        rule
        for rule in rules
        if rule.deadline_kind == deadline_kind
        and rule.effective_from <= last
        and (rule.effective_to is None or rule.effective_to >= first)
    ]
    if len(found) > 1:
        raise BadDeadlineFact(
            f"The rule of “{deadline_kind}” changed during {year}. "
            f"Name a day instead: rules_of={year}-07-01."
        )
    if not found:
        raise NoRule(
            f"No rule of “{deadline_kind}” is on file for {year}. "
            f"{list_rules_on_file(deadline_kind, rules)}"
        )
    return found[0]


# --- Counting ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _DayCount:
    """A count in days without its calendar, so that calendars can be compared."""

    rule: Rule
    trigger: date
    length: int
    # Court days are counted on the courts' calendar, whatever the rule itself counts on.
    court: Calendar
    extension: Extension | None = None
    legal_days: int = 0
    after_cutoff: bool = False
    outer: date | None = None

    def start(self, on: Calendar) -> date:
        """Return the day after which counting begins."""
        # What arrives after the cutoff is received on the next open day, which is then not counted.
        if self.after_cutoff:
            return on.on_or_after(self.trigger + timedelta(days=1))
        return self.trigger

    def counted(self, on: Calendar) -> date:
        """Return the last day by the length of the rule alone."""
        start = self.start(on)
        if self.rule.kind is Kind.MONTHS:
            return _months_later(start, self.length)
        if self.rule.kind is Kind.CALENDAR:
            return start + timedelta(days=self.length)
        return on.add(start, self.length)

    def served(self, on: Calendar) -> date:
        """Return the last day with the extension for the way of service."""
        day = self.counted(on)
        if self.extension is None:
            return day
        if self.extension.court_days:
            return self.court.add(day, self.extension.days)
        return day + timedelta(days=self.extension.days)

    def unrolled(self, on: Calendar) -> date:
        """Return the last day before the roll."""
        # Extensions come before the only roll. If each step rolled, closed days would be added
        # twice.
        day = self.served(on) + timedelta(days=self.legal_days)
        # Calendar days are added without asking a calendar, so the range is checked here.
        refuse_out_of_range(day)
        return day

    def rolled(self, on: Calendar) -> date:
        """Return the last day after the roll."""
        day = self.unrolled(on)
        return on.on_or_after(day) if self.rule.roll is Roll.FORWARD else day

    def due(self, on: Calendar) -> date:
        """Return the legal date."""
        day = self.rolled(on)
        # The outer limit does not roll: the date is never later than the outer limit.
        return day if self.outer is None else min(day, self.outer)


def _months_later(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a month without such a day."""
    # Months counted from year 0, so that one division carries over into the year.
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = month_lengths.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


@dataclass(frozen=True)
class _Setting:
    """A deadline with its rule, facts and holds, before the count."""

    deadline_kind: DeadlineKind
    facts: Facts
    rule: Rule
    calendars: Calendars
    holds: tuple[Hold, ...]
    before: tuple[Step, ...] = ()  # steps that explain the choice of rule, calendar or trigger

    @property
    def calendar_name(self) -> str:
        # A rule without a calendar neither counts nor rolls by one, so any calendar gives its date.
        return self.facts.text("calendar") or self.rule.calendar or CalendarName.JUDICIAL

    def calendar(self) -> Calendar:
        friday = self.facts.friday_is_working()
        return self.calendars.get(self.calendar_name, friday_is_working=friday)

    def step(self, kind: StepKind, sentence: str, reached: date | datetime | None = None) -> Step:
        """Return a step whose source is the rule itself."""
        return Step(kind, sentence, reached, self.rule.source, self.rule.is_confirmed)

    def plausible(self) -> list[Calendar]:
        """Return every calendar that could be argued to apply, the rule's own first.

        There is only one if the facts name a calendar or the Friday after Thanksgiving, or if the
        count does not depend on a calendar.
        """
        mine = self.calendar()
        counted = self.rule.kind in (Kind.WORKING, Kind.BUSINESS) or self.rule.roll is Roll.FORWARD
        if not counted or "calendar" in self.facts or self.facts.friday_is_working() is not None:
            return [mine]
        others = [self.calendars.get(name) for name in CalendarName if name != mine.name]
        # Gomez (2018) has the Friday after Thanksgiving working, Pa'u (2019) makes it arguable.
        no_friday = self.calendars.get(CalendarName.GOV6700, friday_is_working=False)
        return [mine, *others, no_friday]


def _prepare_setting(
    deadline_kind: DeadlineKind,
    given: Mapping[str, object],
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold],
) -> _Setting | UnknownDeadline:
    """Choose the rule and check the facts, or return what is missing."""
    facts = Facts(deadline_kind, given)
    if deadline_kind.trigger not in facts:
        return unknown_for_missing(deadline_kind, f"the day on which {deadline_kind.event}")
    # Only if this is stated. While it is unknown whether the form was sent, the count continues.
    if facts.yes_no("form_served") is False:
        sentence = (
            f"{deadline_kind.label}: the application form was not sent with the decision, so the "
            "time to apply has not begun (LC 4610.5(h)(3), not confirmed)."
        )
        return UnknownDeadline(
            deadline_kind, sentence, ("the day on which the application form was sent",)
        )
    day = read_day(deadline_kind.trigger, facts[deadline_kind.trigger])
    refuse_out_of_range(day)
    before: list[Step] = []
    if "rules_of" in facts:
        rule = _rule_of(deadline_kind.name, facts.text("rules_of"), rules)
        sentence = f"Counted by the rules of {facts.text('rules_of')}, chosen by name: {rule}."
        before.append(Step(StepKind.CHOICE, sentence))
    else:
        # The day of the trigger picks the row, so a later change of the law does not move this
        # date.
        rule = find_rule(deadline_kind.name, day, rules)
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
    # The method decides the length or the extension. Without it the date is unknown, never late.
    # An unknown address is answered below, with the date of each place.
    by_place = rule.extends_by_address and facts.place() == "unknown"
    if rule.needs_method and not facts.method() and not by_place:
        return unknown_for_missing(deadline_kind, f"the way in which {deadline_kind.event}")
    return _Setting(
        deadline_kind,
        facts,
        rule,
        calendars,
        (*holds, *_extension_from_facts(facts)),
        tuple(before),
    )


def _extension_from_facts(facts: Facts) -> list[Hold]:
    """Return the extension for good cause, if it is given as plain facts and not as a hold."""
    if "extension_days" not in facts:
        return []
    approved = facts.day("extension_approved")
    # Without an approval any first day will do, because the extension adds nothing.
    start = approved or date(2012, 1, 1)
    end = start + timedelta(days=facts.number("extension_days"))
    return [Hold(EXTENSION, start, end, approved_on=approved)]


def compute_deadline(
    deadline_kind: str,
    given: Mapping[str, object],
    *,
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold] = (),
) -> ComputedDeadline | UnknownDeadline:
    """Compute the due date of a deadline, with its arithmetic.

    :param given: facts by key, as dates, moments or ISO text: the deadline's trigger, the way of
        service where it matters, and the overrides ``rules_of``, ``calendar`` and
        ``friday_after_thanksgiving_is_working``. A moment without a zone is Pacific time.
    :param holds: every hold of the case; those without a legal source move only the internal
        target.
    :returns: the due date, or what is missing.
    :raises CannotCount: an unknown deadline, a fact that cannot be read, no rule for the day, or a
        day outside the years on file. The message can be shown to staff.
    """
    if find_deadline_kind(deadline_kind).name == "records_penalty":
        raise UnknownDeadlineKind("“records_penalty” is a sum of money, not a date.")
    try:
        return _compute_with_holds(
            find_deadline_kind(deadline_kind), given, rules, calendars, holds
        )
    # For example, a hold whose year was mistyped.
    except OverflowError:
        raise OutOfRange("A date or a hold is too far away to be counted. Check it.") from None


def _compute_with_holds(
    deadline_kind: DeadlineKind,
    given: Mapping[str, object],
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold],
) -> ComputedDeadline | UnknownDeadline:
    """Compute a deadline; holds that suspend or restart it are applied first."""
    setting = _prepare_setting(deadline_kind, given, rules, calendars, holds)
    if isinstance(setting, UnknownDeadline):
        return setting
    stopping = [hold for hold in holds if _suspends_or_restarts(setting.rule, hold)]
    if stopping:
        late = _find_late_holds(deadline_kind, given, rules, calendars, holds, stopping)
        if isinstance(late, UnknownDeadline):
            return late
        note = "begins after the last day, so it does not move the date."
        setting = replace(
            setting,
            holds=tuple(hold for hold in setting.holds if hold not in late),
            before=(*setting.before, *(Step(StepKind.HOLD, f"{hold}: {note}") for hold in late)),
        )
        stopped = _answer_while_stopped(setting, rules)
        if stopped is not None:
            return stopped
    return (
        _compute_in_hours(setting) if setting.rule.kind is Kind.HOURS else _compute_in_days(setting)
    )


def _find_late_holds(
    deadline_kind: DeadlineKind,
    given: Mapping[str, object],
    rules: Sequence[Rule],
    calendars: Calendars,
    holds: Sequence[Hold],
    stopping: Sequence[Hold],
) -> list[Hold] | UnknownDeadline:
    """The holds that begin after the last day, as earlier holds have moved it."""
    moving = [hold for hold in holds if hold not in stopping]
    late: list[Hold] = []
    for hold in sorted(stopping, key=lambda hold: hold.start):
        # With earlier holds only, so that each call looks at fewer of them.
        before = _compute_with_holds(deadline_kind, given, rules, calendars, moving)
        if isinstance(before, UnknownDeadline):
            # An earlier hold has not ended: nothing is late. Otherwise a fact is missing.
            return late if len(moving) > len(holds) - len(stopping) else before
        if hold.start > before.due_on:
            late.append(hold)
        else:
            moving.append(hold)
    return late


def _suspends_or_restarts(rule: Rule, hold: Hold) -> bool:
    """Return whether the hold suspends or restarts the deadline."""
    legal = rule.legal_holds.get(hold.reason)
    return legal is not None and legal.effect is not Effect.EXTENDS


def _answer_while_stopped(
    setting: _Setting, rules: Sequence[Rule]
) -> ComputedDeadline | UnknownDeadline | None:
    """Return the answer if a hold suspends or restarts the deadline; ``None`` if none does."""
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        if not _suspends_or_restarts(setting.rule, hold):
            continue
        legal = setting.rule.legal_holds[hold.reason]
        # A planned end can still change, so it gives no date.
        if hold.end is None or not hold.has_ended:
            return UnknownDeadline(
                setting.deadline_kind,
                f"{setting.deadline_kind.label}: suspended since {format_day(hold.start)} "
                f"({hold.reason}); "
                f"no date until that hold ends ({legal.source}).",
                (f"the day on which the hold {hold.reason} ends",),
            )
        if legal.effect is Effect.RESTARTS:
            # The hold ends with the service of a notice, which is the trigger of the new count.
            facts = {"served": hold.end, "method": hold.method}
            restarted = _compute_with_holds(
                DEADLINE_KINDS[legal.restarts_as], facts, rules, setting.calendars, ()
            )
            if isinstance(restarted, UnknownDeadline):
                return restarted
            sentence = f"{hold}: the deadline restarts when it ends."
            confirmed = setting.rule.is_confirmed
            first = Step(StepKind.HOLD, sentence, hold.end, legal.source, confirmed)
            # The label stays, because it is still the same duty.
            return replace(
                restarted,
                deadline_kind=setting.deadline_kind,
                steps=(*setting.before, first, *restarted.steps),
            )
    return None


def _legal_days(setting: _Setting, after: date) -> tuple[int, list[Step]]:
    """Return the days that holds with a legal source add, and a step for every hold."""
    total, steps = 0, []
    suspended_to = after
    # The law limits the extensions for one reason together, not each of them.
    by_reason: dict[str, int] = {}
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        legal = setting.rule.legal_holds.get(hold.reason)
        if legal is None:
            note = "does not move the legal date, because the rule names no source for it."
            steps.append(Step(StepKind.HOLD, f"{hold}: {note}"))
            continue
        if legal.effect is Effect.EXTENDS:
            days, sentence = _approved_extension_days(hold, legal, by_reason.get(hold.reason, 0))
        else:
            # Days before the trigger suspend nothing, because the deadline was not running yet;
            # and a day of two holds counts once.
            days = max(0, ((hold.end or suspended_to) - max(hold.start, suspended_to)).days)
            suspended_to = max(suspended_to, hold.end or suspended_to)
            sentence = f"{hold}: the deadline was suspended for {format_count(days, 'day')}."
        by_reason[hold.reason] = by_reason.get(hold.reason, 0) + days
        total += days
        confirmed = setting.rule.is_confirmed
        steps.append(Step(StepKind.HOLD, sentence, None, legal.source, confirmed))
    return total, steps


def _approved_extension_days(hold: Hold, legal: LegalHold, already: int) -> tuple[int, str]:
    """Return the days that an extension adds, and the sentence for it."""
    asked = hold.days or 0
    if hold.approved_on is None:
        return 0, f"{_extension_words(hold)}: not approved, so it adds nothing."
    days = asked if legal.max_days is None else max(0, min(asked, legal.max_days - already))
    most = f"; all extensions together add at most {legal.max_days}" if days < asked else ""
    return days, (
        f"{_extension_words(hold)}, approved {format_day(hold.approved_on)}: "
        f"adds {format_count(days, 'day')}{most}."
    )


def _extension_words(hold: Hold) -> str:
    return f"Extension of {format_count(hold.days or 0, 'day')} for good cause"


def _day_count(setting: _Setting) -> tuple[_DayCount, list[Step], list[Step]] | UnknownDeadline:
    """Return the count, the steps up to its start, and the steps for the holds."""
    deadline_kind, rule, facts = setting.deadline_kind, setting.rule, setting.facts
    method = facts.method()
    # Some rules state a length for each way of service, such as that for the medical records (8 CCR
    # 9792.10.5(a)(1)).
    length = rule.length_by_method.get(method, rule.length)
    stated = ", ".join(METHODS[way] for way in (rule.length_by_method or rule.extensions))
    if rule.extends_by_address and method != "in_hand" and facts.place() == "unknown":
        return _unknown_for_place(setting)
    way = _extension_key(rule, facts)
    # A way of service that the rule does not list gives no date. It does not mean zero days.
    if length is None or (rule.extensions and way not in rule.extensions):
        return UnknownDeadline(
            deadline_kind,
            f"{deadline_kind.label}: not known. The rule does not cover service {METHODS[method]}; "
            f"it covers service {stated}.",
            ("the time that the law allows for this way of service",),
        )
    trigger = read_day(deadline_kind.trigger, facts[deadline_kind.trigger])
    by_method = f" {METHODS[method]}" if method and rule.needs_method else ""
    lines = [
        Step(
            StepKind.TRIGGER,
            f"{format_day(trigger)}: {deadline_kind.event}{by_method}. This day is not counted.",
            trigger,
        )
    ]
    # The day of receipt replaces the day of posting as the trigger.
    if method in rule.deemed_received:
        days = rule.deemed_received[method]
        trigger += timedelta(days=days)
        lines = [
            setting.step(
                StepKind.TRIGGER,
                f"Posted {format_count(days, 'day')} earlier, so received on "
                f"{format_day(trigger)}. "
                "This day is not counted.",
                trigger,
            )
        ]
    late = _is_after_cutoff(setting)
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
        rule.extensions.get(way),
        legal_days,
        late,
        outer,
    )
    return count, lines, hold_lines


def _extension_key(rule: Rule, facts: Facts) -> str:
    """Return the key of the extension that applies, by the way of service or by the address."""
    method = facts.method()
    if not rule.extends_by_address or method == "in_hand":
        return method
    # Without an address the shortest extension is used, which gives the earliest date.
    return MAIL_METHODS[facts.place() or "ca"]


def _unknown_for_place(setting: _Setting) -> UnknownDeadline:
    """Return the result for an address without a state: the date for each place."""
    deadline_kind, days, dates = setting.deadline_kind, [], []
    for place in MAIL_METHODS:
        given = setting.facts.replace("place", place)
        answer = _compute_in_days(replace(setting, facts=given))
        # Only the place was missing.
        assert isinstance(answer, ComputedDeadline)  # noqa: S101
        days.append(f"{format_day(answer.due_on)} if it is {PLACES[place]}")
        dates.append(answer.due_on)
    return UnknownDeadline(
        deadline_kind,
        f"{deadline_kind.label}: the address has no state or country. The last day is "
        f"{', '.join(days)}.",
        ("the state or country of the address",),
        (min(dates), max(dates)),
    )


def _is_after_cutoff(setting: _Setting) -> bool:
    """Return whether a fax arrived too late in the day to be received on that day.

    8 CCR 9792.9.1(a)(1): a fax after 5:30 PM, except for a concurrent or an expedited review.
    """
    rule, facts, trigger = setting.rule, setting.facts, setting.deadline_kind.trigger
    moment = read_moment(trigger, facts[trigger])
    # Where nothing says how it arrived, it is taken as a fax: the claims administrator is then
    # not reported as late on a day on which it may have been in time.
    by_fax = facts.method() in ("fax", "")
    if rule.cutoff is None or moment is None or not by_fax or facts.yes_no("concurrent"):
        return False
    return moment.time() > rule.cutoff


def _compute_in_days(setting: _Setting) -> ComputedDeadline | UnknownDeadline:
    """Compute a deadline in days or months."""
    ready = _day_count(setting)
    if isinstance(ready, UnknownDeadline):
        return ready
    count, lines, hold_lines = ready
    on = setting.calendar()
    unrolled, due = count.unrolled(on), count.due(on)
    # Where calendars disagree, a party is late only if all agree that it is. The internal target is
    # the earliest date.
    by_calendar = {calendar.label: count.due(calendar) for calendar in setting.plausible()}
    if count.extension is not None and count.extension.disputed:
        without = replace(count, extension=None)
        by_calendar["without the days for the way of service"] = min(
            without.due(calendar) for calendar in setting.plausible()
        )
    steps = [
        *setting.before,
        *lines,
        *_length_steps(setting, count, on),
        *hold_lines,
        *_end_steps(setting, count, on, by_calendar),
    ]
    target, target_steps = _compute_target(setting, count, on, by_calendar)
    return ComputedDeadline(
        setting.deadline_kind,
        setting.rule,
        count.trigger,
        unrolled,
        due,
        target,
        on.name,
        tuple(steps),
        tuple(target_steps),
        by_calendar,
    )


def _length_steps(setting: _Setting, count: _DayCount, on: Calendar) -> Iterator[Step]:
    """Yield the steps for the start, the length and the extension for the way of service."""
    rule, start, end = setting.rule, count.start(on), count.counted(on)
    if count.after_cutoff and rule.cutoff is not None:
        yield setting.step(
            StepKind.TRIGGER,
            f"It arrived after {format_time(rule.cutoff)}, so it counts as received on the next "
            f"business day, {format_day(start)}.",
            start,
        )
    sentence = f"{format_count(count.length, rule.kind.unit)}: {format_day(end)}."
    if rule.kind in (Kind.WORKING, Kind.BUSINESS):
        left_out = [f"{format_day(day)} ({name})" for day, name in on.holidays_between(start, end)]
        sentence += f" Counted on the {on.name} calendar, without weekends"
        sentence += f" and without {' and '.join(left_out)}." if left_out else "."
    yield setting.step(StepKind.LENGTH, sentence, end)
    # Service in hand adds nothing, so the sum has no line for it.
    if count.extension is not None and count.extension.days:
        unit = "court day" if count.extension.court_days else "day"
        yield Step(
            StepKind.EXTENSION,
            f"{format_count(count.extension.days, unit)} more, because it was served "
            f"{_describe_service(setting)}: {format_day(count.served(on))}.",
            count.served(on),
            count.extension.source,
            rule.is_confirmed,
        )


def _describe_service(setting: _Setting) -> str:
    """Return the way of service, and the place of the address where it decides the extension."""
    facts = setting.facts
    method = METHODS.get(facts.method(), "")
    if not setting.rule.extends_by_address or facts.method() in MAIL_METHODS.values():
        return method
    if not facts.place():
        return f"{method}; no address is given, so it is counted as in California, the earliest"
    return f"{method}, to an address {PLACES[facts.place()]}"


def _end_steps(
    setting: _Setting, count: _DayCount, on: Calendar, by_calendar: Mapping[str, date]
) -> Iterator[Step]:
    """Yield the steps for the roll, an outer limit, calendars that differ, and the result."""
    unrolled, rolled, due = count.unrolled(on), count.rolled(on), count.due(on)
    if setting.rule.roll is Roll.FORWARD:
        if rolled != unrolled:
            yield Step(
                StepKind.ROLL,
                f"{format_day(unrolled)} is closed ({on.why_closed(unrolled)}). On the {on.name} "
                "calendar the next "
                f"open day is {format_day(rolled)}.",
                rolled,
                # The source of the roll to the next court day. Other rules name their own.
                "CCP 12a" if on.name == CalendarName.JUDICIAL else setting.rule.source,
            )
        # Only for calendar days: a count of open days ends on an open day anyway.
        elif setting.rule.kind is Kind.CALENDAR:
            yield Step(
                StepKind.ROLL,
                f"{format_day(unrolled)} is open on the {on.name} calendar.",
                unrolled,
            )
    if count.outer is not None:
        yield setting.step(
            StepKind.LIMIT,
            f"Never later than {setting.rule.outer_days} days after the treatment was recommended: "
            f"{format_day(count.outer)}.",
            due,
        )
    # For our own duties the target says it.
    is_own_duty = setting.deadline_kind.obligor is Obligor.ORGANIZATION
    if len(set(by_calendar.values())) > 1 and not is_own_duty:
        earliest = min(by_calendar.values())
        yield Step(
            StepKind.LIMIT,
            f"By calendar: {describe_due_dates(by_calendar)}. "
            f"The earliest, {format_day(earliest)}, "
            "is the day to tell the party.",
            due,
        )
    yield Step(StepKind.RESULT, f"Last day: {format_day(due)}.", due)


def _compute_target(
    setting: _Setting, count: _DayCount, on: Calendar, by_calendar: Mapping[str, date]
) -> tuple[date | None, list[Step]]:
    """Return the internal target of a duty of ours: the earliest date that could be argued."""
    if setting.deadline_kind.obligor is not Obligor.ORGANIZATION:
        return None, []
    target = min(by_calendar.values())
    steps = []
    if len(set(by_calendar.values())) > 1:
        steps.append(
            Step(
                StepKind.TARGET,
                f"Calendars differ: {describe_due_dates(by_calendar)}. "
                f"The internal target is the earliest, {format_day(target)}.",
                target,
            )
        )
    unrolled = count.unrolled(on)
    # The roll gives more time to others. Our own work does not rely on it.
    if count.due(on) > unrolled:
        target = min(target, on.on_or_before(unrolled))
        steps.append(
            Step(
                StepKind.TARGET,
                "The legal date rolls, so the internal target is the open day before: "
                f"{format_day(target)}.",
                target,
            )
        )
    due = count.due(on)
    return _move_target_by_holds(setting, target, due, count.trigger, steps, on), steps


def _move_target_by_holds(
    setting: _Setting, target: date, due: date, trigger: date, steps: list[Step], on: Calendar
) -> date:
    """Move the internal target by the holds that do not move the legal date; add their steps.

    The target is never later than the legal date: work that ends after it is late, hold or not.
    """
    before_holds = target
    for hold, days in _ordinary_holds(setting, trigger):
        if days is None:
            steps.append(
                Step(
                    StepKind.HOLD, f"{hold}: moves the internal target once its end is set.", target
                )
            )
            continue
        if hold.start > target:
            steps.append(
                Step(
                    StepKind.HOLD,
                    f"{hold}: begins after the internal target, so it does not move it.",
                )
            )
            continue
        target += timedelta(days=days)
        steps.append(
            Step(
                StepKind.HOLD,
                f"{hold}: moves the internal target by {format_count(days, 'day')}, to "
                f"{format_day(target)}.",
                target,
            )
        )
    # Back, not forward: otherwise the target would use more days than the holds gave.
    if target != before_holds and not on.is_open(target):
        target = on.on_or_before(target)
        steps.append(
            Step(
                StepKind.TARGET, f"That day is closed; the open day before is {format_day(target)}."
            )
        )
    if target > due:
        steps.append(
            Step(
                StepKind.TARGET,
                f"That is after the legal date, {format_day(due)}, which these holds do not move.",
                due,
            )
        )
        # The legal date itself may be a closed day on this calendar.
        target = max(before_holds, on.on_or_before(due))
    steps.append(Step(StepKind.TARGET, f"Internal target: {format_day(target)}.", target))
    return target


def _ordinary_holds(setting: _Setting, after: date) -> Iterator[tuple[Hold, int | None]]:
    """Yield the holds without a legal source, with the days that no earlier hold has counted."""
    # Holds may overlap, and each day counts once.
    counted_to = after
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        # These move the legal date and are part of it already.
        if hold.reason in setting.rule.legal_holds:
            continue
        if hold.end is None:
            yield hold, None
            continue
        start = max(hold.start, counted_to)
        yield hold, max(0, (hold.end - start).days)
        counted_to = max(counted_to, hold.end)


def _compute_in_hours(setting: _Setting) -> ComputedDeadline | UnknownDeadline:
    """Compute a deadline in elapsed hours; daylight saving and closed days do not matter."""
    deadline_kind, rule = setting.deadline_kind, setting.rule
    start = read_moment(deadline_kind.trigger, setting.facts[deadline_kind.trigger])
    # A day without an hour would leave the end open by up to 24 hours.
    if start is None:
        return unknown_for_missing(deadline_kind, f"the hour at which {deadline_kind.event}")
    if rule.length is None:
        raise BadRules(f"The rule {rule} counts hours but has no length.")
    unrolled = _hours_later(start, rule.length)
    refuse_out_of_range(unrolled.date())
    steps = [
        *setting.before,
        Step(StepKind.TRIGGER, f"{format_moment(start)}: {deadline_kind.event}.", start),
        setting.step(
            StepKind.LENGTH,
            f"{format_count(rule.length, 'hour')} elapsed: {format_moment(unrolled)}.",
            unrolled,
        ),
    ]
    days, lines = _legal_days(setting, start.date())
    # Extensions are granted in days. Each adds 24 elapsed hours.
    due = _hours_later(unrolled, 24 * days)
    refuse_out_of_range(due.date())
    steps += [
        *lines,
        Step(StepKind.RESULT, f"Last moment: {format_moment(due)}. It does not roll.", due),
    ]
    target = due if deadline_kind.obligor is Obligor.ORGANIZATION else None
    target_steps = []
    if target is not None:
        for hold, _ in _ordinary_holds(setting, start.date()):
            # The target is the legal moment already, and is never later.
            target_steps.append(
                Step(
                    StepKind.HOLD,
                    f"{hold}: moves neither the legal moment nor the internal target.",
                    target,
                )
            )
        target_steps.append(
            Step(StepKind.TARGET, f"Internal target: {format_moment(target)}.", target)
        )
    return ComputedDeadline(
        deadline_kind, rule, start, unrolled, due, target, "none", tuple(steps), tuple(target_steps)
    )


def _hours_later(moment: datetime, hours: int) -> datetime:
    # In UTC, because adding hours to a local time ignores a change of the clocks in between.
    return (moment.astimezone(UTC) + timedelta(hours=hours)).astimezone(PACIFIC)
