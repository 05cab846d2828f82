"""People, organizations and facts with two times. Import them from here."""

from .facts import TwoTimeFact, TwoTimeQuerySet
from .people import (
    Kin,
    Organisation,
    OrganisationName,
    OrganisationOfficer,
    OrganisationParent,
    Person,
    PersonName,
    SameOrganisation,
    SamePerson,
    TieFields,
    TieRelation,
)

__all__ = [
    "Kin",
    "Organisation",
    "OrganisationName",
    "OrganisationOfficer",
    "OrganisationParent",
    "Person",
    "PersonName",
    "SameOrganisation",
    "SamePerson",
    "TieFields",
    "TieRelation",
    "TwoTimeFact",
    "TwoTimeQuerySet",
]
