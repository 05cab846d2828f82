"""Who is on a case after intake: someone joins, moves, changes their channel, or leaves.

Rows of parties never change. A change from a day on closes the old row and opens a new one; a
correction stands in for the old row from the beginning. Letters and notices keep pointing at the
row that they were written to, so what has gone out names whom it went to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import User
from accounts.refusals import StaleForm, refuse
from cases import policies
from cases.models import Case, DisputedItem, Event, Party, PreferredChannel, Role
from deadlines.days import local_day
from directory.models import Person, PersonName
from directory.names import fold_name
from directory.services import people
from letters.models import Delivery

from . import own_conflicts

ORGANIZATION_ROLES = {
    Role.EMPLOYER,
    Role.CLAIMS_ADMINISTRATOR,
    Role.INSURER,
    Role.PHYSICIAN_GROUP,
    Role.FACILITY,
    Role.UR_ORGANIZATION,
    Role.MANUFACTURER,
}

# Of these a case has one at a time: letters name them, and the records are this one's duty.
ONE_AT_A_TIME = {
    Role.EMPLOYEE,
    Role.CLAIMS_ADMINISTRATOR,
    Role.REQUESTING_PHYSICIAN,
}

# A maker, a facility or another provider may be a party through one disputed item alone.
THROUGH_AN_ITEM = {Role.MANUFACTURER, Role.FACILITY, Role.OTHER_PROVIDER}

_LABELS = {
    "name": "Name",
    "contact": "Contact",
    "specialty": "Specialty",
    "address": "Address",
    "phone": "Phone",
    "fax": "Fax",
    "email": "E-mail",
    "preferred_channel": "Letters go by",
}
# Names of people: a reviewer is tested against them, and attests about them.
_NAMES_PEOPLE = ("name", "contact")

SOURCE = "Application"


class PartyChanged(StaleForm):
    """Someone else changed this party after the page was opened; the message says so."""


@dataclass(frozen=True)
class PartyOnForm:
    """Someone named on the form, as printed; ids come from a look-up that the clerk accepted."""

    role: Role
    name: str
    first: str = ""
    middle: str = ""
    last: str = ""
    date_of_birth: date | None = None
    date_of_birth_printed: str = ""
    contact: str = ""
    specialty: str = ""
    address: str = ""
    phone: str = ""
    fax: str = ""
    email: str = ""
    preferred_channel: str = "MAIL"


@dataclass(frozen=True)
class PartyDetails:
    """How a party is called and reached, as the page shows it."""

    name: str
    contact: str = ""
    specialty: str = ""
    address: str = ""
    phone: str = ""
    fax: str = ""
    email: str = ""
    preferred_channel: str = PreferredChannel.MAIL


def add_party(
    *,
    case: Case,
    party: PartyOnForm,
    since: date | None = None,
    item: DisputedItem | None = None,
    source: str = SOURCE,
    by: User | None,
    at: datetime,
) -> Party:
    """Put someone on a locked case, under the case's present party list.

    :param since: the first day of the role, where the paper says so.
    :param item: the one disputed item through which a maker or a facility is a party.
    """
    person = organization = None
    if party.role in ORGANIZATION_ROLES:
        organization = people.find_or_store_organization(
            name=party.name, source=source, by=by, at=at
        )
    else:
        person = _find_or_store_person(party, by=by, at=at)
    return Party.objects.create(
        case=case,
        role=party.role,
        person=person,
        organization=organization,
        name=party.name,
        contact=party.contact,
        specialty=party.specialty,
        address=party.address,
        phone=party.phone,
        fax=party.fax,
        email=party.email,
        preferred_channel=party.preferred_channel,
        item=item,
        list_version=case.party_list_version,
        valid_from=since,
        recorded_at=at,
        recorded_by=by,
        source=source,
    )


@transaction.atomic
def add(
    *,
    case_id: int,
    party: PartyOnForm,
    since: date | None,
    item_id: int | None = None,
    why: str,
    by: User,
    at: datetime,
) -> Party:
    """Put someone on the case. The party list grows, so a reviewer who attested does so again.

    A designation of a representative that is dated before the UR decision is void
    (Labor Code 4610.5(j); subdivision not yet compared), so it makes no one a party.

    :param since: the first day of the role; for a representative the day of the designation.
    :param item_id: the disputed item of this case through which a maker or facility is a party.
    :raises NotAllowed: wrong role or state, no name, a void designation, or on the case already.
    """
    case = Case.objects.lock(case_id)
    refuse(policies.why_not_change_parties(by, case))
    _refuse_impossible_channel(party.fax, party.email, party.preferred_channel)
    refuse("" if party.name.strip() else "Enter the name.")
    refuse(_why_not_from(since, at))
    refuse(_why_not_designated(case, party.role, since))
    refuse(_why_not_beside(case, party, since, item_id, at))
    item = case.items.filter(pk=item_id).first() if item_id is not None else None
    if item_id is not None and (item is None or party.role not in THROUGH_AN_ITEM):
        refuse("Choose an item of this case, for a maker, a facility or a provider.")
    _grow(case, f"{Role(party.role).label} added", by=by, at=at)
    added = add_party(
        case=case, party=party, since=since, item=item, source="Case page", by=by, at=at
    )
    through = f" through item {item.position}" if item else ""
    from_day = f", from {since:%m/%d/%Y}" if since else ""
    _record(
        case,
        f"{added} added{through}{from_day}. Reviewers attest again on the longer list.",
        why,
        {"party": added.pk, "added": added.role},
        by=by,
        at=at,
    )
    own_conflicts.examine(case=case, by=by, at=at)
    return added


@transaction.atomic
def change(
    *,
    case_id: int,
    party_id: int,
    details: PartyDetails,
    since: date | None,
    why: str,
    by: User,
    at: datetime,
) -> Party:
    """Change how a party is called or reached.

    With ``since`` the old row ends on the day before and a new one begins; without it, what was on
    file was wrong and is corrected from the beginning. Other people than before (another name or
    another contact) grow the party list; an address or a channel does not.

    :raises Party.DoesNotExist: not a party of this case.
    :raises PartyChanged: someone else changed or ended this party in between.
    :raises NotAllowed: wrong role or state, nothing changed, no reason, or a day that cannot be.
    """
    case = Case.objects.lock(case_id)
    old = Party.objects.get(pk=party_id, case=case)
    refuse(policies.why_not_change_parties(by, case))
    _refuse_outdated(old, at)
    refuse("" if details.name.strip() else "Enter the name.")
    refuse("" if why.strip() else "Say why, or where you know it from.")
    _refuse_impossible_channel(details.fax, details.email, details.preferred_channel)
    differences = _differences(old, details)
    refuse("" if differences else "Nothing was changed.")
    refuse(_why_not_from(since, at))
    if since is not None and old.valid_from is not None and since <= old.valid_from:
        refuse(
            f"{old.name} is on file since {old.valid_from:%m/%d/%Y}. Enter a later day, or none "
            "if what is on file was wrong from the beginning."
        )
    grows = any(getattr(old, name) != getattr(details, name) for name in _NAMES_PEOPLE)
    if grows:
        _grow(case, f"{old.get_role_display()} changed", by=by, at=at)
    unsent = [delivery.letter.title for delivery in unsent_letters(old)]
    if since is not None:
        _copy(old, corrects=old, valid_to=since - timedelta(days=1), by=by, at=at)
    new = _copy(
        old,
        corrects=None if since is not None else old,
        valid_from=since if since is not None else old.valid_from,
        list_version=case.party_list_version,
        details=details,
        by=by,
        at=at,
    )
    what = ", ".join(label.lower() for label, _, _ in differences)
    held = f"changed from {since:%m/%d/%Y}" if since else "corrected"
    _record(
        case,
        f"{old}: {what} {held}.{_unsent_words(unsent)}",
        why,
        {
            "party": new.pk,
            "was": old.pk,
            "changes": [list(one) for one in differences],
            "unsent": unsent,
        },
        by=by,
        at=at,
    )
    if grows:
        own_conflicts.examine(case=case, by=by, at=at)
    return new


@transaction.atomic
def end(*, case_id: int, party_id: int, last_day: date, why: str, by: User, at: datetime) -> Party:
    """End a role with its last day: a representative leaves, another administrator takes over.

    No one new comes onto the list, so a reviewer's attestation stands: who left stays tested.

    :raises Party.DoesNotExist: not a party of this case.
    :raises PartyChanged: someone else changed or ended this party in between.
    :raises NotAllowed: wrong role or state, no reason, a day that cannot be, or the employee.
    """
    case = Case.objects.lock(case_id)
    old = Party.objects.get(pk=party_id, case=case)
    refuse(policies.why_not_change_parties(by, case))
    _refuse_outdated(old, at)
    if old.role == Role.EMPLOYEE:
        refuse("The employee stays on the case. Withdraw the case if it was taken back.")
    refuse("" if why.strip() else "Say why the role ends.")
    if last_day > local_day(at):
        refuse("The last day is in the future. Enter it when it has come.")
    if old.valid_from is not None and last_day < old.valid_from:
        refuse(
            f"{old.name} is on file since {old.valid_from:%m/%d/%Y}; the role cannot end before."
        )
    unsent = [delivery.letter.title for delivery in unsent_letters(old)]
    ended = _copy(old, corrects=old, valid_to=last_day, by=by, at=at)
    _record(
        case,
        f"{old}: the role ends, last day {last_day:%m/%d/%Y}.{_unsent_words(unsent)}",
        why,
        {"party": ended.pk, "was": old.pk, "last_day": last_day.isoformat(), "unsent": unsent},
        by=by,
        at=at,
    )
    return ended


def unsent_letters(party: Party) -> list[Delivery]:
    """Letters to a party as it stands that are written but have not gone out. Queries once.

    Their words and addresses are frozen: after a change someone decides how they go.
    """
    return list(
        Delivery.objects.filter(
            letter__reference=party.case.number,
            state=Delivery.State.PREPARED,
            recipient_role=party.get_role_display(),
            recipient_name=party.name,
        )
        .select_related("letter")
        .order_by("pk")
    )


def standing(case: Case, *, on: date) -> Sequence[Party]:
    """Who is on the case on a day, by role as listed in ``Role``. Queries once."""
    order = {role.value: place for place, role in enumerate(Role)}
    rows = case.parties.current().on(on).select_related("item", "recorded_by")
    return sorted(rows, key=lambda party: (order[party.role], party.pk))


def former(case: Case, *, on: date) -> Sequence[Party]:
    """Roles and particulars that ended before a day, latest first. Queries once."""
    rows = case.parties.current().filter(valid_to__lt=on)
    return list(rows.select_related("item", "recorded_by").order_by("-valid_to", "-pk"))


def _grow(case: Case, why: str, *, by: User, at: datetime) -> None:
    """A longer or other list: conflicts are tested, and attested, on the new version."""
    case.party_list_version += 1
    case.store(by=by, at=at, why=why, fields=["party_list_version"])


def _find_or_store_person(party: PartyOnForm, *, by: User | None, at: datetime) -> Person:
    """The same name and birthday is the same person; a name alone is not, except for physicians
    and attorneys, whose birthdays no form gives. A name of nothing but signs is no one's."""
    normal = fold_name(party.name)[: people.LONGEST]
    named = PersonName.objects.current().filter(normal=normal).select_related("person")
    if party.role == Role.EMPLOYEE:
        named = (
            named.filter(person__date_of_birth=party.date_of_birth)
            if party.date_of_birth
            else named.none()
        )
    else:
        named = named.filter(person__date_of_birth=None, person__roles__role=party.role)
    known = named.order_by("pk").first() if normal else None
    if known:
        return known.person
    return people.store_person(
        name=party.name,
        first=party.first,
        middle=party.middle,
        last=party.last,
        date_of_birth=party.date_of_birth,
        date_of_birth_printed=party.date_of_birth_printed,
        source=SOURCE,
        by=by,
        at=at,
    )


def _refuse_outdated(old: Party, at: datetime) -> None:
    if old.withdrawn or Party.objects.filter(corrects=old).exists():
        raise PartyChanged(
            "Someone else changed this party after you opened it. Look at what stands now."
        )
    if old.valid_to is not None and old.valid_to < local_day(at):
        raise PartyChanged(f"This ended on {old.valid_to:%m/%d/%Y} and is history now.")


def _refuse_impossible_channel(fax: str, email: str, channel: str) -> None:
    if channel not in PreferredChannel.values:
        refuse("Choose how letters go: by mail, fax or electronically.")
    if channel == PreferredChannel.FAX and not fax.strip():
        refuse("Enter the fax number, or send letters another way.")
    if channel == PreferredChannel.ELECTRONIC and not email.strip():
        refuse("Enter the e-mail address, or send letters another way.")


def _why_not_from(since: date | None, at: datetime) -> str:
    if since is not None and since > local_day(at):
        return "The first day is in the future. Enter it when it has come."
    return ""


def _why_not_designated(case: Case, role: Role, since: date | None) -> str:
    if role != Role.REPRESENTATIVE:
        return ""
    if since is None:
        return "Enter the day on which the employee signed the designation."
    decided_on = case.ur_decision.decided_on if case.ur_decision else None
    if decided_on is not None and since < decided_on:
        return (
            f"The designation of {since:%m/%d/%Y} is void: it was signed before the UR decision "
            f"of {decided_on:%m/%d/%Y}. Ask the employee for a new one."
        )
    return ""


def _why_not_beside(
    case: Case, party: PartyOnForm, since: date | None, item_id: int | None, at: datetime
) -> str:
    """Whether someone who stands on the case already leaves no place for this one."""
    standing_then = case.parties.current().on(local_day(at)).filter(role=party.role)
    other = standing_then.first()
    if party.role in ONE_AT_A_TIME and other is not None:
        return (
            f"{other.name} is the {Role(party.role).label.lower()} of this case. "
            "Change that entry, or end the role first."
        )
    folded = fold_name(party.name)
    if any(one.item_id == item_id and fold_name(one.name) == folded for one in standing_then):
        return f"{party.name} is on the case already as {Role(party.role).label.lower()}."
    return ""


def _differences(old: Party, details: PartyDetails) -> list[tuple[str, str, str]]:
    """What changes, in words: field, before, after."""
    found = []
    for name, label in _LABELS.items():
        before, after = getattr(old, name), getattr(details, name)
        if before == after:
            continue
        if name == "preferred_channel":
            before, after = PreferredChannel(before).label, PreferredChannel(after).label
        found.append((label, before, after))
    return found


def _copy(
    old: Party,
    *,
    corrects: Party | None,
    valid_from: date | None = None,
    valid_to: date | None = None,
    list_version: int | None = None,
    details: PartyDetails | None = None,
    by: User,
    at: datetime,
) -> Party:
    """A new row for the same role, with what changed."""
    shown = details or PartyDetails(**{name: getattr(old, name) for name in _LABELS})
    person, organization = old.person, old.organization
    if shown.name != old.name and old.role in ORGANIZATION_ROLES:
        organization = people.find_or_store_organization(
            name=shown.name, source="Case page", by=by, at=at
        )
    elif shown.name != old.name and person is not None:
        PersonName.objects.create(
            person=person,
            printed=shown.name,
            normal=fold_name(shown.name)[: people.LONGEST],
            recorded_at=at,
            recorded_by=by,
            source="Case page",
        )
    return Party.objects.create(
        case=old.case,
        role=old.role,
        person=person,
        organization=organization,
        item=old.item,
        state=old.state if shown.address == old.address else "",
        postal_code=old.postal_code if shown.address == old.address else "",
        **{name: getattr(shown, name) for name in _LABELS},
        list_version=list_version if list_version is not None else old.list_version,
        valid_from=valid_from if details is not None else old.valid_from,
        valid_to=valid_to,
        recorded_at=at,
        recorded_by=by,
        source="Case page",
        corrects=corrects,
    )


def _unsent_words(titles: Sequence[str]) -> str:
    if not titles:
        return ""
    count = f"{len(titles)} letter{'' if len(titles) == 1 else 's'}"
    return f" Written before and not sent yet: {count}."


def _record(
    case: Case, sentence: str, why: str, facts: dict[str, object], *, by: User, at: datetime
) -> Event:
    return Event.objects.create(
        case=case,
        kind=Event.Kind.PARTY_CHANGED,
        happened_at=at,
        by=by,
        sentence=sentence,
        why=why.strip(),
        facts=facts,
    )
