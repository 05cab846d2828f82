"""Log contacts with parties about outstanding records."""

from datetime import datetime

from django.db import models, transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case, Event, Party
from records import policies


class ContactMethod(models.TextChoices):
    """The means of contact."""

    CALL = "CALL", "Telephone"
    FAX = "FAX", "Fax"
    EMAIL = "EMAIL", "E-mail"


# The first word of the event's sentence; the party follows.
_DONE = {ContactMethod.CALL: "Called", ContactMethod.FAX: "Faxed", ContactMethod.EMAIL: "E-mailed"}


@transaction.atomic
def log_records_contact(
    *, case_id: int, party_id: int, way: str, spoke_to: str, said: str, by: User, at: datetime
) -> Event:
    """Log that a party was asked for records: who answered, and the outcome.

    A contact changes no deadline. Only received records, or marking them complete, do.

    :param said: the outcome of the contact, as the coordinator wrote it.
    :raises NotAllowed: wrong role or stage, a party of another case, or no outcome.
    """
    case = Case.objects.lock(case_id)
    # No version is compared: a contact changes nothing that another user could have changed.
    refuse_if(policies.why_not_chase(by, case))
    party = Party.objects.filter(pk=party_id, case=case).first()
    if party is None:
        refuse_if("Choose a party of this case.")
        raise AssertionError("unreachable")
    refuse_if("" if way in ContactMethod.values else "Choose how you contacted the party.")
    refuse_if("" if said.strip() else "Enter the outcome of the contact.")
    # A call leaves no copy, so the entry has to say who can confirm it.
    if way == ContactMethod.CALL:
        refuse_if("" if spoke_to.strip() else "Enter who answered, or “no one”.")
    spoke = f", spoke to {spoke_to.strip()}" if spoke_to.strip() else ""
    return Event.objects.create(
        case=case,
        kind=Event.Kind.CHASED,
        happened_at=at,
        by=by,
        sentence=f"{_DONE[ContactMethod(way)]} {party.name}{spoke}: {said.strip()}",
        facts={
            "way": way,
            # The list of outstanding records ignores contacts of earlier rounds.
            "round": case.round,
            "party": party.pk,
            "spoke_to": spoke_to.strip(),
        },
    )
