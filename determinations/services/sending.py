"""Mark the determination as sent, which closes the case."""

from datetime import date, datetime

from django.db import transaction

import letters.services
from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases.consolidated_items import list_consolidated_cases
from cases.lifecycle import Status
from cases.models import Case, Event, UndoableAct
from cases.services import consolidation, post_determination, undoing
from deadlines.calendars import format_day
from determinations import policies
from letters.models import Service


@transaction.atomic
def mark_determination_sent(*, case_id: int, sent_on: date, by: User, at: datetime) -> Case:
    """Mark the determination as sent to every recipient on a day, and close the case.

    :param sent_on: the date of service that the mail room enters.
    :raises NotAllowed: wrong role or stage.
    :raises Refused: the letter is not generated yet, or the date is in the future.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_mark_sent(by, case))
    determination = policies.live_determination(case)
    if determination is None or determination.letter is None:
        raise NotAllowed("This case has no determination letter.")
    letter = determination.letter
    kind = UndoableAct.Kind.DETERMINATION_SENT
    together = [case, *list_consolidated_cases(case)]
    rows_before = undoing.remember_rows(cases=together, kind=kind)
    # A recipient who was already served keeps that date.
    waiting = letter.services.filter(state=Service.State.PREPARED).order_by("pk")
    service_ids = list(waiting.values_list("pk", flat=True))
    for service_id in service_ids:
        letters.services.mark_served(service_id=service_id, on=sent_on, by=by, at=at)
    # The time to petition runs from the service (8 CCR 10575(c)), not from the issue.
    post_determination.start_post_determination_deadlines(case=case, letter=letter, by=by, at=at)
    case.move_to(Status.CLOSED, by=by, at=at, why="Determination sent")
    # This letter also decides the items of consolidated cases, which get no letter of their own.
    consolidation.close_consolidated_cases(lead=case, by=by, at=at)
    Event.objects.create(
        case=case,
        kind=Event.Kind.LETTER_SENT,
        happened_at=at,
        by=by,
        sentence=f"Determination sent {format_day(sent_on)}. The case is closed.",
        letter=letter,
        facts={"sent_on": sent_on.isoformat(), "services": service_ids},
    )
    undoing.offer_undo(case=case, kind=kind, rows_before=rows_before, by=by, at=at)
    return case


@transaction.atomic
def take_back_determination_sent(*, act_id: int, by: User, at: datetime) -> Case:
    """Record that the determination was marked as sent in error, on the same day.

    The case, and the cases that it decided with it, are as before; the time to petition ends.

    :raises NotAllowed: wrong role, or a later day.
    :raises FollowedBySomething: something was done on the case since.
    """
    kind = UndoableAct.Kind.DETERMINATION_SENT
    act = undoing.lock_undoable_act(act_id=act_id, kind=kind, by=by, at=at)
    for service_id in act.last_event.facts["services"] if act.last_event else []:
        letters.services.take_back_served(service_id=service_id, by=by, at=at)
    undoing.restore_rows(act=act, by=by, at=at)
    undoing.record_undone(act=act, by=by, at=at)
    return act.case
