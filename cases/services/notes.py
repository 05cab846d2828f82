"""Internal notes on the timeline of a case. Parties never see them; notes are never changed."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.models import Case, Event


@transaction.atomic
def add_note(*, case_id: int, text: str, by: User, at: datetime) -> Event:
    """Add a note to the timeline.

    :raises NotAllowed: wrong role, or the note is empty.
    """
    # Before the lock, because neither check depends on the case.
    refuse_if("" if by.may("cases.add_note") else "Your role does not let you write notes.")
    refuse_if("" if text.strip() else "Enter the note.")
    case = Case.objects.lock(case_id)
    return _write_note(case, text, {}, by=by, at=at)


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


def _write_note(
    case: Case, text: str, facts: dict[str, object], *, by: User, at: datetime
) -> Event:
    return Event.objects.create(
        case=case,
        kind=Event.Kind.NOTE,
        happened_at=at,
        by=by,
        sentence=text.strip(),
        facts=facts,
    )
