"""Data of the records page: who was asked, what was received, and who has the case file."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, QuerySet

from accounts.models import User
from cases.models import AssignmentNotice, Case, PartyRole, ReceivedDocument
from cases.policies import why_not_list_received_documents
from reviewers.models import ReviewerAssignment

from .models import Dispatch, Document
from .services import dispatch

# The sender to whom the documents of each recipient of the notice are attributed.
_SENDER_BY_ROLE = {
    PartyRole.CLAIMS_ADMINISTRATOR: Document.SentBy.CLAIMS_ADMINISTRATOR,
    PartyRole.INSURER: Document.SentBy.CLAIMS_ADMINISTRATOR,
    PartyRole.EMPLOYER: Document.SentBy.CLAIMS_ADMINISTRATOR,
    PartyRole.EMPLOYEE: Document.SentBy.EMPLOYEE,
    PartyRole.EMPLOYEE_ATTORNEY: Document.SentBy.EMPLOYEE,
    PartyRole.REPRESENTATIVE: Document.SentBy.EMPLOYEE,
    PartyRole.REQUESTING_PHYSICIAN: Document.SentBy.REQUESTING_PHYSICIAN,
}


@dataclass(frozen=True)
class RequestedRecords:
    """One recipient of a notice, and the records received from them."""

    notice: AssignmentNotice
    must_send: bool  # the claims administrator must; the others may
    received_count: int  # documents received
    last_on: date | None  # when the latest was received


@dataclass(frozen=True)
class ReviewerFile:
    """The case file that was sent to one reviewer."""

    assignment: ReviewerAssignment
    last: Dispatch | None
    is_current: bool  # whether it holds everything that is on file now


def list_requested_records(case: Case) -> list[RequestedRecords]:
    """List everyone who was asked for records in this round (8 CCR 9792.10.5). Two queries."""
    received_by_party: dict[str, dict[str, Any]] = {
        row["sent_by"]: dict(row)
        for row in case.documents.in_record()
        .values("sent_by")
        .annotate(number=Count("pk"), last=Max("received_on"))
        .order_by("sent_by")
    }
    notices = case.notices.filter(round=case.round).select_related("party").order_by("pk")
    requests = []
    for notice in notices:
        sender = _SENDER_BY_ROLE.get(PartyRole(notice.party.role))
        row: dict[str, Any] = received_by_party.get(sender, {}) if sender else {}
        requests.append(
            RequestedRecords(
                notice=notice,
                # Only the claims administrator has the duty (8 CCR 9792.10.5(a)(1)).
                must_send=notice.party.role == PartyRole.CLAIMS_ADMINISTRATOR,
                received_count=row.get("number", 0),
                last_on=row.get("last"),
            )
        )
    return requests


def list_received_documents(case: Case, user: User) -> list[ReceivedDocument]:
    """List the documents received on a case that are not in its records. At most one query."""
    if why_not_list_received_documents(user, case):
        return []
    rows = case.received_documents.exclude(file__in=case.documents.live().values("file"))
    return list(rows.select_related("file").order_by("-received_on", "-pk"))


def suggest_move(received: ReceivedDocument) -> dict[str, str]:
    """Suggest how to describe a received document as a record, for the form."""
    kinds = {
        ReceivedDocument.Kind.APPLICATION: Document.Kind.APPLICATION,
        ReceivedDocument.Kind.UR_DECISION: Document.Kind.UR_DECISION,
        ReceivedDocument.Kind.RFA: Document.Kind.RFA,
    }
    senders = {value for value in Document.SentBy.values if value != Document.SentBy.APPLICATION}
    return {
        "kind": kinds.get(ReceivedDocument.Kind(received.kind), ""),
        "title": received.description,
        "sent_by": received.sender if received.sender in senders else "",
    }


def list_accepted_assignments(case: Case) -> QuerySet[ReviewerAssignment]:
    """Return the accepted assignments of this round, ordered by seat."""
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
    sent = case.documents.in_record().exclude(sent_by=Document.SentBy.APPLICATION)
    last = sent.aggregate(last=Max("received_on"))["last"]
    return {"received_on": f"{last:%m/%d/%Y}"} if last else {}
