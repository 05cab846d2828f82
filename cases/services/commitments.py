"""Commitments: dates promised to a party, the letters that state them, and their changes."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases import policies
from cases.models import Case, Commitment, Event
from deadlines.calendars import format_day
from deadlines.days import local_day
from letters.models import Letter

MOST_MOVES = 2  # instead of a third new date, a supervisor calls the party


@transaction.atomic
def add_commitment(
    *,
    case_id: int,
    party_id: int,
    description: str,
    due_on: date,
    informed_on: date,
    letter_id: UUID | str | None = None,
    letter_reference: str = "",
    why: str,
    by: User,
    at: datetime,
) -> Commitment:
    """Record a date that was promised to a party.

    :param informed_on: the day on which the party was informed.
    :param letter_id: the letter of this case that states the date.
    :param letter_reference: the reference of any other letter that states it.
    :raises NotAllowed: wrong role, a party or letter of another case, or a fact is missing.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_record_commitment(by, case))
    # Not a row that was corrected after the page was opened.
    party = case.parties.current().filter(pk=party_id).first()
    if party is None:
        raise NotAllowed("Choose a party of this case.")
    refuse_if("" if description.strip() else "Enter what was promised.")
    letter = _find_commitment_letter(case, letter_id, letter_reference)
    refuse_if(_why_not_these_days(due_on, informed_on, local_day(at)))
    commitment = Commitment(
        case=case,
        party=party,
        description=description.strip(),
        due_on=due_on,
        informed_on=informed_on,
        letter=letter,
        letter_reference=letter_reference.strip(),
        why=why.strip(),
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at, why=why)
    _record_commitment_event(
        commitment,
        f"Commitment to {party.name}: {commitment.description} by {format_day(due_on)}.",
        by=by,
        at=at,
    )
    return commitment


@transaction.atomic
def move_commitment(
    *,
    commitment_id: int,
    due_on: date,
    informed_on: date,
    letter_id: UUID | str | None = None,
    letter_reference: str = "",
    why: str,
    by: User,
    at: datetime,
) -> Commitment:
    """Record a later date for a commitment. The earlier row stays on record.

    :raises NotAllowed: wrong role, kept or moved already, moved too often, or a fact is missing.
    """
    unlocked = Commitment.objects.get(pk=commitment_id)
    # The first read only finds the case. Under its lock the row is read again.
    case = Case.objects.lock(unlocked.case_id)
    old = case.commitments.select_related("party").get(pk=commitment_id)
    refuse_if(policies.why_not_record_commitment(by, case))
    refuse_if(why_not_move_commitment(old))
    refuse_if("" if why.strip() else "Enter why the date moves.")
    # Acting early keeps a commitment, so an earlier date needs no new row.
    if due_on <= old.due_on:
        refuse_if(f"The new date must be after the earlier one, {format_day(old.due_on)}.")
    letter = _find_commitment_letter(case, letter_id, letter_reference)
    refuse_if(_why_not_these_days(due_on, informed_on, local_day(at)))
    new = Commitment(
        case=case,
        party=old.party,
        # Only the date moves; anything else is another commitment.
        description=old.description,
        due_on=due_on,
        informed_on=informed_on,
        letter=letter,
        letter_reference=letter_reference.strip(),
        why=why.strip(),
        moved=old.moved + 1,
        replaces=old,
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at, why=why)
    _record_commitment_event(
        new,
        f"Commitment to {old.party.name} moved from {format_day(old.due_on)} to "
        f"{format_day(due_on)}: "
        f"{old.description}. Moved {new.moved} of {MOST_MOVES} times.",
        by=by,
        at=at,
    )
    return new


@transaction.atomic
def keep_commitment(*, commitment_id: int, kept_on: date, by: User, at: datetime) -> Commitment:
    """Record that a commitment was kept.

    :raises NotAllowed: wrong role, kept or moved already, or an impossible date.
    """
    unlocked = Commitment.objects.get(pk=commitment_id)
    case = Case.objects.lock(unlocked.case_id)
    commitment = case.commitments.select_related("party").get(pk=commitment_id)
    refuse_if(policies.why_not_record_commitment(by, case))
    refuse_if(_why_not_live(commitment))
    if not commitment.informed_on <= kept_on <= local_day(at):
        refuse_if("The day must be between the day on which the party was informed and today.")
    commitment.kept_on = kept_on
    commitment.store(by=by, at=at, why="Kept", fields=["kept_on"])
    _record_commitment_event(
        commitment,
        f"Commitment to {commitment.party.name} kept on {format_day(kept_on)}: "
        f"{commitment.description}.",
        by=by,
        at=at,
    )
    return commitment


def why_not_move_commitment(commitment: Commitment) -> str:
    """Check whether a commitment can be moved again. One query."""
    reason = _why_not_live(commitment)
    if not reason and commitment.moved >= MOST_MOVES:
        return f"This date was moved {MOST_MOVES} times, which is the limit."
    return reason


def _why_not_live(commitment: Commitment) -> str:
    """Check whether a commitment is neither kept nor moved. One query."""
    if commitment.kept_on is not None:
        return f"This commitment was kept on {format_day(commitment.kept_on)}."
    if Commitment.objects.filter(replaces=commitment).exists():
        return "This date was already moved. Use the later one."
    return ""


def _find_commitment_letter(
    case: Case, letter_id: UUID | str | None, reference: str
) -> Letter | None:
    """Return the letter of the case; ``None`` if another reference is given instead."""
    if letter_id is None:
        refuse_if("" if reference.strip() else "Enter the letter by which the party was informed.")
        return None
    # The id comes from a form, so it may be of another case.
    letter = Letter.objects.filter(pk=letter_id, reference=case.number).first()
    refuse_if("" if letter else "Choose a letter of this case.")
    return letter


def _why_not_these_days(due_on: date, informed_on: date, today: date) -> str:
    if informed_on > today:
        return "The day on which the party was informed is in the future."
    if due_on < informed_on:
        return "The promised date is before the day on which the party was informed."
    return ""


def _record_commitment_event(
    commitment: Commitment, sentence: str, *, by: User, at: datetime
) -> None:
    """Write the event of a commitment."""
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
            "informed_on": commitment.informed_on.isoformat(),
            "letter": commitment.letter_reference,
            "moved": commitment.moved,
        },
    )
