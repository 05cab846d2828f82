"""Changes of the priority of a case, with its certification and new deadlines."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases import policies
from cases.formulary import describe_other_choice, proposal_facts, propose_for_case
from cases.hold_reasons import HOLD_REASONS
from cases.models import Case, Deadline, Event, Priority, PriorityChange, ReceivedDocument
from deadlines.calendars import format_day
from deadlines.days import PACIFIC, local_day
from deadlines.kinds import DEADLINE_KINDS

from . import case_deadlines, drafting, notice_deadlines, received_documents
from .extensions import DEADLINE_KIND_OF_PRIORITY
from .received_documents import DocumentOfAction


@transaction.atomic
def change_priority(
    *,
    case_id: int,
    new: str,
    why: str,
    certified_by: str = "",
    certified_on: date | None = None,
    support: str = "",
    notice_received_at: datetime | None = None,
    information_complete_at: datetime | None = None,
    document: DocumentOfAction | None = None,
    by: User,
    at: datetime,
) -> PriorityChange:
    """Change the priority of a case, and replace the active deadlines that depend on it.

    :param certified_by: the physician who certified an imminent and serious threat to health, on
        the day ``certified_on``, with the ``support`` named (8 CCR 9792.10.4(c)).
    :param notice_received_at: when the claims administrator was informed of the expedited review;
        needed while records are awaited, because their deadline then runs in hours.
    :param information_complete_at: when the information was complete; needed after that.
    :param document: the certification or another letter that asks for it, if it is on file.
    :raises NotAllowed: wrong role or stage, no certification, a time is missing, or an active hold
        does not fit the new priority.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_change_priority(by, case))
    if new not in Priority.values or new == case.priority:
        refuse_if("Choose a different priority.")
    refuse_if("" if why.strip() else "Enter why the priority changes.")
    if new == Priority.EXPEDITED:
        refuse_if(_why_not_certified(certified_by, certified_on, support, local_day(at)))
    else:
        # A certification belongs to expedited cases only, whatever the form sends.
        certified_by, certified_on, support = "", None, ""
    refuse_if(_why_not_held(case, new, local_day(at)))
    for moment in (notice_received_at, information_complete_at):
        if moment is not None and moment > at:
            refuse_if("The time is in the future.")
    old = case.priority
    change = PriorityChange(
        case=case,
        old=old,
        new=new,
        certified_by=certified_by.strip(),
        certified_on=certified_on,
        support=support.strip(),
        why=why.strip(),
        changed_at=at,
        changed_by=by,
    ).store(by=by, at=at, why=why)
    # Before the deadlines, which are started for the priority of the case.
    case.priority = new
    case.store(by=by, at=at, why=why, fields=["priority"])
    before = _map_running_deadlines(case)
    _switch_deadlines(case, before, notice_received_at, information_complete_at, by=by, at=at)
    event = _record_priority_event(
        change, _list_deadline_changes(before, _map_running_deadlines(case)), by=by, at=at
    )
    kinds = ReceivedDocument.Kind
    kind = kinds.CERTIFICATION if new == Priority.EXPEDITED else kinds.LETTER
    received_documents.attach_document(
        case=case, document=document, kind=kind, event=event, by=by, at=at
    )
    drafting.propose_letter(event=event, by=by, at=at)
    return change


def _record_priority_event(
    change: PriorityChange, moved: list[tuple[str, dict[str, str]]], *, by: User, at: datetime
) -> Event:
    """Write the event of a priority change.

    :param moved: the changed deadlines, each as a sentence and as data of the event.
    """
    certified = (
        f" Certified by {change.certified_by} on {format_day(change.certified_on)}: "
        f"{change.support.rstrip('.')}."
        if change.certified_on
        else ""
    )
    proposal = propose_for_case(change.case)
    other_choice = describe_other_choice(proposal, change.new)
    return Event.objects.create(
        case=change.case,
        kind=Event.Kind.CONVERTED,
        happened_at=at,
        by=by,
        sentence=" ".join(
            [
                f"From {change.get_old_display().lower()} to {change.get_new_display().lower()}."
                + certified,
                *(words for words, _ in moved),
                *([other_choice] if other_choice else []),
            ]
        ),
        why=change.why,
        facts={
            "old": change.old,
            "new": change.new,
            "certified_by": change.certified_by,
            "certified_on": change.certified_on.isoformat() if change.certified_on else "",
            "moved": [row for _, row in moved],
            **proposal_facts(proposal),
        },
    )


def needs_notice_time(*, case: Case) -> bool:
    """Return whether expediting the case requires when its administrator was informed.

    One query.
    """
    return case.priority != Priority.EXPEDITED and "records" in _map_running_deadlines(case)


def needs_information_time(*, case: Case) -> bool:
    """Return whether expediting the case requires when its information was complete. One query."""
    running = _map_running_deadlines(case)
    others = [
        deadline_kind
        for name, deadline_kind in DEADLINE_KIND_OF_PRIORITY.items()
        if name != Priority.EXPEDITED
    ]
    return any(deadline_kind in running for deadline_kind in others)


def _why_not_certified(
    certified_by: str, certified_on: date | None, support: str, today: date
) -> str:
    """Check the certification that expedited review requires."""
    if not certified_by.strip():
        return "Enter the physician who certified the imminent and serious threat to health."
    if certified_on is None:
        return "Enter the date of the certification."
    if certified_on > today:
        return "The date of the certification is in the future."
    return "" if support.strip() else "Enter what supports the certification."


def _why_not_held(case: Case, new: str, today: date) -> str:
    """Check that no active hold conflicts with the new priority. Queries."""
    for hold in case.holds.filter(round=case.round).order_by("pk"):
        # A hold that could not begin now must not continue.
        if hold.lasts_on(today) and new not in HOLD_REASONS[hold.reason].priorities:
            return (
                f"The case is on hold until {format_day(hold.end)} "
                f"({hold.get_reason_display().lower()}). "
                f"This hold is not possible in {Priority(new).label.lower()} cases. End it first."
            )
    return ""


def _map_running_deadlines(case: Case) -> dict[str, Deadline]:
    """Map the active deadlines of the current round by kind. One query."""
    return {
        deadline.deadline_kind: deadline
        for deadline in case.deadlines.filter(
            round=case.round, met_at__isnull=True, replaced_at__isnull=True
        ).order_by("pk")
    }


def _switch_deadlines(
    case: Case,
    running: Mapping[str, Deadline],
    notice_received_at: datetime | None,
    information_complete_at: datetime | None,
    *,
    by: User,
    at: datetime,
) -> None:
    """End the deadlines of the old priority and start those of the new one."""
    # Deadlines that were not active before are not started by a change of priority.
    waits_for_records = _end_deadline_family(case, running, "records", by=by, at=at)
    waits_for_documents = _end_deadline_family(case, running, "own_papers", by=by, at=at)
    # From the day of the notice: a change of priority does not start the period again.
    if (waits_for_records or waits_for_documents) and case.assigned_on is not None:
        if notice_received_at is not None:
            day = local_day(notice_received_at)
            if day < case.assigned_on:
                refuse_if("The notice cannot be received before it was sent. Check the time.")
        notice_deadlines.start_records_deadlines(
            case=case, sent_on=case.assigned_on, received_at=notice_received_at, by=by, at=at
        )
    # The question to the party stays the same; only the time to answer changes.
    for deadline in _end_deadline_family(case, running, "reviewer_information", by=by, at=at):
        fast = "_expedited" if case.priority == Priority.EXPEDITED else ""
        deadline_kind = f"reviewer_information{fast}"
        case_deadlines.start_deadline(
            case=case,
            deadline_kind=deadline_kind,
            given=deadline.given,
            by=by,
            at=at,
            sets_due_date=False,
        )
    if _end_deadline_family(case, running, "determination", by=by, at=at):
        given = _build_determination_facts(case, information_complete_at)
        deadline_kind = DEADLINE_KIND_OF_PRIORITY[case.priority]
        case_deadlines.start_deadline(
            case=case, deadline_kind=deadline_kind, given=given, by=by, at=at
        )
    case_deadlines.recompute_deadlines(case=case, why="Priority changed", by=by, at=at)


def _end_deadline_family(
    case: Case, running: Mapping[str, Deadline], family: str, *, by: User, at: datetime
) -> list[Deadline]:
    """End the running deadlines of one family, such as records and records_expedited."""
    # Listed by name: “records_penalty” begins with the name of a family.
    kinds = {family, f"{family}_expedited", f"{family}_regular", f"{family}_formulary"}
    ended = [deadline for deadline_kind, deadline in running.items() if deadline_kind in kinds]
    for deadline in ended:
        deadline.replaced_at = at
        deadline.store(by=by, at=at, why="Priority changed", fields=["replaced_at"])
    return ended


def _build_determination_facts(
    case: Case, information_complete_at: datetime | None
) -> dict[str, str]:
    """Build the trigger facts of the determination deadline."""
    if case.records_complete_on is None:
        raise NotAllowed("The day on which the file was complete is not known.")
    if case.priority != Priority.EXPEDITED:
        return {"records_complete": case.records_complete_on.isoformat()}
    if information_complete_at is None:
        raise NotAllowed(
            "An expedited deadline runs in hours. Enter the time at which the information was "
            "complete, including the certification."
        )
    if local_day(information_complete_at) < case.records_complete_on:
        raise NotAllowed(
            f"The file was complete on {format_day(case.records_complete_on)}. Check the time."
        )
    local = information_complete_at.astimezone(PACIFIC)
    return {"information_complete": f"{local:%Y-%m-%dT%H:%M}"}


def _list_deadline_changes(
    before: Mapping[str, Deadline], after: Mapping[str, Deadline]
) -> list[tuple[str, dict[str, str]]]:
    """List the deadlines that ended or started, as sentences and as data of the event."""
    changes = []
    for deadline_kind in [
        *before,
        *(deadline_kind for deadline_kind in after if deadline_kind not in before),
    ]:
        was, now = before.get(deadline_kind), after.get(deadline_kind)
        # The same row, so this deadline does not depend on the priority.
        if was is not None and now is not None and was.pk == now.pk:
            continue
        label = DEADLINE_KINDS[deadline_kind].label
        if now is None:
            sentence = f"{label} is no longer active."
        else:
            sentence = f"{label}: {format_day(now.due_on)}." if now.due_on else now.unknown
        changes.append(
            (
                sentence,
                {
                    "deadline_kind": deadline_kind,
                    "was": str(was.due_on) if was else "",
                    "now": str(now.due_on) if now else "",
                },
            )
        )
    return changes
