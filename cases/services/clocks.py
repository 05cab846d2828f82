"""Starting and meeting the clocks of a case. The arithmetic is in ``cases.deadlines``."""

from datetime import date, datetime
from typing import Any

from accounts.models import User

from .. import deadlines
from ..models import Case, Deadline
from ..rules import calendars_in_force, rules_in_force

# How long screening may take before the case turns up as late. Ours, not the law's.
SCREENING_TARGET_CLOCK = "screening"


def start(
    *, case: Case, clock: str, given: dict[str, str], by: User | None, at: datetime
) -> Deadline:
    """Start a clock on a locked case: store its sum, and let the queue sort by its date.

    A clock that runs already in this round is replaced, and its earlier sum stays readable.
    """
    running = Deadline.objects.filter(
        case=case, round=case.round, clock=clock, replaced_at__isnull=True
    ).first()
    if running is not None:
        running.replaced_at = at
        running.store(by=by, at=at, why="Replaced by a new sum", fields=["replaced_at"])
    total = compute(clock=clock, given=given)
    deadline = Deadline(
        case=case,
        round=case.round,
        clock=clock,
        given=given,
        due_on=total["due_on"],
        due_at=total["due_at"],
        target_on=total["target_on"],
        steps=total["steps"],
    ).store(by=by, at=at)
    case.set_due(deadline.due_on, clock, by=by, at=at)
    return deadline


def meet(*, case: Case, clock: str, by: User | None, at: datetime) -> None:
    """Note that a duty was done; a clock that does not run is left alone."""
    deadline = Deadline.objects.filter(
        case=case,
        round=case.round,
        clock=clock,
        replaced_at__isnull=True,
        met_at__isnull=True,
    ).first()
    if deadline is not None:
        deadline.met_at = at
        deadline.store(by=by, at=at, why="Done", fields=["met_at"])


def compute(*, clock: str, given: dict[str, str]) -> dict[str, Any]:
    """The sum of one clock under the rules in force."""
    raise NotImplementedError


def due_on(case: Case, clock: str) -> date | None:
    """The legal date of a running clock of the current round."""
    return (
        Deadline.objects.filter(case=case, round=case.round, clock=clock, replaced_at__isnull=True)
        .values_list("due_on", flat=True)
        .first()
    )
