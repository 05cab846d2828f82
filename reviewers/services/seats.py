"""Approval of more than one reviewer for a case, and ending the approval."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.lifecycle import Status
from cases.models import Case, Event
from deadlines.days import local_day
from reviewers import policies
from reviewers.facts import format_day
from reviewers.models import ReviewerAssignment, SeatApproval
from reviewers.models.assignment import get_seat_approval, list_free_seats


@transaction.atomic
def approve_reviewer_seats(
    *,
    case_id: int,
    seat_count: int,
    approved_by: str,
    approved_on: date,
    reference: str,
    reason: str,
    by: User,
    at: datetime,
) -> SeatApproval:
    """Record the Administrative Director's approval of several reviewers for a case.

    The case waits until all seats are assigned. A reviewer who has accepted keeps working.

    :param seat_count: total number of reviewers, two to five.
    :raises NotAllowed: wrong role or state, an approval is already on file, or a field is missing.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_approve_seats(by, case))
    # The database has the same limit, but its refusal has no sentence for the page.
    if not 2 <= seat_count <= SeatApproval.MOST:
        refuse_if(f"Enter two to {SeatApproval.MOST} reviewers.")
    for text, sentence in (
        (approved_by, "Enter who approved it for the Administrative Director."),
        (reference, "Enter the reference of the written approval."),
        (reason, "Enter why one reviewer is not enough."),
    ):
        refuse_if("" if text.strip() else sentence)
    refuse_if(
        "The approval is dated in the future. Check the letter."
        if approved_on > local_day(at)
        else ""
    )
    approval = SeatApproval(
        case=case,
        round=case.round,
        seats=seat_count,
        approved_by=approved_by.strip()[:120],
        approved_on=approved_on,
        reference=reference.strip()[:120],
        reason=reason.strip()[:500],
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at, why=reason)
    # The case waits for the new seats. RECORDS_COMPLETE keeps the records open to reviewers
    # who have accepted.
    if case.stage in {Status.REVIEWER_CHOSEN, Status.IN_REVIEW}:
        case.move_to(Status.RECORDS_COMPLETE, by=by, at=at, why="More reviewers were approved")
    Event.objects.create(
        case=case,
        kind=Event.Kind.SEATS_APPROVED,
        happened_at=at,
        by=by,
        sentence=f"The Administrative Director approved {seat_count} reviewers on "
        f"{format_day(approved_on)}.",
        why=reason.strip(),
        facts={"seats": seat_count, "reference": approval.reference},
    )
    return approval


@transaction.atomic
def end_seat_approval(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """End the approval of several reviewers while the other seats are free. The row is kept.

    :raises NotAllowed: wrong role or state, no approval, another seat is assigned, or no reason.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_end_seats(by, case))
    refuse_if("" if reason.strip() else "Enter why one reviewer is enough now.")
    approval = get_seat_approval(case)
    assert approval is not None  # noqa: S101  # why_not_end_seats refuses without one
    # Ended and not deleted: it justifies every seat that was assigned under it.
    approval.ended_at, approval.ended_because = at, reason.strip()[:300]
    approval.store(by=by, at=at, why=reason, fields=["ended_at", "ended_because"])
    advance_when_filled(case=case, by=by, at=at)
    Event.objects.create(
        case=case,
        kind=Event.Kind.SEATS_APPROVED,
        happened_at=at,
        by=by,
        sentence="The approval of several reviewers was canceled. One reviewer decides the case.",
        why=reason.strip(),
        facts={"seats": 1},
    )
    return case


def advance_when_filled(*, case: Case, by: User | None, at: datetime) -> None:
    """Move a locked case to its reviewers, or back into review, once every seat is assigned."""
    if case.stage != Status.RECORDS_COMPLETE or list_free_seats(case):
        # The new version makes forms of pages that are open elsewhere stale.
        case.store(by=by, at=at, why="Seats changed", fields=[])
        return
    case.move_to(Status.REVIEWER_CHOSEN, by=by, at=at)
    # A reviewer who accepted before the last seat was assigned does not attest again.
    accepted = case.assignments.filter(
        round=case.round, state=ReviewerAssignment.State.ACCEPTED
    ).exists()
    if accepted:
        case.move_to(Status.IN_REVIEW, by=by, at=at)
