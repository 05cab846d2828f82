"""What is known of a reviewer on a day: plain values, built by ``reviewers.profiles``.

Pure: matching, conflicts and proofs read these and nothing else. Names are kept out of ``repr`` so
that a profile in a log or a traceback says nothing of the person (Labor Code 4610.6(f)).
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from django.db.models import TextChoices


class PanelStatus(TextChoices):
    """Whether a reviewer is on the panel."""

    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Suspended"
    INACTIVE = "INACTIVE", "Inactive"


class PracticeKind(TextChoices):
    """What a fact about practice says."""

    START = "START", "In active clinical practice since"
    HOURS = "HOURS", "Weekly hours in active practice"


class ProofKind(TextChoices):
    """What a paper in a file proves."""

    IDENTITY = "IDENTITY", "Proof of identity"
    MALPRACTICE = "MALPRACTICE", "Malpractice cover and history"
    QME = "QME", "Appointment as qualified medical evaluator"


PHYSICIANS = {"MD", "DO"}  # who must hold a board's certificate

# A nurse is not a physician of Labor Code 3209.3, so this specialty never carries a decision.
NEVER_ALONE = {"Registered Nurse"}

# What the other licensed kinds of Labor Code 3209.3 are specialists in, by their license alone.
SPECIALTIES_OF_KIND: dict[str, tuple[str, ...]] = {
    "DC": ("Chiropractic",),
    "DPM": ("Podiatrist", "Podiatric Surgery"),
    "PSY": ("Psychologist", "Psychology"),
    "LAC": ("Oriental Medicine",),
    "OD": ("Optometry",),
    "DDS": ("Dentist",),
}
KIND_WORDS: dict[str, str] = {
    "MD": "physician",
    "DO": "osteopathic physician",
    "DC": "chiropractor",
    "DPM": "podiatrist",
    "PSY": "psychologist",
    "LAC": "acupuncturist",
    "OD": "optometrist",
    "DDS": "dentist",
}
HOME_STATE = "California"

# So recent is the experience that an experimental treatment asks for.
EXPERIENCE_YEARS = 3


@dataclass(frozen=True)
class Held:
    """A dated fact that holds on the day, with who verified it, when and against what."""

    pk: int
    valid_from: date | None
    valid_to: date | None
    verified_on: date
    verified_by: str
    source: str
    recorded_at: datetime


@dataclass(frozen=True)
class LicenseHeld(Held):
    """A license; ``standing`` is ACTIVE when it is unrestricted."""

    state: str
    number: str = field(repr=False)
    kind: str
    standing: str


@dataclass(frozen=True)
class CertificationHeld(Held):
    """A board's certificate."""

    board: str
    specialty: str
    parent: str
    standing: str = "CERTIFIED"


@dataclass(frozen=True)
class PracticeHeld(Held):
    """START: practicing since ``valid_from``. HOURS: attested hours a week."""

    kind: str
    weekly_hours: Decimal | None


@dataclass(frozen=True)
class TrainingHeld(Held):
    """Training in the law (LAW) or in the hierarchy of evidence (EVIDENCE)."""

    topic: str
    version_taught: str


@dataclass(frozen=True)
class SanctionHeld(Held):
    """What a register of sanctions said."""

    register: str
    found: bool


@dataclass(frozen=True)
class ExperienceHeld(Held):
    """Clinical experience with a treatment, still or until ``valid_to``."""

    treatment: str


@dataclass(frozen=True)
class FileProofHeld(Held):
    """A paper of the file: IDENTITY, MALPRACTICE, or an appointment as QME."""

    kind: str


@dataclass(frozen=True)
class LeaveHeld(Held):
    """Days away."""

    note: str


@dataclass(frozen=True)
class AffiliationHeld(Held):
    """An affiliation to an organization or a person."""

    relation: str
    organization_id: int | None
    person_id: int | None
    share_percent: Decimal | None
    kin: str = ""


@dataclass(frozen=True)
class Profile:
    """A reviewer on a day (``on``), as it was known at a moment (``known_at``)."""

    reviewer_id: int
    code: str
    status: str
    capacity: int
    has_sign_in: bool
    on: date
    known_at: datetime
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    licenses: tuple[LicenseHeld, ...] = ()
    certifications: tuple[CertificationHeld, ...] = ()
    practice: tuple[PracticeHeld, ...] = ()
    trainings: tuple[TrainingHeld, ...] = ()
    sanction_checks: tuple[SanctionHeld, ...] = ()
    experience: tuple[ExperienceHeld, ...] = ()  # of the past three years
    file_proofs: tuple[FileProofHeld, ...] = ()
    leaves: tuple[LeaveHeld, ...] = ()
    affiliations: tuple[AffiliationHeld, ...] = ()

    @cached_property
    def restricted_licenses(self) -> tuple[LicenseHeld, ...]:
        """Licenses that a board has restricted, suspended or revoked, in any state."""
        return tuple(
            held_license for held_license in self.licenses if held_license.standing != "ACTIVE"
        )

    @cached_property
    def good_licenses(self) -> tuple[LicenseHeld, ...]:
        """Active licenses, California first; none at all once any board has restricted one."""
        if self.restricted_licenses:
            return ()
        return tuple(sorted(self.licenses, key=lambda held: (held.state != HOME_STATE, held.state)))

    @cached_property
    def kind(self) -> str:
        """The license kind that the reviewer decides under; a physician's comes first."""
        kinds = [held_license.kind for held_license in self.good_licenses]
        return min(kinds, key=lambda kind: (kind not in PHYSICIANS, kind), default="")

    @cached_property
    def is_physician(self) -> bool:
        return self.kind in PHYSICIANS

    @cached_property
    def certified_specialties(self) -> tuple[str, ...]:
        """Specialties with a certificate in force that may carry a decision, by name."""
        names = {held.specialty for held in self.certifications if held.standing == "CERTIFIED"}
        return tuple(sorted(names - NEVER_ALONE))

    @cached_property
    def lost_certifications(self) -> tuple[CertificationHeld, ...]:
        """Certificates that a board has suspended or revoked."""
        lost = {"SUSPENDED", "REVOKED"}
        return tuple(held for held in self.certifications if held.standing in lost)

    @cached_property
    def specialties(self) -> tuple[str, ...]:
        """What the reviewer may decide on: physicians by certificate, others by their license."""
        if self.is_physician:
            return self.certified_specialties
        return SPECIALTIES_OF_KIND.get(self.kind, ())

    @cached_property
    def practice_start(self) -> PracticeHeld | None:
        """Since when in active clinical practice; the latest start, if several are on file."""
        starts = [held for held in self.practice if held.kind == PracticeKind.START]
        return max(starts, key=lambda held: (held.valid_from or date.min, held.pk), default=None)

    @cached_property
    def hours(self) -> PracticeHeld | None:
        """The attestation of weekly hours that is in force; the latest, if several are."""
        attested = [held for held in self.practice if held.kind == PracticeKind.HOURS]
        return max(attested, key=lambda held: (held.valid_from or date.min, held.pk), default=None)

    def training(self, topic: str) -> TrainingHeld | None:
        """The latest training in a topic that is in force."""
        taken = [held for held in self.trainings if held.topic == topic]
        return max(taken, key=lambda held: (held.valid_from or date.min, held.pk), default=None)

    @property
    def found_sanctions(self) -> tuple[SanctionHeld, ...]:
        return tuple(check for check in self.sanction_checks if check.found)


def years_before(day: date, years: int) -> date:
    """The same day some years earlier; 28 February for a 29th that the year lacks."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
