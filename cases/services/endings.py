"""End a case or single items before a determination: withdraw, terminate, close."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.lifecycle import Ending, Status
from cases.models import Case, DisputedItem, Event, ReceivedDocument, UndoableAct

from . import case_deadlines, consolidation, drafting, received_documents, undoing
from .received_documents import DocumentOfAction


@transaction.atomic
def withdraw_case(
    *,
    case_id: int,
    reason: str,
    document: DocumentOfAction | None = None,
    by: User,
    at: datetime,
) -> Case:
    """Withdraw a case at the request of the employee.

    :param document: the letter of withdrawal, if it is on file.
    :raises NotAllowed: wrong role, no reason, or the determination is already issued.
    """
    return _end_case_early(
        case_id,
        Status.WITHDRAWN,
        Event.Kind.WITHDRAWN,
        DisputedItem.Ending.WITHDRAWN,
        "Withdrawn by the employee.",
        reason,
        document,
        ReceivedDocument.Kind.WITHDRAWAL,
        by=by,
        at=at,
    )


@transaction.atomic
def terminate_items(
    *,
    case_id: int,
    item_ids: list[int],
    reason: str,
    document: DocumentOfAction | None = None,
    by: User,
    at: datetime,
) -> Case:
    """End the items that the claims administrator authorized, and the case if none remains.

    8 CCR 9792.10.6(a): authorization ends the review at any time.

    :param document: the letter of authorization, if it is on file.
    :raises NotAllowed: wrong role, no reason, an item of another case, or an item already decided.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_end_early(by, case))
    pending = {item.pk: item for item in case.items.filter(ending=DisputedItem.Ending.PENDING)}
    unknown_ids = set(item_ids) - set(pending)
    refuse_if("" if reason.strip() else "Enter why the items end.")
    refuse_if(
        "Choose items of this case that are still pending." if unknown_ids or not item_ids else ""
    )
    # No item remains to be decided, so the whole case ends.
    if set(item_ids) == set(pending):
        return _end_case_early(
            case_id,
            Status.TERMINATED,
            Event.Kind.TERMINATED,
            DisputedItem.Ending.AUTHORIZED,
            "Terminated: the claims administrator authorized the treatment.",
            reason,
            document,
            ReceivedDocument.Kind.AUTHORIZATION,
            by=by,
            at=at,
        )
    # A request may name an item twice.
    ended = [pending[pk] for pk in dict.fromkeys(item_ids)]
    for item in ended:
        end_item(item=item, ending=DisputedItem.Ending.AUTHORIZED, reason=reason, by=by, at=at)
    positions = sorted(item.position for item in ended)
    items_end = (
        f"Item {positions[0]} ends"
        if len(positions) == 1
        else f"Items {', '.join(map(str, positions))} end"
    )
    sentence = f"{items_end}: authorized by the claims administrator."
    event = _record_ending(case, Event.Kind.TERMINATED, sentence, reason, by=by, at=at)
    kind = ReceivedDocument.Kind.AUTHORIZATION
    received_documents.attach_document(
        case=case, document=document, kind=kind, event=event, by=by, at=at
    )
    drafting.propose_letter(event=event, by=by, at=at)
    return case


@transaction.atomic
def close_case(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """Close a case that ended before a determination. It can be undone for ten seconds.

    :raises NotAllowed: wrong role or state, or no reason.
    """
    case = Case.objects.lock(case_id)
    kind = UndoableAct.Kind.CLOSED
    rows_before = undoing.remember_rows(cases=[case], kind=kind)
    close_locked_case(case=case, reason=reason, by=by, at=at)
    undoing.offer_undo(case=case, kind=kind, rows_before=rows_before, by=by, at=at)
    return case


@transaction.atomic
def undo_close_case(*, act_id: int, by: User, at: datetime) -> Case:
    """Undo a closure: the case, its items and its deadlines are as before.

    :raises NotAllowed: another person closed it, or the ten seconds have passed.
    :raises FollowedBySomething: something was done on the case since.
    """
    kind = UndoableAct.Kind.CLOSED
    act = undoing.lock_undoable_act(act_id=act_id, kind=kind, by=by, at=at)
    undoing.restore_rows(act=act, by=by, at=at)
    undoing.record_undone(act=act, by=by, at=at)
    return act.case


def close_locked_case(*, case: Case, reason: str, by: User, at: datetime) -> None:
    """Close a locked case that ended before a determination, as part of another action.

    :raises NotAllowed: wrong role or state, or no reason.
    """
    refuse_if(policies.why_not_close(by, case))
    refuse_if("" if reason.strip() else "Enter why the case is closed.")
    # The items of an ineligible or duplicate case end as ineligible, others as withdrawn.
    ending = (
        DisputedItem.Ending.INELIGIBLE
        if case.stage in {Status.INELIGIBLE, Status.DUPLICATE}
        else DisputedItem.Ending.WITHDRAWN
    )
    # Items that ended earlier keep their own ending.
    for item in case.items.filter(ending=DisputedItem.Ending.PENDING):
        end_item(item=item, ending=ending, reason=reason, by=by, at=at)
    case.move_to(Status.CLOSED, by=by, at=at, why=reason)
    case_deadlines.stop_deadlines(case=case, why="Closed", by=by, at=at)
    _record_ending(case, Event.Kind.CLOSED, "Closed.", reason, by=by, at=at)


def end_item(
    *,
    item: DisputedItem,
    ending: Ending,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    """End one pending item of a locked case. The caller writes the event."""
    item.ending, item.ended_at, item.ended_because = ending, at, reason[:300]
    item.store(by=by, at=at, why=reason, fields=["ending", "ended_at", "ended_because"])


def _end_case_early(
    case_id: int,
    status: Status,
    kind: Event.Kind,
    ending: Ending,
    sentence: str,
    reason: str,
    document: DocumentOfAction | None,
    document_kind: ReceivedDocument.Kind,
    *,
    by: User,
    at: datetime,
) -> Case:
    """End a case and its pending items, release consolidated cases, and draft the letter."""
    # terminate_items has locked the case already; locking it again has no effect.
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_end_early(by, case))
    refuse_if("" if reason.strip() else "Enter why the case ends.")
    for item in case.items.filter(ending=DisputedItem.Ending.PENDING):
        end_item(item=item, ending=ending, reason=reason, by=by, at=at)
    # Only this application ends. Consolidated cases continue on their own.
    consolidation.release_consolidated_cases(lead=case, by=by, at=at)
    case.move_to(status, by=by, at=at, why=reason)
    case_deadlines.stop_deadlines(case=case, why=sentence, by=by, at=at)
    event = _record_ending(case, kind, sentence, reason, by=by, at=at)
    received_documents.attach_document(
        case=case, document=document, kind=document_kind, event=event, by=by, at=at
    )
    drafting.propose_letter(event=event, by=by, at=at)
    return case


def _record_ending(
    case: Case, kind: Event.Kind, sentence: str, why: str, *, by: User, at: datetime
) -> Event:
    return Event.objects.create(
        case=case, kind=kind, happened_at=at, by=by, sentence=sentence, why=why
    )
