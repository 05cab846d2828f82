"""Notes on the timeline of a case. Parties never see them; none is changed or taken away."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse
from cases import policies
from cases.models import Case, Event


@transaction.atomic
def add_note(*, case_id: int, text: str, by: User, at: datetime) -> Event:
    """Put a note on the timeline.

    :raises NotAllowed: nothing was written, or this role writes no notes.
    """
    refuse("" if by.may("cases.add_note") else "Your role does not write notes.")
    refuse("" if text.strip() else "Write the note first.")
    case = Case.objects.lock(case_id)
    return _write(case, text, {}, by=by, at=at)


@transaction.atomic
def correct_note(*, event_id: int, text: str, by: User, at: datetime) -> Event:
    """Write a second note in place of one's own first; both stay readable.

    :raises NotAllowed: someone else's note, one that is corrected already, or nothing was written.
    """
    case_id = Event.objects.values_list("case_id", flat=True).get(pk=event_id)
    case = Case.objects.lock(case_id)
    note = Event.objects.get(pk=event_id)
    refuse(policies.why_not_correct_note(by, note))
    refuse("" if text.strip() else "Write the note first.")
    refuse("Nothing was changed." if text.strip() == note.sentence else "")
    return _write(case, text, {"corrects": note.pk}, by=by, at=at)


def _write(case: Case, text: str, facts: dict[str, object], *, by: User, at: datetime) -> Event:
    return Event.objects.create(
        case=case,
        kind=Event.Kind.NOTE,
        happened_at=at,
        by=by,
        sentence=text.strip(),
        facts=facts,
    )
