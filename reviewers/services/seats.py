"""More than one reviewer on a case: the approval on file, and giving a place up again."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse
from cases.lifecycle import Status
from cases.models import Case, Event
from deadlines.days import local_day
from reviewers import policies
from reviewers.models import ReviewerAssignment, SeatApproval
from reviewers.models.assignment import approval_of, free_seats


@transaction.atomic
def approve(
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
    """Put on file that the Administrative Director approved several reviewers for a case.

    The case waits for the free places to be filled; a reviewer who has accepted works on.

    :param seat_count: reviewers in all, two to five.
    :raises NotAllowed: wrong role or state, an approval is on file, or a part of it is missing.
    """
    case = Case.objects.lock(case_id)
    refuse(policies.why_not_approve_seats(by, case))
    if not 2 <= seat_count <= SeatApproval.MOST:
        refuse(f"An approval is for two to {SeatApproval.MOST} reviewers.")
    for text, sentence in (
        (approved_by, "Name who approved it for the Administrative Director."),
        (reference, "Give the reference of the written approval."),
        (reason, "Say why one reviewer is not enough."),
    ):
        refuse("" if text.strip() else sentence)
    refuse(
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
    if case.stage in {Status.REVIEWER_CHOSEN, Status.IN_REVIEW}:
        case.move_to(Status.RECORDS_COMPLETE, by=by, at=at, why="More reviewers were approved")
    Event.objects.create(
        case=case,
        kind=Event.Kind.SEATS_APPROVED,
        happened_at=at,
        by=by,
        sentence=f"{seat_count} reviewers are approved by the Administrative Director, "
        f"{approved_on:%m/%d/%Y}.",
        why=reason.strip(),
        facts={"seats": seat_count, "reference": approval.reference},
    )
    return approval


@transaction.atomic
def end_approval(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """Go back to one reviewer while the other places are still free; the approval stays readable.

    :raises NotAllowed: wrong role or state, no approval, another seat is held, or no reason.
    """
    case = Case.objects.lock(case_id)
    refuse(policies.why_not_end_seats(by, case))
    refuse("" if reason.strip() else "Say why one reviewer is enough now.")
    approval = approval_of(case)
    assert approval is not None  # noqa: S101  # why_not_end_seats refuses without one
    approval.ended_at, approval.ended_because = at, reason.strip()[:300]
    approval.store(by=by, at=at, why=reason, fields=["ended_at", "ended_because"])
    go_on_when_filled(case=case, by=by, at=at)
    Event.objects.create(
        case=case,
        kind=Event.Kind.SEATS_APPROVED,
        happened_at=at,
        by=by,
        sentence="The case is decided by one reviewer again.",
        why=reason.strip(),
        facts={"seats": 1},
    )
    return case


def go_on_when_filled(*, case: Case, by: User | None, at: datetime) -> None:
    """Move a locked case on once every seat is held: to its reviewers, or back into review."""
    if case.stage != Status.RECORDS_COMPLETE or free_seats(case):
        # Whoever has the page open has not seen what changed on the case.
        case.store(by=by, at=at, why="Seats changed", fields=[])
        return
    case.move_to(Status.REVIEWER_CHOSEN, by=by, at=at)
    accepted = case.assignments.filter(
        round=case.round, state=ReviewerAssignment.State.ACCEPTED
    ).exists()
    if accepted:
        case.move_to(Status.IN_REVIEW, by=by, at=at)
