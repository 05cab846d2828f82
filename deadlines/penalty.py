"""Compute the penalty for late records. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .calendars import format_day, refuse_out_of_range
from .days import format_count
from .facts import Facts
from .kinds import DEADLINE_KINDS, DeadlineKind
from .results import Step, StepKind, UnknownDeadline, unknown_for_missing
from .rules import Rule, find_rule


@dataclass(frozen=True)
class Penalty:
    """An amount of money with its arithmetic."""

    deadline_kind: DeadlineKind
    rule: Rule
    days_late: int
    usd: int
    steps: tuple[Step, ...]

    def lines(self) -> list[str]:
        """Return the steps as lines of text."""
        return [
            f"{step.sentence}{f' [{step.source}]' if step.source else ''}" for step in self.steps
        ]

    def as_row(self) -> dict[str, Any]:
        """Return the amount and its arithmetic as plain values, for JSON."""
        return {
            "deadline_kind": self.deadline_kind.name,
            "penalty_usd": self.usd,
            "days_late": self.days_late,
            "source": self.rule.source,
            "confirmed": self.rule.is_confirmed,
            "steps": [step.as_row() for step in self.steps],
        }


def records_penalty(
    given: Mapping[str, object], *, rules: Sequence[Rule]
) -> Penalty | UnknownDeadline:
    """Compute what the claims administrator may owe for late records.

    Only the Division of Workers' Compensation can impose the penalty; this is the arithmetic.

    :param given: ``records_due`` and ``records_received``, the day up to which days are counted.
    :raises CannotCount: no rule for the day, or a fact that cannot be read.
    """
    deadline_kind = DEADLINE_KINDS["records_penalty"]
    facts = Facts(deadline_kind, given)
    due, received = facts.day("records_due"), facts.day("records_received")
    if due is None or received is None:
        unknown = "were due" if due is None else "were received"
        return unknown_for_missing(deadline_kind, f"the day on which the records {unknown}")
    refuse_out_of_range(due)
    refuse_out_of_range(received)
    # The penalty follows the rule in force on the day on which the records were due.
    rule = find_rule(deadline_kind.name, due, rules)
    if rule.usd_per_day is None:
        return UnknownDeadline(
            deadline_kind,
            f"{deadline_kind.label}: the amount for records due on {format_day(due)} is not on "
            f"file ({rule.source}). {rule.note}".rstrip(),
            ("the amount of the penalty",),
        )
    per_day, most = rule.usd_per_day, rule.usd_limit
    days = max(0, (received - due).days)
    full = days * per_day
    usd = full if most is None else min(full, most)
    steps = [
        Step(StepKind.TRIGGER, f"{format_day(due)}: the records were due.", due),
        Step(
            StepKind.LENGTH,
            f"{format_day(received)}: the records were received {format_count(days, 'day')} late.",
            received,
        ),
        Step(
            StepKind.LENGTH,
            f"{format_count(days, 'day')} × ${per_day:,} = ${full:,}.",
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
    return Penalty(deadline_kind, rule, days, usd, tuple(steps))
