"""Models of a case. Import them from here."""

from .application import (
    AdministratorCitation,
    Application,
    ApplicationPaper,
    Channel,
    DisputedItem,
    RFAMethod,
    ServiceMethod,
    Signer,
    TreatmentCategory,
    URDecision,
    URType,
)
from .calls import PhoneCall
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
from .duplicates import CaseKey, DuplicateProposal
from .history import AssignmentNotice, Deadline, Event
from .holds import Commitment, Hold, PriorityChange, TimeExtension
from .item_changes import ItemChange
from .own_conflicts import MemberAffiliation, OrganizationMember, OwnConflictResult
from .parties import Party, PartyRole, PreferredChannel
from .received import ReceivedDocument
from .restrictions import CaseClearance, CaseRestriction
from .undo import UndoableAct

__all__ = [
    "AdministratorCitation",
    "Application",
    "ApplicationPaper",
    "AssignmentNotice",
    "CannotMove",
    "Case",
    "CaseClearance",
    "CaseRestriction",
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
    "OrganizationMember",
    "OwnConflictResult",
    "MemberAffiliation",
    "ItemChange",
    "DuplicateProposal",
    "Origin",
    "Party",
    "PreferredChannel",
    "Priority",
    "PriorityChange",
    "Commitment",
    "PartyRole",
    "PhoneCall",
    "ReceivedDocument",
    "RFAMethod",
    "ServiceMethod",
    "Sex",
    "Signer",
    "Status",
    "TimeExtension",
    "TreatmentCategory",
    "UndoableAct",
    "URDecision",
    "URType",
]
