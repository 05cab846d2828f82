"""Who may change the records of a case, and when: one function an act, empty when allowed."""

from datetime import datetime

from django.db import models

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case, Deadline
from cases.policies import why_not
from cases.services.notice_deadlines import RECORDS_DEADLINE_KINDS
from deadlines.days import local_day
from reviewers.models import ReviewerAssignment

from . import access
from .models import Document

# A record is taken in from the notice until the review is handed on. What comes after the file
# went to the reviewer is sent on to the reviewer before anything can be signed.
TAKES_RECORDS = [
    Status.NOTICE_SENT,
    Status.RECORDS_COMPLETE,
    Status.REVIEWER_CHOSEN,
    Status.IN_REVIEW,
    Status.INFO_FOR_REVIEW,
]

# While the case stands here, its reviewer works with the file.
OPEN_TO_REVIEWER = [Status.IN_REVIEW, Status.INFO_FOR_REVIEW]

# What a utilization review leaves by itself. A review never rests on these alone
# (8 CCR 9792.10.6(b)(2)).
UR_PAPERS = [Document.Kind.APPLICATION, Document.Kind.UR_DECISION]

ONLY_UR_PAPERS = (
    "Only the application and the UR decision are on file. A review cannot rest on them alone "
    "(8 CCR 9792.10.6(b)(2)): add a medical record or a paper of the employee or the physician."
)


class Basis(models.TextChoices):
    """Why the collecting of records ends."""

    COMPLETE = "COMPLETE", "Everything that was asked for is here"
    WHAT_IS_ON_FILE = "WHAT_IS_ON_FILE", "Go on with what is on file"


def why_not_add_document(user: User, case: Case) -> str:
    return why_not(user, "records.add_document", case, *TAKES_RECORDS, act="add a record")


def why_not_chase(user: User, case: Case) -> str:
    """Whether this person may ask for the records that are owed now."""
    return why_not(
        user, "records.chase", case, Status.NOTICE_SENT, act="ask for the records that are owed"
    )


def why_not_mark_complete(user: User, case: Case) -> str:
    """Whether the records can be called complete now. Queries."""
    reason = why_not(
        user,
        "records.mark_complete",
        case,
        Status.NOTICE_SENT,
        act="mark the records complete",
    )
    if not reason and not case.documents.exclude(kind__in=UR_PAPERS).exists():
        return ONLY_UR_PAPERS
    return reason


def why_not_go_on_with_what_is_on_file(user: User, case: Case, *, at: datetime) -> str:
    """Whether the wait for records may end without them: only once their day is over. Queries."""
    reason = why_not_mark_complete(user, case)
    if reason:
        return reason
    deadline = records_deadline(case)
    if deadline is None:
        return (
            "The day by which the records were due is not known, so it cannot have passed. "
            "Mark the notices of assignment as sent first."
        )
    if deadline.due_on is None:
        return (
            "The day by which the records are due is not known: a fact is missing. "
            "The case page says which."
        )
    if deadline.due_at is not None:
        passed = at > deadline.due_at
    else:
        passed = local_day(at) > deadline.due_on
    if not passed:
        return (
            f"The records are due by {deadline.due_on:%m/%d/%Y}. "
            "You can go on with what is on file after that day."
        )
    return ""


def why_not_reopen_records(user: User, case: Case) -> str:
    return why_not(
        user,
        "records.mark_complete",
        case,
        Status.RECORDS_COMPLETE,
        act="ask for records again",
    )


def records_deadline(case: Case) -> Deadline | None:
    """The deadline of the records in this round; regular and expedited ones differ by name."""
    return (
        case.deadlines.filter(
            round=case.round,
            deadline_kind__in=RECORDS_DEADLINE_KINDS,
            replaced_at__isnull=True,
            due_on__isnull=False,
        )
        .order_by("-due_on", "-pk")
        .first()
    )


def why_not_dispatch(user: User | None, assignment: ReviewerAssignment) -> str:
    """Whether the case file may be sent to this reviewer now: they attested on today's parties.

    The reviewer who opens the file and the coordinator may send it; ``None`` is the system.
    """
    case = assignment.case
    if (
        user is not None
        and not access.is_reviewer_of(user, assignment)
        and not user.may("records.mark_complete")
    ):
        return "Your role does not let you send the case file."
    if assignment.round != case.round or case.stage not in OPEN_TO_REVIEWER:
        return (
            f"Case {case.number} stands at “{case.stage.label}”. "
            "The case file goes out while the case is in review."
        )
    return access.why_not_sent_to(assignment)
