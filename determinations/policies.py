"""Rules for writing, checking, approving, issuing and sending. "" means allowed."""

from accounts.models import User
from cases.case_rows import keeps_rows, rows_of
from cases.lifecycle import Status
from cases.models import Case
from cases.organization_facts import why_not_decided_here
from cases.policies import why_not_at_stage
from reviewers.models import ReviewerAssignment
from reviewers.models.assignment import count_seats

from .models import Determination, Review


def why_not_keep_rule_texts(user: User) -> str:
    """Return why a user may not confirm the texts of the law at the checks of a review."""
    if user.may("determinations.manage_rule_texts"):
        return ""
    return "Only the medical director can confirm a rule text."


def why_not_write(user: User, assignment: ReviewerAssignment) -> str:
    """Return why a user may not write the review of an assignment now."""
    case = assignment.case
    if assignment.reviewer is None or assignment.reviewer.user_id != user.pk:
        return "This case is not assigned to you."
    if not user.may("determinations.write_review"):
        return "Your role does not let you write reviews."
    if not assignment.is_live:
        return "This case is no longer assigned to you. The review cannot be changed."
    if assignment.state != ReviewerAssignment.State.ACCEPTED:
        return "Accept the case and attest that you have no conflict first."
    # RECORDS_COMPLETE: this reviewer works while another seat of the case is still free.
    if case.stage not in {Status.IN_REVIEW, Status.RECORDS_COMPLETE}:
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage. "
            "The review cannot be changed."
        )
    # Reviewers decide independently, so a submitted review is closed until all have submitted.
    if is_submitted(assignment) and (waiting := seats_without_review(case)):
        return (
            f"You have submitted this review. It waits for {describe_seats(waiting)} "
            "before the QA review."
        )
    return ""


def describe_seats(seats: list[int]) -> str:
    """Describe reviewers by their seats in a sentence: "reviewer 2" or "reviewers 2, 3"."""
    return f"reviewer{'s' if seats[1:] else ''} {', '.join(map(str, seats))}"


def seats_without_review(case: Case) -> list[int]:
    """Return the seats of the current round whose review is not submitted yet. Two queries."""
    submitted = set(
        Review.objects.filter(
            assignment__case=case,
            assignment__round=case.round,
            assignment__state=ReviewerAssignment.State.ACCEPTED,
            state=Review.State.SUBMITTED,
        ).values_list("assignment__seat", flat=True)
    )
    # Every seat counts, even an empty one: a missing opinion could change the majority.
    return [seat for seat in range(1, count_seats(case) + 1) if seat not in submitted]


def is_submitted(assignment: ReviewerAssignment) -> bool:
    """Return whether the reviewer has submitted this review. At most one query."""
    review = find_review(assignment)
    return review is not None and review.state == Review.State.SUBMITTED


def find_review(assignment: ReviewerAssignment) -> Review | None:
    """Return the review of an assignment, if it was opened. At most one query."""

    def read_review() -> Review | None:
        # A page may have loaded it together with the assignment; a service reads it again.
        if "review" in assignment._state.fields_cache and keeps_rows(assignment.case):
            loaded: Review | None = assignment._state.fields_cache["review"]
            return loaded
        return Review.objects.filter(assignment=assignment).first()

    return rows_of(assignment.case).once(("review", assignment.pk), read_review)


def has_decided(user: User, case: Case) -> bool:
    """Return whether this user decided the case as a reviewer, in any round. One query."""
    return ReviewerAssignment.objects.filter(
        case=case,
        reviewer__user=user,
        state__in=[
            ReviewerAssignment.State.ACCEPTED,
            ReviewerAssignment.State.FINISHED,
        ],
    ).exists()


def why_not_check_quality(user: User, case: Case) -> str:
    """Return why a user may not return or approve the review now."""
    reason = why_not_at_stage(
        user, "determinations.review_quality", case, Status.QA, action="review its quality"
    )
    # One person may hold several roles, but nobody checks or issues their own decision.
    if not reason and has_decided(user, case):
        return "You decided this case, so another QA reviewer has to review it."
    return reason


def why_not_issue(user: User, case: Case) -> str:
    """Return why a user may not issue the determination now."""
    reason = why_not_at_stage(
        user,
        "determinations.issue_determination",
        case,
        Status.APPROVED,
        action="issue the determination",
    )
    if not reason and has_decided(user, case):
        return "You decided this case, so another medical director has to issue it."
    # Asked at issue too: an affiliation of the organization may be found after intake.
    return reason or why_not_decided_here(case)


def why_not_void_approval(user: User, case: Case) -> str:
    """Return why a user may not void the approval and return the case to QA review."""
    reason = why_not_at_stage(
        user,
        "determinations.issue_determination",
        case,
        Status.APPROVED,
        action="return it to QA review",
    )
    if not reason and has_decided(user, case):
        return "You decided this case, so another medical director has to return it."
    return reason


def why_not_mark_sent(user: User, case: Case) -> str:
    """Return why a user may not mark the determination as sent now."""
    return why_not_at_stage(
        user, "letters.mark_sent", case, Status.ISSUED, action="mark the determination as sent"
    )


def live_determination(case: Case) -> Determination | None:
    """Return the determination of the current round, if a review was submitted."""
    return (
        case.determinations.filter(round=case.round)
        # A determination that was set aside stays on file beside the one that replaces it.
        .exclude(state=Determination.State.SET_ASIDE)
        .first()
    )
