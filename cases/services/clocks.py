"""Starting and meeting the clocks of a case. The arithmetic is in ``cases.deadlines``."""

from collections.abc import Mapping
from datetime import date, datetime

from accounts.models import User
from cases.deadlines import PACIFIC, Sum, Unknown, due
from cases.models import Case, Deadline
from cases.models.clocks import rules_on_file
from cases.policies import NotAllowed

__all__ = ["PACIFIC", "SCREENING", "compute", "due_on", "meet", "start", "stop"]

SCREENING = "screening"  # the organisation's own clock; every other one is the law's


def start(
    *, case: Case, clock: str, given: Mapping[str, str], by: User | None, at: datetime
) -> Deadline:
    """Start a clock on a locked case: store its sum, and let the queue sort by its date.

    A clock that runs already in this round is replaced, and its earlier sum stays readable.

    :raises NotAllowed: a fact is missing, so that there is no date.
    """
    running = _running(case, clock)
    if running is not None:
        running.replaced_at = at
        running.store(by=by, at=at, why="Replaced by a new sum", fields=["replaced_at"])
    total = compute(clock=clock, given=given)
    deadline = Deadline(
        case=case,
        round=case.round,
        clock=clock,
        given=dict(given),
        due_on=total.due_on,
        due_at=total.due_at,
        target_on=total.target_on,
        steps=[step.as_row() for step in (*total.steps, *total.target_steps)],
    ).store(by=by, at=at)
    case.set_due(deadline.due_on, clock, by=by, at=at)
    return deadline


def meet(*, case: Case, clock: str, by: User | None, at: datetime) -> None:
    """Note that a duty was done; a clock that does not run is left alone."""
    deadline = _running(case, clock)
    if deadline is not None and deadline.met_at is None:
        deadline.met_at = at
        deadline.store(by=by, at=at, why="Done", fields=["met_at"])


def stop(*, case: Case, why: str, by: User | None, at: datetime) -> None:
    """Stop every clock of a locked case: nothing falls due on it until another one starts.

    The sums stay readable. From then on the queue sorts it by the day on which it stopped.
    """
    for deadline in case.deadlines.filter(met_at__isnull=True, replaced_at__isnull=True):
        deadline.replaced_at = at
        deadline.store(by=by, at=at, why=why, fields=["replaced_at"])
    case.due_on, case.due_clock = at.astimezone(PACIFIC).date(), ""
    case.store(by=by, at=at, why=why, fields=["due_on", "due_clock"])


def compute(*, clock: str, given: Mapping[str, str]) -> Sum:
    """The sum of one clock under the rules on file. Two queries.

    :raises NotAllowed: a fact is missing; the message names it.
    """
    rules, calendars = rules_on_file()
    total = due(clock, given, rules=rules, calendars=calendars)
    if isinstance(total, Unknown):
        raise NotAllowed(total.sentence)
    return total


def due_on(case: Case, clock: str) -> date | None:
    """The legal date of a running clock of the current round."""
    deadline = _running(case, clock)
    return deadline.due_on if deadline else None


def _running(case: Case, clock: str) -> Deadline | None:
    return Deadline.objects.filter(
        case=case, round=case.round, clock=clock, replaced_at__isnull=True
    ).first()
