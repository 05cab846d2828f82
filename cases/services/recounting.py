"""Recalculation of the active deadlines of all open cases after a rule changed, with preview."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case, Deadline, Event, Hold, TimeExtension
from deadlines import policies as deadline_policies
from deadlines.calendars import CannotCount, format_day
from deadlines.kinds import DEADLINE_KINDS
from deadlines.models import Law, rules_on_file

from . import case_deadlines
from .case_deadlines import MovedDeadline


@dataclass(frozen=True)
class DateChange:
    """An active deadline and its recalculated row; ``problem`` if it cannot be calculated."""

    case: Case
    old: Deadline
    new: Deadline | None
    problem: str = ""

    @property
    def moves(self) -> bool:
        """Whether a date changes, and not only the text of the calculation."""
        return self.new is None or _deadline_dates(self.old) != _deadline_dates(self.new)


def find_date_changes(*, law: Law | None = None, deadline_kind: str = "") -> list[DateChange]:
    """List the active deadlines of open cases that would change, by case. Stores nothing.

    :param law: rules and calendars to use; those on file by default.
    :param deadline_kind: only this kind of deadline; empty for all.
    """
    # Loaded once: two queries for each deadline would add up.
    law = law or rules_on_file()
    # Only these cases need queries for holds and extensions.
    disturbed = {*Hold.objects.values_list("case", flat=True).distinct()} | {
        *TimeExtension.objects.values_list("case", flat=True).distinct()
    }
    running = Deadline.objects.filter(
        met_at__isnull=True,
        replaced_at__isnull=True,
        case__is_open=True,
        # Deadlines of an earlier round belong to a determination that was set aside.
        round=F("case__round"),
        **({"deadline_kind": deadline_kind} if deadline_kind else {}),
    )
    found = []
    # In chunks, because an office may have many thousand open cases.
    for old in running.select_related("case").order_by("case_id", "pk").iterator(chunk_size=500):
        try:
            new = case_deadlines.build_renewed_deadline(
                case=old.case, old=old, law=law, holds=None if old.case_id in disturbed else ()
            )
        # Listed and not raised, so that one deadline does not hide the others.
        except CannotCount as problem:
            found.append(DateChange(old.case, old, None, str(problem)))
        else:
            if new is not None:
                found.append(DateChange(old.case, old, new))
    return found


def recount_dates(*, why: str, by: User, at: datetime) -> list[MovedDeadline]:
    """Recalculate the active deadlines of open cases under the rules on file.

    Each case has its own transaction. A case with a deadline that cannot be calculated is left as
    it is and does not stop the others. Moved dates are events on their case.

    :raises NotAllowed: wrong role, or no reason.
    """
    refuse_if(deadline_policies.why_not_keep_rules(by))
    refuse_if("" if why.strip() else "Enter why the dates are recalculated.")
    # Read without locks; each case is calculated again under its own.
    changes = find_date_changes()
    # Leave out whole cases: half of the dates of a case must not change alone.
    countable = sorted(
        {one.case.pk for one in changes} - {one.case.pk for one in changes if not one.new}
    )
    moved: list[MovedDeadline] = []
    for case_id in countable:
        moved += _recount_case(case_id, why.strip(), by=by, at=at)
    return moved


@transaction.atomic
def _recount_case(case_id: int, why: str, *, by: User, at: datetime) -> Sequence[MovedDeadline]:
    """Recalculate the deadlines of one case in its own transaction."""
    case = Case.objects.lock(case_id)
    moved = case_deadlines.recompute_deadlines(case=case, why=why, by=by, at=at)
    # A row with only a new text is stored, but the date did not move, so there is no event.
    changed = [one for one in moved if _deadline_dates(one.old) != _deadline_dates(one.new)]
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
    return moved


def _deadline_dates(row: Deadline) -> tuple[object, ...]:
    """Return the dates of a row, without the text of its calculation."""
    return row.due_on, row.due_at, row.target_on, row.unknown


def _describe_deadline_date(row: Deadline) -> str:
    """Describe the date of a row, for the event."""
    words = format_day(row.due_on) if row.due_on else row.unknown
    return f"{words}, our own target {format_day(row.target_on)}" if row.target_on else words
