"""Assigning a case to a reviewer: offer, attest, decline, remove, finish.

The events written here never contain the reviewer's name, nor text that a reviewer or coordinator
typed about them. That text is kept on the assignment, which only people with
``reviewers.view_identity`` can read (Labor Code 4610.6(f)).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.names import name_actor
from accounts.refusals import NotAllowed, StaleForm, refuse_if
from cases.lifecycle import Status
from cases.models import Case, Event, UndoableAct
from cases.services import undoing
from deadlines.days import local_day
from directory.affiliations import FAIL, UNKNOWN, FoundConflict
from notices.services import take_back_notices
from reviewers import policies
from reviewers.matching.candidacy import Reason
from reviewers.matching.candidates import evaluate_candidates
from reviewers.matching.track_record import WITH_REVIEWER
from reviewers.models import (
    Attestation,
    AttestationWording,
    CandidateList,
    Reviewer,
    ReviewerAssignment,
    ReviewerBar,
)
from reviewers.models.assignment import count_seats, list_free_seats

from .conflicts import check_conflicts, check_own_conflicts_first, store_conflict_results
from .review_notices import notify_reviewer
from .seats import advance_when_filled

State = ReviewerAssignment.State
_OFFER_NOTICE = "REVIEW_OFFERED"

# The first three candidates can be assigned without a reason; all others need one.
SHOWN_CANDIDATES = 3
# Not checked again when a reviewer attests: the offer already decided about these.
_NOT_CHECKED_AGAIN = {"WORKLOAD", "OVERDUE", "LEAVE", "DAY_OFF", "SUBJECT", "SIGN_IN"}


class AlreadyTaken(StaleForm):
    """Someone else has already assigned the case; the message says who."""


class Outdated(StaleForm):
    """What the page showed is out of date; the message says what to review again."""


class UnresolvedConflict(NotAllowed):
    """A possible conflict must first be resolved by a person other than the reviewer."""


def assign_reviewer(
    *,
    case_id: int,
    reviewer_id: int,
    candidate_list_id: int,
    seen_version: int | None,
    override_code: str = "",
    override_reason: str = "",
    by: User,
    at: datetime,
) -> ReviewerAssignment:
    """Offer a case to a reviewer from a stored list of candidates.

    It can be undone for ten seconds.

    Every requirement is checked again, with the case and the reviewer locked. If two coordinators
    assign the same case, or two cases need a reviewer's last open place, only one succeeds.

    :param override_code: why this reviewer instead of one of the first three, a value of
        ``ReviewerAssignment.Override``; ``override_reason`` is the note with it.
    :raises AlreadyTaken: another coordinator was first.
    :raises Outdated: the parties changed since the list was made.
    :raises Stale: the case changed since the page was loaded.
    :raises NotAllowed: wrong role or state, a requirement refuses, an override without a reason,
        or this organization has a conflict (checked first).
    """
    check_own_conflicts_first(case_id=case_id, by=by, at=at)
    return _assign_in_transaction(
        case_id,
        reviewer_id,
        candidate_list_id,
        seen_version,
        override_code,
        override_reason,
        by=by,
        at=at,
    )


@transaction.atomic
def _assign_in_transaction(
    case_id: int,
    reviewer_id: int,
    candidate_list_id: int,
    seen_version: int | None,
    override_code: str,
    override_reason: str,
    *,
    by: User,
    at: datetime,
) -> ReviewerAssignment:
    # Every action locks the case before the reviewer, so that two actions cannot deadlock.
    case = Case.objects.lock(case_id)
    kind = UndoableAct.Kind.OFFERED
    rows_before = undoing.remember_rows(cases=[case], kind=kind)
    assignment = _offer_locked_case(
        case,
        reviewer_id,
        candidate_list_id,
        seen_version,
        override_code,
        override_reason,
        by=by,
        at=at,
    )
    undoing.offer_undo(
        case=case, kind=kind, rows_before=rows_before, subject_id=assignment.pk, by=by, at=at
    )
    return assignment


def _offer_locked_case(
    case: Case,
    reviewer_id: int,
    candidate_list_id: int,
    seen_version: int | None,
    override_code: str,
    override_reason: str,
    *,
    by: User,
    at: datetime,
) -> ReviewerAssignment:
    # First, because its message names the person who was faster; the others name the state.
    seat = get_free_seat(case, reader=by)
    refuse_if(policies.why_not_assign(by, case))
    case.refuse_if_stale(seen_version)
    # Locked, so that two cases cannot both get the reviewer's last open place.
    reviewer = Reviewer.objects.select_for_update().get(pk=reviewer_id)
    # No constraint keeps one reviewer from having two seats of a case.
    if any(live.reviewer_id == reviewer.pk for live in policies.list_live_assignments(case)):
        refuse_if(f"{reviewer.code} already has this case. Choose another reviewer.")
    shown_list = CandidateList.objects.get(pk=candidate_list_id)
    # The ids come from the form, so the list may belong to another case.
    if shown_list.case_id != case.pk or shown_list.round != case.round:
        refuse_if("This list of candidates belongs to another case or round.")
    if shown_list.party_list_version != case.party_list_version:
        raise Outdated("The parties of the case have changed. Review the new list, then choose.")
    # The list may be old, so credentials, open cases and affiliations are checked as of now.
    results, conflicts = evaluate_candidates(case, on=local_day(at), known_at=at, only=reviewer)
    result = results[0]
    if not result.is_eligible:
        sentences = " ".join(reason.sentence for reason in result.refusals)
        refuse_if(f"{reviewer.code} cannot be assigned to this case. {sentences}")
    # The rank that the coordinator saw decides whether a reason is needed, not the new one.
    listed = shown_list.find_candidate(reviewer.pk)
    override = _check_override(listed.rank if listed else None, override_code, override_reason)
    assignment = ReviewerAssignment(
        case=case,
        round=case.round,
        seat=seat,
        reviewer=reviewer,
        candidate_list=shown_list,
        # Copied, because the letter states this match and the map may change before then.
        match_reasons=[
            {
                "item": match.item_id,
                "position": match.position,
                "specialty": match.specialty,
                "mapped": match.is_mapped,
                "why": match.why,
                "diagnosis": match.diagnosis,
            }
            for match in result.matches
        ],
        override_code=override,
        override_reason=override_reason.strip()[:300],
        offered_at=at,
        offered_by=by,
    ).store(by=by, at=at)
    # Stored even if all passed: a letter denies an affiliation only with a stored check.
    store_conflict_results(case=case, found={reviewer.pk: conflicts[reviewer.pk]}, by=by, at=at)
    _record_event(
        case,
        Event.Kind.REVIEWER_OFFERED,
        f"Offered to {_describe_seat(assignment)}{_describe_override(assignment)}.",
        assignment,
        by=by,
        at=at,
    )
    notify_reviewer(
        assignment=assignment,
        kind=_OFFER_NOTICE,
        key=f"assignment {assignment.pk}",
        leaves_after=undoing.UNDO_FOR,
        at=at,
    )
    advance_when_filled(case=case, by=by, at=at)
    return assignment


@transaction.atomic
def undo_assign_reviewer(*, act_id: int, by: User, at: datetime) -> Case:
    """Undo the offer of a case to a reviewer. The case waits for a reviewer as before.

    The offer stays on file as undone; the conflict check stays, because it was made.

    :raises NotAllowed: another person assigned the case, or the ten seconds have passed.
    :raises FollowedBySomething: the reviewer answered, or something else was done on the case.
    """
    kind = UndoableAct.Kind.OFFERED
    act = undoing.lock_undoable_act(act_id=act_id, kind=kind, by=by, at=at)
    assignment = ReviewerAssignment.objects.get(pk=act.subject_id)
    assignment.state, assignment.ended_at, assignment.ended_because = State.UNDONE, at, "Undone"
    fields = ["state", "ended_at", "ended_because"]
    assignment.store(by=by, at=at, why="Undone", fields=fields)
    key = f"assignment {assignment.pk}"
    take_back_notices(kind=_OFFER_NOTICE, key=key, by=by, at=at)
    undoing.restore_rows(act=act, by=by, at=at)
    undoing.record_undone(act=act, by=by, at=at)
    return act.case


def sign_attestation(
    *,
    assignment_id: int,
    answers: Mapping[str, str],
    wording_id: int,
    seen_parties: int | None = None,
    by: User,
    at: datetime,
) -> ReviewerAssignment:
    """Sign the conflict attestation for one case, as its reviewer.

    If all answers are "no", the assignment is accepted, the records open and the case goes into
    review (or stays there if the reviewer had to attest again after a change of parties). If any
    answer is "yes", or a conflict is on file, the assignment ends, the reviewer is barred and the
    case waits for another reviewer. The signed answers are kept in both cases. From the request for
    information on, an assignment with a conflict stays live, but its reviewer is barred.

    :param answers: question code → "yes" or "no", for every question of the wording.
    :param seen_parties: the party list version that the page showed.
    :raises Outdated: the parties or the wording changed since the page was loaded.
    :raises UnresolvedConflict: a possible conflict must be resolved first; it is stored for the
        coordinator.
    :raises NotAllowed: not the reviewer's own assignment, an unanswered question, or a credential
        that has lapsed.
    """
    try:
        return _attest_in_transaction(
            assignment_id, answers, wording_id, seen_parties, by=by, at=at
        )
    except UnresolvedConflict:
        # The refusal rolled back the results. Store them, so that the coordinator can resolve them.
        ids = ReviewerAssignment.objects.values_list("case_id", "reviewer_id")
        case_id, reviewer_id = ids.get(pk=assignment_id)
        check_conflicts(case_id=case_id, reviewer_id=reviewer_id, by=by, at=at)
        raise


@transaction.atomic
def _attest_in_transaction(
    assignment_id: int,
    answers: Mapping[str, str],
    wording_id: int,
    seen_parties: int | None,
    *,
    by: User,
    at: datetime,
) -> ReviewerAssignment:
    assignment = lock_assignment(assignment_id)
    case = assignment.case
    refuse_if(policies.why_not_answer(by, assignment))
    reviewer = assignment.reviewer
    assert reviewer is not None  # noqa: S101  # why_not_answer refuses without one
    _refuse_outside_review(case)
    # The signature must cover the parties that the reviewer has seen, and no others.
    if seen_parties is not None and seen_parties != case.party_list_version:
        raise Outdated(
            "The parties of the case changed while this page was open. Review them, then sign."
        )
    wording = get_current_wording(at)
    if outdated := policies.why_not_sign(wording, wording_id):
        raise Outdated(outdated)
    assert wording is not None  # noqa: S101  # why_not_sign refuses without one
    complete_answers = _complete_answers(wording, answers)
    results, conflicts = evaluate_candidates(case, on=local_day(at), known_at=at, only=reviewer)
    store_conflict_results(case=case, found={reviewer.pk: conflicts[reviewer.pk]}, by=by, at=at)
    stated = [code for code, answer in complete_answers.items() if answer == "yes"]
    failed = [conflict for conflict in conflicts[reviewer.pk] if conflict.result == FAIL]
    # A conflict ends the assignment even if a credential has lapsed, so it is checked first.
    if not stated and not failed:
        _refuse_lapsed(results[0].refusals, conflicts[reviewer.pk])
    # A constraint allows one attestation in force. The earlier one is kept as void.
    _void_attestations(assignment, "Attested again", by=by, at=at)
    signed = Attestation(
        assignment=assignment,
        wording=wording,
        answers=complete_answers,
        party_list_version=case.party_list_version,
        signed_at=at,
        signed_by=by,
    )
    if stated or failed:
        why = "A conflict was stated" if stated else "A conflict was found"
        # Kept as evidence of the answers, but void from the start, so that it opens nothing.
        signed.voided_at, signed.voided_because = at, why
        signed.store(by=by, at=at)
        _bar_reviewer(case, reviewer, why, by=by, at=at)
        return _end_assignment(
            assignment,
            case,
            State.DECLINED,
            why,
            Event.Kind.REVIEWER_DECLINED,
            f"{_describe_seat(assignment, capital=True)} has a conflict and declined the case.",
            by=by,
            at=at,
            by_reviewer=True,
        )
    signed.store(by=by, at=at)
    # After a change of parties the assignment is accepted already and needs the signature only.
    if assignment.state == State.OFFERED:
        assignment.state, assignment.accepted_at = State.ACCEPTED, at
        assignment.store(by=by, at=at, fields=["state", "accepted_at"])
        # With another seat free, the case stays at RECORDS_COMPLETE until that is assigned.
        if case.stage == Status.REVIEWER_CHOSEN:
            case.move_to(Status.IN_REVIEW, by=by, at=at)
    _record_event(
        case,
        Event.Kind.REVIEWER_ATTESTED,
        f"{_describe_seat(assignment, capital=True)} attested that no conflict exists.",
        assignment,
        by=by,
        at=at,
        by_reviewer=True,
    )
    return assignment


@transaction.atomic
def decline_assignment(
    *, assignment_id: int, reason: str, conflict: bool = False, by: User, at: datetime
) -> ReviewerAssignment:
    """Decline a case, as its reviewer, before or during the review.

    The case waits for another reviewer at once.

    :param conflict: the reviewer found a conflict and is barred from the case.
    :raises NotAllowed: not the reviewer's own assignment, no reason, or the case is past review.
    """
    assignment = lock_assignment(assignment_id)
    case = assignment.case
    refuse_if(policies.why_not_decline(by, assignment))
    refuse_if("" if reason.strip() else "Enter why you decline the case.")
    if conflict and assignment.reviewer is not None:
        _bar_reviewer(case, assignment.reviewer, "The reviewer reported a conflict", by=by, at=at)
    return _end_assignment(
        assignment,
        case,
        State.DECLINED,
        reason.strip()[:300],
        Event.Kind.REVIEWER_DECLINED,
        f"{_describe_seat(assignment, capital=True)} declined the case.",
        by=by,
        at=at,
        by_reviewer=True,
    )


@transaction.atomic
def remove_reviewer(
    *,
    assignment_id: int,
    reason: str,
    bar: bool = False,
    to_another: bool = False,
    by: User,
    at: datetime,
) -> ReviewerAssignment:
    """Remove the reviewer from a case.

    :param bar: the reviewer may not be assigned to this case again, for example after a conflict.
    :param to_another: the case is offered to another reviewer in the same action; the event says
        so.
    :raises NotAllowed: wrong role or state, or no reason.
    """
    assignment = lock_assignment(assignment_id)
    case = assignment.case
    refuse_if(policies.why_not_remove_reviewer(by, case))
    refuse_if("" if reason.strip() else "Enter why the reviewer is removed.")
    refuse_if("" if assignment.is_live else "This assignment has ended already.")
    if bar and assignment.reviewer is not None:
        _bar_reviewer(case, assignment.reviewer, reason.strip()[:300], by=by, at=at)
    return _end_assignment(
        assignment,
        case,
        State.REMOVED,
        reason.strip()[:300],
        Event.Kind.REVIEWER_REMOVED,
        f"{_describe_seat(assignment, capital=True)} was removed"
        f"{' to reassign the case' if to_another else ''}.",
        by=by,
        at=at,
    )


@transaction.atomic
def finish_assignment(*, assignment_id: int, by: User | None, at: datetime) -> ReviewerAssignment:
    """Finish an assignment because its determination is issued. Called by that action.

    :raises NotAllowed: the reviewer never accepted it, or it has ended.
    """
    assignment = lock_assignment(assignment_id)
    if assignment.state != State.ACCEPTED:
        refuse_if(
            f"The assignment is in state “{assignment.get_state_display()}” and cannot be finished."
        )
    assignment.state, assignment.ended_at = State.FINISHED, at
    assignment.ended_because = "Determination issued"
    return assignment.store(
        by=by, at=at, why="Determination issued", fields=["state", "ended_at", "ended_because"]
    )


def get_current_wording(at: datetime) -> AttestationWording | None:
    """Return the attestation that is signed on a day: the latest number in force."""
    return (
        AttestationWording.objects.filter(effective_from__lte=local_day(at))
        .order_by("-number")
        .first()
    )


def lock_assignment(assignment_id: int) -> ReviewerAssignment:
    """Lock the case of an assignment until the transaction ends, then read the assignment.

    Every action on a case waits for the lock on the case. Check the assignment and its ``case``
    only as this function returns them: the reviewer may have lost the case during the wait.

    :raises ReviewerAssignment.DoesNotExist: no such assignment.
    """
    case_id = ReviewerAssignment.objects.values_list("case_id", flat=True).get(pk=assignment_id)
    case = Case.objects.lock(case_id)
    assignment = ReviewerAssignment.objects.select_related("reviewer").get(pk=assignment_id)
    # Services then change the locked row, not a second copy that Django would load.
    assignment.case = case
    return assignment


def get_free_seat(case: Case, *, reader: User) -> int:
    """Return the next free seat of a locked case.

    :param reader: the person for whom the refusal names who assigned the last seat.
    :raises AlreadyTaken: no seat is free; the message says who assigned the last one.
    """
    live = policies.list_live_assignments(case)
    free = list_free_seats(case)
    if live and not free:
        # A missing time sorts first and is never compared with a time, which would fail.
        last = max(live, key=lambda one: (one.offered_at is not None, one.offered_at))
        name = name_actor(last.offered_by, reader=reader)
        raise AlreadyTaken(f"{name} has already offered case {case.number} to a reviewer.")
    # If all seats are finished, the check of the stage refuses next, with a better sentence.
    return free[0] if free else 1


def _check_override(place: int | None, code: str, note: str) -> str:
    """Check the override reason and return the code to store, empty for the first three."""
    # A reason sent with one of the first three is dropped, so that overrides can be counted.
    if place is not None and place <= SHOWN_CANDIDATES:
        return ""
    if code not in ReviewerAssignment.Override.values:
        refuse_if("Choose why this reviewer instead of one of the first three.")
    if code == ReviewerAssignment.Override.OTHER and not note.strip():
        refuse_if("Enter the other reason in the note.")
    return code


def _describe_override(assignment: ReviewerAssignment) -> str:
    """Return the coded override reason for the event.

    The note is left out, because it may describe the person.
    """
    if not assignment.override_code:
        return ""
    return f", not one of the first three: {assignment.get_override_code_display().lower()}"


def _refuse_outside_review(case: Case) -> None:
    if case.stage not in WITH_REVIEWER:
        refuse_if(
            f"Case {case.number} is in the “{case.stage.label}” stage; "
            "there is nothing to attest now."
        )


def _complete_answers(wording: AttestationWording, answers: Mapping[str, str]) -> dict[str, str]:
    # Answers to questions that the wording does not ask are not signed, so they are dropped.
    codes = [question["code"] for question in wording.questions]
    complete = {code: str(answers.get(code, "")).lower() for code in codes}
    if any(answer not in {"yes", "no"} for answer in complete.values()):
        refuse_if("Answer every question with yes or no.")
    return complete


def _refuse_lapsed(refusals: Sequence[Reason], conflicts: Sequence[FoundConflict]) -> None:
    """Refuse an acceptance when a credential has lapsed, without ending the offer."""
    if any(conflict.result == UNKNOWN for conflict in conflicts):
        raise UnresolvedConflict(
            "The coordinator must first resolve a possible conflict. No action is needed from you."
        )
    # The credential may be renewed within the deadline, so the offer is not ended.
    sentences = [
        reason.sentence for reason in refusals if reason.requirement not in _NOT_CHECKED_AGAIN
    ]
    if sentences:
        refuse_if(
            f"The case cannot be opened because of your file. {' '.join(sentences)} "
            "Contact the coordinator."
        )


def _end_assignment(
    assignment: ReviewerAssignment,
    case: Case,
    state: ReviewerAssignment.State,
    reason: str,
    kind: Event.Kind,
    sentence: str,
    *,
    by: User,
    at: datetime,
    by_reviewer: bool = False,
) -> ReviewerAssignment:
    """End an assignment, so that the case waits for another reviewer.

    A case that waits for information, or is already in quality assurance, stays there. The
    attestation is void and the reviewer barred, so nothing can be issued until the case is in
    review again.
    """
    # At every stage: without an attestation in force the records close at once.
    _void_attestations(assignment, reason, by=by, at=at)
    if case.stage in {Status.RECORDS_COMPLETE, Status.REVIEWER_CHOSEN, Status.IN_REVIEW}:
        assignment.state, assignment.ended_at, assignment.ended_because = state, at, reason
        assignment.store(by=by, at=at, fields=["state", "ended_at", "ended_because"])
        if case.stage != Status.RECORDS_COMPLETE:  # already there while another seat is free
            case.move_to(Status.RECORDS_COMPLETE, by=by, at=at)
    _record_event(case, kind, sentence, assignment, by=by, at=at, by_reviewer=by_reviewer)
    return assignment


def _void_attestations(
    assignment: ReviewerAssignment, reason: str, *, by: User, at: datetime
) -> None:
    for signed in assignment.attestations.filter(voided_at__isnull=True):
        signed.voided_at, signed.voided_because = at, reason
        signed.store(by=by, at=at, fields=["voided_at", "voided_because"])


def _bar_reviewer(case: Case, reviewer: Reviewer, reason: str, *, by: User, at: datetime) -> None:
    # Bars are append-only and one for each case, so the first reason is kept.
    if not ReviewerBar.objects.filter(case=case, reviewer=reviewer).exists():
        ReviewerBar.objects.create(
            case=case, reviewer=reviewer, reason=reason, barred_at=at, barred_by=by
        )


def _record_event(
    case: Case,
    kind: Event.Kind,
    sentence: str,
    assignment: ReviewerAssignment,
    *,
    by: User,
    at: datetime,
    by_reviewer: bool = False,
) -> None:
    Event.objects.create(
        case=case,
        kind=kind,
        happened_at=at,
        by=by,
        by_reviewer_seat=assignment.seat if by_reviewer else None,
        sentence=sentence,
        facts={"assignment": assignment.pk, "seat": assignment.seat},
    )


def _describe_seat(assignment: ReviewerAssignment, *, capital: bool = False) -> str:
    """Name the reviewer of an assignment in an event, without their identity.

    The number is shown only where several reviewers are approved for the case.
    """
    label = "the reviewer" if count_seats(assignment.case) == 1 else f"reviewer {assignment.seat}"
    return label[0].upper() + label[1:] if capital else label
