"""Mark the determination as sent, which closes the case."""

from datetime import date, datetime

from django.db import transaction

import letters.services
from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases.lifecycle import Status
from cases.models import Case, Event
from cases.services import consolidation, post_determination
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
    # A recipient who was already served keeps that date.
    waiting = letter.services.filter(state=Service.State.PREPARED).order_by("pk")
    for service_id in waiting.values_list("pk", flat=True):
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
        facts={"sent_on": sent_on.isoformat()},
        letter=letter,
    )
    return case
