"""Changes of the parties of a case after intake: add, change, end a role.

Party rows never change. A change from a day on ends the old row and adds a new one; a correction
replaces the old row from its beginning. Letters and notices keep their reference to the row that
they were addressed to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.refusals import BadFact, StaleForm, refuse_if
from cases import policies
from cases.case_rows import rows_of
from cases.models import Case, DisputedItem, Event, Party, PartyRole, PreferredChannel
from cases.party_facts import NameRow, PartyRow
from cases.places import OUTSIDE_US, STATES, read_state, why_not_state
from deadlines.calendars import format_day
from deadlines.days import local_day
from directory.models import Organization, OrganizationName, Person, PersonName
from directory.names import fold_name, fold_organization
from directory.services import people
from letters.models import Service

from . import duplicates, own_conflicts

ORGANIZATION_ROLES = {
    PartyRole.EMPLOYER,
    PartyRole.CLAIMS_ADMINISTRATOR,
    PartyRole.INSURER,
    PartyRole.PHYSICIAN_GROUP,
    PartyRole.FACILITY,
    PartyRole.UR_ORGANIZATION,
    PartyRole.MANUFACTURER,
}

# A case has only one of each at a time: letters and deadlines depend on them.
ONE_AT_A_TIME = {
    PartyRole.EMPLOYEE,
    PartyRole.CLAIMS_ADMINISTRATOR,
    PartyRole.REQUESTING_PHYSICIAN,
}

# These may be a party because of one disputed item only.
THROUGH_AN_ITEM = {PartyRole.MANUFACTURER, PartyRole.FACILITY, PartyRole.OTHER_PROVIDER}

_LABELS = {
    "name": "Name",
    "contact": "Contact",
    "specialty": "Specialty",
    "address": "Address",
    "state": "State",
    "phone": "Phone",
    "fax": "Fax",
    "email": "Email",
    "language": "Preferred language",
    "needs_interpreter": "Interpreter needed",
    "eservice_on": "Consent to electronic service",
    "eservice_basis": "Basis of the consent",
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

    role: PartyRole
    name: str
    first: str = ""
    middle: str = ""
    last: str = ""
    date_of_birth: date | None = None
    date_of_birth_printed: str = ""
    contact: str = ""
    specialty: str = ""
    address: str = ""
    state: str = ""
    phone: str = ""
    fax: str = ""
    email: str = ""
    language: str = ""
    needs_interpreter: bool | None = None
    eservice_on: date | None = None
    eservice_basis: str = ""
    preferred_channel: str = "MAIL"


@dataclass(frozen=True)
class PartyDetails:
    """Name and contact details of a party, as the page shows them.

    :ivar state: the state of the address; if empty, it is read from the address.
    :ivar eservice_on: the day of the party's consent to electronic service, which email needs.
    :ivar eservice_basis: the paper or call that shows the consent.
    """

    name: str
    contact: str = ""
    specialty: str = ""
    address: str = ""
    state: str = ""
    phone: str = ""
    fax: str = ""
    email: str = ""
    language: str = ""
    needs_interpreter: bool | None = None
    eservice_on: date | None = None
    eservice_basis: str = ""
    preferred_channel: str = PreferredChannel.MAIL


@dataclass(frozen=True)
class PlannedParties:
    """The parties of a form as they will be stored, read before the transaction.

    :ivar rows: one unsaved row for each party, with negative ids in their order. A person or
        organization that is not on file yet has a negative id too.
    :ivar new_persons: the names of the persons who are not on file.
    :ivar new_organizations: the same for organizations.
    """

    forms: tuple[PartyOnForm, ...]
    rows: tuple[PartyRow, ...]
    new_persons: tuple[NameRow, ...]
    new_organizations: tuple[NameRow, ...]


def plan_parties(parties: Sequence[PartyOnForm]) -> PlannedParties:
    """Find which persons and organizations of a form are on file. One query for each party."""
    rows: list[PartyRow] = []
    new_persons: list[NameRow] = []
    new_organizations: list[NameRow] = []
    new_ids: dict[Any, int] = {}
    for number, party in enumerate(parties, start=1):
        is_organization = party.role in ORGANIZATION_ROLES
        found = _find_identity(party)
        identity_id = found.pk if found else new_ids.setdefault(_new_identity(party), -number)
        if identity_id == -number:
            (new_organizations if is_organization else new_persons).append(
                _build_new_name(party, identity_id)
            )
        rows.append(_build_planned_row(party, number - len(parties) - 1, identity_id))
    return PlannedParties(tuple(parties), tuple(rows), tuple(new_persons), tuple(new_organizations))


def plan_parties_of_many(*, forms: Sequence[Sequence[PartyOnForm]]) -> list[PlannedParties]:
    """As ``plan_parties``, for several forms at once. Three queries, whatever the number.

    A person or organization that is not on file and is named by several forms is new in the first
    one only. The ids below zero are different in all forms.
    """
    identities = _Identities([party for form in forms for party in form])
    plans: list[PlannedParties] = []
    new_ids: dict[Any, int] = {}
    # Rising, because the order of ids is that of the form.
    last = -1 - sum(len(form) for form in forms)
    for form in forms:
        rows: list[PartyRow] = []
        new_persons: list[NameRow] = []
        new_organizations: list[NameRow] = []
        for party in form:
            last += 1
            is_organization = party.role in ORGANIZATION_ROLES
            identity_id = identities.find(party) or new_ids.setdefault(_new_identity(party), last)
            if identity_id == last:
                (new_organizations if is_organization else new_persons).append(
                    _build_new_name(party, last)
                )
            rows.append(_build_planned_row(party, last, identity_id))
        plans.append(
            PlannedParties(tuple(form), tuple(rows), tuple(new_persons), tuple(new_organizations))
        )
    return plans


def store_parties_of_new_cases(
    *, cases: Sequence[Case], plans: Sequence[PlannedParties], by: User | None, at: datetime
) -> list[list[Party]]:
    """Store the parties of new cases as planned by ``plan_parties_of_many``, table by table.

    The caller has planned them in this transaction, so that the plan still holds.

    :returns: the stored rows of each case, in the order of its form.
    """
    form_of = {
        row.pk: form for plan in plans for form, row in zip(plan.forms, plan.rows, strict=True)
    }
    new_persons = [one.holder for plan in plans for one in plan.new_persons]
    new_organizations = [one.holder for plan in plans for one in plan.new_organizations]
    persons = people.store_persons(
        persons=[_read_new_person(form_of[pk]) for pk in new_persons], source=SOURCE, by=by, at=at
    )
    organizations = people.store_organizations(
        names=[form_of[pk].name for pk in new_organizations], source=SOURCE, by=by, at=at
    )
    real_ids = dict(
        zip(
            [*new_persons, *new_organizations],
            [one.pk for one in (*persons, *organizations)],
            strict=True,
        )
    )
    stored = [
        [
            _build_party(
                case,
                form,
                person_id=row.person_id and real_ids.get(row.person_id, row.person_id),
                organization_id=row.organization_id
                and real_ids.get(row.organization_id, row.organization_id),
                by=by,
                at=at,
            )
            for form, row in zip(plan.forms, plan.rows, strict=True)
        ]
        for case, plan in zip(cases, plans, strict=True)
    ]
    Party.objects.bulk_create([party for of_case in stored for party in of_case])
    return stored


def store_planned_parties(
    *, case: Case, planned: PlannedParties, by: User | None, at: datetime
) -> tuple[list[Party], bool]:
    """Store the parties of a form in a new case.

    :returns: the stored rows, and whether the same persons and organizations were found as in the
        plan. They were not if someone stored one of them in between.
    """
    stored, is_as_planned = [], True
    real_ids: dict[int | None, int | None] = {}
    for form, row in zip(planned.forms, planned.rows, strict=True):
        planned_id = row.person_id or row.organization_id
        found = _find_identity(form)
        expected = real_ids.get(planned_id) if planned_id and planned_id < 0 else planned_id
        is_as_planned &= (found.pk if found else None) == expected
        party = store_party(case=case, party=form, identity=found, by=by, at=at)
        real_ids[planned_id] = party.person_id or party.organization_id
        stored.append(party)
    return stored, is_as_planned


def store_party(
    *,
    case: Case,
    party: PartyOnForm,
    since: date | None = None,
    item: DisputedItem | None = None,
    source: str = SOURCE,
    identity: Person | Organization | None = None,
    by: User | None,
    at: datetime,
) -> Party:
    """Store a party of a locked case, under the present version of the party list.

    :param since: the first day of the role, if stated.
    :param item: the only disputed item that concerns this manufacturer, facility or provider.
    :param identity: the person or organization on file, if the caller has found it.
    """
    person = organization = None
    identity = identity or _find_identity(party)
    if isinstance(identity, Organization):
        organization = identity
    elif isinstance(identity, Person):
        person = identity
    elif party.role in ORGANIZATION_ROLES:
        organization = people.store_organization(name=party.name, source=source, by=by, at=at)
    else:
        (person,) = people.store_persons(
            persons=[_read_new_person(party)], source=SOURCE, by=by, at=at
        )
    stored = _build_party(
        case,
        party,
        person_id=person.pk if person else None,
        organization_id=organization.pk if organization else None,
        since=since,
        item=item,
        source=source,
        by=by,
        at=at,
    )
    stored.save()
    return stored


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
    refuse_impossible_channel(party, at=at)
    refuse_if("" if party.name.strip() else "Enter the name.")
    refuse_if(why_not_state(party.state, party.address))
    refuse_if(_why_not_since(since, at))
    refuse_if(_why_not_designated(case, party.role, since))
    refuse_if(_why_not_second_party(case, party, since, item_id, at))
    item = case.items.filter(pk=item_id).first() if item_id is not None else None
    if item_id is not None and (item is None or party.role not in THROUGH_AN_ITEM):
        refuse_if("Choose an item of this case, for a manufacturer, a facility or a provider.")
    # Before the row is stored, because the row carries the new version.
    _grow_party_list(case, f"{PartyRole(party.role).label} added", by=by, at=at)
    added = store_party(
        case=case, party=party, since=since, item=item, source="Case page", by=by, at=at
    )
    through = f" for item {item.position}" if item else ""
    from_day = f", from {format_day(since)}" if since else ""
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
    duplicates.propose_duplicates(case=case, by=by, at=at)
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
    refuse_impossible_channel(details, at=at)
    refuse_if(why_not_state(details.state, details.address))
    details = replace(details, state=details.state or read_state(details.address))
    differences = _list_party_changes(old, details)
    refuse_if("" if differences else "Nothing was changed.")
    refuse_if(_why_not_since(since, at))
    # Otherwise the old row would end before it began.
    if since is not None and old.valid_from is not None and since <= old.valid_from:
        refuse_if(
            f"{old.name} has been on file since {format_day(old.valid_from)}. "
            "Enter a later date, or leave it empty if the entry was wrong from the beginning."
        )
    grows = any(getattr(old, name) != getattr(details, name) for name in _NAMES_PEOPLE)
    if grows:
        _grow_party_list(case, f"{old.get_role_display()} changed", by=by, at=at)
    # Read before the change, because letters are found by the old name.
    unsent = [service.letter.title for service in list_unsent_letters(old)]
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
    changed_fields = ", ".join(label.lower() for label, _, _ in differences)
    kind_of_change = f"changed from {format_day(since)}" if since else "corrected"
    _record_party_event(
        case,
        f"{old}: {changed_fields} {kind_of_change}.{_describe_unsent_letters(unsent)}",
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
        # A new name may have other search keys, and may reveal a possible duplicate.
        duplicates.propose_duplicates(case=case, by=by, at=at)
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
    if old.role == PartyRole.EMPLOYEE:
        refuse_if(
            "The employee’s role cannot end. Withdraw the case if the application was withdrawn."
        )
    refuse_if("" if why.strip() else "Enter why the role ends.")
    if last_day > local_day(at):
        refuse_if("The last day is in the future. Enter it on that day.")
    if old.valid_from is not None and last_day < old.valid_from:
        refuse_if(
            f"{old.name} has been on file since {format_day(old.valid_from)}. "
            "The role cannot end before that day."
        )
    unsent = [service.letter.title for service in list_unsent_letters(old)]
    ended = _copy_party(old, corrects=old, valid_to=last_day, by=by, at=at)
    _record_party_event(
        case,
        f"{old}: role ended, last day {format_day(last_day)}.{_describe_unsent_letters(unsent)}",
        why,
        {"party": ended.pk, "was": old.pk, "last_day": last_day.isoformat(), "unsent": unsent},
        by=by,
        at=at,
    )
    return ended


def refuse_impossible_channel(party: PartyOnForm | PartyDetails, *, at: datetime) -> None:
    """Refuse a channel without what it needs: a fax number, or an email address and consent.

    :raises BadFact: names the field and what to enter.
    """
    for field, sentence in find_channel_problems(
        vars(party), today=local_day(at), channel=party.preferred_channel
    ).items():
        raise BadFact(field, sentence)


def find_channel_problems(
    values: Mapping[str, Any], *, today: date, channel: str
) -> dict[str, str]:
    """Find what is missing or wrong about how letters reach a party: a sentence for each field.

    Nothing is served by email without the consent of the party (8 CCR 10625; subdivision not
    confirmed).

    :param values: fax, email, eservice_on and eservice_basis.
    """
    fax, email = ((values.get(name) or "").strip() for name in ("fax", "email"))
    consented_on, basis = values.get("eservice_on"), (values.get("eservice_basis") or "").strip()
    problems = {}
    if channel not in PreferredChannel.values:
        problems["preferred_channel"] = (
            "Choose how letters are sent: by mail, fax or electronically."
        )
    if channel == PreferredChannel.FAX and not fax:
        problems["fax"] = "Enter the fax number, or choose another channel."
    if channel == PreferredChannel.ELECTRONIC and not email:
        problems["email"] = "Enter the email address, or choose another channel."
    if channel == PreferredChannel.ELECTRONIC and consented_on is None:
        problems["eservice_on"] = (
            "Enter the day on which the party consented to electronic service, or choose another "
            "channel."
        )
    if consented_on is not None and consented_on > today:
        problems["eservice_on"] = "The consent is dated in the future. Check its day."
    if consented_on is not None and not basis:
        problems["eservice_basis"] = "Enter the paper or the call that shows the consent."
    if basis and consented_on is None:
        problems.setdefault("eservice_on", "Enter the day of the consent.")
    return problems


def list_unsent_letters(party: Party) -> list[Service]:
    """List the letters to a party that are written but not sent. One query.

    Their text and addresses are frozen, so after a change a person decides about each of them.
    """
    return list(
        Service.objects.filter(
            letter__reference=party.case.number,
            state=Service.State.PREPARED,
            recipient_id=party.pk,
        )
        .select_related("letter")
        .order_by("pk")
    )


def current_parties(case: Case, *, on: date) -> Sequence[Party]:
    """List the parties of a case on a day, in the order of ``Role``. At most one query."""
    return rows_of(case).parties_on(on)


def former_parties(case: Case, *, on: date) -> Sequence[Party]:
    """List roles and contact details that ended before a day, latest first. One query."""
    rows = case.parties.current().filter(valid_to__lt=on)
    return list(rows.select_related("item", "recorded_by").order_by("-valid_to", "-pk"))


def _grow_party_list(case: Case, why: str, *, by: User, at: datetime) -> None:
    """Start a new version of the party list, for conflict checks and attestations."""
    case.party_list_version += 1
    case.store(by=by, at=at, why=why, fields=["party_list_version"])


def _build_party(
    case: Case,
    party: PartyOnForm,
    *,
    person_id: int | None,
    organization_id: int | None,
    since: date | None = None,
    item: DisputedItem | None = None,
    source: str = SOURCE,
    by: User | None,
    at: datetime,
) -> Party:
    """Build the unsaved row of a party, under the present version of the party list."""
    return Party(
        case=case,
        role=party.role,
        person_id=person_id,
        organization_id=organization_id,
        name=party.name,
        contact=party.contact,
        specialty=party.specialty,
        address=party.address,
        state=party.state or read_state(party.address),
        phone=party.phone,
        fax=party.fax,
        email=party.email,
        language=party.language,
        needs_interpreter=party.needs_interpreter,
        eservice_on=party.eservice_on,
        eservice_basis=party.eservice_basis,
        eservice_recorded_by=by if party.eservice_on else None,
        eservice_recorded_at=at if party.eservice_on else None,
        preferred_channel=party.preferred_channel,
        item=item,
        list_version=case.party_list_version,
        valid_from=since,
        recorded_at=at,
        recorded_by=by,
        source=source,
    )


def _read_new_person(party: PartyOnForm) -> people.NewPerson:
    return people.NewPerson(
        party.name,
        party.first,
        party.middle,
        party.last,
        party.date_of_birth,
        party.date_of_birth_printed,
    )


def _build_planned_row(party: PartyOnForm, pk: int, identity_id: int) -> PartyRow:
    is_organization = party.role in ORGANIZATION_ROLES
    return PartyRow(
        pk=pk,
        role=party.role,
        person_id=None if is_organization else identity_id,
        organization_id=identity_id if is_organization else None,
        item_id=None,
        name=party.name,
        contact=party.contact,
    )


def _build_new_name(party: PartyOnForm, identity_id: int) -> NameRow:
    """The name of a person or organization that is not on file."""
    if party.role in ORGANIZATION_ROLES:
        normal = fold_organization(party.name)[: people.LONGEST]
        return NameRow(identity_id, party.name, normal, "", "")
    normal = fold_name(party.name)[: people.LONGEST]
    return NameRow(identity_id, party.name, normal, party.first, party.last)


class _Identities:
    """The persons and organizations on file of many parties, as ``_find_identity`` finds them."""

    def __init__(self, parties: Sequence[PartyOnForm]) -> None:
        companies = [party for party in parties if party.role in ORGANIZATION_ROLES]
        persons = [party for party in parties if party.role not in ORGANIZATION_ROLES]
        self.organizations: dict[str, int] = {}
        self.employees: dict[tuple[str, date], int] = {}
        self.others: dict[tuple[str, str], int] = {}
        folded = {fold_organization(one.name)[: people.LONGEST] for one in companies} - {""}
        stored_organizations = OrganizationName.objects.current().filter(normal__in=folded)
        # The oldest entry, so that every look-up finds the same one.
        for normal, pk in stored_organizations.order_by("pk").values_list(
            "normal", "organization_id"
        ):
            self.organizations.setdefault(normal, pk)
        folded = {fold_name(one.name)[: people.LONGEST] for one in persons} - {""}
        stored_persons = PersonName.objects.current().filter(normal__in=folded).order_by("pk")
        for normal, pk, born in stored_persons.exclude(person__date_of_birth=None).values_list(
            "normal", "person_id", "person__date_of_birth"
        ):
            if born is not None:
                self.employees.setdefault((normal, born), pk)
        for normal, pk, role in (
            stored_persons.filter(
                person__date_of_birth=None,
                person__roles__role__in={one.role for one in persons} - {PartyRole.EMPLOYEE},
            )
            .values_list("normal", "person_id", "person__roles__role")
            # A person has as many roles as cases.
            .distinct()
        ):
            self.others.setdefault((role, normal), pk)

    def find(self, party: PartyOnForm) -> int | None:
        """Return the id of the person or organization of a party, or ``None``."""
        if party.role in ORGANIZATION_ROLES:
            return self.organizations.get(fold_organization(party.name)[: people.LONGEST])
        normal = fold_name(party.name)[: people.LONGEST]
        if party.role == PartyRole.EMPLOYEE:
            born = party.date_of_birth
            return self.employees.get((normal, born)) if born is not None else None
        return self.others.get((party.role, normal))


def _find_identity(party: PartyOnForm) -> Person | Organization | None:
    """Find the person or organization of a party on file. One query.

    An employee must have the same name and birth date. For others, whose birth date no form states,
    the same name and role is enough. A name without letters is no one on file.
    """
    if party.role in ORGANIZATION_ROLES:
        return people.find_organization(party.name)
    normal = fold_name(party.name)[: people.LONGEST]
    named = PersonName.objects.current().filter(normal=normal).select_related("person")
    if party.role == PartyRole.EMPLOYEE:
        named = (
            named.filter(person__date_of_birth=party.date_of_birth)
            if party.date_of_birth
            # Without a birth date, two employees with one name stay two persons.
            else named.none()
        )
    else:
        # Not a person with a birth date, who may be an employee, nor one in another role.
        named = named.filter(person__date_of_birth=None, person__roles__role=party.role)
    stored_name = named.order_by("pk").first() if normal else None
    return stored_name.person if stored_name else None


def _new_identity(party: PartyOnForm) -> Any:
    """What makes two new parties of one form the same person or organization."""
    if party.role in ORGANIZATION_ROLES:
        return fold_organization(party.name) or object()
    key = (party.role, fold_name(party.name), party.date_of_birth)
    # As ``_find_identity`` reads them: an employee has a birth date, and others have none.
    is_findable = (party.role == PartyRole.EMPLOYEE) == (party.date_of_birth is not None)
    return key if is_findable and key[1] else object()


def _refuse_outdated(old: Party, at: datetime) -> None:
    """Refuse a party row that was corrected or has ended."""
    if old.withdrawn or Party.objects.filter(corrects=old).exists():
        raise PartyChanged(
            "Someone else changed this party after you opened it. Check the current entry."
        )
    if old.valid_to is not None and old.valid_to < local_day(at):
        raise PartyChanged(f"This role ended on {format_day(old.valid_to)}.")


def _why_not_since(since: date | None, at: datetime) -> str:
    if since is not None and since > local_day(at):
        return "The first day is in the future. Enter it on that day."
    return ""


def _why_not_designated(case: Case, role: PartyRole, since: date | None) -> str:
    """Check the date of a designation (Labor Code 4610.5(j))."""
    if role != PartyRole.REPRESENTATIVE:
        return ""
    if since is None:
        return "Enter the day on which the employee signed the designation."
    decided_on = case.ur_decision.decided_on if case.ur_decision else None
    if decided_on is not None and since < decided_on:
        return (
            f"The designation of {format_day(since)} is void: it was signed before the UR decision "
            f"of {format_day(decided_on)}. Ask the employee for a new one."
        )
    return ""


def _why_not_second_party(
    case: Case, party: PartyOnForm, since: date | None, item_id: int | None, at: datetime
) -> str:
    """Check whether the case already has this party, or another one in a single role."""
    standing_then = case.parties.current().true_on(local_day(at)).filter(role=party.role)
    other = standing_then.first()
    if party.role in ONE_AT_A_TIME and other is not None:
        return (
            f"{other.name} is the {PartyRole(party.role).label.lower()} of this case. "
            "Change that entry, or end the role first."
        )
    folded = fold_name(party.name)
    # A manufacturer may be a party through several items, once for each.
    if any(one.item_id == item_id and fold_name(one.name) == folded for one in standing_then):
        return f"{party.name} is already on the case as {PartyRole(party.role).label.lower()}."
    return ""


def _list_party_changes(old: Party, details: PartyDetails) -> list[tuple[str, str, str]]:
    """List the changed fields as text: label, before, after."""
    changes = []
    for name, label in _LABELS.items():
        before, after = getattr(old, name), getattr(details, name)
        if before == after:
            continue
        if name == "preferred_channel":
            before, after = PreferredChannel(before).label, PreferredChannel(after).label
        if name == "state":
            before, after = _name_state(before), _name_state(after)
        if name in {"needs_interpreter", "eservice_on"}:
            before, after = _describe_value(before), _describe_value(after)
        changes.append((label, before, after))
    return changes


def _name_state(code: str) -> str:
    return "outside the United States" if code == OUTSIDE_US else STATES.get(code, "not known")


def _describe_value(value: date | bool | None) -> str:
    if isinstance(value, date):
        return format_day(value)
    return "not stated" if value is None else "yes" if value else "no"


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
    new_details = details or PartyDetails(**{name: getattr(old, name) for name in _LABELS})
    person, organization = old.person, old.organization
    if new_details.name != old.name and old.role in ORGANIZATION_ROLES:
        # A new name may mean another company, so it is looked up and not renamed.
        organization = people.find_or_store_organization(
            name=new_details.name, source="Case page", by=by, at=at
        )
    elif new_details.name != old.name and person is not None:
        # The same person under another name: conflict checks must find both names.
        PersonName.objects.create(
            person=person,
            printed=new_details.name,
            normal=fold_name(new_details.name)[: people.LONGEST],
            recorded_at=at,
            recorded_by=by,
            source="Case page",
        )
    # A consent that was on file keeps the person who recorded it.
    is_same_consent = (new_details.eservice_on, new_details.eservice_basis) == (
        old.eservice_on,
        old.eservice_basis,
    )
    recorded_by, recorded_at = (
        (old.eservice_recorded_by, old.eservice_recorded_at) if is_same_consent else (by, at)
    )
    has_consent = new_details.eservice_on is not None
    return Party.objects.create(
        case=old.case,
        role=old.role,
        eservice_recorded_by=recorded_by if has_consent else None,
        eservice_recorded_at=recorded_at if has_consent else None,
        person=person,
        organization=organization,
        item=old.item,
        # The postal code was parsed from the old address.
        postal_code=old.postal_code if new_details.address == old.address else "",
        **{name: getattr(new_details, name) for name in _LABELS},
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
