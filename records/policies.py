"""Rules for changing the records of a case. Each function returns the reason, or "" if allowed."""

from datetime import datetime

from django.db import models

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case, Deadline
from cases.policies import why_not_at_stage
from cases.services.notice_deadlines import RECORDS_DEADLINE_KINDS
from deadlines.days import local_day
from reviewers.models import ReviewerAssignment

from . import access
from .models import Document

# Records can be added from the notice until the review is submitted. A record that is added after
# the case file was sent must reach the reviewer before the review can be signed.
TAKES_RECORDS = [
    Status.NOTICE_SENT,
    Status.RECORDS_COMPLETE,
    Status.REVIEWER_CHOSEN,
    Status.IN_REVIEW,
    Status.INFO_FOR_REVIEW,
]

# The stages in which the reviewer works with the case file.
OPEN_TO_REVIEWER = [Status.IN_REVIEW, Status.INFO_FOR_REVIEW]

# The documents of the utilization review itself. A review cannot be based on these alone
# (8 CCR 9792.10.6(b)(2)).
UR_DOCUMENTS = [Document.Kind.APPLICATION, Document.Kind.UR_DECISION]

ONLY_UR_DOCUMENTS = (
    "Only the application and the UR decision are on file. A review cannot be based on them alone "
    "(8 CCR 9792.10.6(b)(2)). Add a medical record or a document of the employee or the physician."
)


class Basis(models.TextChoices):
    """The reason why the collection of records ends."""

    COMPLETE = "COMPLETE", "All requested records have been received"
    WHAT_IS_ON_FILE = "WHAT_IS_ON_FILE", "Continue with what is on file"


def why_not_add_document(user: User, case: Case) -> str:
    return why_not_at_stage(user, "records.add_document", case, *TAKES_RECORDS, act="add a record")


def why_not_chase(user: User, case: Case) -> str:
    """Why a user may not ask for outstanding records now."""
    return why_not_at_stage(
        user, "records.chase", case, Status.NOTICE_SENT, act="ask for outstanding records"
    )


def why_not_mark_complete(user: User, case: Case) -> str:
    """Why the records cannot be marked complete now. Queries."""
    reason = why_not_at_stage(
        user,
        "records.mark_complete",
        case,
        Status.NOTICE_SENT,
        act="mark the records complete",
    )
    # After the stage: who may not act at all should not read about the state of the file.
    if not reason and not case.documents.exclude(kind__in=UR_DOCUMENTS).exists():
        return ONLY_UR_DOCUMENTS
    return reason


def why_not_proceed_without_rest(user: User, case: Case, *, at: datetime) -> str:
    """Why the case cannot continue without the missing records. Queries.

    It can only after the records were due.
    """
    reason = why_not_mark_complete(user, case)
    if reason:
        return reason
    # Nobody may cut the parties' time short, so without a known due date there is no way around it.
    deadline = records_deadline(case)
    if deadline is None:
        return (
            "The due date of the records is not known, so it cannot have passed. "
            "Mark the notices of assignment as sent first."
        )
    if deadline.due_on is None:
        return (
            "The due date of the records is not known, because a fact is missing. "
            "The case page shows which."
        )
    # Expedited deadlines are counted in hours; the others end with the Pacific day.
    if deadline.due_at is not None:
        passed = at > deadline.due_at
    else:
        passed = local_day(at) > deadline.due_on
    if not passed:
        return (
            f"The records are due by {deadline.due_on:%m/%d/%Y}. "
            "You can continue with what is on file after that day."
        )
    return ""


def why_not_reopen_records(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "records.mark_complete",
        case,
        Status.RECORDS_COMPLETE,
        act="ask for records again",
    )


def records_deadline(case: Case) -> Deadline | None:
    """The deadline for records in this round. Regular and expedited cases have different kinds."""
    return (
        case.deadlines.filter(
            round=case.round,
            deadline_kind__in=RECORDS_DEADLINE_KINDS,
            replaced_at__isnull=True,
            due_on__isnull=False,
        )
        # Normally one is active. Of several, the latest leaves the parties the most time.
        .order_by("-due_on", "-pk")
        .first()
    )


def why_not_dispatch(user: User | None, assignment: ReviewerAssignment) -> str:
    """Why the case file cannot be sent to a reviewer now.

    The reviewer must have attested on the current parties. The reviewer who opens the file and the
    coordinator may send it.

    :param user: ``None`` when the system sends it.
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
            f"Case {case.number} is at “{case.stage.label}”. "
            "The case file can be sent only while the case is in review."
        )
    return access.why_not_sent_to(assignment)
