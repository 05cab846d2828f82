"""Decides whether a case is eligible, and returns cases to screening."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import User
from accounts.refusals import StaleForm, refuse_if
from cases.lifecycle import Status
from cases.models import (
    Case,
    CaseLink,
    DisputedItem,
    DuplicateProposal,
    Event,
    UndoableAct,
)
from cases.services import (
    case_deadlines,
    drafting,
    endings,
    restrictions,
    served_letters,
    undoing,
)
from deadlines.days import local_day
from eligibility import policies
from eligibility.answers import EligibilityResult
from eligibility.models import EligibilityDecision, EligibilityFinding

from . import findings
from .findings import EligibilityAnswers, ItemAnswers
from .proposals import propose_eligibility, propose_for_cases
from .ur_decision import (
    KeyedDecision,
    answer_differences,
    is_reading_on_file,
    list_differences,
    list_open_differences,
    store_reading,
)

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


class ChangedSinceShown(StaleForm):
    """A case of a list changed after the list was shown."""

    def __init__(self) -> None:
        super().__init__("This case has changed since the list was shown. Open it to decide.")


@transaction.atomic
def decide_eligibility(
    *,
    case_id: int,
    answers: Mapping[str, str],
    notes: Mapping[str, str],
    seen_version: int | None,
    by: User,
    at: datetime,
    reasons: Mapping[str, str] | None = None,
    items: Mapping[int, ItemAnswers] | None = None,
    other_case: str = "",
) -> EligibilityDecision:
    """Record a person's answers to the six facts, and the result that follows from them.

    The proposal of the rules is stored beside the answers, with the notes that explain differences.
    An unknown fact keeps the case in screening; it never counts as NO. Ineligible items end with
    their reason code, and the other items continue. The notice of assignment (NOARFI) of an
    eligible case is due within one business day (8 CCR 9792.10.4(b)).

    :param answers: fact to YES, NO or UNKNOWN; ``AS_READ`` for NECESSITY takes the answers that
        follow from the UR outcomes on file.
    :param reasons: fact to the reason code of a NO; the default code if none is given.
    :param items: item id to the answers for that item, if they differ from the application's.
    :param other_case: the number of the case that makes the items ineligible, for items that name
        no other.
    :raises NotAllowed: wrong role or state, an unanswered difference from the UR decision, or an
        answer that contradicts the proposal without a note.
    :raises Stale: someone else changed the case in between.
    """
    named = {other_case, *(one.other_case for one in (items or {}).values())} - {""}
    case = _lock_with_named(case_id, named)
    # The role and the stage come before the version: reloading would not help someone who may not
    # decide.
    refuse_if(policies.why_not_decide_eligibility(by, case))
    case.refuse_if_stale(seen_version)
    submitted = EligibilityAnswers(answers, notes, reasons or {}, items or {}, other_case)
    return _decide_locked(case, submitted, by=by, at=at)


def _lock_with_named(case_id: int, numbers: set[str]) -> Case:
    """Lock a case with those that it may be linked to: either could be restricted meanwhile."""
    repeated = DuplicateProposal.objects.filter(case=case_id).values("other")
    others = Case.objects.filter(Q(number__in=numbers) | Q(pk__in=repeated))
    return Case.objects.lock_all([case_id, *others.values_list("pk", flat=True)])[case_id]


@transaction.atomic
def accept_proposal(
    *, case_id: int, seen_version: int, by: User, at: datetime
) -> EligibilityDecision:
    """Accept the proposal for a clear application: all six facts are Yes, without a difference.

    It is the decision of the person who accepts it, like every other one.

    :param seen_version: the version of the case that the page showed.
    :raises NotAllowed: wrong role or state, or the proposal is not clear any more.
    :raises ChangedSinceShown: the case changed after the page was opened.
    """
    case = _lock_with_named(case_id, set())
    refuse_if(policies.why_not_decide_eligibility(by, case))
    if case.version != seen_version:
        raise ChangedSinceShown
    proposed = propose_for_cases([case], reader=by)[case.pk]
    refuse_if(policies.why_not_accept_proposal(proposed.is_clear))
    submitted = EligibilityAnswers(proposed.proposal.answers, {}, {}, {})
    why = "Accepted in bulk: all six facts were proposed Yes, without a difference."
    return _decide_locked(case, submitted, by=by, at=at, why=why)


def read_and_decide(
    *,
    case_id: int,
    keyed: KeyedDecision | None,
    difference_answers: Mapping[str, str],
    difference_notes: Mapping[str, str],
    seen_version: int | None,
    by: User,
    at: datetime,
    **decision: Any,
) -> EligibilityDecision:
    """Record the UR decision as keyed and the answers to differences, then decide eligibility.

    Two transactions: what was read is a fact, so it is kept if the decision is refused, for example
    because of a difference that was found only now.

    :param keyed: ``None`` leaves the reading that is on file.
    :param difference_answers: as for ``answer_differences``; differences that the reading resolved
        are left out.
    :param decision: the answers, as for ``decide_eligibility``.
    :raises NotAllowed: as both raise it.
    :raises Stale: someone else changed the case after the page was opened, or between the two.
    """
    version = _record_reading(
        case_id, keyed, difference_answers, difference_notes, seen_version, by=by, at=at
    )
    return decide_eligibility(case_id=case_id, seen_version=version, by=by, at=at, **decision)


@transaction.atomic
def _record_reading(
    case_id: int,
    keyed: KeyedDecision | None,
    answers: Mapping[str, str],
    notes: Mapping[str, str],
    seen_version: int | None,
    *,
    by: User,
    at: datetime,
) -> int | None:
    """Record what was read, if anything changed; return the version that the page has seen then."""
    case: Case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_decide_eligibility(by, case))
    case.refuse_if_stale(seen_version)
    if keyed is not None and not is_reading_on_file(case, keyed):
        store_reading(case=case, keyed=keyed, seen_version=None, by=by, at=at)
    listed = {one.difference.key: one for one in list_differences(case)} if answers else {}
    new_answers = {
        key: answer
        for key, answer in answers.items()
        if key in listed
        and (
            (row := listed[key].answer) is None
            or (row.answer, row.note) != (answer, notes.get(key, ""))
        )
    }
    if new_answers:
        answer_differences(case_id=case_id, answers=new_answers, notes=notes, by=by, at=at)
        case.refresh_from_db(fields=["version"])
    return case.version


def _decide_locked(
    case: Case, submitted: EligibilityAnswers, *, by: User, at: datetime, why: str = ""
) -> EligibilityDecision:
    """Decide a locked case, and let the person undo that it was found eligible.

    The role, the stage and the version were checked.

    :param why: the reason of the event, if it is not made of the notes.
    """
    kind = UndoableAct.Kind.FOUND_ELIGIBLE
    rows_before = undoing.remember_rows(cases=[case], kind=kind)
    decision = _store_decision(case, submitted, by=by, at=at, why=why)
    if decision.result == EligibilityResult.ELIGIBLE:
        undoing.offer_undo(
            case=case,
            kind=kind,
            rows_before=rows_before,
            subject_id=decision.pk,
            by=by,
            at=at,
        )
    return decision


@transaction.atomic
def undo_eligible_decision(*, act_id: int, by: User, at: datetime) -> Case:
    """Undo the decision that a case is eligible. The case returns to screening as it was.

    Deadlines, items, links and the draft letter of the decision are taken back; what was read from
    the UR decision is a fact and stays.

    :raises NotAllowed: another person decided, or the ten seconds have passed.
    :raises FollowedBySomething: something was done on the case since.
    """
    kind = UndoableAct.Kind.FOUND_ELIGIBLE
    act = undoing.lock_undoable_act(act_id=act_id, kind=kind, by=by, at=at)
    decision = EligibilityDecision.objects.get(pk=act.subject_id)
    decision.undone_at, decision.undone_by = at, by
    decision.store(by=by, at=at, why="Undone", fields=["undone_at", "undone_by"])
    undoing.restore_rows(act=act, by=by, at=at)
    event = undoing.record_undone(act=act, by=by, at=at)
    _unlink_other_cases(decision, event, by=by, at=at)
    return act.case


def _unlink_other_cases(
    decision: EligibilityDecision, event: Event, *, by: User, at: datetime
) -> None:
    """Record on the other cases of an undone decision that it does not link them any more."""
    named = Case.objects.filter(pk__in=decision.findings.values("other_case"))
    linked = CaseLink.objects.filter(case=decision.case, ended_at__isnull=True).values("other")
    for other in named.exclude(pk__in=linked).order_by("pk"):
        Event.objects.create(
            case=other,
            kind=Event.Kind.UNDONE,
            happened_at=at,
            by=by,
            sentence=f"Undone: linked to {decision.case.number}.",
            facts={"other": decision.case.number},
            caused_by=event,
        )


def _store_decision(
    case: Case, submitted: EligibilityAnswers, *, by: User, at: datetime, why: str
) -> EligibilityDecision:
    """Decide a locked case, of which the role, the stage and the version were checked.

    :param why: the reason of the event, if it is not made of the notes.
    """
    pending = list(case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"))
    findings.refuse_unknown_references(submitted, case, pending, by=by)
    # Computed again under the lock, because the facts may have changed since the page was shown.
    proposal = propose_eligibility(case, reader=by)
    submitted = findings.answer_from_reading(submitted, pending, proposal)
    conclusion = findings.conclude_eligibility(submitted, pending, proposal)
    explained = findings.refuse_unexplained_answers(submitted, pending, proposal)
    result = EligibilityResult(conclusion.result)
    # Only an eligible case continues, and an open difference may mean another UR decision.
    if result == EligibilityResult.ELIGIBLE:
        refuse_if(policies.why_not_eligible_yet(len(list_open_differences(case))))
    decision = EligibilityDecision(
        case=case,
        attempt=case.eligibility_decisions.count() + 1,
        result=result,
        proposed=proposal.conclusion.result,
        why_different=" ".join(explained),
        decided_at=at,
        decided_by=by,
        note=conclusion.sentence,
    ).store(by=by, at=at)
    rows = findings.build_findings(decision, submitted, pending, proposal, conclusion)
    EligibilityFinding.objects.bulk_store(rows, by=by, at=at)
    event = Event.objects.create(
        case=case,
        kind=_EVENTS[result],
        happened_at=at,
        by=by,
        sentence=conclusion.sentence,
        why=why or findings.describe_notes(rows),
        facts={
            "answers": dict(submitted.answers),
            "reasons": list(conclusion.reasons),
            "proposed": proposal.conclusion.result,
        },
    )
    # These events name the decision's event as their cause, so that one is stored first.
    _record_waiver(case, rows, event, by=by, at=at)
    _link_other_cases(case, rows, event, by=by, at=at)
    _move_case(case, result, conclusion.sentence, by=by, at=at)
    # A deferred or incomplete case will be decided again, so its items stay pending.
    if result in {EligibilityResult.ELIGIBLE, EligibilityResult.INELIGIBLE}:
        _end_ineligible_items(pending, rows, result, by=by, at=at)
    drafting.propose_letter(event=event, by=by, at=at)
    return decision


def _move_case(
    case: Case, result: EligibilityResult, sentence: str, *, by: User, at: datetime
) -> None:
    """Change the stage and the deadlines of a case as its eligibility decision requires."""
    if result in _MOVES:
        case.move_to(_MOVES[result], by=by, at=at, why=sentence)
        case_deadlines.satisfy_deadline(
            case=case, deadline_kind=case_deadlines.SCREENING, by=by, at=at
        )
    else:
        # The stage stays the same. A new version makes pages stale that do not show this decision.
        case.store(by=by, at=at, why=sentence, fields=[])
    if result in {EligibilityResult.INELIGIBLE, EligibilityResult.DEFERRED}:
        case_deadlines.stop_deadlines(case=case, why=sentence, by=by, at=at)
    if result == EligibilityResult.ELIGIBLE:
        # The application is accepted, so the new filing period after a liability dispute has ended.
        case_deadlines.satisfy_deadline(
            case=case, deadline_kind="application_after_liability", by=by, at=at
        )
        case_deadlines.start_deadline(
            case=case,
            deadline_kind="noarfi",
            given={"found_eligible": local_day(at).isoformat()},
            by=by,
            at=at,
        )


def screen_case_again(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """Return a case to screening, to reverse a decision or because the missing facts arrived.

    The earlier decision stays on file. Items that it ended as ineligible become pending, open
    questions are closed, and the screening deadline starts again.

    :raises NotAllowed: wrong role or state, no reason, or another open case disputes the same UR
        decision.
    """
    try:
        return _screen_case_again(case_id, reason, by=by, at=at)
    except IntegrityError:
        # Someone opened another case about the same UR decision at the same moment. Name it.
        refuse_if(_why_not_the_open_case(Case.objects.get(pk=case_id)))
        raise


@transaction.atomic
def _screen_case_again(case_id: int, reason: str, *, by: User, at: datetime) -> Case:
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_screen_again(by, case))
    refuse_if("" if reason.strip() else "Enter the reason for reviewing eligibility again.")
    is_duplicate = case.duplicate_of_id is not None
    # Only one open case per UR decision is allowed; a duplicate or closed case would be a second.
    if is_duplicate or not case.is_open:
        refuse_if(_why_not_the_open_case(case))
    case.move_to(Status.SCREENING, by=by, at=at, why=reason)
    if is_duplicate:
        case.duplicate_of = None
        case.store(by=by, at=at, why=reason, fields=["duplicate_of"])
    for item in case.items.filter(ending=DisputedItem.Ending.INELIGIBLE):
        item.ending, item.ended_at, item.ended_because = DisputedItem.Ending.PENDING, None, ""
        item.store(by=by, at=at, why=reason, fields=["ending", "ended_at", "ended_because"])
    # Nobody waits for these answers any more.
    for open_request in case.information_requests.filter(closed_at__isnull=True):
        open_request.closed_at = at
        open_request.store(by=by, at=at, why=reason, fields=["closed_at"])
    case_deadlines.stop_deadlines(case=case, why=reason, by=by, at=at)
    # The decision that was served is not in force any more, so nobody can petition against it.
    case_deadlines.end_service_deadlines(
        case=case, deadline_kind=served_letters.PETITION, why=reason, by=by, at=at
    )
    case_deadlines.start_deadline(
        case=case,
        deadline_kind=case_deadlines.SCREENING,
        given={"received": local_day(at).isoformat()},
        by=by,
        at=at,
    )
    Event.objects.create(
        case=case,
        kind=Event.Kind.REOPENED,
        happened_at=at,
        by=by,
        sentence="Returned to screening.",
        why=reason,
    )
    return case


def _why_not_the_open_case(case: Case) -> str:
    """Return why a case cannot be the open case for its UR decision; empty if it can."""
    if case.ur_decision_id is None:
        return ""
    leads = Case.objects.own().filter(ur_decision=case.ur_decision_id, duplicate_of=None)
    # Cases that were split from each other dispute one decision together.
    together = Q(pk=case.pk)
    if case.application_id is not None:
        together |= Q(application=case.application_id)
    lead = leads.open().exclude(together).first()
    if lead is None:
        return ""
    return (
        f"Case {lead} is open for the same UR decision. Close that case first, or enter the "
        "application again and state why it disputes a different decision."
    )


def _record_waiver(
    case: Case, rows: list[EligibilityFinding], event: Event, *, by: User, at: datetime
) -> None:
    for row in rows:
        if row.waiver:
            Event.objects.create(
                case=case,
                kind=Event.Kind.WAIVED,
                happened_at=at,
                by=by,
                sentence=f"Lateness waived. {row.sentence}",
                why=row.waiver,
                caused_by=event,
            )


def _link_other_cases(
    case: Case, rows: list[EligibilityFinding], event: Event, *, by: User, at: datetime
) -> None:
    """Link a case to the other cases that make its items ineligible; both get an event."""
    for row in rows:
        other, item = row.other_case, row.item
        if other is None or item is None:
            continue
        kind = CaseLink.Kind.DUPLICATE if row.reason_code == "I-DUP" else CaseLink.Kind.PRIOR
        reason = f"Item {item.position} is about the same treatment ({row.reason_code})."
        links = CaseLink.objects.filter(kind=kind, case=case, other=other, ended_at__isnull=True)
        # The link may exist since intake or since an earlier decision.
        if not links.exists():
            CaseLink(kind=kind, case=case, other=other, reason=reason).store(
                by=by, at=at, why=reason
            )
            restrictions.spread_restriction(case=case, other=other, by=by, at=at)
        for one, another in ((case, other), (other, case)):
            Event.objects.create(
                case=one,
                kind=Event.Kind.LINKED,
                happened_at=at,
                by=by,
                sentence=f"Linked to {another.number}: the same treatment.",
                why=f"{case.number}: {reason}",
                facts={"other": another.number},
                caused_by=event,
            )


def _end_ineligible_items(
    pending: list[DisputedItem],
    rows: list[EligibilityFinding],
    result: EligibilityResult,
    *,
    by: User,
    at: datetime,
) -> None:
    """End the ineligible items with their reason codes and sentences.

    If the application is ineligible, all its items end.
    """
    # A liability dispute defers the case and ends no item.
    refusals = [row for row in rows if row.letter_sentence and row.fact != "LIABILITY_CLEAR"]
    for item in pending:
        item_refusals = [row for row in refusals if row.item_id == item.pk]
        if result == EligibilityResult.INELIGIBLE:
            item_refusals += [row for row in refusals if row.item_id is None]
        if item_refusals:
            why = " ".join(row.letter_sentence for row in item_refusals)
            endings.end_item(
                item=item, ending=DisputedItem.Ending.INELIGIBLE, reason=why, by=by, at=at
            )
