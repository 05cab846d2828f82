"""Starting, meeting and recomputing the deadlines of a case. ``deadlines.engine`` counts.

A stored ``Deadline`` keeps the facts that started it and the sum that they made. The sum depends on
these facts, the holds and extensions on file and the rules, and on nothing else: not on today, and
not on whether a job ran.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from accounts.models import User
from accounts.refusals import NotAllowed
from cases.models import Case, Deadline
from deadlines.days import PACIFIC
from deadlines.engine import due
from deadlines.facts import Hold
from deadlines.models import Law, rules_on_file
from deadlines.rules import EXTENSION
from deadlines.sums import Sum, Unknown

__all__ = [
    "SCREENING",
    "Moved",
    "answer",
    "compute",
    "due_on",
    "holds_on",
    "meet",
    "recompute",
    "renewed",
    "start",
    "stop",
    "unmeet",
]


SCREENING = "screening"  # the organization's own deadline; every other one is the law's


@dataclass(frozen=True)
class Moved:
    """A sum that was replaced, beside the one that stands now."""

    old: Deadline
    new: Deadline


def start(
    *,
    case: Case,
    deadline_kind: str,
    given: Mapping[str, str],
    by: User | None,
    at: datetime,
    leads: bool = True,
) -> Deadline:
    """Start a deadline on a locked case: store its sum, and let the queue sort by its date.

    A deadline that runs already in this round is replaced, and its earlier sum stays readable.

    :param leads: whether the queue sorts by it. A deadline that does not lead may lack a fact; its
        row then says which.
    :raises NotAllowed: a fact is missing, so that there is no date to sort by.
    """
    found = answer(case=case, deadline_kind=deadline_kind, given=given)
    if leads and isinstance(found, Unknown):
        raise NotAllowed(found.sentence)
    running = _running(case, deadline_kind)
    if running is not None:
        _end(running, "Replaced by a new sum", by=by, at=at)
    deadline = _row(case, deadline_kind, given, found).store(by=by, at=at)
    if leads and deadline.due_on is not None:
        case.set_due(deadline.due_on, deadline_kind, by=by, at=at)
    return deadline


def meet(*, case: Case, deadline_kind: str, by: User | None, at: datetime) -> None:
    """Note that a duty was done; a deadline that does not run is left alone."""
    deadline = _running(case, deadline_kind)
    if deadline is not None and deadline.met_at is None:
        deadline.met_at = at
        deadline.store(by=by, at=at, why="Done", fields=["met_at"])


def unmeet(
    *, case: Case, deadline_kind: str, why: str, by: User | None, at: datetime
) -> Deadline | None:
    """Take back that a duty was done: its deadline runs on as it was. ``None`` if it never ran."""
    deadline = _running(case, deadline_kind)
    if deadline is not None and deadline.met_at is not None:
        deadline.met_at = None
        deadline.store(by=by, at=at, why=why, fields=["met_at"])
    return deadline


def stop(*, case: Case, why: str, by: User | None, at: datetime) -> None:
    """Stop every deadline of a locked case: nothing falls due on it until another one starts.

    The sums stay readable. From then on the queue sorts it by the day on which it stopped.
    """
    for deadline in case.deadlines.filter(met_at__isnull=True, replaced_at__isnull=True):
        _end(deadline, why, by=by, at=at)
    case.due_on, case.due_deadline_kind = at.astimezone(PACIFIC).date(), ""
    case.store(by=by, at=at, why=why, fields=["due_on", "due_deadline_kind"])


def recompute(*, case: Case, why: str, by: User | None, at: datetime) -> list[Moved]:
    """Work out every running deadline of a locked case again, and store the sums that changed.

    Doing it twice, late, or never on a day on which nothing was entered gives the same dates.

    :returns: the sums that changed; the earlier ones stay readable.
    """
    moved = []
    for old in case.deadlines.filter(
        round=case.round, met_at__isnull=True, replaced_at__isnull=True
    ).order_by("pk"):
        new = renewed(case=case, old=old)
        if new is None:
            continue
        _end(old, why, by=by, at=at)
        new.store(by=by, at=at, why=why)
        if (
            case.due_deadline_kind == new.deadline_kind
            and new.due_on is not None
            and case.due_on != new.due_on
        ):
            case.set_due(new.due_on, new.deadline_kind, by=by, at=at)
        moved.append(Moved(old, new))
    return moved


def renewed(
    *, case: Case, old: Deadline, law: Law | None = None, holds: Sequence[Hold] | None = None
) -> Deadline | None:
    """The row, not stored, that would replace a running sum; ``None`` if it says the same. Queries.

    :param law: rules and calendars to count with instead of those on file.
    :param holds: what stood in the way, where the caller knows it already.
    :raises CannotCount: no rule covers the day of its trigger.
    """
    found = answer(
        case=case, deadline_kind=old.deadline_kind, given=old.given, law=law, holds=holds
    )
    new = _row(case, old.deadline_kind, old.given, found)
    return None if _says(new) == _says(old) else new


def compute(*, deadline_kind: str, given: Mapping[str, str]) -> Sum:
    """The sum of one deadline under the rules on file, on no case in particular. Two queries.

    :raises NotAllowed: a fact is missing; the message names it.
    """
    rules, calendars = rules_on_file()
    total = due(deadline_kind, given, rules=rules, calendars=calendars)
    if isinstance(total, Unknown):
        raise NotAllowed(total.sentence)
    return total


def answer(
    *,
    case: Case,
    deadline_kind: str,
    given: Mapping[str, str],
    law: Law | None = None,
    holds: Sequence[Hold] | None = None,
) -> Sum | Unknown:
    """The sum of one deadline on a case, with its holds and extensions, or what is missing.
    Queries.

    :param law: rules and calendars to count with instead of those on file.
    :param holds: what stood in the way, where the caller knows it already.

    :raises CannotCount: a fact cannot be read, or no rule is on file for its day.
    """
    rules, calendars = law or rules_on_file()
    holds = holds_on(case, deadline_kind) if holds is None else holds
    return due(deadline_kind, given, rules=rules, calendars=calendars, holds=holds)


def holds_on(case: Case, deadline_kind: str) -> list[Hold]:
    """What stands or stood in the way of one deadline, as the engine reads it. Two queries."""
    rows = case.holds.filter(round=case.round, deadline_kind__in=["", deadline_kind])
    holds = [
        Hold(
            reason=row.reason,
            label=row.get_reason_display(),
            start=row.starts_on,
            end=row.end,
            # What the law lets stand still is over when a person says so, not when it was planned.
            has_ended=row.ended_on is not None or not row.needs_an_end,
            method=row.ended_method,
        )
        for row in rows.order_by("starts_on", "pk")
    ]
    extensions = case.extensions.filter(round=case.round, deadline_kind=deadline_kind).order_by(
        "number"
    )
    return holds + [
        Hold(
            reason=EXTENSION,
            start=row.approved_on,
            end=row.approved_on + timedelta(days=row.days),
            approved_on=row.approved_on,
            by=row.approved_by,
        )
        for row in extensions
    ]


def due_on(case: Case, deadline_kind: str) -> date | None:
    """The legal date of a running deadline of the current round."""
    deadline = _running(case, deadline_kind)
    return deadline.due_on if deadline else None


def _running(case: Case, deadline_kind: str) -> Deadline | None:
    return Deadline.objects.filter(
        case=case, round=case.round, deadline_kind=deadline_kind, replaced_at__isnull=True
    ).first()


def _end(deadline: Deadline, why: str, *, by: User | None, at: datetime) -> None:
    deadline.replaced_at = at
    deadline.store(by=by, at=at, why=why, fields=["replaced_at"])


def _row(
    case: Case, deadline_kind: str, given: Mapping[str, str], found: Sum | Unknown
) -> Deadline:
    """A sum as a row that is not stored yet."""
    row = Deadline(case=case, round=case.round, deadline_kind=deadline_kind, given=dict(given))
    if isinstance(found, Unknown):
        row.unknown = found.sentence
        return row
    row.due_on, row.due_at, row.target_on = found.due_on, found.due_at, found.target_on
    row.steps = [step.as_row() for step in (*found.steps, *found.target_steps)]
    return row


def _says(row: Deadline) -> tuple[object, ...]:
    return row.due_on, row.due_at, row.target_on, row.steps, row.unknown
