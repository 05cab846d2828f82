"""Recalculation of the active deadlines of all open cases after a rule changed, with preview."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case, Deadline, Event, Hold, TimeExtension
from deadlines import policies as deadline_policies
from deadlines.calendars import CannotCount, format_day
from deadlines.days import format_moment, local_day
from deadlines.facts import Hold as EngineHold
from deadlines.kinds import DEADLINE_KINDS
from deadlines.models import Law, rules_on_file

from . import case_deadlines, post_determination, served_letters
from .case_deadlines import RenewedDeadline

# These continue after the case is closed.
AFTER_THE_DECISION = (served_letters.PETITION, *post_determination.IMPLEMENTING)


@dataclass(frozen=True)
class DateChange:
    """An active deadline and its recalculated row; ``problem`` if it cannot be calculated.

    :ivar old: the stored row; for a preview, the row under the rules on file.
    """

    case: Case
    old: Deadline
    new: Deadline | None
    problem: str = ""

    @property
    def moves(self) -> bool:
        """Whether a date changes, and not only the text of the calculation."""
        return self.new is None or _deadline_dates(self.old) != _deadline_dates(self.new)

    @property
    def changes_anything(self) -> bool:
        """Whether a date or the text of the calculation changes."""
        return self.moves or (self.new is not None and self.old.steps != self.new.steps)


def find_date_changes(
    *, on: date, law: Law | None = None, deadline_kind: str = ""
) -> list[DateChange]:
    """List the active deadlines of open cases that would change, by case. Stores nothing.

    A determination closes its case, so the time of a recipient that has not ended is listed too.

    :param on: the day on which the time of a recipient must not have ended.
    :param law: rules and calendars as they would be after a change. The dates are compared with
        those under the rules on file, so that other changes are not listed. Without it, stored
        dates are compared with the rules on file.
    :param deadline_kind: only deadlines that the rules of this kind can move; empty for all.
    """
    # Loaded once: two queries for each deadline would add up.
    on_file = rules_on_file()
    law = law or on_file
    kinds = _list_dependent_kinds(deadline_kind, law)
    # Only these cases need queries for holds and extensions.
    disturbed = {*Hold.objects.values_list("case", flat=True).distinct()} | {
        *TimeExtension.objects.values_list("case", flat=True).distinct()
    }
    runs_after_closing = Q(deadline_kind__in=AFTER_THE_DECISION) & (
        Q(due_on__gte=on) | Q(due_on__isnull=True)
    )
    running = Deadline.objects.filter(
        Q(case__is_open=True) | runs_after_closing,
        met_at__isnull=True,
        replaced_at__isnull=True,
        # Deadlines of an earlier round belong to a determination that was set aside.
        round=F("case__round"),
        **({"deadline_kind__in": kinds} if deadline_kind else {}),
    )
    changes = []
    # In chunks, because an office may have many thousand open cases.
    rows = running.select_related("case", "service").order_by("case_id", "pk")
    for row in rows.iterator(chunk_size=500):
        holds = None if row.case_id in disturbed else ()
        old = row
        # What the rules on file would change already is no effect of the previewed change.
        if law is not on_file:
            old = _renew(row, on_file, holds) or row
        try:
            new = case_deadlines.build_renewed_deadline(
                case=row.case, old=row, law=law, holds=holds
            )
        # Listed and not raised, so that one deadline does not hide the others.
        except CannotCount as problem:
            changes.append(DateChange(row.case, old, None, str(problem)))
            continue
        change = DateChange(row.case, old, new or row)
        if change.changes_anything:
            changes.append(change)
    return changes


def _renew(row: Deadline, law: Law, holds: Sequence[EngineHold] | None) -> Deadline | None:
    """Return the row under these rules; ``None`` if nothing changes or it cannot be calculated."""
    try:
        return case_deadlines.build_renewed_deadline(case=row.case, old=row, law=law, holds=holds)
    except CannotCount:
        return None


def _list_dependent_kinds(deadline_kind: str, law: Law) -> set[str]:
    """List a kind and the kinds that restart as it: its rules then decide their dates."""
    return {deadline_kind} | {
        rule.deadline_kind
        for rule in law[0]
        if any(hold.restarts_as == deadline_kind for hold in rule.legal_holds.values())
    }


def recalculate_dates(*, why: str, by: User, at: datetime) -> list[RenewedDeadline]:
    """Recalculate the active deadlines of open cases under the rules on file.

    Each case has its own transaction. A case with a deadline that cannot be calculated is left as
    it is and does not stop the others. Moved dates are events on their case.

    :raises NotAllowed: wrong role, or no reason.
    """
    refuse_if(deadline_policies.why_not_manage_rules(by))
    refuse_if("" if why.strip() else "Enter why the dates are recalculated.")
    # Read without locks; each case is calculated again under its own.
    changes = find_date_changes(on=local_day(at))
    # Leave out whole cases: half of the dates of a case must not change alone.
    countable = sorted(
        {one.case.pk for one in changes} - {one.case.pk for one in changes if not one.new}
    )
    renewed: list[RenewedDeadline] = []
    for case_id in countable:
        renewed += _recalculate_case(case_id, why.strip(), by=by, at=at)
    return renewed


@transaction.atomic
def _recalculate_case(
    case_id: int, why: str, *, by: User, at: datetime
) -> Sequence[RenewedDeadline]:
    """Recalculate the deadlines of one case in its own transaction."""
    case = Case.objects.lock(case_id)
    renewed = case_deadlines.recompute_deadlines(case=case, why=why, by=by, at=at)
    # A row may be renewed only because the text of its calculation changed. Then no date moved, and
    # there is no event.
    changed = [one for one in renewed if _deadline_dates(one.old) != _deadline_dates(one.new)]
    if changed:
        Event.objects.create(
            case=case,
            kind=Event.Kind.CHANGED,
            happened_at=at,
            by=by,
            sentence="Dates were recalculated after a rule or a holiday changed.",
            why=why,
            facts={
                "changes": [
                    [
                        DEADLINE_KINDS[one.new.deadline_kind].label,
                        _describe_deadline_date(one.old),
                        _describe_deadline_date(one.new),
                    ]
                    for one in changed
                ]
            },
        )
    return renewed


def _deadline_dates(row: Deadline) -> tuple[object, ...]:
    """Return the dates of a row, without the text of its calculation."""
    return row.due_on, row.file_by, row.due_at, row.target_on, row.unknown


def _describe_deadline_date(row: Deadline) -> str:
    """Describe every date of a row that ``_deadline_dates`` compares, for the event."""
    if row.due_on is None:
        return row.unknown  # the sentence that says which fact is missing
    parts = [format_moment(row.due_at) if row.due_at else format_day(row.due_on)]
    if row.file_by is not None and row.file_by != row.due_on:
        parts.append(f"last day by the strictest reading {format_day(row.file_by)}")
    if row.target_on is not None:
        parts.append(f"internal target {format_day(row.target_on)}")
    return ", ".join(parts)
