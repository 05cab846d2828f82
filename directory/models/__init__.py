"""People, organizations and facts with two times. Import them from here."""

from .facts import TwoTimeFact, TwoTimeQuerySet
from .people import (
    Kin,
    OrganisationName,
    OrganisationOfficer,
    OrganisationParent,
    Organization,
    Person,
    PersonName,
    SameOrganization,
    SamePerson,
    TieFields,
    TieRelation,
)

__all__ = [
    "Kin",
    "Organization",
    "OrganisationName",
    "OrganisationOfficer",
    "OrganisationParent",
    "Person",
    "PersonName",
    "SameOrganization",
    "SamePerson",
    "TieFields",
    "TieRelation",
    "TwoTimeFact",
    "TwoTimeQuerySet",
]
