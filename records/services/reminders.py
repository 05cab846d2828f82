"""Log reminders to parties about outstanding records."""

from datetime import datetime

from django.db import models, transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case, Event, Party
from records import policies


class ReminderMethod(models.TextChoices):
    """How a party is reminded."""

    CALL = "CALL", "Telephone"
    FAX = "FAX", "Fax"
    EMAIL = "EMAIL", "Email"


# The first word of the event's sentence; the party follows.
_DONE = {
    ReminderMethod.CALL: "Called",
    ReminderMethod.FAX: "Faxed",
    ReminderMethod.EMAIL: "Emailed",
}


@transaction.atomic
def log_records_reminder(
    *, case_id: int, party_id: int, way: str, spoke_to: str, outcome: str, by: User, at: datetime
) -> Event:
    """Log that a party was reminded of its records: who answered, and the outcome.

    A reminder changes no deadline. Only received records, or marking them complete, do.

    :param outcome: the outcome of the reminder, as the coordinator wrote it.
    :raises NotAllowed: wrong role or stage, a party of another case, or no outcome.
    """
    case = Case.objects.lock(case_id)
    # No version is compared: a reminder changes nothing that another user could have changed.
    refuse_if(policies.why_not_remind(by, case))
    party = Party.objects.filter(pk=party_id, case=case).first()
    if party is None:
        refuse_if("Choose a party of this case.")
        raise AssertionError("unreachable")
    refuse_if("" if way in ReminderMethod.values else "Choose how you reminded the party.")
    refuse_if("" if outcome.strip() else "Enter the outcome of the reminder.")
    # A call leaves no copy, so the entry has to say who can confirm it.
    if way == ReminderMethod.CALL:
        refuse_if("" if spoke_to.strip() else "Enter who answered, or “no one”.")
    spoke = f", spoke to {spoke_to.strip()}" if spoke_to.strip() else ""
    return Event.objects.create(
        case=case,
        kind=Event.Kind.REMINDED,
        happened_at=at,
        by=by,
        sentence=f"{_DONE[ReminderMethod(way)]} {party.name}{spoke}: {outcome.strip()}",
        facts={
            "way": way,
            # The list of outstanding records ignores reminders of earlier rounds.
            "round": case.round,
            "party": party.pk,
            "spoke_to": spoke_to.strip(),
        },
    )
