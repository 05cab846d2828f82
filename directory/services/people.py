"""Find or store persons and organizations as documents name them."""

from datetime import date, datetime

from accounts.models import User
from directory.models import Organization, OrganizationName, Person, PersonName
from directory.names import fold_name, fold_organization

LONGEST = 300  # characters of a folded name; folding can make a name longer


def find_or_store_organization(
    *, name: str, source: str, by: User | None, at: datetime
) -> Organization:
    """Return the organization on file under a printed name, or store a new one.

    A name without letters or digits matches nothing, so it is always stored as new.
    """
    known = find_organization(name)
    if known:
        return known
    normal = fold_organization(name)[:LONGEST]
    organization = Organization().store(by=by, at=at)
    OrganizationName.objects.create(
        organization=organization,
        printed=name,
        normal=normal,
        recorded_at=at,
        recorded_by=by,
        source=source,
    )
    return organization


def find_organization(name: str) -> Organization | None:
    """The organization on file under a printed name, or ``None``. One query."""
    normal = fold_organization(name)[:LONGEST]
    known = normal and (
        OrganizationName.objects.current()
        .filter(normal=normal)
        .select_related("organization")
        # The oldest entry, so that every look-up finds the same one.
        .order_by("pk")
        .first()
    )
    return known.organization if known else None


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
    person = Person(date_of_birth=date_of_birth, date_of_birth_printed=date_of_birth_printed).store(
        by=by, at=at
    )
    PersonName.objects.create(
        person=person,
        first=first,
        middle=middle,
        last=last,
        printed=name,
        normal=fold_name(name)[:LONGEST],
        recorded_at=at,
        recorded_by=by,
        source=source,
    )
    return person
