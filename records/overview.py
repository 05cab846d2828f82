"""What the records page says of a case: who owes records, what came, who has the file."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, QuerySet

from cases.models import AssignmentNotice, Case, Role
from reviewers.models import ReviewerAssignment

from .models import Dispatch, Document
from .services import dispatch

# Whose papers a recipient of the notice would send.
_SENDER_OF = {
    Role.CLAIMS_ADMINISTRATOR: Document.SentBy.CLAIMS_ADMINISTRATOR,
    Role.INSURER: Document.SentBy.CLAIMS_ADMINISTRATOR,
    Role.EMPLOYER: Document.SentBy.CLAIMS_ADMINISTRATOR,
    Role.EMPLOYEE: Document.SentBy.EMPLOYEE,
    Role.EMPLOYEE_ATTORNEY: Document.SentBy.EMPLOYEE,
    Role.REPRESENTATIVE: Document.SentBy.EMPLOYEE,
    Role.REQUESTING_PHYSICIAN: Document.SentBy.REQUESTING_PHYSICIAN,
}


@dataclass(frozen=True)
class Owed:
    """One recipient of a notice: what they were asked for, and what came."""

    notice: AssignmentNotice
    must_send: bool  # the claims administrator must; the others may
    came: int
    last_on: date | None


@dataclass(frozen=True)
class Sent:
    """What a reviewer of the case has of the file."""

    assignment: ReviewerAssignment
    last: Dispatch | None
    is_current: bool


def owed(case: Case) -> list[Owed]:
    """Everyone who was asked for records in this round (8 CCR 9792.10.5). Two queries."""
    came: dict[str, dict[str, Any]] = {
        row["sent_by"]: dict(row)
        for row in case.documents.values("sent_by")
        .annotate(number=Count("pk"), last=Max("received_on"))
        .order_by("sent_by")
    }
    notices = case.notices.filter(round=case.round).select_related("party").order_by("pk")
    found = []
    for notice in notices:
        sender = _SENDER_OF.get(Role(notice.party.role))
        row: dict[str, Any] = came.get(sender, {}) if sender else {}
        found.append(
            Owed(
                notice=notice,
                must_send=notice.party.role == Role.CLAIMS_ADMINISTRATOR,
                came=row.get("number", 0),
                last_on=row.get("last"),
            )
        )
    return found


def assignments_of(case: Case) -> QuerySet[ReviewerAssignment]:
    """The accepted assignments of this round, by seat."""
    return (
        ReviewerAssignment.objects.filter(
            case=case, round=case.round, state=ReviewerAssignment.State.ACCEPTED
        )
        .select_related("case")
        .order_by("seat", "pk")
    )


def dispatches(case: Case) -> list[Sent]:
    """Which reviewers have the file, and whether it is the whole file. Queries by assignment."""
    return [
        Sent(one, dispatch.last_dispatch(one), dispatch.is_current(one))
        for one in assignments_of(case)
    ]


def suggested_completion(case: Case) -> dict[str, str]:
    """The day on which the latest medical record came, for the coordinator to confirm."""
    last = case.documents.exclude(sent_by=Document.SentBy.APPLICATION).aggregate(
        last=Max("received_on")
    )["last"]
    return {"received_on": f"{last:%m/%d/%Y}"} if last else {}
