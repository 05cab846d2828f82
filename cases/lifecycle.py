"""Lifecycle of a case: its states, the allowed moves, and the role that acts next.

Pure: no queries and no current time. Only ``Case.move_to`` changes the state of a case.
``docs/lifecycle.md`` is generated from these tables; a test fails when it is out of date.
"""

from django.db.models import TextChoices

from accounts.refusals import Refused


class Status(TextChoices):
    """State of a case."""

    # intake and eligibility review
    RECEIVED = "RECEIVED", "Received"
    DUPLICATE = "DUPLICATE", "Possible duplicate"
    SCREENING = "SCREENING", "Screening"
    INFO_REQUESTED = "INFO_REQUESTED", "Information requested"
    DEFERRED = "DEFERRED", "Deferred, liability disputed"
    INELIGIBLE = "INELIGIBLE", "Ineligible"
    ELIGIBLE = "ELIGIBLE", "Eligible"
    CONSOLIDATED = "CONSOLIDATED", "Consolidated into another case"
    # collecting the records
    NOTICE_SENT = "NOTICE_SENT", "Awaiting records"
    RECORDS_COMPLETE = "RECORDS_COMPLETE", "Ready to assign"
    # with the reviewer
    REVIEWER_CHOSEN = "REVIEWER_CHOSEN", "Offered to a reviewer"
    IN_REVIEW = "IN_REVIEW", "In review"
    INFO_FOR_REVIEW = "INFO_FOR_REVIEW", "Information requested for the review"
    # checking and issuing
    QA = "QA", "QA review"
    APPROVED = "APPROVED", "Ready to issue"
    ISSUED = "ISSUED", "Determination issued"
    # ended
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    TERMINATED = "TERMINATED", "Terminated, treatment authorized"
    CLOSED = "CLOSED", "Closed"


# Authorization ends a review at any time (8 CCR 9792.10.6(a)), and so does the worker’s withdrawal.
_EARLY_ENDS = {Status.WITHDRAWN, Status.TERMINATED}

MOVES: dict[Status, set[Status]] = {
    Status.RECEIVED: {Status.SCREENING, Status.DUPLICATE} | _EARLY_ENDS,
    # A person may find that it is another dispute after all.
    Status.DUPLICATE: {Status.SCREENING, Status.CLOSED} | _EARLY_ENDS,
    Status.SCREENING: {
        Status.INFO_REQUESTED,
        Status.DEFERRED,
        Status.INELIGIBLE,
        Status.ELIGIBLE,
    }
    | _EARLY_ENDS,
    Status.INFO_REQUESTED: {Status.SCREENING} | _EARLY_ENDS,
    # Closed if its items were split off by mistake and return to the case they came from.
    Status.DEFERRED: {Status.SCREENING, Status.CLOSED} | _EARLY_ENDS,
    Status.INELIGIBLE: {Status.SCREENING, Status.CLOSED} | _EARLY_ENDS,
    Status.ELIGIBLE: {Status.NOTICE_SENT, Status.CONSOLIDATED} | _EARLY_ENDS,
    # Separated again, or closed when the lead case is decided.
    Status.CONSOLIDATED: {Status.ELIGIBLE, Status.CLOSED} | _EARLY_ENDS,
    Status.NOTICE_SENT: {Status.RECORDS_COMPLETE} | _EARLY_ENDS,
    # Records that turn out to be incomplete are awaited again.
    Status.RECORDS_COMPLETE: {Status.NOTICE_SENT, Status.REVIEWER_CHOSEN} | _EARLY_ENDS,
    Status.REVIEWER_CHOSEN: {Status.RECORDS_COMPLETE, Status.IN_REVIEW} | _EARLY_ENDS,
    Status.IN_REVIEW: {Status.INFO_FOR_REVIEW, Status.RECORDS_COMPLETE, Status.QA} | _EARLY_ENDS,
    Status.INFO_FOR_REVIEW: {Status.IN_REVIEW} | _EARLY_ENDS,
    Status.QA: {Status.IN_REVIEW, Status.APPROVED} | _EARLY_ENDS,
    # Back to QA if the approval no longer holds.
    Status.APPROVED: {Status.QA, Status.ISSUED} | _EARLY_ENDS,
    Status.ISSUED: {Status.CLOSED},
    Status.WITHDRAWN: {Status.CLOSED},
    Status.TERMINATED: {Status.CLOSED},
    # A remand requests records again. A reversed closure goes back to the eligibility review.
    Status.CLOSED: {Status.NOTICE_SENT, Status.SCREENING},
}

# Moves that only take back what was just done, by ``Case.move_back_to``; see
# ``cases.services.undoing``. No other action makes them, unless they are also in MOVES.
UNDO_MOVES: dict[Status, set[Status]] = {
    Status.ELIGIBLE: {Status.SCREENING},
    # Recorded as sent in error.
    Status.NOTICE_SENT: {Status.ELIGIBLE},
    # IN_REVIEW: another reviewer of the case has accepted already.
    Status.REVIEWER_CHOSEN: {Status.RECORDS_COMPLETE},
    Status.IN_REVIEW: {Status.RECORDS_COMPLETE},
    Status.APPROVED: {Status.QA},
    # The state before. ISSUED and CONSOLIDATED: the determination was recorded as sent in error.
    Status.CLOSED: {
        Status.DUPLICATE,
        Status.INELIGIBLE,
        Status.CONSOLIDATED,
        Status.ISSUED,
        Status.WITHDRAWN,
        Status.TERMINATED,
    },
}

# A list, not a set: its order is part of database constraints and must be stable.
CLOSED_STATES: list[Status] = [Status.CLOSED]

# The role that acts next, by its name in accounts.roles. Nobody acts on a closed case.
NEXT_ROLE: dict[Status, str] = {
    Status.RECEIVED: "INTAKE",
    Status.DUPLICATE: "COORDINATOR",
    Status.SCREENING: "COORDINATOR",
    Status.INFO_REQUESTED: "COORDINATOR",
    Status.DEFERRED: "COORDINATOR",
    Status.INELIGIBLE: "COORDINATOR",
    Status.ELIGIBLE: "COORDINATOR",
    Status.CONSOLIDATED: "COORDINATOR",
    Status.NOTICE_SENT: "COORDINATOR",
    Status.RECORDS_COMPLETE: "COORDINATOR",
    Status.REVIEWER_CHOSEN: "REVIEWER",
    Status.IN_REVIEW: "REVIEWER",
    # A coordinator asks the party: the reviewer’s name stays confidential (Labor Code 4610.6(f)).
    Status.INFO_FOR_REVIEW: "COORDINATOR",
    Status.QA: "QA",
    Status.APPROVED: "DIRECTOR",
    Status.ISSUED: "MAILROOM",
    Status.WITHDRAWN: "COORDINATOR",
    Status.TERMINATED: "COORDINATOR",
    Status.CLOSED: "",
}

# The work lists of the office. One list may hold several states.
QUEUES: dict[str, tuple[str, list[Status]]] = {
    "intake": ("Intake", [Status.RECEIVED]),
    "eligibility": (
        "Eligibility",
        [
            Status.SCREENING,
            Status.DUPLICATE,
            Status.INFO_REQUESTED,
            Status.DEFERRED,
            Status.INELIGIBLE,
            Status.CONSOLIDATED,
            # Ended cases stay in this list until someone closes them.
            Status.WITHDRAWN,
            Status.TERMINATED,
        ],
    ),
    "notices": ("Notices", [Status.ELIGIBLE]),
    "records": ("Awaiting records", [Status.NOTICE_SENT]),
    "assign": ("Ready to assign", [Status.RECORDS_COMPLETE]),
    "review": (
        "In review",
        [Status.REVIEWER_CHOSEN, Status.IN_REVIEW, Status.INFO_FOR_REVIEW],
    ),
    "qa": ("QA review", [Status.QA]),
    "issue": ("Ready to issue", [Status.APPROVED]),
    "mail": ("To be sent", [Status.ISSUED]),
}
# Stored on the case by move_to: no database pages by key through several states in due order
# without sorting.
QUEUE_OF: dict[Status, str] = {
    state: slug for slug, (_, states) in QUEUES.items() for state in states
} | dict.fromkeys(CLOSED_STATES, "")


class Ending(TextChoices):
    """How a disputed item ended. Items of one case may end differently."""

    PENDING = "PENDING", "Pending"
    DECIDED = "DECIDED", "Decided"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    AUTHORIZED = "AUTHORIZED", "Authorized by the claims administrator"
    INELIGIBLE = "INELIGIBLE", "Ineligible"
    MOVED = "MOVED", "Moved to another case"


class CannotMove(Refused):
    """The case is in a state that does not allow this action; the message names the state."""


def is_open(status: Status) -> bool:
    """Return whether work on the case remains."""
    return status not in CLOSED_STATES


def refuse_illegal_move(number: str, old: Status, new: Status) -> None:
    """Refuse a move that is not in the table.

    :raises CannotMove: the move is not allowed; the message names both states.
    """
    # The usual cause is a page that was open while someone else moved the case.
    if new not in MOVES[old]:
        raise CannotMove(
            f"Case {number} is in the “{old.label}” stage and cannot move to “{new.label}”. "
            "Reload the page to see what can be done now."
        )


def refuse_illegal_undo(number: str, old: Status, new: Status) -> None:
    """Refuse to take back a move that cannot be undone.

    :raises CannotMove: the move is not in the table of moves for undo only.
    """
    if new not in UNDO_MOVES.get(old, set()):
        raise CannotMove(
            f"Case {number} is in the “{old.label}” stage and cannot return to “{new.label}”. "
            "Reload the page to see what can be done now."
        )


def draw_state_diagram() -> str:
    """Draw the table as a Mermaid state diagram, for ``docs/lifecycle.md``."""
    lines = ["stateDiagram-v2", "    [*] --> RECEIVED"]
    for old, news in MOVES.items():
        lines += [
            f"    {old.value} --> {new.value}"
            # In the order of Status: a set has no stable order, and a test compares the page.
            for new in Status
            if new in news and new not in _EARLY_ENDS
        ]
        lines += [
            f"    {old.value} --> {new.value}: undo"
            for new in Status
            if new in UNDO_MOVES.get(old, set()) - news
        ]
    lines += [f"    {state.value} --> [*]" for state in CLOSED_STATES]
    return "\n".join(lines)
