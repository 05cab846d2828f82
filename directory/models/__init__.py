"""Models of people, organizations and dated facts. Import them from here."""

from .facts import TwoTimeFact, TwoTimeQuerySet
from .people import (
    AffiliationFields,
    AffiliationRelation,
    Kin,
    Organization,
    OrganizationName,
    OrganizationOfficer,
    OrganizationParent,
    Person,
    PersonName,
    SameOrganization,
    SamePerson,
)

__all__ = [
    "Kin",
    "Organization",
    "OrganizationName",
    "OrganizationOfficer",
    "OrganizationParent",
    "Person",
    "PersonName",
    "SameOrganization",
    "SamePerson",
    "AffiliationFields",
    "AffiliationRelation",
    "TwoTimeFact",
    "TwoTimeQuerySet",
]
