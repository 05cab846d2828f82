"""Log reminders to parties about outstanding records."""

from datetime import datetime

from django.db import models, transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case, CaseLetter, Event, Party, PartyRole
from cases.services import drafting
from correspondence.services import case_letters
from letters.kinds import LetterKind
from records import policies


class ReminderMethod(models.TextChoices):
    """How a party is reminded."""

    CALL = "CALL", "Telephone"
    FAX = "FAX", "Fax"
    EMAIL = "EMAIL", "Email"
    LETTER = "LETTER", "Letter"


# The first word of the event's sentence; the party follows.
_DONE = {
    ReminderMethod.CALL: "Called",
    ReminderMethod.FAX: "Faxed",
    ReminderMethod.EMAIL: "Emailed",
    ReminderMethod.LETTER: "Wrote to",
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


def send_reminder_letter(*, case_id: int, by: User, at: datetime) -> CaseLetter:
    """Write and approve the letter that reminds the parties of overdue records, and log it.

    A draft of this letter that waits is approved instead of a new one. Typesetting runs between two
    transactions; if the letter cannot be approved, it stays a draft.

    :raises NotAllowed: wrong role or stage, the records are not overdue, or a reminder letter was
        approved on this day.
    :raises LetterRefused: a fact that the letter states is missing.
    """
    letter = _draft_reminder(case_id, by=by, at=at)
    case_letters.preview_letter(letter_id=letter.pk, by=by, at=at)
    return _approve_reminder(letter, by=by, at=at)


@transaction.atomic
def _draft_reminder(case_id: int, *, by: User, at: datetime) -> CaseLetter:
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_send_reminder(by, case, at=at))
    waiting: CaseLetter | None = case.case_letters.filter(
        kind=LetterKind.RECORDS_REMINDER, state=CaseLetter.State.DRAFT
    ).first()
    reason = "The records are overdue."
    return waiting or drafting.draft_letter(
        case_id=case.pk, kind=LetterKind.RECORDS_REMINDER, reason=reason, by=by, at=at
    )


@transaction.atomic
def _approve_reminder(letter: CaseLetter, *, by: User, at: datetime) -> CaseLetter:
    # The version: another person may have changed or approved it while it was typeset.
    approved = case_letters.approve_letter(
        letter_id=letter.pk, seen_version=letter.version, by=by, at=at
    )
    case = approved.case
    for copy in approved.current_copies():
        if copy.party.role == PartyRole.CLAIMS_ADMINISTRATOR:
            Event.objects.create(
                case=case,
                kind=Event.Kind.REMINDED,
                happened_at=at,
                by=by,
                sentence=f"{_DONE[ReminderMethod.LETTER]} {copy.party.name}: the records are "
                "overdue.",
                facts={
                    "way": ReminderMethod.LETTER,
                    "round": case.round,
                    "party": copy.party_id,
                    "spoke_to": "",
                },
            )
    return approved
