"""Who may write, check, approve and issue, and when; one function an act, empty when allowed."""

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case
from cases.organization_facts import why_not_decided_here
from cases.policies import why_not
from reviewers.models import ReviewerAssignment
from reviewers.models.assignment import seats_of

from .models import Determination, Review

__all__ = [
    "decided_by",
    "is_submitted",
    "live_determination",
    "seats_without_review",
    "why_not_check_quality",
    "why_not_issue",
    "why_not_send",
    "why_not_send_back",
    "why_not_write",
]


def why_not_write(user: User, assignment: ReviewerAssignment) -> str:
    """Whether this person may write the review of this assignment now."""
    case = assignment.case
    if assignment.reviewer is None or assignment.reviewer.user_id != user.pk:
        return "This case is not assigned to you."
    if not user.may("determinations.review"):
        return "Your role does not let you write reviews."
    if not assignment.is_live:
        return "This case is no longer with you. Its review cannot be changed."
    if assignment.state != ReviewerAssignment.State.ACCEPTED:
        return "Accept the case and attest that you have no conflict first."
    if case.stage not in {Status.IN_REVIEW, Status.RECORDS_COMPLETE}:
        return f"Case {case.number} stands at “{case.stage.label}”; the review cannot be changed."
    if is_submitted(assignment) and (waiting := seats_without_review(case)):
        whom = f"seats {', '.join(map(str, waiting))}" if waiting[1:] else f"seat {waiting[0]}"
        return f"You have submitted this review. It waits for {whom} before quality assurance."
    return ""


def seats_without_review(case: Case) -> list[int]:
    """The seats of the present round whose review is not submitted yet. Two queries."""
    submitted = set(
        Review.objects.filter(
            assignment__case=case,
            assignment__round=case.round,
            assignment__state=ReviewerAssignment.State.ACCEPTED,
            state=Review.State.SUBMITTED,
        ).values_list("assignment__seat", flat=True)
    )
    return [seat for seat in range(1, seats_of(case) + 1) if seat not in submitted]


def is_submitted(assignment: ReviewerAssignment) -> bool:
    """Whether its review is out of the reviewer's hands for now. Queries once."""
    return Review.objects.filter(assignment=assignment, state=Review.State.SUBMITTED).exists()


def decided_by(user: User, case: Case) -> bool:
    """Whether this person decided the case as a reviewer, in any round. Queries once."""
    return ReviewerAssignment.objects.filter(
        case=case,
        reviewer__user=user,
        state__in=[
            ReviewerAssignment.State.ACCEPTED,
            ReviewerAssignment.State.FINISHED,
        ],
    ).exists()


def why_not_check_quality(user: User, case: Case) -> str:
    reason = why_not(user, "determinations.check_quality", case, Status.QA, act="check its quality")
    if not reason and decided_by(user, case):
        return "You decided this case, so someone else has to check it."
    return reason


def why_not_issue(user: User, case: Case) -> str:
    reason = why_not(
        user,
        "determinations.issue",
        case,
        Status.APPROVED,
        act="issue the determination",
    )
    if not reason and decided_by(user, case):
        return "You decided this case, so another medical director has to issue it."
    return reason or why_not_decided_here(case)


def why_not_send_back(user: User, case: Case) -> str:
    """Whether the director may void the approval and put the case before quality again."""
    reason = why_not(
        user,
        "determinations.issue",
        case,
        Status.APPROVED,
        act="send it back to quality assurance",
    )
    if not reason and decided_by(user, case):
        return "You decided this case, so another medical director has to send it back."
    return reason


def why_not_send(user: User, case: Case) -> str:
    """Whether this person may mark the determination as sent now."""
    return why_not(
        user, "letters.mark_sent", case, Status.ISSUED, act="mark the determination as sent"
    )


def live_determination(case: Case) -> Determination | None:
    """The determination of the present round, if a review was submitted."""
    return (
        case.determinations.filter(round=case.round)
        .exclude(state=Determination.State.SET_ASIDE)
        .first()
    )
