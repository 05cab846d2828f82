"""Deciding whether a case is eligible, and the ends that come before a decision."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.models import User
from cases import eligibility, policies
from cases.lifecycle import Status
from cases.models import (
    Answer,
    Case,
    DisputedItem,
    EligibilityDecision,
    EligibilityFinding,
    EligibilityResult,
    Event,
)

from . import clocks
from .intake import local_day

_EVENTS = {
    EligibilityResult.ELIGIBLE: Event.Kind.FOUND_ELIGIBLE,
    EligibilityResult.INELIGIBLE: Event.Kind.FOUND_INELIGIBLE,
    EligibilityResult.DEFERRED: Event.Kind.DEFERRED,
    EligibilityResult.INCOMPLETE: Event.Kind.SCREENED,
}
_MOVES = {
    EligibilityResult.ELIGIBLE: Status.ELIGIBLE,
    EligibilityResult.INELIGIBLE: Status.INELIGIBLE,
    EligibilityResult.DEFERRED: Status.DEFERRED,
}


@transaction.atomic
def decide_eligibility(
    *,
    case_id: int,
    answers: Mapping[str, str],
    notes: Mapping[str, str],
    seen_version: int | None,
    by: User,
    at: datetime,
) -> EligibilityDecision:
    """Answer the six facts and let the finding follow from them.

    An unknown fact keeps the case in screening and names what is missing; it never becomes a NO.
    An eligible case owes its notice of assignment within one business day
    (8 CCR 9792.10.4(b)).

    :raises NotAllowed: wrong role or wrong state.
    :raises Stale: someone else changed the case in between.
    """
    case = Case.objects.select_for_update().get(pk=case_id)
    policies.refuse(policies.why_not_decide_eligibility(by, case))
    case.refuse_if_stale(seen_version)
    conclusion = eligibility.conclude(answers)
    result = EligibilityResult(conclusion.result)
    decision = EligibilityDecision(
        case=case,
        attempt=case.eligibility_decisions.count() + 1,
        result=result,
        decided_at=at,
        decided_by=by,
        note=conclusion.sentence,
    ).store(by=by, at=at)
    EligibilityFinding.objects.bulk_store(
        [
            EligibilityFinding(
                decision=decision,
                fact=fact,
                answer=answers[fact] if answers.get(fact) in Answer.values else Answer.UNKNOWN,
                reason_code=eligibility.REASONS[fact] if answers.get(fact) == "NO" else "",
                note=notes.get(fact, ""),
            )
            for fact in eligibility.FACTS
        ],
        by=by,
        at=at,
    )
    Event.objects.create(
        case=case,
        kind=_EVENTS[result],
        happened_at=at,
        by=by,
        sentence=conclusion.sentence,
        why=" ".join(note for note in notes.values() if note),
        facts={"answers": dict(answers), "reasons": list(conclusion.reasons)},
    )
    if result in _MOVES:
        case.move_to(_MOVES[result], by=by, at=at, why=conclusion.sentence)
        clocks.meet(case=case, clock=clocks.SCREENING, by=by, at=at)
    else:
        # The case stands where it stood, but whoever has the page open has not seen this finding.
        case.store(by=by, at=at, why=conclusion.sentence, fields=[])
    if result in {EligibilityResult.INELIGIBLE, EligibilityResult.DEFERRED}:
        clocks.stop(case=case, why=conclusion.sentence, by=by, at=at)
    if result == EligibilityResult.ELIGIBLE:
        clocks.start(
            case=case,
            clock="noarfi",
            given={"found_eligible": local_day(at).isoformat()},
            by=by,
            at=at,
        )
    return decision


@transaction.atomic
def screen_again(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """Put an ineligible, deferred or doubtful case before screening again; the finding stays.

    :raises NotAllowed: wrong role, wrong state, no reason, or an open case holds the UR decision.
    """
    case = Case.objects.select_for_update().get(pk=case_id)
    policies.refuse(policies.why_not_reopen(by, case))
    policies.refuse("" if reason.strip() else "Say why the case is screened again.")
    is_duplicate = case.duplicate_of_id is not None
    if is_duplicate:
        leads = Case.objects.filter(ur_decision=case.ur_decision_id, duplicate_of=None)
        lead = leads.open().exclude(pk=case.pk).first()
        policies.refuse(
            f"Case {lead} is open for the same UR decision. Close that one first, or "
            "enter the application anew and say that it disputes a different decision."
            if lead
            else ""
        )
    case.move_to(Status.SCREENING, by=by, at=at, why=reason)
    if is_duplicate:
        case.duplicate_of = None
        case.store(by=by, at=at, why=reason, fields=["duplicate_of"])
    clocks.start(
        case=case,
        clock=clocks.SCREENING,
        given={"received": local_day(at).isoformat()},
        by=by,
        at=at,
    )
    _record(case, Event.Kind.REOPENED, "Put before screening again.", reason, by=by, at=at)
    return case


@transaction.atomic
def withdraw(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """End the case because the employee takes the application back.

    :raises NotAllowed: wrong role, or the determination is already issued.
    """
    return _end_early(
        case_id,
        Status.WITHDRAWN,
        Event.Kind.WITHDRAWN,
        DisputedItem.Ending.WITHDRAWN,
        "Withdrawn by the employee.",
        reason,
        by=by,
        at=at,
    )


@transaction.atomic
def terminate(*, case_id: int, item_ids: list[int], reason: str, by: User, at: datetime) -> Case:
    """End the items that the claims administrator has authorised; the case, when none is left.

    8 CCR 9792.10.6(a): authorisation ends the review at any time.

    :raises NotAllowed: wrong role, no reason, an item of another case, or already decided.
    """
    case = Case.objects.select_for_update().get(pk=case_id)
    policies.refuse(policies.why_not_end_early(by, case))
    pending = {item.pk: item for item in case.items.filter(ending=DisputedItem.Ending.PENDING)}
    strangers = set(item_ids) - set(pending)
    policies.refuse("" if reason.strip() else "Say why the items end.")
    policies.refuse(
        "Choose items of this case that are still pending." if strangers or not item_ids else ""
    )
    if set(item_ids) == set(pending):
        return _end_early(
            case_id,
            Status.TERMINATED,
            Event.Kind.TERMINATED,
            DisputedItem.Ending.AUTHORISED,
            "Terminated: the claims administrator authorised the treatment.",
            reason,
            by=by,
            at=at,
        )
    ended = [pending[pk] for pk in dict.fromkeys(item_ids)]
    for item in ended:
        _end_item(item, DisputedItem.Ending.AUTHORISED, reason, by=by, at=at)
    places = sorted(item.position for item in ended)
    named = (
        f"Item {places[0]} ends" if len(places) == 1 else f"Items {', '.join(map(str, places))} end"
    )
    sentence = f"{named}: authorised by the claims administrator."
    _record(case, Event.Kind.TERMINATED, sentence, reason, by=by, at=at)
    return case


@transaction.atomic
def close(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """Close a case that ended before a determination.

    :raises NotAllowed: wrong role or state, or no reason.
    """
    case = Case.objects.select_for_update().get(pk=case_id)
    policies.refuse(policies.why_not_close(by, case))
    policies.refuse("" if reason.strip() else "Say why the case is closed.")
    ending = (
        DisputedItem.Ending.INELIGIBLE
        if case.stage in {Status.INELIGIBLE, Status.DUPLICATE}
        else DisputedItem.Ending.WITHDRAWN
    )
    for item in case.items.filter(ending=DisputedItem.Ending.PENDING):
        _end_item(item, ending, reason, by=by, at=at)
    case.move_to(Status.CLOSED, by=by, at=at, why=reason)
    clocks.stop(case=case, why="Closed", by=by, at=at)
    _record(case, Event.Kind.CLOSED, "Closed.", reason, by=by, at=at)
    return case


def _end_early(
    case_id: int,
    status: Status,
    kind: Event.Kind,
    ending: DisputedItem.Ending,
    sentence: str,
    reason: str,
    *,
    by: User,
    at: datetime,
) -> Case:
    case = Case.objects.select_for_update().get(pk=case_id)
    policies.refuse(policies.why_not_end_early(by, case))
    policies.refuse("" if reason.strip() else "Say why the case ends.")
    for item in case.items.filter(ending=DisputedItem.Ending.PENDING):
        _end_item(item, ending, reason, by=by, at=at)
    case.move_to(status, by=by, at=at, why=reason)
    clocks.stop(case=case, why=sentence, by=by, at=at)
    _record(case, kind, sentence, reason, by=by, at=at)
    return case


def _end_item(
    item: DisputedItem,
    ending: DisputedItem.Ending,
    reason: str,
    *,
    by: User,
    at: datetime,
) -> None:
    item.ending, item.ended_at, item.ended_because = ending, at, reason[:300]
    item.store(by=by, at=at, why=reason, fields=["ending", "ended_at", "ended_because"])


def _record(
    case: Case, kind: Event.Kind, sentence: str, why: str, *, by: User, at: datetime
) -> Event:
    return Event.objects.create(
        case=case, kind=kind, happened_at=at, by=by, sentence=sentence, why=why
    )
