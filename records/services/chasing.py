"""Chasing the records that are owed: what was asked, whom, and what they said."""

from datetime import datetime

from django.db import models, transaction

from accounts.models import User
from accounts.refusals import refuse
from cases.models import Case, Event, Party
from records import policies


class Way(models.TextChoices):
    """How someone was asked."""

    CALL = "CALL", "Telephone"
    FAX = "FAX", "Fax"
    EMAIL = "EMAIL", "E-mail"


_DONE = {Way.CALL: "Rang", Way.FAX: "Faxed", Way.EMAIL: "Wrote an e-mail to"}


@transaction.atomic
def log_contact(
    *, case_id: int, party_id: int, way: str, spoke_to: str, said: str, by: User, at: datetime
) -> Event:
    """Note that someone was asked for the records: who answered, and what they said.

    It moves no clock: only records that come, or the end of the waiting, do.

    :raises NotAllowed: wrong role or state, a party of another case, or nothing was said.
    """
    case = Case.objects.lock(case_id)
    refuse(policies.why_not_chase(by, case))
    party = Party.objects.filter(pk=party_id, case=case).first()
    if party is None:
        refuse("Choose a party of this case.")
        raise AssertionError("unreachable")
    refuse("" if way in Way.values else "Say how they were asked.")
    refuse("" if said.strip() else "Say what came of it.")
    if way == Way.CALL:
        refuse("" if spoke_to.strip() else "Say who answered; “no one” is an answer too.")
    spoke = f", spoke to {spoke_to.strip()}" if spoke_to.strip() else ""
    return Event.objects.create(
        case=case,
        kind=Event.Kind.CHASED,
        happened_at=at,
        by=by,
        sentence=f"{_DONE[Way(way)]} {party.name}{spoke}: {said.strip()}",
        facts={
            "way": way,
            "round": case.round,
            "party": party.pk,
            "spoke_to": spoke_to.strip(),
        },
    )
