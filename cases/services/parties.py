"""Changes of the parties of a case after intake: add, change, end a role.

Party rows never change. A change from a day on ends the old row and adds a new one; a correction
replaces the old row from its beginning. Letters and notices keep their reference to the row that
they were addressed to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import User
from accounts.refusals import StaleForm, refuse_if
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

# A case has only one of each at a time: letters and deadlines depend on them.
ONE_AT_A_TIME = {
    Role.EMPLOYEE,
    Role.CLAIMS_ADMINISTRATOR,
    Role.REQUESTING_PHYSICIAN,
}

# These may be a party because of one disputed item only.
THROUGH_AN_ITEM = {Role.MANUFACTURER, Role.FACILITY, Role.OTHER_PROVIDER}

_LABELS = {
    "name": "Name",
    "contact": "Contact",
    "specialty": "Specialty",
    "address": "Address",
    "phone": "Phone",
    "fax": "Fax",
    "email": "E-mail",
    "preferred_channel": "Send letters by",
}
# Fields with names: reviewers are checked against them and attest about them.
_NAMES_PEOPLE = ("name", "contact")

SOURCE = "Application"


class PartyChanged(StaleForm):
    """Someone else changed this party after the page was opened."""


@dataclass(frozen=True)
class PartyOnForm:
    """A party named on the application form, as printed."""

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
    """Name and contact details of a party, as the page shows them."""

    name: str
    contact: str = ""
    specialty: str = ""
    address: str = ""
    phone: str = ""
    fax: str = ""
    email: str = ""
    preferred_channel: str = PreferredChannel.MAIL


def store_party(
    *,
    case: Case,
    party: PartyOnForm,
    since: date | None = None,
    item: DisputedItem | None = None,
    source: str = SOURCE,
    by: User | None,
    at: datetime,
) -> Party:
    """Store a party of a locked case, under the present version of the party list.

    :param since: the first day of the role, if stated.
    :param item: the only disputed item that concerns this manufacturer, facility or provider.
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
def add_party_to_case(
    *,
    case_id: int,
    party: PartyOnForm,
    since: date | None,
    item_id: int | None = None,
    why: str,
    by: User,
    at: datetime,
) -> Party:
    """Add a party to a case. The party list changes, so reviewers attest again.

    The designation of a representative is void if it is dated before the UR decision (Labor Code
    4610.5(j); subdivision not confirmed).

    :param since: the first day of the role; for a representative the day of the designation.
    :param item_id: the only disputed item that concerns this manufacturer, facility or provider.
    :raises NotAllowed: wrong role or state, no name, a void designation, or already on the case.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_change_parties(by, case))
    _refuse_impossible_channel(party.fax, party.email, party.preferred_channel)
    refuse_if("" if party.name.strip() else "Enter the name.")
    refuse_if(_why_not_since(since, at))
    refuse_if(_why_not_designated(case, party.role, since))
    refuse_if(_why_not_second_party(case, party, since, item_id, at))
    item = case.items.filter(pk=item_id).first() if item_id is not None else None
    if item_id is not None and (item is None or party.role not in THROUGH_AN_ITEM):
        refuse_if("Choose an item of this case, for a manufacturer, a facility or a provider.")
    # Before the row is stored, because the row carries the new version.
    _grow_party_list(case, f"{Role(party.role).label} added", by=by, at=at)
    added = store_party(
        case=case, party=party, since=since, item=item, source="Case page", by=by, at=at
    )
    through = f" for item {item.position}" if item else ""
    from_day = f", from {since:%m/%d/%Y}" if since else ""
    _record_party_event(
        case,
        f"{added} added{through}{from_day}. Reviewers must attest again.",
        why,
        {"party": added.pk, "added": added.role},
        by=by,
        at=at,
    )
    # In this transaction, so that no party is on the case without a check.
    own_conflicts.check_own_conflicts(case=case, by=by, at=at)
    return added


@transaction.atomic
def change_party_details(
    *,
    case_id: int,
    party_id: int,
    details: PartyDetails,
    since: date | None,
    why: str,
    by: User,
    at: datetime,
) -> Party:
    """Change the name or contact details of a party.

    With ``since`` the old row ends on the day before and a new row begins. Without it the old row
    was wrong and is corrected from its beginning. A new name or contact changes the party list, so
    reviewers attest again; a new address or channel does not.

    :raises Party.DoesNotExist: not a party of this case.
    :raises PartyChanged: someone else changed or ended this party in the meantime.
    :raises NotAllowed: wrong role or state, nothing changed, no reason, or an impossible date.
    """
    case = Case.objects.lock(case_id)
    old = Party.objects.get(pk=party_id, case=case)
    refuse_if(policies.why_not_change_parties(by, case))
    _refuse_outdated(old, at)
    refuse_if("" if details.name.strip() else "Enter the name.")
    refuse_if("" if why.strip() else "Enter the reason or the source.")
    _refuse_impossible_channel(details.fax, details.email, details.preferred_channel)
    differences = _list_party_changes(old, details)
    refuse_if("" if differences else "Nothing was changed.")
    refuse_if(_why_not_since(since, at))
    # Otherwise the old row would end before it began.
    if since is not None and old.valid_from is not None and since <= old.valid_from:
        refuse_if(
            f"{old.name} is on file since {old.valid_from:%m/%d/%Y}. Enter a later date, or leave "
            "it empty if the entry was wrong from the beginning."
        )
    grows = any(getattr(old, name) != getattr(details, name) for name in _NAMES_PEOPLE)
    if grows:
        _grow_party_list(case, f"{old.get_role_display()} changed", by=by, at=at)
    # Read before the change, because letters are found by the old name.
    unsent = [delivery.letter.title for delivery in list_unsent_letters(old)]
    # Ending the old row is a correction of it, because rows never change.
    if since is not None:
        _copy_party(old, corrects=old, valid_to=since - timedelta(days=1), by=by, at=at)
    new = _copy_party(
        old,
        # A row is corrected at most once, and the old one has just been ended.
        corrects=None if since is not None else old,
        valid_from=since if since is not None else old.valid_from,
        list_version=case.party_list_version,
        details=details,
        by=by,
        at=at,
    )
    what = ", ".join(label.lower() for label, _, _ in differences)
    held = f"changed from {since:%m/%d/%Y}" if since else "corrected"
    _record_party_event(
        case,
        f"{old}: {what} {held}.{_describe_unsent_letters(unsent)}",
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
        own_conflicts.check_own_conflicts(case=case, by=by, at=at)
    return new


@transaction.atomic
def end_party_role(
    *, case_id: int, party_id: int, last_day: date, why: str, by: User, at: datetime
) -> Party:
    """End the role of a party with its last day, such as when a representative leaves.

    Nobody new is on the list, so attestations of reviewers stay valid.

    :raises Party.DoesNotExist: not a party of this case.
    :raises PartyChanged: someone else changed or ended this party in the meantime.
    :raises NotAllowed: wrong role or state, no reason, an impossible date, or the employee.
    """
    case = Case.objects.lock(case_id)
    old = Party.objects.get(pk=party_id, case=case)
    refuse_if(policies.why_not_change_parties(by, case))
    _refuse_outdated(old, at)
    if old.role == Role.EMPLOYEE:
        refuse_if(
            "The employee’s role cannot end. Withdraw the case if the application was withdrawn."
        )
    refuse_if("" if why.strip() else "Enter why the role ends.")
    if last_day > local_day(at):
        refuse_if("The last day is in the future. Enter it on that day.")
    if old.valid_from is not None and last_day < old.valid_from:
        refuse_if(
            f"{old.name} is on file since {old.valid_from:%m/%d/%Y}; the role cannot end before."
        )
    unsent = [delivery.letter.title for delivery in list_unsent_letters(old)]
    ended = _copy_party(old, corrects=old, valid_to=last_day, by=by, at=at)
    _record_party_event(
        case,
        f"{old}: role ended, last day {last_day:%m/%d/%Y}.{_describe_unsent_letters(unsent)}",
        why,
        {"party": ended.pk, "was": old.pk, "last_day": last_day.isoformat(), "unsent": unsent},
        by=by,
        at=at,
    )
    return ended


def list_unsent_letters(party: Party) -> list[Delivery]:
    """List the letters to a party that are written but not sent. One query.

    Their text and addresses are frozen, so after a change a person decides about each of them.
    """
    return list(
        Delivery.objects.filter(
            letter__reference=party.case.number,
            state=Delivery.State.PREPARED,
            # A delivery stores role and name as text: letters does not know the parties.
            recipient_role=party.get_role_display(),
            recipient_name=party.name,
        )
        .select_related("letter")
        .order_by("pk")
    )


def current_parties(case: Case, *, on: date) -> Sequence[Party]:
    """List the parties of a case on a day, in the order of ``Role``. One query."""
    order = {role.value: place for place, role in enumerate(Role)}
    rows = case.parties.current().on(on).select_related("item", "recorded_by")
    return sorted(rows, key=lambda party: (order[party.role], party.pk))


def former_parties(case: Case, *, on: date) -> Sequence[Party]:
    """List roles and contact details that ended before a day, latest first. One query."""
    rows = case.parties.current().filter(valid_to__lt=on)
    return list(rows.select_related("item", "recorded_by").order_by("-valid_to", "-pk"))


def _grow_party_list(case: Case, why: str, *, by: User, at: datetime) -> None:
    """Start a new version of the party list, for conflict checks and attestations."""
    case.party_list_version += 1
    case.store(by=by, at=at, why=why, fields=["party_list_version"])


def _find_or_store_person(party: PartyOnForm, *, by: User | None, at: datetime) -> Person:
    """Find the person of a party, or store a new one.

    An employee must have the same name and birth date. For others, whose birth date no form states,
    the same name and role is enough. A name without letters always makes a new person.
    """
    normal = fold_name(party.name)[: people.LONGEST]
    named = PersonName.objects.current().filter(normal=normal).select_related("person")
    if party.role == Role.EMPLOYEE:
        named = (
            named.filter(person__date_of_birth=party.date_of_birth)
            if party.date_of_birth
            # Without a birth date, two employees with one name stay two persons.
            else named.none()
        )
    else:
        # Not a person with a birth date, who may be an employee, nor one in another role.
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
    """Refuse a party row that was corrected or has ended."""
    if old.withdrawn or Party.objects.filter(corrects=old).exists():
        raise PartyChanged(
            "Someone else changed this party after you opened it. Check the present entry."
        )
    if old.valid_to is not None and old.valid_to < local_day(at):
        raise PartyChanged(f"This role ended on {old.valid_to:%m/%d/%Y}.")


def _refuse_impossible_channel(fax: str, email: str, channel: str) -> None:
    """Refuse a channel without the number or address that it needs."""
    if channel not in PreferredChannel.values:
        refuse_if("Choose how letters are sent: by mail, fax or electronically.")
    if channel == PreferredChannel.FAX and not fax.strip():
        refuse_if("Enter the fax number, or choose another channel.")
    if channel == PreferredChannel.ELECTRONIC and not email.strip():
        refuse_if("Enter the e-mail address, or choose another channel.")


def _why_not_since(since: date | None, at: datetime) -> str:
    if since is not None and since > local_day(at):
        return "The first day is in the future. Enter it on that day."
    return ""


def _why_not_designated(case: Case, role: Role, since: date | None) -> str:
    """Check the date of a designation (Labor Code 4610.5(j))."""
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


def _why_not_second_party(
    case: Case, party: PartyOnForm, since: date | None, item_id: int | None, at: datetime
) -> str:
    """Check whether the case already has this party, or another one in a single role."""
    standing_then = case.parties.current().on(local_day(at)).filter(role=party.role)
    other = standing_then.first()
    if party.role in ONE_AT_A_TIME and other is not None:
        return (
            f"{other.name} is the {Role(party.role).label.lower()} of this case. "
            "Change that entry, or end the role first."
        )
    folded = fold_name(party.name)
    # A manufacturer may be a party through several items, once for each.
    if any(one.item_id == item_id and fold_name(one.name) == folded for one in standing_then):
        return f"{party.name} is already on the case as {Role(party.role).label.lower()}."
    return ""


def _list_party_changes(old: Party, details: PartyDetails) -> list[tuple[str, str, str]]:
    """List the changed fields as text: label, before, after."""
    found = []
    for name, label in _LABELS.items():
        before, after = getattr(old, name), getattr(details, name)
        if before == after:
            continue
        if name == "preferred_channel":
            before, after = PreferredChannel(before).label, PreferredChannel(after).label
        found.append((label, before, after))
    return found


def _copy_party(
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
    """Store a new row for the same role, with the changed values."""
    shown = details or PartyDetails(**{name: getattr(old, name) for name in _LABELS})
    person, organization = old.person, old.organization
    if shown.name != old.name and old.role in ORGANIZATION_ROLES:
        # A new name may mean another company, so it is looked up and not renamed.
        organization = people.find_or_store_organization(
            name=shown.name, source="Case page", by=by, at=at
        )
    elif shown.name != old.name and person is not None:
        # The same person under another name: conflict checks must find both names.
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
        # State and postal code were parsed from the old address.
        state=old.state if shown.address == old.address else "",
        postal_code=old.postal_code if shown.address == old.address else "",
        **{name: getattr(shown, name) for name in _LABELS},
        # An ended role names nobody new, so its row keeps the version.
        list_version=list_version if list_version is not None else old.list_version,
        valid_from=valid_from if details is not None else old.valid_from,
        valid_to=valid_to,
        recorded_at=at,
        recorded_by=by,
        source="Case page",
        corrects=corrects,
    )


def _describe_unsent_letters(titles: Sequence[str]) -> str:
    """Describe how many letters were written but not sent."""
    if not titles:
        return ""
    count = f"{len(titles)} letter{'' if len(titles) == 1 else 's'}"
    return f" Written but not sent yet: {count}."


def _record_party_event(
    case: Case, sentence: str, why: str, facts: dict[str, object], *, by: User, at: datetime
) -> Event:
    """Write the event of a party change."""
    return Event.objects.create(
        case=case,
        kind=Event.Kind.PARTY_CHANGED,
        happened_at=at,
        by=by,
        sentence=sentence,
        why=why.strip(),
        facts=facts,
    )
