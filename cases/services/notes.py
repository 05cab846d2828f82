"""Internal notes on the timeline of a case. Parties never see them; notes are never changed.

A note may mention colleagues, who get a notice and can answer with a note.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases import policies
from cases.mentions import UnknownMention, find_mentioned
from cases.models import Case, Event
from cases.models.restrictions import is_hidden
from notices.services import add_notice, record_answer


@transaction.atomic
def add_note(*, case_id: int, text: str, by: User, at: datetime) -> Event:
    """Add a note to the timeline, with a notice to each colleague whom it mentions.

    :raises NotAllowed: wrong role, the note is empty, or a mention fits nobody who may open the
        case.
    """
    # Before the lock, because neither check depends on the case.
    refuse_if("" if by.may("cases.add_note") else "Your role does not let you write notes.")
    refuse_if("" if text.strip() else "Enter the note.")
    case = Case.objects.lock(case_id)
    return _write_note(case, text, {}, by=by, at=at)


@transaction.atomic
def answer_note(*, event_id: int, text: str, by: User, at: datetime) -> Event:
    """Answer a note in which one is mentioned; whoever wrote it gets a notice.

    :raises NotAllowed: not mentioned, wrong role, or the answer is empty.
    """
    refuse_if("" if by.may("cases.add_note") else "Your role does not let you write notes.")
    refuse_if("" if text.strip() else "Enter the answer.")
    case = Case.objects.lock(Event.objects.values_list("case_id", flat=True).get(pk=event_id))
    if is_hidden(case.pk, by):
        raise NotAllowed("You can no longer open this case.")
    note = Event.objects.select_related("by").get(pk=event_id)
    record_answer(event_id=note.pk, by=by, at=at)
    answer = _write_note(case, text, {"answers": note.pk}, by=by, at=at)
    asker = note.by
    # Whoever is barred by now learns nothing more of the case.
    if asker is not None and not is_hidden(case.pk, asker) and asker.pk not in case.barred_staff:
        _notify(case, answer, "ANSWER", [asker], by=by, at=at)
    return answer


@transaction.atomic
def correct_note(*, event_id: int, text: str, by: User, at: datetime) -> Event:
    """Correct one's own note by a second one. Both stay on the timeline.

    :raises NotAllowed: a note of someone else, already corrected, empty, or unchanged.
    """
    case_id = Event.objects.values_list("case_id", flat=True).get(pk=event_id)
    # Two corrections of one note must not both pass the check.
    case = Case.objects.lock(case_id)
    note = Event.objects.get(pk=event_id)
    refuse_if(policies.why_not_correct_note(by, note))
    refuse_if("" if text.strip() else "Enter the note.")
    refuse_if("Nothing was changed." if text.strip() == note.sentence else "")
    return _write_note(case, text, {"corrects": note.pk}, by=by, at=at)


def _write_note(case: Case, text: str, facts: dict[str, int], *, by: User, at: datetime) -> Event:
    """Write a note, with a notice to each colleague whom it mentions."""
    mentioned = find_mentioned(text, case, by=by)
    note = Event.objects.create(
        case=case,
        kind=Event.Kind.NOTE,
        happened_at=at,
        by=by,
        sentence=text.strip(),
        facts=facts,
    )
    # A correction repeats the mentions of the first note, which gave their notices already.
    first = facts.get("corrects")
    earlier = Event.objects.get(pk=first).sentence if first else ""
    before = {one.pk for one in _find_mentioned_before(earlier, case, by=by)}
    _notify(case, note, "MENTION", [one for one in mentioned if one.pk not in before], by=by, at=at)
    return note


def _find_mentioned_before(text: str, case: Case, *, by: User) -> list[User]:
    """Find whom an earlier note mentioned; nobody if its names no longer fit."""
    try:
        return find_mentioned(text, case, by=by)
    except UnknownMention:
        return []


def _notify(
    case: Case, note: Event, kind: str, people: list[User], *, by: User, at: datetime
) -> None:
    for person in people:
        add_notice(
            to=person,
            kind=kind,
            reference=case.number,
            key=f"event {note.pk}",
            path=f"{case.get_absolute_url()}timeline/",
            event_id=note.pk,
            by=by,
            at=at,
        )
