"""Permissions about reviewers: an empty string when allowed, else the sentence to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from cases.case_rows import rows_of
from cases.consolidated_items import CONSOLIDATED, select_decided_case_ids
from cases.lifecycle import Status
from cases.models import Case, CaseLink, ItemChange
from cases.organization_facts import map_cases_not_decided_here, why_not_decided_here
from cases.policies import why_not_at_stage
from reviewers.matching.track_record import WITH_REVIEWER
from reviewers.models.assignment import SeatState, get_seat_approval, read_seat_state

from .models import (
    Attestation,
    AttestationWording,
    Reviewer,
    ReviewerAssignment,
    ReviewerBar,
)


def why_not_assign(user: User, case: Case) -> str:
    """Return why the case cannot be assigned, including conflicts of this organization."""
    reason = _why_not_assign_at_stage(user, case) or why_not_decided_here(case)
    return reason or (_AWAITS_ITEM_CHANGE if has_open_item_change(case) else "")


def map_reasons_not_to_assign(user: User, cases: Sequence[Case]) -> dict[int, str]:
    """Return of each case, by id, what ``why_not_assign`` says. Three queries."""
    elsewhere = map_cases_not_decided_here(cases)
    changing = _find_cases_with_open_item_changes(cases)
    return {
        case.pk: _why_not_assign_at_stage(user, case)
        or elsewhere[case.pk]
        or (_AWAITS_ITEM_CHANGE if case.pk in changing else "")
        for case in cases
    }


def map_reasons_not_to_move(
    user: User, assignments: Sequence[ReviewerAssignment]
) -> dict[int, str]:
    """Return of each assignment, by id, why its case cannot move to another reviewer."""
    changing = _find_cases_with_open_item_changes([one.case for one in assignments])
    return {
        one.pk: why_not_move(user, one) or (_AWAITS_ITEM_CHANGE if one.case_id in changing else "")
        for one in assignments
    }


def _find_cases_with_open_item_changes(cases: Sequence[Case]) -> set[int]:
    """Find the cases with a change of an item that they decide. One query."""
    proposed = ItemChange.State.PROPOSED
    own = ItemChange.objects.filter(case__in=cases, state=proposed)
    links = CaseLink.objects.filter(
        kind=CONSOLIDATED, ended_at=None, other__in=cases, case__item_changes__state=proposed
    )
    found = own.values_list("case_id").union(links.values_list("other_id"))
    return {case_id for (case_id,) in found}


# A reviewer is matched by the items, so their changes are decided first.
_AWAITS_ITEM_CHANGE = (
    "A change of the disputed items waits for a second person. Accept or refuse it before you "
    "choose a reviewer."
)


def has_open_item_change(case: Case) -> bool:
    """Return whether a proposed change of the items waits. One query, or none on a loaded page."""
    known: bool | None = case.__dict__.get("has_changes")
    if known is not None:
        return known
    return bool(list_open_item_changes(case))


def list_open_item_changes(case: Case) -> list[ItemChange]:
    """List the changes that wait for a second person, of all items that it decides. One query."""
    ids = select_decided_case_ids(case)
    waiting = ItemChange.objects.filter(case__in=ids, state=ItemChange.State.PROPOSED)
    return list(waiting.select_related("item", "case").order_by("pk"))


def _why_not_assign_at_stage(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "reviewers.assign_reviewer",
        case,
        Status.RECORDS_COMPLETE,
        action="choose a reviewer for it",
    )


def why_not_plan(user: User) -> str:
    if user.may("reviewers.assign_reviewer"):
        return ""
    return "Only coordinators assign cases to reviewers."


def why_not_remove_reviewer(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "reviewers.assign_reviewer",
        case,
        Status.RECORDS_COMPLETE,
        Status.REVIEWER_CHOSEN,
        Status.IN_REVIEW,
        action="remove its reviewer",
    )


def why_not_move(user: User, assignment: ReviewerAssignment) -> str:
    """Return why the case of an assignment cannot be moved to another reviewer."""
    if not assignment.is_live:
        return "The reviewer no longer has this case."
    return why_not_remove_reviewer(user, assignment.case) or why_not_decided_here(assignment.case)


def why_not_approve_seats(user: User, case: Case, seats: SeatState | None = None) -> str:
    """Return why several reviewers cannot be approved.

    :param seats: the seats of the case, if they have been read.
    """
    reason = why_not_at_stage(
        user,
        "reviewers.assign_reviewer",
        case,
        Status.RECORDS_COMPLETE,
        Status.REVIEWER_CHOSEN,
        Status.IN_REVIEW,
        action="approve more than one reviewer",
    )
    if reason:
        return reason
    approval = (seats or read_seat_state(case)).approval
    return f"{approval.seats} reviewers are already approved for this case." if approval else ""


def why_not_end_seats(user: User, case: Case, seats: SeatState | None = None) -> str:
    """Return why the approval of several reviewers cannot be canceled.

    :param seats: the seats of the case, if they have been read.
    """
    reason = why_not_at_stage(
        user,
        "reviewers.assign_reviewer",
        case,
        Status.RECORDS_COMPLETE,
        action="cancel the approval of several reviewers",
    )
    if reason:
        return reason
    seats = seats or read_seat_state(case)
    if seats.approval is None:
        return "This case has one reviewer. There is no approval to cancel."
    # Seat 1 exists without the approval. Only the other seats depend on it.
    if seats.taken - {1}:
        return "Another seat is assigned. Remove that reviewer first."
    return ""


def why_not_keep_credentials(user: User | None) -> str:
    """Return why this person cannot change the panel. ``None`` is the system."""
    if user is None or user.may("reviewers.manage_credentials"):
        return ""
    return "Your role does not let you change the panel."


def why_not_set_limits(user: User | None) -> str:
    """Return why this person cannot set conflict limits. ``None`` is the system."""
    if user is None or user.may("reviewers.manage_conflict_limits"):
        return ""
    return "Only the medical director sets the conflict limits."


def why_not_set_rules(user: User) -> str:
    if user.may("reviewers.manage_matching_rules"):
        return ""
    return "Only the medical director sets the matching rules."


def why_not_publish_attestation(user: User) -> str:
    if user.may("reviewers.publish_attestation"):
        return ""
    return "Only the medical director publishes attestation wordings."


def why_not_check_payer_bias(user: User | None) -> str:
    """Return why this person cannot run payer-bias tests. ``None`` is the system."""
    if user is None or user.may("reviewers.run_payer_bias_test"):
        return ""
    return "Only the medical director runs tests and records what was found."


def why_not_resolve_conflict(user: User, reviewer: Reviewer) -> str:
    """Return why this person cannot resolve a possible conflict of a reviewer."""
    # Checked before the role, because one account may also have a role of the staff.
    if reviewer.user_id == user.pk:
        return "Someone other than the reviewer must resolve this."
    if not (user.may("reviewers.assign_reviewer") or user.may("reviewers.manage_credentials")):
        return "Your role does not let you resolve possible conflicts."
    return ""


def why_not_answer(user: User, assignment: ReviewerAssignment) -> str:
    """Return why this person cannot attest for, or decline, an assignment."""
    if assignment.reviewer is None or assignment.reviewer.user_id != user.pk:
        return "Only the reviewer to whom the case is offered can answer."
    if not user.may("determinations.write_review"):
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
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage and cannot be declined now."
        )
    return reason


def list_live_assignments(case: Case) -> list[ReviewerAssignment]:
    """Return the offered and accepted assignments of the current round. One query."""
    return list(
        case.assignments.filter(round=case.round, state__in=ReviewerAssignment.LIVE)
        .select_related("reviewer", "offered_by")
        .order_by("seat")
    )


@dataclass(frozen=True)
class CaseAssignments:
    """All assignments of a case.

    :ivar live: those of the current round that are offered or accepted, by seat.
    :ivar ended: those that have ended, latest first.
    :ivar seats: the seats of the current round.
    """

    live: Sequence[ReviewerAssignment]
    ended: Sequence[ReviewerAssignment]
    seats: SeatState


def read_case_assignments(case: Case) -> CaseAssignments:
    """Read all assignments of a case and its seats. Two queries."""
    rows = list(case.assignments.select_related("reviewer", "offered_by").order_by("seat", "pk"))
    of_round = [one for one in rows if one.round == case.round]
    return CaseAssignments(
        live=[one for one in of_round if one.is_live],
        ended=sorted(
            (one for one in rows if one.ended_at is not None),
            key=lambda one: (one.ended_at, one.pk),
            reverse=True,
        ),
        seats=SeatState(
            get_seat_approval(case), frozenset(one.seat for one in of_round if one.takes_seat)
        ),
    )


def find_live_assignment(user: User, case: Case) -> ReviewerAssignment | None:
    """Return this person's live assignment in the current round, if any. At most one query.

    It carries what else decides whether the records are open: ``is_barred`` and ``is_attested``.
    """
    return rows_of(case).once(
        ("live assignment", user.pk), lambda: _read_live_assignment(user, case)
    )


def _read_live_assignment(user: User, case: Case) -> ReviewerAssignment | None:
    rows = ReviewerAssignment.objects.filter(
        case=case,
        round=case.round,
        reviewer__user=user,
        state__in=ReviewerAssignment.LIVE,
    )
    return annotate_access(rows.select_related("reviewer")).first()


def annotate_access(
    rows: QuerySet[ReviewerAssignment],
) -> QuerySet[ReviewerAssignment]:
    """Load assignments with ``is_barred`` and ``is_attested``, see ``why_not_open_file``."""
    bars = ReviewerBar.objects.filter(case=OuterRef("case"), reviewer=OuterRef("reviewer"))
    attestations = Attestation.objects.filter(
        assignment=OuterRef("pk"),
        voided_at__isnull=True,
        party_list_version=OuterRef("case__party_list_version"),
    )
    return rows.annotate(is_barred=Exists(bars), is_attested=Exists(attestations))


def keep_live_assignment(user: User, assignment: ReviewerAssignment) -> None:
    """Let the rules of this page use an assignment that the page has loaded with its access.

    :param assignment: of this user, loaded by ``annotate_access``; its case keeps its rows.
    """
    if assignment.round == assignment.case.round and assignment.is_live:
        rows_of(assignment.case).once(("live assignment", user.pk), lambda: assignment)


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
    if not user.may("determinations.write_review"):
        return "Your role does not let you review cases."
    assignment: Any = find_live_assignment(user, case)
    if assignment is None or assignment.reviewer is None:
        return "This case is not assigned to you."
    # A suspension closes the records at once, also of cases that are accepted.
    if assignment.reviewer.status != Reviewer.Status.ACTIVE:
        return "You are not active on the panel. Contact the coordinator."
    # From the request for information on, a barred reviewer's assignment may still be live.
    if assignment.is_barred:
        return "You have a conflict with this case."
    if case.stage not in WITH_REVIEWER:
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage; "
            "its records are closed to reviewers."
        )
    if assignment.state != ReviewerAssignment.State.ACCEPTED:
        return "Attest first that you have no conflict. Then the records open."
    if not assignment.is_attested:
        return (
            "The parties of this case have changed. Attest again that you have no conflict. "
            "Then the records open."
        )
    return ""


def can_open_file(user: User, case: Case) -> bool:
    """Return whether this person can open the records of a case as its reviewer."""
    return not why_not_open_file(user, case)
