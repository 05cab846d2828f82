"""The deadline engine: compute every due date, with the arithmetic as a list of steps.

Pure: facts, rules and calendars come in as arguments; nothing here reads a clock or a database, so
the same facts always give the same date. A rule is a dated row, chosen by the day of the trigger.
A missing fact makes the answer ``Unknown`` and is named in it; it never makes anything late.

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
    BadDeadlineFact,
    DeadlineKind,
    Obligor,
    UnknownDeadlineKind,
    find_deadline_kind,
)
from .rules import (
    EXTENSION,
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
from .sums import Step, StepKind, Sum, Unknown, unknown_for_missing


def _rule_of(deadline_kind: str, year: str, rules: Sequence[Rule]) -> Rule:
    """The rule of a year or day that was named explicitly, for study. Never used by default."""
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
        """The day after which counting begins."""
        # What arrives after the cutoff is received on the next open day, which is then not counted.
        if self.after_cutoff:
            return on.on_or_after(self.trigger + timedelta(days=1))
        return self.trigger

    def counted(self, on: Calendar) -> date:
        """The last day by the length of the rule alone."""
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
        # Extensions come before the only roll. If each step rolled, closed days would be added
        # twice.
        day = self.served(on) + timedelta(days=self.legal_days)
        # Calendar days are added without asking a calendar, so the range is checked here.
        refuse_out_of_range(day)
        return day

    def rolled(self, on: Calendar) -> date:
        """The last day after the roll."""
        day = self.raw(on)
        return on.on_or_after(day) if self.rule.roll is Roll.FORWARD else day

    def limit(self, on: Calendar) -> date:
        """The legal date."""
        day = self.rolled(on)
        # The outer limit does not roll: the date is never later than that.
        return day if self.outer is None else min(day, self.outer)


def _months_later(day: date, months: int) -> date:
    """The same day some months later, or the last day of a month without such a day."""
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

    def step(self, kind: StepKind, sentence: str, on: date | datetime | None = None) -> Step:
        """A step whose source is the rule itself."""
        return Step(kind, sentence, on, self.rule.source, self.rule.is_confirmed)

    def plausible(self) -> list[Calendar]:
        """Every calendar that could be argued to apply, the rule's own first.

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
) -> _Setting | Unknown:
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
        return Unknown(deadline_kind, sentence, ("the day on which the application form was sent",))
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
    if rule.needs_method and not facts.method():
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
    """The extension for good cause, if it is given as plain facts and not as a hold."""
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
) -> Sum | Unknown:
    """Compute the due date of a deadline, with its arithmetic.

    :param given: facts by key, as dates, moments or ISO text: the deadline's trigger, the way of
        service where it matters, and the overrides ``rules_of``, ``calendar`` and
        ``friday_after_thanksgiving_is_working``. A moment without a zone is Pacific time.
    :param holds: every hold of the case; those without a legal source move only our own target.
    :returns: the sum, or what is missing.
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
) -> Sum | Unknown:
    """Compute a deadline; holds that suspend or restart it are applied first."""
    setting = _prepare_setting(deadline_kind, given, rules, calendars, holds)
    if isinstance(setting, Unknown):
        return setting
    stopping = [hold for hold in holds if _suspends_or_restarts(setting.rule, hold)]
    if stopping:
        # A hold that begins after the last day is too late to move it.
        # Without holds, so that this call does not come back here.
        plain = _compute_with_holds(deadline_kind, given, rules, calendars, ())
        if isinstance(plain, Unknown):
            return plain
        late = [hold for hold in stopping if hold.start > plain.due_on]
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


def _suspends_or_restarts(rule: Rule, hold: Hold) -> bool:
    """Whether the hold suspends or restarts the deadline."""
    legal = rule.legal_holds.get(hold.reason)
    return legal is not None and legal.effect is not Effect.EXTENDS


def _answer_while_stopped(setting: _Setting, rules: Sequence[Rule]) -> Sum | Unknown | None:
    """The answer if a hold suspends or restarts the deadline; ``None`` if none does."""
    for hold in sorted(setting.holds, key=lambda hold: hold.start):
        if not _suspends_or_restarts(setting.rule, hold):
            continue
        legal = setting.rule.legal_holds[hold.reason]
        # A planned end can still change, so it gives no date.
        if hold.end is None or not hold.has_ended:
            return Unknown(
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
            if isinstance(restarted, Unknown):
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
    """The days added by holds with a legal source, with a step for every hold of the case."""
    total, steps = 0, []
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
            # Days before the trigger suspend nothing, because the deadline was not running yet.
            days = max(0, ((hold.end or after) - max(hold.start, after)).days)
            sentence = f"{hold}: the deadline was suspended for {format_count(days, 'day')}."
        by_reason[hold.reason] = by_reason.get(hold.reason, 0) + days
        total += days
        confirmed = setting.rule.is_confirmed
        steps.append(Step(StepKind.HOLD, sentence, None, legal.source, confirmed))
    return total, steps


def _approved_extension_days(hold: Hold, legal: LegalHold, already: int) -> tuple[int, str]:
    """The days that an extension adds, and the sentence for it."""
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


def _day_count(setting: _Setting) -> tuple[_DayCount, list[Step], list[Step]] | Unknown:
    """The count, the steps up to its start, and the steps for the holds."""
    deadline_kind, rule, facts = setting.deadline_kind, setting.rule, setting.facts
    method = facts.method()
    # Some rules state a length for each way of service, such as that for the medical records (8 CCR
    # 9792.10.5(a)(1)).
    length = rule.length_by_method.get(method, rule.length)
    stated = ", ".join(METHODS[way] for way in (rule.length_by_method or rule.extensions))
    # A way of service that the rule does not list gives no date. It does not mean zero days.
    if length is None or (rule.extensions and method not in rule.extensions):
        return Unknown(
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
    moment = read_moment(deadline_kind.trigger, facts[deadline_kind.trigger])
    late = bool(rule.cutoff and moment and moment.time() > rule.cutoff)
    # A mailed request has no hour of receipt, so the cutoff does not concern it.
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


def _compute_in_days(setting: _Setting) -> Sum | Unknown:
    """Compute a deadline in days or months."""
    ready = _day_count(setting)
    if isinstance(ready, Unknown):
        return ready
    count, lines, hold_lines = ready
    on = setting.calendar()
    raw, limit = count.raw(on), count.limit(on)
    # Where calendars disagree, a party is late only if all agree; our target is the earliest date.
    ends = {calendar.label: count.limit(calendar) for calendar in setting.plausible()}
    steps = [
        *setting.before,
        *lines,
        *_length_steps(setting, count, on),
        *hold_lines,
        *_end_steps(setting, count, on),
    ]
    target, target_steps = _compute_target(setting, count, on, ends)
    return Sum(
        setting.deadline_kind,
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
    """The steps for the start, the length and the extension for the way of service."""
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
            f"{METHODS[setting.facts.method()]}: {format_day(count.served(on))}.",
            count.served(on),
            count.extension.source,
            rule.is_confirmed,
        )


def _end_steps(setting: _Setting, count: _DayCount, on: Calendar) -> Iterator[Step]:
    """The steps for the roll, an outer limit and the result."""
    raw, rolled, limit = count.raw(on), count.rolled(on), count.limit(on)
    if setting.rule.roll is Roll.FORWARD:
        if rolled != raw:
            yield Step(
                StepKind.ROLL,
                f"{format_day(raw)} is closed ({on.why_closed(raw)}). On the {on.name} "
                "calendar the next "
                f"open day is {format_day(rolled)}.",
                rolled,
                "CCP 12a",
            )
        # Only for calendar days: a count of open days ends on an open day anyway.
        elif setting.rule.kind is Kind.CALENDAR:
            yield Step(StepKind.ROLL, f"{format_day(raw)} is open on the {on.name} calendar.", raw)
    if count.outer is not None:
        yield setting.step(
            StepKind.LIMIT,
            f"Never later than {setting.rule.outer_days} days after the treatment was recommended: "
            f"{format_day(count.outer)}.",
            limit,
        )
    yield Step(StepKind.RESULT, f"Last day: {format_day(limit)}.", limit)


def _compute_target(
    setting: _Setting, count: _DayCount, on: Calendar, ends: Mapping[str, date]
) -> tuple[date | None, list[Step]]:
    """Our own target for a duty of ours: the earliest date that could be argued to apply."""
    if setting.deadline_kind.obligor is not Obligor.ORGANIZATION:
        return None, []
    target = min(ends.values())
    steps = []
    if len(set(ends.values())) > 1:
        listed = "; ".join(f"{label}: {format_day(day)}" for label, day in ends.items())
        steps.append(
            Step(
                StepKind.TARGET,
                f"Calendars differ ({listed}). Our target is the earliest, {format_day(target)}.",
                target,
            )
        )
    raw = count.raw(on)
    # The roll gives more time to others. Our own work does not rely on it.
    if count.limit(on) > raw:
        target = min(target, on.on_or_before(raw))
        steps.append(
            Step(
                StepKind.TARGET,
                "The legal date rolls, so our target is the open day before: "
                f"{format_day(target)}.",
                target,
            )
        )
    limit = count.limit(on)
    return _move_target_by_holds(setting, target, limit, count.trigger, steps, on), steps


def _move_target_by_holds(
    setting: _Setting, target: date, limit: date, trigger: date, steps: list[Step], on: Calendar
) -> date:
    """Move our own target by the holds that do not move the legal date, and add their steps."""
    before_holds = target
    for hold, days in _ordinary_holds(setting, trigger):
        if days is None:
            steps.append(
                Step(StepKind.HOLD, f"{hold}: moves our target once its end is set.", target)
            )
            continue
        if hold.start > target:
            steps.append(
                Step(StepKind.HOLD, f"{hold}: begins after our target, so it does not move it.")
            )
            continue
        target += timedelta(days=days)
        steps.append(
            Step(
                StepKind.HOLD,
                f"{hold}: moves our target by {format_count(days, 'day')}, to "
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
    late = " This is after the legal date, which these holds do not move." if target > limit else ""
    steps.append(Step(StepKind.TARGET, f"Internal target: {format_day(target)}.{late}", target))
    return target


def _ordinary_holds(setting: _Setting, after: date) -> Iterator[tuple[Hold, int | None]]:
    """Holds without a legal source, each with its days that no earlier hold has counted."""
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


def _compute_in_hours(setting: _Setting) -> Sum | Unknown:
    """Compute a deadline in elapsed hours; daylight saving and closed days do not matter."""
    deadline_kind, rule = setting.deadline_kind, setting.rule
    start = read_moment(deadline_kind.trigger, setting.facts[deadline_kind.trigger])
    # A day without an hour would leave the end open by up to 24 hours.
    if start is None:
        return unknown_for_missing(deadline_kind, f"the hour at which {deadline_kind.event}")
    if rule.length is None:
        raise BadRules(f"The rule {rule} counts hours but has no length.")
    raw = _hours_later(start, rule.length)
    refuse_out_of_range(raw.date())
    steps = [
        *setting.before,
        Step(StepKind.TRIGGER, f"{format_moment(start)}: {deadline_kind.event}.", start),
        setting.step(
            StepKind.LENGTH,
            f"{format_count(rule.length, 'hour')} elapsed: {format_moment(raw)}.",
            raw,
        ),
    ]
    days, lines = _legal_days(setting, start.date())
    # Extensions are granted in days. Each adds 24 elapsed hours.
    limit = _hours_later(raw, 24 * days)
    refuse_out_of_range(limit.date())
    steps += [
        *lines,
        Step(StepKind.RESULT, f"Last moment: {format_moment(limit)}. It does not roll.", limit),
    ]
    target = limit if deadline_kind.obligor is Obligor.ORGANIZATION else None
    target_steps = []
    if target is not None:
        for hold, held in _ordinary_holds(setting, start.date()):
            target = _hours_later(target, 24 * (held or 0))
            target_steps.append(
                Step(
                    StepKind.HOLD,
                    f"{hold}: moves our target by {format_count(held or 0, 'day')}, "
                    f"to {format_moment(target)}.",
                    target,
                )
            )
        target_steps.append(
            Step(StepKind.TARGET, f"Internal target: {format_moment(target)}.", target)
        )
    return Sum(
        deadline_kind, rule, start, raw, limit, target, "none", tuple(steps), tuple(target_steps)
    )


def _hours_later(moment: datetime, hours: int) -> datetime:
    # In UTC, because adding hours to a local time ignores a change of the clocks in between.
    return (moment.astimezone(UTC) + timedelta(hours=hours)).astimezone(PACIFIC)
