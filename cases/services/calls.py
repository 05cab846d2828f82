"""Log telephone calls about a case, and correct one's own entries."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, refuse_if
from cases import policies
from cases.models import Case, Commitment, Event, Party, PhoneCall
from deadlines.days import format_moment, local_day

from . import commitments


@dataclass(frozen=True)
class CallFacts:
    """What is logged about a call.

    :ivar direction: a value of ``PhoneCall.Direction``.
    :ivar party_id: the party of the case; ``None`` for anyone else.
    :ivar spoke_with: the name of who spoke; needed without a party.
    """

    direction: str
    party_id: int | None
    spoke_with: str
    number: str
    called_at: datetime
    summary: str


@dataclass(frozen=True)
class PromisedDate:
    """A date that was promised to the party on the call."""

    description: str
    due_on: date


@transaction.atomic
def log_call(
    *,
    case_id: int,
    facts: CallFacts,
    promised: PromisedDate | None = None,
    by: User,
    at: datetime,
) -> PhoneCall:
    """Log a call about a case, open or closed, with the commitment made on it.

    :raises BadFact: no one is named, nothing is said, or the call lies in the future.
    :raises NotAllowed: wrong role; for a promised date also a closed case or no party.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_log_call(by, case))
    party = _find_party(case, facts)
    _refuse_facts(facts, party, at=at)
    commitment = _add_commitment(case, facts, party, promised, by=by, at=at)
    return _store_call(case, facts, party, commitment, None, by=by, at=at)


@transaction.atomic
def correct_call(*, call_id: int, facts: CallFacts, by: User, at: datetime) -> PhoneCall:
    """Correct a call that one logged oneself. Both rows stay on the timeline.

    :raises BadFact: as for ``log_call``.
    :raises NotAllowed: a call of someone else, or one that was corrected already.
    """
    case_id = PhoneCall.objects.values_list("case_id", flat=True).get(pk=call_id)
    # Two corrections of one call must not both pass the check.
    case = Case.objects.lock(case_id)
    old = case.calls.get(pk=call_id)
    refuse_if(policies.why_not_correct_call(by, case, old))
    party = _find_party(case, facts)
    _refuse_facts(facts, party, at=at)
    return _store_call(case, facts, party, old.commitment, old, by=by, at=at)


def _find_party(case: Case, facts: CallFacts) -> Party | None:
    if facts.party_id is None:
        return None
    # The id comes from a form, so it may be of another case.
    party = case.parties.current().filter(pk=facts.party_id).first()
    if party is None:
        raise BadFact("party", "Choose a party of this case, or “Someone else”.")
    return party


def _refuse_facts(facts: CallFacts, party: Party | None, *, at: datetime) -> None:
    if facts.direction not in PhoneCall.Direction.values:
        raise BadFact("direction", "Choose who called.")
    if party is None and not facts.spoke_with.strip():
        raise BadFact("spoke_with", "Enter the name, or choose a party.")
    if not facts.summary.strip():
        raise BadFact("summary", "Enter what was said.")
    if facts.called_at > at:
        raise BadFact("called_on", "This call is in the future. Check the date and the time.")


def _add_commitment(
    case: Case,
    facts: CallFacts,
    party: Party | None,
    promised: PromisedDate | None,
    *,
    by: User,
    at: datetime,
) -> Commitment | None:
    if promised is None:
        return None
    if party is None:
        raise NotAllowed("A date can be promised only to a party. Choose the party of the call.")
    return commitments.add_commitment(
        case_id=case.pk,
        party_id=party.pk,
        description=promised.description,
        due_on=promised.due_on,
        informed_on=local_day(facts.called_at),
        letter_reference=f"Telephone call, {format_moment(facts.called_at)}",
        why="Promised on a telephone call.",
        by=by,
        at=at,
    )


def _store_call(
    case: Case,
    facts: CallFacts,
    party: Party | None,
    commitment: Commitment | None,
    old: PhoneCall | None,
    *,
    by: User,
    at: datetime,
) -> PhoneCall:
    call = PhoneCall(
        case=case,
        direction=facts.direction,
        party=party,
        spoke_with=facts.spoke_with.strip(),
        number=facts.number.strip(),
        called_at=facts.called_at,
        summary=facts.summary.strip(),
        commitment=commitment,
        corrects=old,
        recorded_at=at,
        recorded_by=by,
    )
    call.event = Event.objects.create(
        case=case,
        kind=Event.Kind.CALL,
        happened_at=at,
        by=by,
        sentence=_describe_call(call),
        facts={"corrects_call": old.pk} if old else {},
    )
    call.save(force_insert=True)
    return call


def _describe_call(call: PhoneCall) -> str:
    """Describe a call for the timeline, without the name of whoever logged it."""
    start = "Correction. " if call.corrects else ""
    direction = "from" if call.direction == PhoneCall.Direction.RECEIVED else "to"
    number = f", {call.number}" if call.number else ""
    return (
        f"{start}Call {direction} {call.with_whom}{number} on {format_moment(call.called_at)}: "
        f"{call.summary}"
    )
