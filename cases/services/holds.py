"""Begin and end holds of a case. All earlier holds stay on record.

A hold moves the internal target. It moves the legal date only if the rule of the deadline lists the
reason with a source. No job ends a hold on its planned end: readers compare that day with today.
"""

from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.hold_reasons import HOLD_REASONS, why_not_this_reason
from cases.models import Case, Deadline, Event, Hold, ReceivedDocument
from deadlines.calendars import format_day
from deadlines.days import local_day
from deadlines.kinds import DEADLINE_KINDS, METHODS
from deadlines.rules import LIABILITY

from . import case_deadlines, received_documents
from .received_documents import DocumentOfAction


def select_deadlines_to_hold(case: Case) -> QuerySet[Deadline]:
    """Select the deadlines of a case that a hold can move: active, in its current round."""
    return case.deadlines.filter(
        round=case.round,
        # A hold does not move a deadline that is satisfied.
        met_at__isnull=True,
        replaced_at__isnull=True,
        # The time of a recipient after a decision cannot be held.
        service__isnull=True,
    )


@transaction.atomic
def begin_hold(
    *,
    case_id: int,
    reason: str,
    starts_on: date,
    planned_end: date,
    note: str = "",
    deadline_kind: str = "",
    document: DocumentOfAction | None = None,
    by: User,
    at: datetime,
) -> Hold:
    """Hold a case, or one of its deadlines, from a day until a planned day.

    :param planned_end: the first day after the hold; the hold ends then without any action.
    :param deadline_kind: hold only this deadline; empty holds the whole case.
    :param document: the objection or letter that is the reason, if it is on file.
    :raises NotAllowed: wrong role, a reason that does not fit the case, or impossible dates.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_hold(by, case))
    refuse_if(why_not_this_reason(reason, case.priority, case.stage))
    refuse_if(_why_not_these_days(case, reason, starts_on, planned_end, local_day(at)))
    if deadline_kind:
        can_be_held = select_deadlines_to_hold(case).filter(deadline_kind=deadline_kind)
        refuse_if("" if can_be_held.exists() else "The case has no active deadline of this kind.")
    # One reason explains a day once; a hold for another reason may overlap.
    for other in case.holds.filter(round=case.round, reason=reason, deadline_kind=deadline_kind):
        if other.starts_on < planned_end and starts_on < other.end:
            refuse_if(
                f"The case already has a hold for this reason from {format_day(other.starts_on)} "
                f"to {format_day(other.end)}. Begin this hold on that day, or end the other one."
            )
    hold = Hold(
        case=case,
        round=case.round,
        deadline_kind=deadline_kind,
        reason=reason,
        starts_on=starts_on,
        planned_end=planned_end,
        note=note.strip(),
        begun_at=at,
        begun_by=by,
    ).store(by=by, at=at, why=note)
    sentence = (
        f"{hold.holds} is on hold from {format_day(starts_on)} to {format_day(planned_end)}: "
        f"{hold.get_reason_display().lower()}."
    )
    event = _move_held_dates(case, hold, Event.Kind.HELD, sentence, note.strip(), by=by, at=at)
    kinds = ReceivedDocument.Kind
    kind = kinds.OBJECTION if reason == LIABILITY else kinds.LETTER
    received_documents.attach_document(
        case=case, document=document, kind=kind, event=event, by=by, at=at
    )
    return hold


@transaction.atomic
def end_hold(
    *,
    hold_id: int,
    ended_on: date,
    reason: str,
    method: str = "",
    document: DocumentOfAction | None = None,
    by: User,
    at: datetime,
) -> Hold:
    """End a hold before its planned end, or a hold that only a person can end.

    :param ended_on: the first day after the hold.
    :param method: how the notice that ended it was served. Needed for a liability dispute, because
        the time to apply starts again from that service.
    :param document: the notice or letter that ended it, if it is on file.
    :raises NotAllowed: wrong role, already over, no reason, or an impossible date.
    """
    hold = Hold.objects.get(pk=hold_id)
    case = Case.objects.lock(hold.case_id)
    # The first read only found the case; someone may have ended the hold since.
    hold.refresh_from_db()
    refuse_if(policies.why_not_end_hold(by))
    today = local_day(at)
    if not hold.can_end(today):
        refuse_if(f"This hold ended on {format_day(hold.end)}.")
    refuse_if("" if reason.strip() else "Enter why the hold ends.")
    if not hold.starts_on <= ended_on <= today:
        refuse_if(
            f"Enter a day from {format_day(hold.starts_on)}, the first day of the hold, to today."
        )
    # An ordinary hold was over by then, so a later end would lengthen it.
    if ended_on > hold.planned_end and not hold.needs_an_end:
        refuse_if(f"The hold ended as planned on {format_day(hold.planned_end)}.")
    if method and method not in METHODS:
        refuse_if("Choose how the notice was served.")
    hold.ended_on, hold.ended_at, hold.ended_by = ended_on, at, by
    hold.ended_because, hold.ended_method = reason.strip(), method
    hold.store(by=by, at=at, why=reason)
    sentence = f"{hold.holds} is no longer on hold as of {format_day(ended_on)}."
    event = _move_held_dates(
        case, hold, Event.Kind.HOLD_ENDED, sentence, reason.strip(), by=by, at=at
    )
    kinds = ReceivedDocument.Kind
    kind = kinds.LIABILITY if hold.reason == LIABILITY else kinds.LETTER
    received_documents.attach_document(
        case=case, document=document, kind=kind, event=event, by=by, at=at
    )
    return hold


def _why_not_these_days(
    case: Case, reason: str, starts_on: date, planned_end: date, today: date
) -> str:
    """Check the dates of a new hold."""
    most_days = HOLD_REASONS[reason].most_days
    # Lists compare only the end of a hold with today, so a future hold would apply at once.
    if starts_on > today:
        return "The hold begins in the future. Enter it on that day."
    if case.received_on is not None and starts_on < case.received_on:
        return (
            f"The hold begins before the application was received, {format_day(case.received_on)}."
        )
    if planned_end <= starts_on:
        return "The planned end must be after the first day of the hold."
    # So that a person looks at the case again after that time.
    if (planned_end - starts_on).days > most_days:
        return (
            f"A hold for this reason can last at most {most_days} days. "
            "Choose an earlier end; another hold can follow."
        )
    return ""


def _move_held_dates(
    case: Case, hold: Hold, kind: Event.Kind, sentence: str, why: str, *, by: User, at: datetime
) -> Event:
    """Recompute the deadlines that the hold may move, and write the event with every change."""
    # The latest end of all holds of the whole case; readers compare it with today.
    ends = [row.end for row in case.holds.filter(round=case.round, deadline_kind="")]
    case.held_until = max(ends, default=None)
    case.store(by=by, at=at, why=sentence, fields=["held_until"])
    moved = case_deadlines.recompute_deadlines(case=case, why=sentence, by=by, at=at)
    # Stored as text: the rules may change, but the event says what happened at the time.
    effects = [_describe_moved_deadline(one) for one in moved]
    return Event.objects.create(
        case=case,
        kind=kind,
        happened_at=at,
        by=by,
        sentence=" ".join([sentence, *effects]),
        why=why,
        facts={
            "hold": hold.pk,
            "reason": hold.reason,
            "starts_on": hold.starts_on.isoformat(),
            "end": hold.end.isoformat(),
            "moved": [
                {
                    "deadline_kind": one.new.deadline_kind,
                    "due": [str(one.old.due_on), str(one.new.due_on)],
                    "target": [str(one.old.target_on), str(one.new.target_on)],
                }
                for one in moved
            ],
        },
    )


def _describe_moved_deadline(moved: case_deadlines.RenewedDeadline) -> str:
    """Describe how one deadline moved: its legal date and the internal target."""
    label, old, new = DEADLINE_KINDS[moved.new.deadline_kind].label, moved.old, moved.new
    # A hold with a legal source may stop the deadline.
    if new.due_on is None:
        return new.unknown
    law = (
        f"the legal date stays {format_day(new.due_on)}"
        if new.due_on == old.due_on
        else f"the legal date moves to {format_day(new.due_on)}"
    )
    if new.target_on is None or new.target_on == old.target_on:
        return f"{label}: {law}."
    return f"{label}: {law}, the internal target moves to {format_day(new.target_on)}."
