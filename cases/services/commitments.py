"""Dates promised to a party: who was told what, when, and by which letter; moving is limited."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse
from cases import policies
from cases.models import Case, Commitment, Event
from deadlines.calendars import say
from deadlines.days import local_day
from letters.models import Letter

MOST_MOVES = 2  # a third new date for the same thing is for the supervisor to explain on the phone


@transaction.atomic
def commitment(
    *,
    case_id: int,
    party_id: int,
    what: str,
    due_on: date,
    told_on: date,
    letter_id: UUID | str | None = None,
    letter_reference: str = "",
    why: str,
    by: User,
    at: datetime,
) -> Commitment:
    """Put on file that a party was told a date.

    :param letter_id: a letter of this case that told it; ``letter_reference`` names any other.
    :raises NotAllowed: wrong role, a party or letter of another case, or a fact is missing.
    """
    case = Case.objects.lock(case_id)
    refuse(policies.why_not_commitment(by, case))
    party = case.parties.current().filter(pk=party_id).first()
    if party is None:
        raise NotAllowed("Choose a party of this case.")
    refuse("" if what.strip() else "Say what was promised.")
    letter = _letter(case, letter_id, letter_reference)
    refuse(_why_not_these_days(due_on, told_on, local_day(at)))
    made = Commitment(
        case=case,
        party=party,
        what=what.strip(),
        due_on=due_on,
        told_on=told_on,
        letter=letter,
        letter_reference=letter_reference.strip(),
        why=why.strip(),
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at, why=why)
    _record(made, f"{party.name} was promised: {made.what} by {say(due_on)}.", by=by, at=at)
    return made


@transaction.atomic
def move(
    *,
    commitment_id: int,
    due_on: date,
    told_on: date,
    letter_id: UUID | str | None = None,
    letter_reference: str = "",
    why: str,
    by: User,
    at: datetime,
) -> Commitment:
    """Tell the party a later date for the same thing; the earlier one stays readable.

    :raises NotAllowed: wrong role, kept or moved already, moved too often, or a fact is missing.
    """
    found = Commitment.objects.get(pk=commitment_id)
    case = Case.objects.lock(found.case_id)
    old = case.commitments.select_related("party").get(pk=commitment_id)
    refuse(policies.why_not_commitment(by, case))
    refuse(why_not_move(old))
    refuse("" if why.strip() else "Say why the date moves.")
    if due_on <= old.due_on:
        refuse(f"A moved date lies after the earlier one, {say(old.due_on)}.")
    letter = _letter(case, letter_id, letter_reference)
    refuse(_why_not_these_days(due_on, told_on, local_day(at)))
    new = Commitment(
        case=case,
        party=old.party,
        what=old.what,
        due_on=due_on,
        told_on=told_on,
        letter=letter,
        letter_reference=letter_reference.strip(),
        why=why.strip(),
        moved=old.moved + 1,
        replaces=old,
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at, why=why)
    _record(
        new,
        f"The date promised to {old.party.name} moves from {say(old.due_on)} to {say(due_on)}: "
        f"{old.what}. It has moved {new.moved} of {MOST_MOVES} times.",
        by=by,
        at=at,
    )
    return new


@transaction.atomic
def keep(*, commitment_id: int, kept_on: date, by: User, at: datetime) -> Commitment:
    """Note that what was promised was done.

    :raises NotAllowed: wrong role, kept or moved already, or a day that cannot be.
    """
    found = Commitment.objects.get(pk=commitment_id)
    case = Case.objects.lock(found.case_id)
    commitment = case.commitments.select_related("party").get(pk=commitment_id)
    refuse(policies.why_not_commitment(by, case))
    refuse(_why_not_live(commitment))
    if not commitment.told_on <= kept_on <= local_day(at):
        refuse("The day lies between the day of the commitment and today.")
    commitment.kept_on = kept_on
    commitment.store(by=by, at=at, why="Kept", fields=["kept_on"])
    _record(
        commitment,
        f"Kept on {say(kept_on)}: {commitment.what}, {commitment.party.name}.",
        by=by,
        at=at,
    )
    return commitment


def why_not_move(commitment: Commitment) -> str:
    """Whether a commitment can move once more. Queries."""
    reason = _why_not_live(commitment)
    if not reason and commitment.moved >= MOST_MOVES:
        return f"This date has moved {MOST_MOVES} times, which is the most."
    return reason


def _why_not_live(commitment: Commitment) -> str:
    if commitment.kept_on is not None:
        return f"This was kept on {say(commitment.kept_on)}."
    if Commitment.objects.filter(replaces=commitment).exists():
        return "This date was moved already; the later one stands."
    return ""


def _letter(case: Case, letter_id: UUID | str | None, reference: str) -> Letter | None:
    if letter_id is None:
        refuse("" if reference.strip() else "Say by which letter the party was told.")
        return None
    letter = Letter.objects.filter(pk=letter_id, reference=case.number).first()
    refuse("" if letter else "Choose a letter of this case.")
    return letter


def _why_not_these_days(due_on: date, told_on: date, today: date) -> str:
    if told_on > today:
        return "The day on which the party was told lies in the future."
    return "" if due_on >= told_on else "The commitment lies before the day of the commitment."


def _record(commitment: Commitment, sentence: str, *, by: User, at: datetime) -> None:
    Event.objects.create(
        case=commitment.case,
        kind=Event.Kind.COMMITMENT,
        happened_at=at,
        by=by,
        sentence=sentence,
        why=commitment.why,
        letter=commitment.letter,
        facts={
            "commitment": commitment.pk,
            "due_on": commitment.due_on.isoformat(),
            "told_on": commitment.told_on.isoformat(),
            "letter": commitment.letter_reference,
            "moved": commitment.moved,
        },
    )
