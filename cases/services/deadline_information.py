"""Deadlines that are shown for information only: calculated on each view and never stored.

The time to apply, the time of the UR decision, the twelve months after it, and the penalty for late
records.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cases.case_rows import rows_of
from cases.models import Case, Deadline, Priority, URType
from deadlines.calendars import CannotCount
from deadlines.days import PACIFIC
from deadlines.engine import compute_deadline
from deadlines.kinds import DEADLINE_KINDS, DETERMINATION_DEADLINE_KINDS
from deadlines.models import Law, rules_on_file
from deadlines.penalty import Penalty, records_penalty
from deadlines.results import ComputedDeadline, UnknownDeadline
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


def list_deadline_notes(*, case: Case, on: date, law: Law | None = None) -> list[DeadlineNote]:
    """List the informational deadlines of a case on a day. Queries.

    :param law: rules and calendars, if the caller has read them already.
    """
    law = law or rules_on_file()
    notes = [
        _note_application_deadline(case, law),
        _note_ur_deadline(case, law),
        _note_twelve_months(case, law),
        _note_records_penalty(case, law, on),
    ]
    return [one for one in notes if one is not None]


def _note_application_deadline(case: Case, law: Law) -> DeadlineNote | None:
    """Build the note about the time to apply, and whether the application was in time."""
    ur_decision = case.ur_decision
    if ur_decision is None or case.received_on is None:
        return None
    # A formulary dispute has less time (Labor Code 4610.5(h)(1), not confirmed).
    deadline_kind = (
        "application_formulary" if case.priority == Priority.FORMULARY else "application"
    )
    given = {"served": ur_decision.served_on, "method": ur_decision.service_method}
    result = _count_deadline(case, law, deadline_kind, given)
    if not isinstance(result, ComputedDeadline):
        return _build_unknown_note(deadline_kind, result)
    rules, calendars = law
    holds = case_deadlines.list_deadline_holds(case, deadline_kind)
    # Not a comparison of two days: where calendars disagree, the answer is UNKNOWN.
    in_time = judge_timeliness(
        deadline_kind, case.received_on, given, rules=rules, calendars=calendars, holds=holds
    )
    return _build_note(result, in_time.sentence)


def _note_ur_deadline(case: Case, law: Law) -> DeadlineNote | None:
    """Build the note about the time of the UR decision, from the RFA on."""
    ur_decision = case.ur_decision
    if ur_decision is None or ur_decision.requested_on is None:
        return None
    expedited = ur_decision.ur_type == URType.EXPEDITED
    deadline_kind = "ur_decision_expedited" if expedited else "ur_decision"
    result = _count_deadline(case, law, deadline_kind, ur_decision.rfa_facts(deadline_kind))
    if not isinstance(result, ComputedDeadline):
        return _build_unknown_note(deadline_kind, result)
    decided_on = ur_decision.decided_on
    if decided_on is None:
        sentence = "The date of the UR decision is not known."
    # Only reported: the WCAB decides whether a UR decision was late (Dubon II, 2014).
    elif decided_on > result.due_on:
        days = (decided_on - result.due_on).days
        sentence = f"The UR decision is dated {days} day{'' if days == 1 else 's'} after this date."
    else:
        sentence = "The UR decision is dated in time."
    return _build_note(result, f"{sentence} For information: the WCAB decides whether it was late.")


def _note_twelve_months(case: Case, law: Law) -> DeadlineNote | None:
    """Build the note about the twelve months in which a UR decision is in effect."""
    if case.ur_decision is None or case.ur_decision.decided_on is None:
        return None
    given = {"ur_denied": case.ur_decision.decided_on}
    result = _count_deadline(case, law, "twelve_month_bar", given)
    if not isinstance(result, ComputedDeadline):
        return _build_unknown_note("twelve_month_bar", result)
    return _build_note(result, "For information: it does not affect this application.")


def _note_records_penalty(case: Case, law: Law, on: date) -> DeadlineNote | None:
    """Calculate the penalty for late records; ``None`` if they are not late."""
    deadline = _find_latest_deadline(case, {"records", "records_expedited"})
    # While records are missing, the penalty is counted up to the day of the page.
    received_on = case.records_complete_on or on
    if deadline is None or deadline.due_on is None or received_on <= deadline.due_on:
        return None
    rules, _ = law
    given = {"records_due": deadline.due_on, "records_received": received_on}
    # No rule may cover the day; the page then says so instead of failing.
    try:
        penalty = records_penalty(given, rules=rules)
    except CannotCount as problem:
        return _build_unknown_note("records_penalty", problem)
    if not isinstance(penalty, Penalty):
        return _build_unknown_note("records_penalty", penalty)
    when = "came" if case.records_complete_on else "are"
    sentence = (
        f"The records {when} {penalty.days_late} day{'' if penalty.days_late == 1 else 's'} late: "
        f"${penalty.usd:,}. Only the Division imposes it; this is the calculation for its file."
    )
    return DeadlineNote(
        "records_penalty", None, sentence, tuple(step.as_row() for step in penalty.steps)
    )


def _find_latest_deadline(case: Case, kinds: Collection[str]) -> Deadline | None:
    """Return the newest current deadline of these kinds in the current round."""
    rows = [row for row in rows_of(case).deadlines_of_round() if row.deadline_kind in kinds]
    return rows[-1] if rows else None


def _count_deadline(
    case: Case, law: Law, deadline_kind: str, given: Mapping[str, object]
) -> ComputedDeadline | UnknownDeadline | CannotCount:
    """Calculate a deadline, or return why it cannot be calculated."""
    rules, calendars = law
    holds = case_deadlines.list_deadline_holds(case, deadline_kind)
    try:
        return compute_deadline(deadline_kind, given, rules=rules, calendars=calendars, holds=holds)
    except CannotCount as problem:
        return problem


def _build_note(result: ComputedDeadline, sentence: str) -> DeadlineNote:
    """Build a note from a calculation."""
    return DeadlineNote(
        result.deadline_kind.name,
        result.due_on,
        sentence,
        tuple(step.as_row() for step in result.steps),
    )


def _build_unknown_note(deadline_kind: str, result: object) -> DeadlineNote:
    """Build a note that says why there is no date."""
    return DeadlineNote(
        deadline_kind, None, result.sentence if isinstance(result, UnknownDeadline) else str(result)
    )


def describe_lateness(*, case: Case, at: datetime) -> str:
    """Say how late the determination is or was; empty if it is not late.

    CHP v. WCAB (Margaris), 2016: the time limit is directory. A late determination stays valid.
    """
    today = at.astimezone(PACIFIC).date()
    deadline = _find_latest_deadline(case, DETERMINATION_DEADLINE_KINDS)
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
