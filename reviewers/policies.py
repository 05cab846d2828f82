"""Permissions about reviewers: an empty string when allowed, else the sentence to show."""

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case
from cases.organization_facts import why_not_decided_here
from cases.policies import why_not_at_stage
from reviewers.matching.candidates import WITH_REVIEWER
from reviewers.models.assignment import get_seat_approval, list_taken_seats

from .models import Attestation, AttestationWording, Reviewer, ReviewerAssignment


def why_not_assign(user: User, case: Case) -> str:
    """Return why the case cannot be assigned, including conflicts of this organization."""
    reason = why_not_at_stage(
        user,
        "reviewers.assign",
        case,
        Status.RECORDS_COMPLETE,
        act="choose a reviewer for it",
    )
    return reason or why_not_decided_here(case)


def why_not_plan(user: User) -> str:
    if user.may("reviewers.assign"):
        return ""
    return "Only coordinators assign cases to reviewers."


def why_not_remove_reviewer(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "reviewers.assign",
        case,
        Status.RECORDS_COMPLETE,
        Status.REVIEWER_CHOSEN,
        Status.IN_REVIEW,
        act="remove its reviewer",
    )


def why_not_move(user: User, assignment: ReviewerAssignment) -> str:
    """Return why the case of an assignment cannot be moved to another reviewer."""
    if not assignment.is_live:
        return "The reviewer no longer has this case."
    return why_not_remove_reviewer(user, assignment.case) or why_not_decided_here(assignment.case)


def why_not_approve_seats(user: User, case: Case) -> str:
    reason = why_not_at_stage(
        user,
        "reviewers.assign",
        case,
        Status.RECORDS_COMPLETE,
        Status.REVIEWER_CHOSEN,
        Status.IN_REVIEW,
        act="approve more than one reviewer",
    )
    if not reason and (approval := get_seat_approval(case)) is not None:
        return f"{approval.seats} reviewers are already approved for this case."
    return reason


def why_not_end_seats(user: User, case: Case) -> str:
    reason = why_not_at_stage(
        user,
        "reviewers.assign",
        case,
        Status.RECORDS_COMPLETE,
        act="return to one reviewer",
    )
    if not reason and get_seat_approval(case) is None:
        return "This case has one reviewer. There is no approval to end."
    # Seat 1 exists without the approval. Only the other seats depend on it.
    if not reason and list_taken_seats(case) - {1}:
        return "Another seat is assigned. Remove that reviewer first."
    return reason


def why_not_keep_credentials(user: User | None) -> str:
    """Return why this person cannot change the panel. ``None`` is the system."""
    if user is None or user.may("reviewers.manage_credentials"):
        return ""
    return "Your role does not let you change the panel."


def why_not_set_limits(user: User | None) -> str:
    """Return why this person cannot set conflict limits. ``None`` is the system."""
    if user is None or user.may("reviewers.set_conflict_limits"):
        return ""
    return "Only the medical director sets the conflict limits."


def why_not_set_rules(user: User) -> str:
    if user.may("reviewers.manage_weights"):
        return ""
    return "Only the medical director sets the matching rules."


def why_not_publish_attestation(user: User) -> str:
    if user.may("reviewers.publish_attestation"):
        return ""
    return "Only the medical director publishes attestation wordings."


def why_not_check_payer_bias(user: User | None) -> str:
    """Return why this person cannot run payer-bias tests. ``None`` is the system."""
    if user is None or user.may("reviewers.check_payer_bias"):
        return ""
    return "Only the medical director runs tests and records what was found."


def why_not_resolve_conflict(user: User, reviewer: Reviewer) -> str:
    """Return why this person cannot resolve a possible conflict of a reviewer."""
    # Checked before the role, because one account may also have a role of the staff.
    if reviewer.user_id == user.pk:
        return "Someone other than the reviewer must resolve this."
    if not (user.may("reviewers.assign") or user.may("reviewers.manage_credentials")):
        return "Your role does not let you resolve possible conflicts."
    return ""


def why_not_answer(user: User, assignment: ReviewerAssignment) -> str:
    """Return why this person cannot attest for, or decline, an assignment."""
    if assignment.reviewer is None or assignment.reviewer.user_id != user.pk:
        return "Only the reviewer to whom the case is offered can answer."
    if not user.may("determinations.review"):
        return "Your role does not let you review cases."
    if not assignment.is_live:
        return "This case is no longer offered to you."
    return ""


def why_not_sign(wording: AttestationWording | None, seen_id: int | None) -> str:
    """Return why the wording that a page showed can no longer be signed.

    :param wording: the wording in force now.
    :param seen_id: the id of the wording that the page showed.
    """
    if wording is not None and wording.pk == seen_id:
        return ""
    return "The questions have changed. Read them again, then sign."


def why_not_decline(user: User, assignment: ReviewerAssignment) -> str:
    """Return why this person cannot decline the case now."""
    reason = why_not_answer(user, assignment)
    if not reason and assignment.case.stage not in {
        Status.RECORDS_COMPLETE,
        Status.REVIEWER_CHOSEN,
        Status.IN_REVIEW,
    }:
        case = assignment.case
        return f"Case {case.number} is in “{case.stage.label}” and cannot be declined now."
    return reason


def list_live_assignments(case: Case) -> list[ReviewerAssignment]:
    """Return the offered and accepted assignments of the current round. One query."""
    return list(
        case.assignments.filter(round=case.round, state__in=ReviewerAssignment.LIVE)
        .select_related("reviewer", "offered_by")
        .order_by("seat")
    )


def list_past_assignments(case: Case) -> list[ReviewerAssignment]:
    """Return the ended assignments of a case, latest first. One query."""
    return list(
        case.assignments.filter(ended_at__isnull=False)
        .select_related("reviewer", "offered_by")
        .order_by("-ended_at", "-pk")
    )


def find_live_assignment(user: User, case: Case) -> ReviewerAssignment | None:
    """Return this person's live assignment in the current round, if any."""
    return (
        ReviewerAssignment.objects.filter(
            case=case,
            round=case.round,
            reviewer__user=user,
            state__in=ReviewerAssignment.LIVE,
        )
        .select_related("reviewer")
        .first()
    )


def find_live_attestation(assignment: ReviewerAssignment) -> Attestation | None:
    """Return the attestation in force, if it was signed for the current party list."""
    return assignment.attestations.filter(
        voided_at__isnull=True, party_list_version=assignment.case.party_list_version
    ).first()


def why_not_open_file(user: User, case: Case) -> str:
    """Return why a reviewer cannot open the records of a case.

    A live attestation for the current party list is required. A party added later closes the
    records until the reviewer attests again (Labor Code 139.5: conflicts are checked first).
    """
    if not user.may("determinations.review"):
        return "Your role does not let you review cases."
    assignment = find_live_assignment(user, case)
    if assignment is None or assignment.reviewer is None:
        return "This case is not assigned to you."
    # A suspension closes the records at once, also of cases that are accepted.
    if assignment.reviewer.status != Reviewer.Status.ACTIVE:
        return "You are not active on the panel. Contact the coordinator."
    # From the request for information on, a barred reviewer's assignment may still be live.
    if assignment.reviewer.bars.filter(case=case).exists():
        return "You have a conflict with this case."
    if case.stage not in WITH_REVIEWER:
        return (
            f"Case {case.number} is in “{case.stage.label}”; its records are closed to reviewers."
        )
    if assignment.state != ReviewerAssignment.State.ACCEPTED:
        return "Attest first that you have no conflict. Then the records open."
    if find_live_attestation(assignment) is None:
        return (
            "The parties of this case have changed. Attest again that you have no conflict. "
            "Then the records open."
        )
    return ""


def can_open_file(user: User, case: Case) -> bool:
    """Return whether this person can open the records of a case as its reviewer."""
    return not why_not_open_file(user, case)
