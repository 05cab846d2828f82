"""The dated rules that define the length of a deadline. Pure.

``shipped_rules`` holds the rows that come with the product; ``engine`` computes with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Any

from .calendars import CannotCount, format_day
from .kinds import DEADLINE_KINDS, METHODS


class NoRule(CannotCount):
    """No rule of a deadline is on file for a day."""


class BadRules(CannotCount):
    """Rules of one deadline overlap, leave a gap, or cannot be read."""


class Kind(StrEnum):
    """The unit in which a deadline is counted."""

    CALENDAR = "CALENDAR"
    WORKING = "WORKING"
    BUSINESS = "BUSINESS"
    HOURS = "HOURS"
    MONTHS = "MONTHS"

    @property
    def unit(self) -> str:
        """Return the name of the unit, singular."""
        return {
            Kind.CALENDAR: "calendar day",
            Kind.WORKING: "working day",
            Kind.BUSINESS: "business day",
            Kind.HOURS: "hour",
            Kind.MONTHS: "month",
        }[self]


class Roll(StrEnum):
    """What happens if the last day is closed."""

    NONE = "NONE"
    FORWARD = "FORWARD"

    @property
    def label(self) -> str:
        """Return the label for staff."""
        return "Stays" if self is Roll.NONE else "Moves to the next open day"


class Effect(StrEnum):
    """What a hold with a legal source does to the legal date."""

    EXTENDS = "EXTENDS"  # adds its length, once approved
    SUSPENDS = "SUSPENDS"  # the deadline is suspended while it lasts
    RESTARTS = "RESTARTS"  # the deadline restarts when it ends


EXTENSION = "EXTENSION"  # reason code of an extension for good cause
LIABILITY = "LIABILITY"  # reason code of an open dispute about liability
APPEAL = "APPEAL"  # reason code of a petition before the WCAB


# The method of service, a key of ``Rule.extensions``, for mail to an address in California, in
# another state, or abroad.
MAIL_METHODS = {"ca": "mail_ca", "us": "mail_us", "abroad": "mail_abroad"}


@dataclass(frozen=True)
class Extension:
    """Days added for the way of service.

    :ivar court_days: counted as court days on the judicial calendar, not as calendar days.
    :ivar disputed: it can be argued that the law does not add these days. Whoever acts within them
        is neither in time nor late until a person decides.
    """

    days: int
    source: str = ""
    court_days: bool = False
    disputed: bool = False


@dataclass(frozen=True)
class LegalHold:
    """A reason of a hold for which the law itself moves the date.

    :ivar max_days: the most days that all holds for this reason may add together.
    :ivar restarts_as: the deadline that begins when a ``RESTARTS`` hold ends.
    """

    effect: Effect
    source: str
    max_days: int | None = None
    restarts_as: str = ""


@dataclass(frozen=True)
class Rule:
    """One rule of one deadline, in force from a day to a day, both included.

    :ivar length: the number of units; ``None`` if it depends on the way of service.
    :ivar length_by_method: way of service to length, if the rule itself states it so.
    :ivar extensions: way of service to the days it adds (CCP 1013, 8 CCR 10605).
    :ivar extends_by_address: the address of the person served decides how many days are added, for
        every way of service except service in hand. ``mail_ca``, ``mail_us`` and ``mail_abroad``
        in ``extensions`` hold the days for each place.
    :ivar defines_calendar: the law itself says which days count. What is done in time by the
        calendar of the rule is then in time, whatever the other calendars say.
    :ivar legal_holds: reason code of a hold to its effect on the legal date.
    :ivar cutoff: Pacific time after which something received by fax counts for the next open day.
    :ivar deemed_received: way of sending to the calendar days after which it counts as received.
    :ivar outer_days: the date is never later than this many days after the fact ``recommended``.
    :ivar usd_per_day: penalty for each day late, up to ``usd_limit``.
    :ivar confirmed_by: who confirmed the row against the text of the law; empty until then.
    """

    deadline_kind: str
    kind: Kind
    source: str
    effective_from: date
    effective_to: date | None = None
    length: int | None = None
    calendar: str = ""
    roll: Roll = Roll.NONE
    length_by_method: Mapping[str, int] = field(default_factory=dict)
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    extends_by_address: bool = False
    defines_calendar: bool = False
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
        lengths = [*self.length_by_method.values(), *([self.length] if self.length else [])]
        methods = {*self.length_by_method, *self.extensions, *self.deemed_received}
        if self.deadline_kind not in DEADLINE_KINDS:
            return "there is no such deadline."
        if self.effective_to is not None and self.effective_to < self.effective_from:
            return "it ends before it begins."
        # A penalty has an amount in place of a length. It is empty if the amount is not known.
        if self.deadline_kind == "records_penalty":
            known = self.usd_per_day is None or self.usd_per_day > 0
            return "" if known else "its penalty is not above zero."
        if not lengths or min(lengths) < 1:
            return "its length is missing or below 1."
        if unknown := sorted(methods - set(METHODS)):
            return f"it names an unknown way of service, {', '.join(unknown)}."
        if self.extends_by_address and not {"in_hand", *MAIL_METHODS.values()} <= set(
            self.extensions
        ):
            return "it does not say how many days each address adds."
        counted = self.kind in (Kind.WORKING, Kind.BUSINESS) or self.roll is Roll.FORWARD
        if counted and not self.calendar:
            return "it names no calendar."
        if self.kind is Kind.HOURS and self.roll is not Roll.NONE:
            return "a deadline in hours never rolls."
        restarts = [hold for hold in self.legal_holds.values() if hold.effect is Effect.RESTARTS]
        if any(hold.restarts_as not in DEADLINE_KINDS for hold in restarts):
            return "it restarts as a deadline that does not exist."
        return ""

    def __str__(self) -> str:
        until = f"to {format_day(self.effective_to)}" if self.effective_to else "with no end"
        return f"“{self.deadline_kind}” from {format_day(self.effective_from)} {until}"

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_on is not None

    @property
    def needs_method(self) -> bool:
        return bool(self.length_by_method or self.extensions)

    def holds_on(self, day: date) -> bool:
        """Return whether the rule is in force on a day."""
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )


def find_rule(deadline_kind: str, trigger_day: date, rules: Sequence[Rule]) -> Rule:
    """Return the rule of a deadline in force on the day of its trigger.

    :raises NoRule: there is none.
    :raises BadRules: there are two; the message names both.
    """
    found = [
        rule for rule in rules if rule.deadline_kind == deadline_kind and rule.holds_on(trigger_day)
    ]
    if len(found) > 1:
        raise BadRules(
            f"Two rules are in force on {format_day(trigger_day)}: {found[0]}, and {found[1]}."
        )
    if not found:
        raise NoRule(
            f"No rule of “{deadline_kind}” is on file for {format_day(trigger_day)}. "
            f"{list_rules_on_file(deadline_kind, rules)}"
        )
    return found[0]


def list_rules_on_file(deadline_kind: str, rules: Sequence[Rule]) -> str:
    """List the rules of a deadline in a sentence."""
    mine = sorted(
        (rule for rule in rules if rule.deadline_kind == deadline_kind), key=_first_day_of
    )
    return f"On file: {'; '.join(map(str, mine))}." if mine else "It has no rules."


def _first_day_of(row: Any) -> Any:
    return row.effective_from


def refuse_gap_or_overlap(rows: Sequence[Any]) -> None:
    """Refuse dated rows of one rule or holiday that overlap or leave a gap.

    :param rows: rules of one deadline or rows of one holiday: anything with ``effective_from``,
        ``effective_to`` and a text that names it and its days.
    :raises BadRules: naming both rows and the days in question.
    """
    ordered = sorted(rows, key=_first_day_of)
    for earlier, later in zip(ordered, ordered[1:], strict=False):
        if earlier.effective_to is None or earlier.effective_to >= later.effective_from:
            raise BadRules(
                f"Two rows would be in force on {format_day(later.effective_from)}: {earlier}, "
                f"and {later}. End the earlier one on the day before."
            )
        # A gap is as bad as an overlap: a trigger on such a day would have no rule.
        expected = earlier.effective_to + timedelta(days=1)
        if expected != later.effective_from:
            raise BadRules(
                f"Nothing would be in force from {format_day(expected)} to "
                f"{format_day(later.effective_from - timedelta(days=1))}: {earlier}, and {later}. "
                "Let the later one begin on the day after the earlier one ends."
            )
