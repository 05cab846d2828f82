"""Start, satisfy, stop and recompute the deadlines of a case. ``deadlines.engine`` calculates.

A stored ``Deadline`` keeps its trigger facts and its calculation. The calculation depends only on
these facts, on the holds and extensions of the case and on the rules. It does not depend on the
current date or on scheduled jobs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from accounts.models import User
from accounts.refusals import NotAllowed
from cases.case_rows import rows_of
from cases.models import Case, Deadline
from deadlines.days import PACIFIC
from deadlines.engine import compute_deadline
from deadlines.facts import Hold
from deadlines.models import Law, rules_on_file
from deadlines.results import ComputedDeadline, UnknownDeadline
from deadlines.rules import EXTENSION
from letters.models import Service

SCREENING = "screening"  # an internal deadline of the organization; all others are legal ones


@dataclass(frozen=True)
class RenewedDeadline:
    """A deadline row that was replaced, and the row that replaced it."""

    old: Deadline
    new: Deadline


def start_deadline(
    *,
    case: Case,
    deadline_kind: str,
    given: Mapping[str, str],
    by: User | None,
    at: datetime,
    sets_due_date: bool = True,
    service: Service | None = None,
    result: ComputedDeadline | UnknownDeadline | None = None,
) -> Deadline:
    """Start a deadline on a locked case: store its calculation, and let lists sort by its date.

    An active deadline of the same kind and round, or of the same service, is replaced; its row
    stays on record.

    :param given: trigger facts, as the deadline engine names them.
    :param sets_due_date: whether it becomes the due date of the case, by which lists sort. A
        deadline that does not may lack a fact; its row then says which one.
    :param service: the service of a letter from which it runs, if each recipient has its own.
    :param result: the calculation, if the caller has made it from the rules on file.
    :raises NotAllowed: a deadline that sets the due date lacks a fact and has no date.
    """
    if result is None:
        result = compute_case_sum(case=case, deadline_kind=deadline_kind, given=given)
    # Lists could not sort the case without a date.
    if sets_due_date and isinstance(result, UnknownDeadline):
        raise NotAllowed(result.sentence)
    running = _find_running_deadline(case, deadline_kind, service)
    # The old row ends first: the database allows one active row of a kind.
    if running is not None:
        _end_deadline(running, "Replaced by a new calculation", by=by, at=at)
    deadline = _build_deadline_row(case, deadline_kind, given, result, service)
    deadline.store(by=by, at=at)
    if sets_due_date and deadline.due_on is not None:
        case.set_due(deadline.due_on, deadline_kind, due_at=deadline.due_at, by=by, at=at)
    return deadline


def start_deadlines_of_new_cases(
    *,
    cases: Sequence[Case],
    deadline_kind: str,
    given: Sequence[Mapping[str, str]],
    results: Sequence[ComputedDeadline],
    by: User | None,
    at: datetime,
) -> None:
    """Start the same deadline for cases that were stored in this transaction, table by table.

    It becomes the due date of each, as ``start_deadline`` does for one.

    :param given: the trigger facts of each case.
    :param results: the calculation of each case, made from the rules on file.
    """
    deadlines = [
        _build_deadline_row(case, deadline_kind, facts, result, None)
        for case, facts, result in zip(cases, given, results, strict=True)
    ]
    Deadline.objects.bulk_store(deadlines, by=by, at=at)
    for case, result in zip(cases, results, strict=True):
        case.due_on, case.due_at = result.due_on, result.due_at
    Case.objects.set_due_of_all(cases, deadline_kind, by=by, at=at)


def satisfy_deadline(*, case: Case, deadline_kind: str, by: User | None, at: datetime) -> None:
    """Mark an active deadline as satisfied. Nothing happens if there is none."""
    deadline = _find_running_deadline(case, deadline_kind)
    if deadline is not None and deadline.met_at is None:
        deadline.met_at = at
        deadline.store(by=by, at=at, why="Done", fields=["met_at"])


def reopen_deadline(
    *, case: Case, deadline_kind: str, why: str, by: User | None, at: datetime
) -> Deadline | None:
    """Make a satisfied deadline active again, with its old date.

    :returns: the deadline, or ``None`` if the case has none of this kind.
    """
    deadline = _find_running_deadline(case, deadline_kind)
    if deadline is not None and deadline.met_at is not None:
        deadline.met_at = None
        deadline.store(by=by, at=at, why=why, fields=["met_at"])
    return deadline


def stop_deadlines(*, case: Case, why: str, by: User | None, at: datetime) -> None:
    """Stop every active deadline of a locked case. The case has no due date until one starts.

    What a party may do after a decision was served on it does not stop: the time to petition runs
    on when the case is closed. The rows stay on record. Lists sort the case by the day on which its
    deadlines stopped.
    """
    # Of all rounds, not only of the current one.
    for deadline in case.deadlines.filter(
        met_at__isnull=True, replaced_at__isnull=True, service__isnull=True
    ):
        _end_deadline(deadline, why, by=by, at=at)
    # due_on cannot be NULL; the empty kind tells readers that it is no due date.
    case.due_on, case.due_at = at.astimezone(PACIFIC).date(), None
    case.due_deadline_kind = ""
    case.store(by=by, at=at, why=why, fields=["due_on", "due_at", "due_deadline_kind"])


def recompute_deadlines(
    *, case: Case, why: str, by: User | None, at: datetime
) -> list[RenewedDeadline]:
    """Recompute every active deadline of a locked case, and store the rows that changed.

    The result does not depend on when or how often this runs.

    :returns: the rows that changed; the earlier ones stay on record.
    """
    moved = []
    for old in case.deadlines.filter(
        round=case.round, met_at__isnull=True, replaced_at__isnull=True
    ).order_by("pk"):
        new = build_renewed_deadline(case=case, old=old)
        # Unchanged rows stay, so a second run writes nothing.
        if new is None:
            continue
        _end_deadline(old, why, by=by, at=at)
        new.store(by=by, at=at, why=why)
        # Only the deadline that sets the due date moves the date by which lists sort.
        if (
            case.due_deadline_kind == new.deadline_kind
            and new.due_on is not None
            and (case.due_on, case.due_at) != (new.due_on, new.due_at)
        ):
            case.set_due(new.due_on, new.deadline_kind, due_at=new.due_at, by=by, at=at)
        moved.append(RenewedDeadline(old, new))
    return moved


def build_renewed_deadline(
    *, case: Case, old: Deadline, law: Law | None = None, holds: Sequence[Hold] | None = None
) -> Deadline | None:
    """Build the unsaved row that would replace a deadline; ``None`` if nothing changes. Queries.

    :param law: rules and calendars to use instead of those on file.
    :param holds: holds and extensions of the deadline, if the caller has read them already.
    :raises CannotCount: no rule covers the day of its trigger.
    """
    result = compute_case_sum(
        case=case, deadline_kind=old.deadline_kind, given=old.given, law=law, holds=holds
    )
    # From the stored trigger facts: only rules, holds and extensions can differ.
    new = _build_deadline_row(case, old.deadline_kind, old.given, result, old.service)
    return None if _deadline_content(new) == _deadline_content(old) else new


def compute_rule_sum(
    *, deadline_kind: str, given: Mapping[str, str], law: Law | None = None
) -> ComputedDeadline:
    """Calculate a deadline under the rules on file, without a case. Two queries.

    :param law: the rules and calendars on file, if the caller has read them already.
    :raises NotAllowed: a fact is missing; the message names it.
    """
    rules, calendars = law or rules_on_file()
    total = compute_deadline(deadline_kind, given, rules=rules, calendars=calendars)
    if isinstance(total, UnknownDeadline):
        raise NotAllowed(total.sentence)
    return total


def compute_case_sum(
    *,
    case: Case,
    deadline_kind: str,
    given: Mapping[str, str],
    law: Law | None = None,
    holds: Sequence[Hold] | None = None,
) -> ComputedDeadline | UnknownDeadline:
    """Calculate a deadline of a case with its holds and extensions. Queries.

    :param law: rules and calendars to use instead of those on file.
    :param holds: holds and extensions of the deadline, if the caller has read them already.
    :returns: the calculation, or the fact that is missing.
    :raises CannotCount: a fact cannot be read, or no rule is on file for its day.
    """
    rules, calendars = law or rules_on_file()
    # An empty sequence means that the caller knows of no holds, so nothing is queried.
    holds = list_deadline_holds(case, deadline_kind) if holds is None else holds
    return compute_deadline(deadline_kind, given, rules=rules, calendars=calendars, holds=holds)


def list_deadline_holds(case: Case, deadline_kind: str) -> list[Hold]:
    """List the holds and extensions of one deadline, in the form of the engine.

    At most two queries.
    """
    rows = rows_of(case)
    holds = [
        Hold(
            reason=row.reason,
            label=row.get_reason_display(),
            start=row.starts_on,
            end=row.end,
            # A hold of this kind ends only when a person ends it, not on its planned day.
            has_ended=row.ended_on is not None or not row.needs_an_end,
            method=row.ended_method,
        )
        for row in rows.holds
        # An empty kind is a hold of the whole case.
        if row.round == case.round and row.deadline_kind in {"", deadline_kind}
    ]
    extensions = [
        row
        for row in rows.extensions
        if row.round == case.round and row.deadline_kind == deadline_kind
    ]
    return holds + [
        Hold(
            reason=EXTENSION,
            start=row.approved_on,
            end=row.approved_on + timedelta(days=row.days),
            approved_on=row.approved_on,
            by=row.approved_by,
        )
        for row in sorted(extensions, key=lambda row: row.number)
    ]


def find_due_date(case: Case, deadline_kind: str) -> date | None:
    """Return the legal date of an active deadline of the current round. One query."""
    deadline = _find_running_deadline(case, deadline_kind)
    return deadline.due_on if deadline else None


def end_service_deadlines(
    *,
    case: Case,
    deadline_kind: str,
    why: str,
    service_ids: Sequence[int] | None = None,
    by: User | None,
    at: datetime,
) -> None:
    """End the deadlines of one kind that run from the service of letters, of a locked case.

    :param service_ids: only those that run from these services; all if ``None``.
    """
    rows = case.deadlines.filter(
        deadline_kind=deadline_kind, service__isnull=False, replaced_at__isnull=True
    )
    for deadline in rows if service_ids is None else rows.filter(service__in=service_ids):
        _end_deadline(deadline, why, by=by, at=at)


def _find_running_deadline(
    case: Case, deadline_kind: str, service: Service | None = None
) -> Deadline | None:
    """Return the active deadline of this kind in the current round, or of this service."""
    rows = Deadline.objects.filter(
        case=case, deadline_kind=deadline_kind, service=service, replaced_at__isnull=True
    )
    # A service belongs to one round anyway.
    return (rows if service is not None else rows.filter(round=case.round)).first()


def _end_deadline(deadline: Deadline, why: str, *, by: User | None, at: datetime) -> None:
    """End a deadline row; it stays on record."""
    deadline.replaced_at = at
    deadline.store(by=by, at=at, why=why, fields=["replaced_at"])


def _build_deadline_row(
    case: Case,
    deadline_kind: str,
    given: Mapping[str, str],
    result: ComputedDeadline | UnknownDeadline,
    service: Service | None,
) -> Deadline:
    """Build an unsaved row from a calculation."""
    row = Deadline(
        case=case,
        round=case.round,
        deadline_kind=deadline_kind,
        service=service,
        given=dict(given),
    )
    if isinstance(result, UnknownDeadline):
        row.unknown = result.sentence
        return row
    row.due_on, row.due_at, row.target_on = result.due_on, result.due_at, result.target_on
    row.file_by = result.file_by
    row.steps = [step.as_row() for step in (*result.steps, *result.target_steps)]
    return row


def _deadline_content(row: Deadline) -> tuple[object, ...]:
    """Return what two rows are compared by."""
    # With the steps: a new source or note is stored even if the date stays.
    return row.due_on, row.file_by, row.due_at, row.target_on, row.steps, row.unknown
