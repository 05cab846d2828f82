"""Models of the panel and of assignments. Import them from here."""

from directory.models import Kin

from .assignment import (
    Attestation,
    AttestationWording,
    CandidateList,
    ConflictResult,
    ReviewerAssignment,
    ReviewerBar,
    SeatApproval,
)
from .marks import ChangeMark
from .panel import (
    Affiliation,
    Certification,
    Condition,
    CredentialFact,
    FileProof,
    Leave,
    License,
    LicenseKind,
    PracticeFact,
    ReportedChange,
    Reviewer,
    SanctionCheck,
    Specialty,
    SpecialtyFit,
    Training,
    TreatmentExperience,
)
from .payer_bias import PayerBiasNote, PayerBiasTest
from .rules import ConflictLimits, MatchingRules, ScopeLimit

__all__ = [
    "Affiliation",
    "Attestation",
    "AttestationWording",
    "CandidateList",
    "Certification",
    "ChangeMark",
    "Condition",
    "ConflictLimits",
    "ConflictResult",
    "CredentialFact",
    "PayerBiasNote",
    "PayerBiasTest",
    "FileProof",
    "Kin",
    "Leave",
    "License",
    "LicenseKind",
    "MatchingRules",
    "PracticeFact",
    "ReportedChange",
    "Reviewer",
    "ReviewerAssignment",
    "ReviewerBar",
    "SanctionCheck",
    "ScopeLimit",
    "SeatApproval",
    "Specialty",
    "SpecialtyFit",
    "Training",
    "TreatmentExperience",
]
