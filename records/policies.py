"""Rules for changing the records of a case. Each function returns the reason, or "" if allowed."""

from datetime import datetime

from django.db import models

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case, CaseLetter, Deadline
from cases.policies import why_not_at_stage
from cases.services.notice_deadlines import RECORDS_DEADLINE_KINDS
from deadlines.calendars import format_day
from deadlines.days import format_moment, local_day, start_of_day
from letters.kinds import LetterKind
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


class CompletionBasis(models.TextChoices):
    """The reason why the collection of records ends."""

    COMPLETE = "COMPLETE", "All requested records have been received"
    WHAT_IS_ON_FILE = "WHAT_IS_ON_FILE", "Continue with what is on file"


def why_not_add_document(user: User, case: Case) -> str:
    return why_not_at_stage(
        user, "records.add_document", case, *TAKES_RECORDS, action="add a record"
    )


def why_not_remove_document(user: User, document: Document) -> str:
    """Return why a document cannot be removed from the record now. Queries."""
    case = document.case
    reason = why_not_at_stage(
        user, "records.mark_complete", case, *TAKES_RECORDS, action="remove a record"
    )
    if reason:
        return reason
    if document.state != Document.State.IN_RECORD:
        return f"Document {document.number} is not in the record."
    others = case.documents.in_record().exclude(pk=document.pk).exclude(kind__in=UR_DOCUMENTS)
    # Once the records are complete, a review depends on them.
    if case.stage != Status.NOTICE_SENT and not others.exists():
        return (
            "Without this document only the application and the UR decision are left, and a review "
            "cannot be based on them alone (8 CCR 9792.10.6(b)(2)). Ask for records again first."
        )
    return ""


def why_not_remind(user: User, case: Case) -> str:
    """Return why a user may not ask for outstanding records now."""
    return why_not_at_stage(
        user, "records.log_reminder", case, Status.NOTICE_SENT, action="ask for outstanding records"
    )


def why_not_send_reminder(user: User, case: Case, *, at: datetime) -> str:
    """Return why a user cannot send the letter that records are overdue now. Up to two queries."""
    reason = why_not_remind(user, case) or (
        ""
        if user.may("correspondence.review_drafts")
        else "Only a coordinator or a supervisor can approve letters."
    )
    if reason:
        return reason
    today = local_day(at)
    deadline = records_deadline(case)
    due_on = deadline.due_on if deadline else None
    if due_on is None or due_on >= today:
        until = f" They are due {format_day(due_on)}." if due_on else ""
        return f"The records are not overdue.{until} Call the party, or wait."
    # Two people may remind the parties of the same cases.
    sent = case.case_letters.filter(
        kind=LetterKind.RECORDS_REMINDER,
        state__in=[CaseLetter.State.APPROVED, CaseLetter.State.SENT],
        approved_at__gte=start_of_day(today),
    )
    return "A reminder letter was approved today already." if sent.exists() else ""


def why_not_mark_complete(user: User, case: Case) -> str:
    """Return why the records cannot be marked complete now. Queries."""
    reason = why_not_at_stage(
        user,
        "records.mark_complete",
        case,
        Status.NOTICE_SENT,
        action="mark the records complete",
    )
    # After the stage: who may not act at all should not read about the state of the file.
    if not reason and not case.documents.in_record().exclude(kind__in=UR_DOCUMENTS).exists():
        return ONLY_UR_DOCUMENTS
    return reason


def why_not_proceed_without_rest(user: User, case: Case, *, at: datetime) -> str:
    """Return why the case cannot continue without the missing records; empty after they were due.

    Runs queries.
    """
    reason = why_not_mark_complete(user, case)
    if reason:
        return reason
    # Nobody may cut the parties' time short, so without a known due date this is never allowed.
    deadline = records_deadline(case)
    if deadline is None or deadline.due_on is None:
        return (
            "The due date of the records is not known, because a fact is missing. "
            "The deadlines of the case show which."
        )
    # Expedited deadlines are counted in hours; the others end with the Pacific day.
    if deadline.due_at is not None:
        passed, due, then = at > deadline.due_at, format_moment(deadline.due_at), "that time"
    else:
        passed = local_day(at) > deadline.due_on
        due, then = format_day(deadline.due_on), "that day"
    if not passed:
        return f"The records are due by {due}. You can continue with what is on file after {then}."
    return ""


def why_not_reopen_records(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "records.mark_complete",
        case,
        Status.RECORDS_COMPLETE,
        action="ask for records again",
    )


def records_deadline(case: Case) -> Deadline | None:
    """Return the deadline for records in this round.

    Regular and expedited cases have different kinds.
    """
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
    """Return why the case file cannot be sent to a reviewer now.

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
            f"Case {case.number} is in the “{case.stage.label}” stage. "
            "The case file can be sent only while the case is in review."
        )
    return access.why_not_sent_to(assignment)
