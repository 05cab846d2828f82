"""The life of a case on one screen: its states, the legal moves, and who must act next.

Pure: imports nothing of ours and reads no clock. ``Case.move_to`` is the only door;
``docs/lifecycle.md`` is drawn from these tables and a test fails when it is stale.
"""

from django.db.models import TextChoices

from accounts.refusals import Refused


class Status(TextChoices):
    """Where a case stands."""

    # at the door
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
    INFO_FOR_REVIEW = "INFO_FOR_REVIEW", "Information asked for the review"
    # checking and issuing
    QA = "QA", "Quality check"
    APPROVED = "APPROVED", "Ready to issue"
    ISSUED = "ISSUED", "Determination issued"
    # ended
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    TERMINATED = "TERMINATED", "Terminated, treatment authorized"
    CLOSED = "CLOSED", "Closed"


_EARLY_ENDS = {Status.WITHDRAWN, Status.TERMINATED}

MOVES: dict[Status, set[Status]] = {
    Status.RECEIVED: {Status.SCREENING, Status.DUPLICATE} | _EARLY_ENDS,
    Status.DUPLICATE: {Status.SCREENING, Status.CLOSED} | _EARLY_ENDS,
    Status.SCREENING: {
        Status.INFO_REQUESTED,
        Status.DEFERRED,
        Status.INELIGIBLE,
        Status.ELIGIBLE,
    }
    | _EARLY_ENDS,
    Status.INFO_REQUESTED: {Status.SCREENING} | _EARLY_ENDS,
    Status.DEFERRED: {Status.SCREENING} | _EARLY_ENDS,
    Status.INELIGIBLE: {Status.SCREENING, Status.CLOSED} | _EARLY_ENDS,
    Status.ELIGIBLE: {Status.NOTICE_SENT, Status.CONSOLIDATED} | _EARLY_ENDS,
    Status.CONSOLIDATED: {Status.ELIGIBLE, Status.CLOSED} | _EARLY_ENDS,
    Status.NOTICE_SENT: {Status.RECORDS_COMPLETE} | _EARLY_ENDS,
    Status.RECORDS_COMPLETE: {Status.NOTICE_SENT, Status.REVIEWER_CHOSEN} | _EARLY_ENDS,
    Status.REVIEWER_CHOSEN: {Status.RECORDS_COMPLETE, Status.IN_REVIEW} | _EARLY_ENDS,
    Status.IN_REVIEW: {Status.INFO_FOR_REVIEW, Status.RECORDS_COMPLETE, Status.QA} | _EARLY_ENDS,
    Status.INFO_FOR_REVIEW: {Status.IN_REVIEW} | _EARLY_ENDS,
    Status.QA: {Status.IN_REVIEW, Status.APPROVED} | _EARLY_ENDS,
    Status.APPROVED: {Status.QA, Status.ISSUED} | _EARLY_ENDS,
    Status.ISSUED: {Status.CLOSED},
    Status.WITHDRAWN: {Status.CLOSED},
    Status.TERMINATED: {Status.CLOSED},
    # a remand asks for records again; a reversed closure is screened again
    Status.CLOSED: {Status.NOTICE_SENT, Status.SCREENING},
}

# Lists, not sets: their order goes into database constraints and must not change by the run.
CLOSED_STATES: list[Status] = [Status.CLOSED]

# The role that must act next, as accounts.roles names it; a closed case waits for no one.
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
    Status.INFO_FOR_REVIEW: "COORDINATOR",
    Status.QA: "QA",
    Status.APPROVED: "DIRECTOR",
    Status.ISSUED: "MAILROOM",
    Status.WITHDRAWN: "COORDINATOR",
    Status.TERMINATED: "COORDINATOR",
    Status.CLOSED: "",
}

# The list in which a case stands for the office; several states may share one.
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
    "qa": ("Quality check", [Status.QA]),
    "issue": ("Ready to issue", [Status.APPROVED]),
    "mail": ("To be sent", [Status.ISSUED]),
}
QUEUE_OF: dict[Status, str] = {
    state: slug for slug, (_, states) in QUEUES.items() for state in states
} | dict.fromkeys(CLOSED_STATES, "")


class Ending(TextChoices):
    """How a disputed item ends, each in its own way."""

    PENDING = "PENDING", "Pending"
    DECIDED = "DECIDED", "Decided"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    AUTHORIZED = "AUTHORIZED", "Authorized since"
    INELIGIBLE = "INELIGIBLE", "Ineligible"


class CannotMove(Refused):
    """The case is not where this act is possible; the message says where it stands."""


def is_open(status: Status) -> bool:
    """Whether someone still has something to do for the case."""
    return status not in CLOSED_STATES


def refuse_illegal_move(number: str, old: Status, new: Status) -> None:
    """Say no to a move that is not in the table.

    :raises CannotMove: with the case's number and both states in words.
    """
    if new not in MOVES[old]:
        raise CannotMove(
            f"Case {number} stands at “{old.label}”, so it cannot go to “{new.label}”. "
            "Reload the page to see what can be done now."
        )


def diagram() -> str:
    """The table as a Mermaid state diagram, for ``docs/lifecycle.md``."""
    lines = ["stateDiagram-v2", "    [*] --> RECEIVED"]
    for old, news in MOVES.items():
        lines += [
            f"    {old.value} --> {new.value}"
            for new in Status
            if new in news and new not in _EARLY_ENDS
        ]
    lines += [f"    {state.value} --> [*]" for state in CLOSED_STATES]
    return "\n".join(lines)
