"""The rows of a case, by noun. Import them from here."""

from .application import (
    AdministratorCitation,
    Application,
    ApplicationPaper,
    Channel,
    DisputedItem,
    Outcome,
    ServiceMethod,
    Signer,
    TreatmentCategory,
    URDecision,
    URType,
)
from .case import (
    CannotMove,
    Case,
    CaseLink,
    CaseNumberSeries,
    Origin,
    Priority,
    Sex,
    Status,
)
from .clocks import ClockRule, HolidayRule
from .facts import TwoTimeFact, TwoTimeQuerySet
from .history import AssignmentNotice, Deadline, Event
from .item_changes import ItemChange
from .parties import Party, PreferredChannel, Role
from .people import (
    Organisation,
    OrganisationName,
    OrganisationParent,
    Person,
    PersonName,
    SameOrganisation,
    SamePerson,
)
from .screening import (
    Answer,
    EligibilityDecision,
    EligibilityFact,
    EligibilityFinding,
    EligibilityResult,
)

__all__ = [
    "AdministratorCitation",
    "Answer",
    "Application",
    "ApplicationPaper",
    "AssignmentNotice",
    "CannotMove",
    "Case",
    "CaseLink",
    "CaseNumberSeries",
    "Channel",
    "ClockRule",
    "Deadline",
    "DisputedItem",
    "EligibilityDecision",
    "EligibilityFact",
    "EligibilityFinding",
    "EligibilityResult",
    "Event",
    "HolidayRule",
    "ItemChange",
    "Organisation",
    "OrganisationName",
    "OrganisationParent",
    "Origin",
    "Outcome",
    "Party",
    "PreferredChannel",
    "Person",
    "PersonName",
    "Priority",
    "Role",
    "SameOrganisation",
    "SamePerson",
    "ServiceMethod",
    "Sex",
    "Signer",
    "Status",
    "TreatmentCategory",
    "TwoTimeFact",
    "TwoTimeQuerySet",
    "URDecision",
    "URType",
]
