"""Results of the engine: a due date with its arithmetic, or what is missing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from .calendars import format_day
from .days import format_iso
from .facts import read_day
from .kinds import DeadlineKind
from .rules import Rule


class StepKind(StrEnum):
    """What a step of the arithmetic does."""

    CHOICE = "CHOICE"  # a rule or calendar that the facts name explicitly
    TRIGGER = "TRIGGER"  # the day or moment from which the count starts
    LENGTH = "LENGTH"  # the length of the rule is added; for a penalty, days or an amount
    EXTENSION = "EXTENSION"  # days are added for the way of service
    HOLD = "HOLD"  # what a hold or an extension for good cause adds, if anything
    ROLL = "ROLL"  # the last day moves to the next open day, or stays
    LIMIT = "LIMIT"  # a limit that the result cannot exceed
    TARGET = "TARGET"  # the internal target
    RESULT = "RESULT"  # the legal date, or the amount of a penalty


@dataclass(frozen=True)
class Step:
    """One step of the arithmetic: a sentence, the date reached so far, and its source.

    :ivar reached: the date after this step; ``None`` if the step has no date.
    :ivar confirmed: whether the source was confirmed; letters quote only confirmed sources.
    """

    kind: StepKind
    sentence: str
    reached: date | datetime | None = None
    source: str = ""
    confirmed: bool = False

    def as_row(self) -> dict[str, Any]:
        """Return the step as plain values, for JSON."""
        return {
            "kind": self.kind.value,
            "sentence": self.sentence,
            "date": None if self.reached is None else format_iso(self.reached),
            "source": self.source,
            "confirmed": self.confirmed,
        }


@dataclass(frozen=True)
class ComputedDeadline:
    """A due date with its arithmetic.

    :ivar unrolled: the last day before it is moved to an open day; for a deadline in hours, the
        moment before extensions.
    :ivar due: the legal date, or the Pacific moment for a deadline in hours.
    :ivar target: the internal target for a duty of ours; ``None`` for the duties of others.
    :ivar steps: the arithmetic of ``due``; ``target_steps`` is that of ``target``.
    :ivar by_calendar: the legal date by each calendar that could be argued to apply, by its label,
        and without an extension that is disputed.
    """

    deadline_kind: DeadlineKind
    rule: Rule
    trigger: date | datetime
    unrolled: date | datetime
    due: date | datetime
    target: date | datetime | None
    calendar: str
    steps: tuple[Step, ...]
    target_steps: tuple[Step, ...] = ()
    by_calendar: Mapping[str, date] = field(default_factory=dict)

    @property
    def trigger_day(self) -> date:
        """Return the local day of the trigger, which is not counted."""
        return read_day("trigger", self.trigger)

    @property
    def due_on(self) -> date:
        """Return the local day of the legal date."""
        return read_day("due", self.due)

    @property
    def due_at(self) -> datetime | None:
        """Return the legal moment of a deadline in hours, otherwise ``None``."""
        return self.due if isinstance(self.due, datetime) else None

    @property
    def target_on(self) -> date | None:
        """Return the local day of the internal target."""
        return None if self.target is None else read_day("target", self.target)

    @property
    def file_by(self) -> date:
        """Return the earliest date that could be argued to be the last day; letters state it."""
        return min(self.by_calendar.values(), default=self.due_on)

    @property
    def is_confirmed(self) -> bool:
        """Return whether the rule was confirmed against the text of the law."""
        return self.rule.is_confirmed

    def lines(self) -> list[str]:
        """Return the steps as lines of text: the legal date first, then the internal target."""
        return [
            f"{step.sentence}{f' [{step.source}]' if step.source else ''}"
            for step in (*self.steps, *self.target_steps)
        ]

    def as_row(self) -> dict[str, Any]:
        """Return the due date and its arithmetic as plain values, for JSON."""
        return {
            "deadline_kind": self.deadline_kind.name,
            "due": format_iso(self.due),
            "unrolled": format_iso(self.unrolled),
            "file_by": format_iso(self.file_by),
            "by_calendar": {label: format_iso(day) for label, day in self.by_calendar.items()},
            "internal_target": None if self.target is None else format_iso(self.target),
            "calendar": self.calendar,
            "source": self.rule.source,
            "confirmed": self.is_confirmed,
            "steps": [step.as_row() for step in self.steps],
            "target_steps": [step.as_row() for step in self.target_steps],
        }


def describe_due_dates(by_calendar: Mapping[str, date]) -> str:
    """List the possible last days, each with the calendars that give it."""
    by_day: dict[date, list[str]] = {}
    for label, day in by_calendar.items():
        # A variant such as "gov6700 with the Friday after Thanksgiving closed" is listed only if
        # its date differs from that of the calendar itself; otherwise the list would repeat it.
        if by_calendar.get(label.partition(" with ")[0], day) != day or " with " not in label:
            by_day.setdefault(day, []).append(label)
    return "; ".join(f"{format_day(day)} ({', '.join(by_day[day])})" for day in sorted(by_day))


@dataclass(frozen=True)
class UnknownDeadline:
    """The result if no date can be computed, with the reason as a sentence.

    :ivar missing: the facts that are missing, each as a phrase.
    :ivar dates: if calendars disagree, the earliest and the latest date.
    """

    deadline_kind: DeadlineKind
    sentence: str
    missing: tuple[str, ...] = ()
    dates: tuple[date, ...] = ()

    def as_row(self) -> dict[str, Any]:
        """Return the reason and the missing facts as plain values, for JSON."""
        return {
            "deadline_kind": self.deadline_kind.name,
            "due": None,
            "unknown": self.sentence,
            "missing": list(self.missing),
            "dates": [format_iso(day) for day in self.dates],
        }


def unknown_for_missing(deadline_kind: DeadlineKind, *facts: str) -> UnknownDeadline:
    """Return the result for missing facts, each named as a phrase."""
    return UnknownDeadline(
        deadline_kind,
        f"{deadline_kind.label}: cannot be computed. Not on file: {' and '.join(facts)}.",
        facts,
    )
