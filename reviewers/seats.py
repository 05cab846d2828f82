"""How many reviewers a case has room for, and which places are free.

One, unless the Administrative Director approved more in writing (8 CCR 9792.10.6(c)).
"""

from cases.models import Case

from .models import ReviewerAssignment, SeatApproval


def approval_of(case: Case) -> SeatApproval | None:
    """The approval in force in the case's present round. Queries once."""
    return case.seat_approvals.filter(round=case.round, ended_at__isnull=True).first()


def seats_of(case: Case) -> int:
    """How many reviewers decide the case in its present round. Queries once."""
    approval = approval_of(case)
    return approval.seats if approval else 1


def taken_seats(case: Case) -> set[int]:
    """The seats that are offered, accepted or finished in the present round. Queries once."""
    held = case.assignments.filter(
        round=case.round, state__in=[*ReviewerAssignment.LIVE, ReviewerAssignment.State.FINISHED]
    )
    return set(held.values_list("seat", flat=True))


def free_seats(case: Case) -> list[int]:
    """The seats that nobody has, lowest first. Two queries."""
    taken = taken_seats(case)
    return [seat for seat in range(1, seats_of(case) + 1) if seat not in taken]
