"""The rows of a case, by noun. Import them from here."""

from .application import (
    AdministratorCitation,
    Application,
    ApplicationPaper,
    Channel,
    DisputedItem,
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
from .correspondence import CaseLetter, CaseLetterCopy
from .history import AssignmentNotice, Deadline, Event
from .holds import Hold, PriorityChange, PromisedDate, TimeExtension
from .house import HouseMember, HouseResult, HouseTie
from .item_changes import ItemChange
from .likeness import CaseKey, LikenessProposal
from .parties import Party, PreferredChannel, Role

__all__ = [
    "AdministratorCitation",
    "Application",
    "ApplicationPaper",
    "AssignmentNotice",
    "CannotMove",
    "Case",
    "CaseLetter",
    "CaseLetterCopy",
    "CaseKey",
    "CaseLink",
    "CaseNumberSeries",
    "Channel",
    "Deadline",
    "DisputedItem",
    "Event",
    "Hold",
    "HouseMember",
    "HouseResult",
    "HouseTie",
    "ItemChange",
    "LikenessProposal",
    "Origin",
    "Party",
    "PreferredChannel",
    "Priority",
    "PriorityChange",
    "PromisedDate",
    "Role",
    "ServiceMethod",
    "Sex",
    "Signer",
    "Status",
    "TimeExtension",
    "TreatmentCategory",
    "URDecision",
    "URType",
]
