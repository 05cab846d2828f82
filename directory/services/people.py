"""Find or store persons and organizations as documents name them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from accounts.models import User
from directory.models import Organization, OrganizationName, Person, PersonName
from directory.names import fold_name, fold_organization

LONGEST = 300  # characters of a folded name; folding can make a name longer


@dataclass(frozen=True)
class NewPerson:
    """A person who is not on file: the name as printed, its parts, and the date of birth."""

    name: str
    first: str = ""
    middle: str = ""
    last: str = ""
    date_of_birth: date | None = None
    date_of_birth_printed: str = ""


def find_or_store_organization(
    *, name: str, source: str, by: User | None, at: datetime
) -> Organization:
    """Return the organization on file under a printed name, or store a new one.

    A name without letters or digits matches nothing, so it is always stored as new.
    """
    return find_organization(name) or store_organization(name=name, source=source, by=by, at=at)


def store_organization(*, name: str, source: str, by: User | None, at: datetime) -> Organization:
    """Store a new organization under the name as printed."""
    (organization,) = store_organizations(names=[name], source=source, by=by, at=at)
    return organization


def store_organizations(
    *, names: Sequence[str], source: str, by: User | None, at: datetime
) -> list[Organization]:
    """Store new organizations under their names as printed, in three statements."""
    organizations = [Organization() for _ in names]
    Organization.objects.bulk_store(organizations, by=by, at=at)
    OrganizationName.objects.bulk_create(
        [
            OrganizationName(
                organization=organization,
                printed=name,
                normal=fold_organization(name)[:LONGEST],
                recorded_at=at,
                recorded_by=by,
                source=source,
            )
            for organization, name in zip(organizations, names, strict=True)
        ]
    )
    return organizations


def find_organization(name: str) -> Organization | None:
    """Return the organization on file under a printed name, or ``None``. One query."""
    normal = fold_organization(name)[:LONGEST]
    stored = normal and (
        OrganizationName.objects.current()
        .filter(normal=normal)
        .select_related("organization")
        # The oldest entry, so that every look-up finds the same one.
        .order_by("pk")
        .first()
    )
    return stored.organization if stored else None


def store_person(
    *,
    name: str,
    first: str = "",
    middle: str = "",
    last: str = "",
    date_of_birth: date | None = None,
    date_of_birth_printed: str = "",
    source: str,
    by: User | None,
    at: datetime,
) -> Person:
    """Store a new person under the name as printed."""
    new = NewPerson(name, first, middle, last, date_of_birth, date_of_birth_printed)
    (person,) = store_persons(persons=[new], source=source, by=by, at=at)
    return person


def store_persons(
    *, persons: Sequence[NewPerson], source: str, by: User | None, at: datetime
) -> list[Person]:
    """Store new persons under their names as printed, in three statements."""
    stored = [
        Person(date_of_birth=one.date_of_birth, date_of_birth_printed=one.date_of_birth_printed)
        for one in persons
    ]
    Person.objects.bulk_store(stored, by=by, at=at)
    PersonName.objects.bulk_create(
        [
            PersonName(
                person=person,
                first=one.first,
                middle=one.middle,
                last=one.last,
                printed=one.name,
                normal=fold_name(one.name)[:LONGEST],
                recorded_at=at,
                recorded_by=by,
                source=source,
            )
            for person, one in zip(stored, persons, strict=True)
        ]
    )
    return stored
