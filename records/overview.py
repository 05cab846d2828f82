"""Data of the records page: who was asked, what was received, and who has the case file."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, QuerySet

from cases.models import AssignmentNotice, Case, Role
from reviewers.models import ReviewerAssignment

from .models import Dispatch, Document
from .services import dispatch

# The sender to whom the documents of each recipient of the notice are attributed.
_SENDER_BY_ROLE = {
    Role.CLAIMS_ADMINISTRATOR: Document.SentBy.CLAIMS_ADMINISTRATOR,
    Role.INSURER: Document.SentBy.CLAIMS_ADMINISTRATOR,
    Role.EMPLOYER: Document.SentBy.CLAIMS_ADMINISTRATOR,
    Role.EMPLOYEE: Document.SentBy.EMPLOYEE,
    Role.EMPLOYEE_ATTORNEY: Document.SentBy.EMPLOYEE,
    Role.REPRESENTATIVE: Document.SentBy.EMPLOYEE,
    Role.REQUESTING_PHYSICIAN: Document.SentBy.REQUESTING_PHYSICIAN,
}


@dataclass(frozen=True)
class RequestedRecords:
    """One recipient of a notice, and the records received from them."""

    notice: AssignmentNotice
    must_send: bool  # the claims administrator must; the others may
    came: int  # documents received
    last_on: date | None  # when the latest was received


@dataclass(frozen=True)
class ReviewerFile:
    """The case file that was sent to one reviewer."""

    assignment: ReviewerAssignment
    last: Dispatch | None
    is_current: bool  # whether it holds everything that is on file now


def list_requested_records(case: Case) -> list[RequestedRecords]:
    """List everyone who was asked for records in this round (8 CCR 9792.10.5). Two queries."""
    came: dict[str, dict[str, Any]] = {
        row["sent_by"]: dict(row)
        for row in case.documents.values("sent_by")
        .annotate(number=Count("pk"), last=Max("received_on"))
        .order_by("sent_by")
    }
    notices = case.notices.filter(round=case.round).select_related("party").order_by("pk")
    found = []
    for notice in notices:
        sender = _SENDER_BY_ROLE.get(Role(notice.party.role))
        row: dict[str, Any] = came.get(sender, {}) if sender else {}
        found.append(
            RequestedRecords(
                notice=notice,
                # Only the claims administrator has the duty (8 CCR 9792.10.5(a)(1)).
                must_send=notice.party.role == Role.CLAIMS_ADMINISTRATOR,
                came=row.get("number", 0),
                last_on=row.get("last"),
            )
        )
    return found


def list_accepted_assignments(case: Case) -> QuerySet[ReviewerAssignment]:
    """The accepted assignments of this round, ordered by seat."""
    return (
        ReviewerAssignment.objects.filter(
            case=case, round=case.round, state=ReviewerAssignment.State.ACCEPTED
        )
        .select_related("case")
        .order_by("seat", "pk")
    )


def list_reviewer_files(case: Case) -> list[ReviewerFile]:
    """List what each reviewer was sent, and whether it is complete. Queries for each assignment."""
    return [
        ReviewerFile(one, dispatch.last_dispatch(one), dispatch.is_dispatch_current(one))
        for one in list_accepted_assignments(case)
    ]


def suggest_completion(case: Case) -> dict[str, str]:
    """Suggest the date on which the latest medical record was received, for the form."""
    # The application's own files came before the notice, so they complete nothing.
    last = case.documents.exclude(sent_by=Document.SentBy.APPLICATION).aggregate(
        last=Max("received_on")
    )["last"]
    return {"received_on": f"{last:%m/%d/%Y}"} if last else {}
