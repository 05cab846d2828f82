"""The answers of the engine: a due date with its arithmetic, or what is missing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from .days import format_iso
from .facts import read_day
from .kinds import DeadlineKind
from .rules import Rule


class StepKind(StrEnum):
    """What a step of the sum does."""

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
    """One step of the sum: a sentence, the date reached so far, and its source.

    :ivar confirmed: whether the source was confirmed; letters quote only confirmed sources.
    """

    kind: StepKind
    sentence: str
    on: date | datetime | None = None
    source: str = ""
    confirmed: bool = False

    def as_row(self) -> dict[str, Any]:
        """The step as plain values, for JSON."""
        return {
            "kind": self.kind.value,
            "sentence": self.sentence,
            "date": None if self.on is None else format_iso(self.on),
            "source": self.source,
            "confirmed": self.confirmed,
        }


@dataclass(frozen=True)
class Sum:
    """A due date with its arithmetic.

    :ivar raw: the last day before the roll.
    :ivar limit: the legal date, or the Pacific moment for a deadline in hours.
    :ivar target: our own target for a duty of ours; ``None`` for the duties of others.
    :ivar steps: the arithmetic of ``limit``; ``target_steps`` is that of ``target``.
    :ivar ends: the legal date by each calendar that could be argued to apply, by its label.
    """

    deadline_kind: DeadlineKind
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
        """The legal moment, for a deadline in hours."""
        return self.limit if isinstance(self.limit, datetime) else None

    @property
    def target_on(self) -> date | None:
        """The local day of the internal target."""
        return None if self.target is None else read_day("target", self.target)

    @property
    def is_confirmed(self) -> bool:
        """Whether the rule was confirmed against the text of the law."""
        return self.rule.is_confirmed

    def lines(self) -> list[str]:
        """The steps as lines of text: the legal date first, then the internal target."""
        return [
            f"{step.sentence}{f' [{step.source}]' if step.source else ''}"
            for step in (*self.steps, *self.target_steps)
        ]

    def as_row(self) -> dict[str, Any]:
        """The sum as plain values, for JSON."""
        return {
            "deadline_kind": self.deadline_kind.name,
            "due": format_iso(self.limit),
            "raw": format_iso(self.raw),
            "internal_target": None if self.target is None else format_iso(self.target),
            "calendar": self.calendar,
            "source": self.rule.source,
            "confirmed": self.is_confirmed,
            "steps": [step.as_row() for step in self.steps],
            "target_steps": [step.as_row() for step in self.target_steps],
        }


@dataclass(frozen=True)
class Unknown:
    """No date can be computed, and why.

    :ivar missing: the facts that are missing, each in words.
    :ivar dates: if calendars disagree, the earliest and the latest date.
    """

    deadline_kind: DeadlineKind
    sentence: str
    missing: tuple[str, ...] = ()
    dates: tuple[date, ...] = ()

    def as_row(self) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        return {
            "deadline_kind": self.deadline_kind.name,
            "due": None,
            "unknown": self.sentence,
            "missing": list(self.missing),
            "dates": [format_iso(day) for day in self.dates],
        }


def unknown_for_missing(deadline_kind: DeadlineKind, *facts: str) -> Unknown:
    """The answer if facts are missing, each named in words."""
    return Unknown(
        deadline_kind,
        f"{deadline_kind.label}: cannot be computed. Not on file: {' and '.join(facts)}.",
        facts,
    )
