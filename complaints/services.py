"""Record, change and answer complaints; add corrective actions and mark them as done."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.refusals import BadFact, refuse_if
from cases.models import Case
from deadlines.calendars import format_day
from deadlines.days import local_day

from . import policies
from .models import Complaint, CorrectiveAction
from .overview import list_people_responsible


@dataclass(frozen=True)
class ComplaintValues:
    """A complaint as it is recorded.

    :ivar channel: a value of ``Complaint.Channel``; ``party_kind`` and ``category`` likewise.
    :ivar party_name: may be empty only if the party gave no name.
    :ivar case_number: the number of the case that it is about; may be empty.
    :ivar answer_due_on: ``None`` for the configured limit.
    """

    received_on: date
    channel: str
    party_kind: str
    party_name: str
    category: str
    text: str
    case_number: str = ""
    answer_due_on: date | None = None


def find_latest_answer_day(*, received_on: date) -> date:
    """Return the last day on which a complaint may be answered, by the configured limit."""
    return received_on + timedelta(days=settings.COMPLAINT_ANSWER_DAYS)


@transaction.atomic
def record_complaint(*, values: ComplaintValues, by: User, at: datetime) -> Complaint:
    """Record a complaint.

    :raises NotAllowed: wrong role.
    :raises BadFact: an impossible date, no such case, or a value is missing.
    """
    refuse_if(policies.why_not_record_complaint(by))
    complaint = Complaint(recorded_at=at, recorded_by=by)
    _set_values(complaint, values, by=by, at=at)
    return complaint.store(by=by, at=at, why="Recorded")


@transaction.atomic
def change_complaint(
    *, complaint_id: int, values: ComplaintValues, seen_version: int | None, by: User, at: datetime
) -> Complaint:
    """Correct what was recorded of a complaint. Earlier versions stay on record.

    :raises Stale: someone else changed it in between.
    :raises NotAllowed: not allowed for this person.
    :raises BadFact: as for ``record_complaint``.
    """
    complaint = _lock_complaint(complaint_id)
    refuse_if(policies.why_not_change_complaint(by, complaint))
    complaint.refuse_if_stale(seen_version)
    _set_values(complaint, values, by=by, at=at)
    if complaint.answered_on is not None and complaint.received_on > complaint.answered_on:
        raise BadFact("received_on", "This is after the day of the answer. Check both days.")
    return complaint.store(by=by, at=at, why="Changed")


@transaction.atomic
def answer_complaint(
    *,
    complaint_id: int,
    answer: str,
    answered_on: date,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> Complaint:
    """Record the answer that was given, or correct it. Earlier versions stay on record.

    :param answered_on: the day on which the party was answered.
    :raises Stale: someone else changed or answered the complaint in between.
    :raises NotAllowed: not allowed for this person.
    :raises BadFact: an impossible date, or no answer.
    """
    complaint = _lock_complaint(complaint_id)
    refuse_if(policies.why_not_answer_complaint(by, complaint))
    complaint.refuse_if_stale(seen_version)
    if not answer.strip():
        raise BadFact("answer", "Enter the answer.")
    _refuse_day("answered_on", answered_on, since=complaint.received_on, at=at)
    why = "Answered" if complaint.answered_on is None else "Answer corrected"
    complaint.answer, complaint.answered_on = answer.strip(), answered_on
    complaint.answered_by = by
    fields = ["answer", "answered_on", "answered_by"]
    return complaint.store(by=by, at=at, why=why, fields=fields)


@transaction.atomic
def add_corrective_action(
    *,
    complaint_id: int,
    description: str,
    responsible_id: int,
    due_on: date,
    by: User,
    at: datetime,
) -> CorrectiveAction:
    """Add a corrective action to a complaint, which is not closed until the action is done.

    :param responsible_id: the id of the person who sees to it.
    :raises NotAllowed: not allowed for this person.
    :raises BadFact: no description, a day before today, or no such person.
    """
    complaint = _lock_complaint(complaint_id)
    refuse_if(policies.why_not_keep_actions(by, complaint))
    if not description.strip():
        raise BadFact("description", "Enter what is to be done.")
    if due_on < local_day(at):
        raise BadFact("due_on", "This day has passed. Enter today or a later day.")
    # The id comes from a form, so it may be of anyone.
    if responsible_id not in {person.pk for person in list_people_responsible(by)}:
        raise BadFact("responsible", "Choose who is responsible.")
    return CorrectiveAction(
        complaint=complaint,
        description=description.strip(),
        responsible_id=responsible_id,
        due_on=due_on,
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at, why="Added")


@transaction.atomic
def complete_corrective_action(
    *, action_id: int, done_on: date, note: str, by: User, at: datetime
) -> CorrectiveAction:
    """Record that a corrective action was done, with a note of what was done.

    :raises NotAllowed: not allowed for this person, or done already.
    :raises BadFact: an impossible date, or no note.
    """
    complaint_id = CorrectiveAction.objects.values_list("complaint_id", flat=True).get(pk=action_id)
    complaint = _lock_complaint(complaint_id)
    action = complaint.actions.get(pk=action_id)
    refuse_if(policies.why_not_complete_action(by, action))
    if not note.strip():
        raise BadFact("note", "Enter what was done.")
    _refuse_day("done_on", done_on, since=complaint.received_on, at=at)
    action.done_on, action.done_by, action.done_note = done_on, by, note.strip()
    return action.store(by=by, at=at, why="Done", fields=["done_on", "done_by", "done_note"])


def _lock_complaint(complaint_id: int) -> Complaint:
    """Return the complaint, locked, so that two people cannot answer or complete at once."""
    complaint: Complaint = Complaint.objects.select_for_update().get(pk=complaint_id)
    return complaint


def _set_values(complaint: Complaint, values: ComplaintValues, *, by: User, at: datetime) -> None:
    """Set what was recorded, after checking it."""
    if values.received_on > local_day(at):
        raise BadFact("received_on", "The day of receipt is in the future.")
    latest = find_latest_answer_day(received_on=values.received_on)
    due_on = values.answer_due_on or latest
    if not values.received_on <= due_on <= latest:
        raise BadFact(
            "answer_due_on",
            f"Enter a day between the day of receipt and {format_day(latest)}, which is "
            f"{settings.COMPLAINT_ANSWER_DAYS} days after it.",
        )
    is_named = values.party_kind != Complaint.PartyKind.NOT_NAMED
    if is_named and not values.party_name.strip():
        raise BadFact("party_name", "Enter who complained, or choose “Gave no name”.")
    if not values.text.strip():
        raise BadFact("text", "Enter the complaint.")
    complaint.case = _find_case(values.case_number, by)
    complaint.received_on, complaint.answer_due_on = values.received_on, due_on
    complaint.channel, complaint.category = values.channel, values.category
    complaint.party_kind = values.party_kind
    complaint.party_name = values.party_name.strip() if is_named else ""
    complaint.text = values.text.strip()


def _find_case(number: str, by: User) -> Case | None:
    number = number.strip().upper()
    if not number:
        return None
    case: Case | None = Case.objects.visible_to(by).filter(number=number).first()
    if case is None:
        raise BadFact(
            "case_number", "There is no case with this number. Check it, or leave it empty."
        )
    return case


def _refuse_day(field: str, day: date, *, since: date, at: datetime) -> None:
    if day > local_day(at):
        raise BadFact(field, "This day is in the future.")
    if day < since:
        raise BadFact(field, f"The complaint was received on {format_day(since)}. Check both days.")
