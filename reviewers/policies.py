"""Who may do what about reviewers, and when: empty when allowed, else the sentence to show."""

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case
from cases.organization_facts import why_not_decided_here
from cases.policies import why_not
from reviewers.matching.candidates import WITH_REVIEWER
from reviewers.models.assignment import approval_of, taken_seats

from .models import Attestation, AttestationWording, Reviewer, ReviewerAssignment

__all__ = [
    "live_assignment",
    "live_assignments",
    "live_attestation",
    "may_open_file",
    "past_assignments",
    "why_not_answer",
    "why_not_approve_seats",
    "why_not_assign",
    "why_not_check_payer_bias",
    "why_not_decline",
    "why_not_end_seats",
    "why_not_keep_credentials",
    "why_not_move",
    "why_not_open_file",
    "why_not_plan",
    "why_not_publish_attestation",
    "why_not_set_limits",
    "why_not_set_rules",
    "why_not_settle",
    "why_not_sign",
    "why_not_take_back",
]


def why_not_assign(user: User, case: Case) -> str:
    """Also where this organization itself may not decide the case, or not yet."""
    reason = why_not(
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
    return "Coordinators give cases to reviewers."


def why_not_take_back(user: User, case: Case) -> str:
    return why_not(
        user,
        "reviewers.assign",
        case,
        Status.RECORDS_COMPLETE,
        Status.REVIEWER_CHOSEN,
        Status.IN_REVIEW,
        act="take it back from the reviewer",
    )


def why_not_move(user: User, assignment: ReviewerAssignment) -> str:
    """Whether the case of an assignment may be taken from its reviewer and given to another."""
    if not assignment.is_live:
        return "This case is no longer in their hands."
    return why_not_take_back(user, assignment.case) or why_not_decided_here(assignment.case)


def why_not_approve_seats(user: User, case: Case) -> str:
    reason = why_not(
        user,
        "reviewers.assign",
        case,
        Status.RECORDS_COMPLETE,
        Status.REVIEWER_CHOSEN,
        Status.IN_REVIEW,
        act="have more than one reviewer decide it",
    )
    if not reason and (approval := approval_of(case)) is not None:
        return f"{approval.seats} reviewers are approved for this case already."
    return reason


def why_not_end_seats(user: User, case: Case) -> str:
    reason = why_not(
        user,
        "reviewers.assign",
        case,
        Status.RECORDS_COMPLETE,
        act="go back to one reviewer",
    )
    if not reason and approval_of(case) is None:
        return "One reviewer decides this case; there is no approval to end."
    if not reason and taken_seats(case) - {1}:
        return "Another seat is held. Take the case back from that reviewer first."
    return reason


def why_not_keep_credentials(user: User | None) -> str:
    """``None`` is the system: shipped and imported facts."""
    if user is None or user.may("reviewers.manage_credentials"):
        return ""
    return "Your role does not let you change the panel."


def why_not_set_limits(user: User | None) -> str:
    """``None`` is the system."""
    if user is None or user.may("reviewers.set_conflict_limits"):
        return ""
    return "The medical director sets from where on an affiliation is a conflict."


def why_not_set_rules(user: User) -> str:
    if user.may("reviewers.manage_weights"):
        return ""
    return "The medical director sets the weights and limits of matching."


def why_not_publish_attestation(user: User) -> str:
    if user.may("reviewers.publish_attestation"):
        return ""
    return "The medical director publishes what reviewers sign."


def why_not_check_payer_bias(user: User | None) -> str:
    """``None`` is the system."""
    if user is None or user.may("reviewers.check_payer_bias"):
        return ""
    return "The medical director has choices tested, and says what came of it."


def why_not_settle(user: User, reviewer: Reviewer) -> str:
    """A doubt about a reviewer is settled by someone else than that reviewer."""
    if reviewer.user_id == user.pk:
        return "Someone other than the reviewer has to settle this."
    if not (user.may("reviewers.assign") or user.may("reviewers.manage_credentials")):
        return "Your role does not let you settle possible conflicts."
    return ""


def why_not_answer(user: User, assignment: ReviewerAssignment) -> str:
    """Whether this person may attest for, or decline, an assignment."""
    if assignment.reviewer is None or assignment.reviewer.user_id != user.pk:
        return "Only the reviewer to whom the case is offered can answer for it."
    if not user.may("determinations.review"):
        return "Your role does not let you review cases."
    if not assignment.is_live:
        return "This case is no longer offered to you."
    return ""


def why_not_sign(wording: AttestationWording | None, seen_id: int | None) -> str:
    """Whether the wording that a page showed is still the one to sign.

    :param wording: the one in force now; ``seen_id`` names the one that the page showed.
    """
    if wording is not None and wording.pk == seen_id:
        return ""
    return "The questions have changed. Read them again, then sign."


def why_not_decline(user: User, assignment: ReviewerAssignment) -> str:
    """Whether this person may give the case back now."""
    reason = why_not_answer(user, assignment)
    if not reason and assignment.case.stage not in {
        Status.RECORDS_COMPLETE,
        Status.REVIEWER_CHOSEN,
        Status.IN_REVIEW,
    }:
        case = assignment.case
        return f"Case {case.number} stands at “{case.stage.label}” and cannot be given back now."
    return reason


def live_assignments(case: Case) -> list[ReviewerAssignment]:
    """Who has the case in its present round, offered or accepted. Queries once."""
    return list(
        case.assignments.filter(round=case.round, state__in=ReviewerAssignment.LIVE)
        .select_related("reviewer", "offered_by")
        .order_by("seat")
    )


def past_assignments(case: Case) -> list[ReviewerAssignment]:
    """Who had the case and has it no longer, latest first. Queries once."""
    return list(
        case.assignments.filter(ended_at__isnull=False)
        .select_related("reviewer", "offered_by")
        .order_by("-ended_at", "-pk")
    )


def live_assignment(user: User, case: Case) -> ReviewerAssignment | None:
    """The live assignment of this person on a case's present round."""
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


def live_attestation(assignment: ReviewerAssignment) -> Attestation | None:
    """The attestation in force, if it was signed on the case's present party list."""
    return assignment.attestations.filter(
        voided_at__isnull=True, party_list_version=assignment.case.party_list_version
    ).first()


def why_not_open_file(user: User, case: Case) -> str:
    """Whether a reviewer may open the records of a case.

    Only with a live attestation on the present party list: a party added later closes the file
    until the reviewer has attested again (Labor Code 139.5; conflicts are asked before records).
    """
    if not user.may("determinations.review"):
        return "Your role does not let you review cases."
    assignment = live_assignment(user, case)
    if assignment is None or assignment.reviewer is None:
        return "This case is not assigned to you."
    if assignment.reviewer.status != Reviewer.Status.ACTIVE:
        return "You are not active on the panel at present. Ask the coordinator."
    if assignment.reviewer.bars.filter(case=case).exists():
        return "A conflict is on file between you and this case."
    if case.stage not in WITH_REVIEWER:
        return (
            f"Case {case.number} stands at “{case.stage.label}”; its file is closed to reviewers."
        )
    if assignment.state != ReviewerAssignment.State.ACCEPTED:
        return "Attest that you have no conflict first; then the records open."
    if live_attestation(assignment) is None:
        return (
            "The parties of this case have changed. Attest again that you have no conflict; "
            "then the records open."
        )
    return ""


def may_open_file(user: User, case: Case) -> bool:
    """Whether the records of a case open for this person as its reviewer."""
    return not why_not_open_file(user, case)
