"""Deadlines that are shown for information only: calculated on each view and never stored.

The time to apply, the time of the UR decision, the twelve months after it, and the penalty for late
records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cases.models import Case, Priority, URType
from deadlines.calendars import CannotCount
from deadlines.days import PACIFIC
from deadlines.engine import compute_deadline
from deadlines.kinds import DEADLINE_KINDS, DETERMINATION_DEADLINE_KINDS
from deadlines.models import rules_on_file
from deadlines.penalty import Penalty, records_penalty
from deadlines.sums import Sum, Unknown
from deadlines.timeliness import judge_timeliness

from . import case_deadlines


@dataclass(frozen=True)
class DeadlineNote:
    """One deadline that is shown for information.

    :ivar due_on: its last day; ``None`` if it is unknown or the result is an amount of money.
    :ivar sentence: what it means for this case.
    :ivar steps: its calculation, line by line.
    """

    deadline_kind: str
    due_on: date | None
    sentence: str
    steps: tuple[dict[str, Any], ...] = ()

    @property
    def label(self) -> str:
        return DEADLINE_KINDS[self.deadline_kind].label


def list_deadline_notes(*, case: Case, on: date) -> list[DeadlineNote]:
    """List the informational deadlines of a case on a day. Queries."""
    notes = [
        _note_application_deadline(case),
        _note_ur_deadline(case),
        _note_twelve_months(case),
        _note_records_penalty(case, on),
    ]
    return [one for one in notes if one is not None]


def _note_application_deadline(case: Case) -> DeadlineNote | None:
    """Build the note about the time to apply, and whether the application was in time."""
    ur_decision = case.ur_decision
    if ur_decision is None or case.received_on is None:
        return None
    # A formulary dispute has less time (Labor Code 4610.5(h)(1), not confirmed).
    deadline_kind = (
        "application_formulary" if case.priority == Priority.FORMULARY else "application"
    )
    given = {"served": ur_decision.served_on, "method": ur_decision.service_method}
    found = _count_deadline(case, deadline_kind, given)
    if not isinstance(found, Sum):
        return _build_unknown_note(deadline_kind, found)
    rules, calendars = rules_on_file()
    holds = case_deadlines.list_deadline_holds(case, deadline_kind)
    # Not a comparison of two days: where calendars disagree, the answer is UNKNOWN.
    in_time = judge_timeliness(
        deadline_kind, case.received_on, given, rules=rules, calendars=calendars, holds=holds
    )
    return _build_note(found, in_time.sentence)


def _note_ur_deadline(case: Case) -> DeadlineNote | None:
    """Build the note about the time of the UR decision, from the RFA on."""
    ur_decision = case.ur_decision
    if ur_decision is None or ur_decision.requested_on is None:
        return None
    expedited = ur_decision.ur_type == URType.EXPEDITED
    deadline_kind = "ur_decision_expedited" if expedited else "ur_decision"
    found = _count_deadline(case, deadline_kind, {"rfa": ur_decision.requested_on})
    if not isinstance(found, Sum):
        return _build_unknown_note(deadline_kind, found)
    made = ur_decision.decided_on
    if made is None:
        sentence = "The date of the UR decision is not known."
    # Only reported: the WCAB decides whether a UR decision was late (Dubon II, 2014).
    elif made > found.due_on:
        days = (made - found.due_on).days
        sentence = f"The UR decision is dated {days} day{'' if days == 1 else 's'} after this date."
    else:
        sentence = "The UR decision is dated in time."
    return _build_note(found, f"{sentence} For information: the WCAB decides whether it was late.")


def _note_twelve_months(case: Case) -> DeadlineNote | None:
    """Build the note about the twelve months in which a UR decision is in effect."""
    if case.ur_decision is None or case.ur_decision.decided_on is None:
        return None
    found = _count_deadline(case, "twelve_month_bar", {"ur_denied": case.ur_decision.decided_on})
    if not isinstance(found, Sum):
        return _build_unknown_note("twelve_month_bar", found)
    return _build_note(found, "For information: it does not affect this application.")


def _note_records_penalty(case: Case, on: date) -> DeadlineNote | None:
    """Calculate the penalty for late records; ``None`` if they are not late."""
    deadline = (
        case.deadlines.filter(
            round=case.round,
            deadline_kind__in=["records", "records_expedited"],
            replaced_at__isnull=True,
            due_on__isnull=False,
        )
        .order_by("-pk")
        .first()
    )
    # While records are missing, the penalty is counted up to the day of the page.
    came = case.records_complete_on or on
    if deadline is None or deadline.due_on is None or came <= deadline.due_on:
        return None
    rules, _ = rules_on_file()
    given = {"records_due": deadline.due_on, "records_received": came}
    # No rule may cover the day; the page then says so instead of failing.
    try:
        found = records_penalty(given, rules=rules)
    except CannotCount as problem:
        return _build_unknown_note("records_penalty", problem)
    if not isinstance(found, Penalty):
        return _build_unknown_note("records_penalty", found)
    when = "came" if case.records_complete_on else "are"
    sentence = (
        f"The records {when} {found.days_late} day{'' if found.days_late == 1 else 's'} late: "
        f"${found.usd:,}. Only the Division imposes it; this is the calculation for its file."
    )
    return DeadlineNote(
        "records_penalty", None, sentence, tuple(step.as_row() for step in found.steps)
    )


def _count_deadline(
    case: Case, deadline_kind: str, given: Mapping[str, object]
) -> Sum | Unknown | CannotCount:
    """Calculate a deadline, or return why it cannot be calculated."""
    rules, calendars = rules_on_file()
    holds = case_deadlines.list_deadline_holds(case, deadline_kind)
    try:
        return compute_deadline(deadline_kind, given, rules=rules, calendars=calendars, holds=holds)
    except CannotCount as problem:
        return problem


def _build_note(found: Sum, sentence: str) -> DeadlineNote:
    """Build a note from a calculation."""
    return DeadlineNote(
        found.deadline_kind.name,
        found.due_on,
        sentence,
        tuple(step.as_row() for step in found.steps),
    )


def _build_unknown_note(deadline_kind: str, found: object) -> DeadlineNote:
    """Build a note that says why there is no date."""
    return DeadlineNote(
        deadline_kind, None, found.sentence if isinstance(found, Unknown) else str(found)
    )


def describe_lateness(*, case: Case, at: datetime) -> str:
    """Say how late the determination is or was; empty if it is not late.

    CHP v. WCAB (Margaris), 2016: the time limit is directory. A late determination stays valid.
    """
    today = at.astimezone(PACIFIC).date()
    deadline = (
        case.deadlines.filter(
            round=case.round,
            deadline_kind__in=DETERMINATION_DEADLINE_KINDS,
            replaced_at__isnull=True,
        )
        .order_by("-pk")
        .first()
    )
    if deadline is None or deadline.due_on is None:
        return ""
    done = deadline.met_at or at
    done_on = done.astimezone(PACIFIC).date() if deadline.met_at else today
    # An expedited deadline runs in hours, so it can pass within a day.
    late = done > deadline.due_at if deadline.due_at else done_on > deadline.due_on
    if not late:
        return ""
    # Some hours late on the same day are stated as one day.
    days = max(1, (done_on - deadline.due_on).days)
    is_late = "was" if deadline.met_at else "is"
    return (
        f"The determination {is_late} {days} day{'' if days == 1 else 's'} late. "
        "It stays valid and binding (Margaris, 2016)."
        + ("" if deadline.met_at else " Work on it before every other case.")
    )
