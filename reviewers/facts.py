"""A reviewer's file on one day, as plain values that ``reviewers.profiles`` builds.

Pure: matching, conflict checks and letter facts read these values only. Names are kept out of
``repr``, so a profile in a log or a traceback does not identify the reviewer (Labor Code
4610.6(f)).
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from django.db.models import TextChoices


class PanelStatus(TextChoices):
    """The panel status of a reviewer."""

    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Suspended"
    INACTIVE = "INACTIVE", "Inactive"


class PracticeKind(TextChoices):
    """The kinds of practice facts."""

    START = "START", "In active clinical practice since"
    HOURS = "HOURS", "Weekly hours in active practice"


class ProofKind(TextChoices):
    """The kinds of documents in a reviewer's file."""

    IDENTITY = "IDENTITY", "Proof of identity"
    MALPRACTICE = "MALPRACTICE", "Malpractice coverage and history"
    QME = "QME", "Appointment as a qualified medical evaluator (QME)"


PHYSICIANS = {"MD", "DO"}  # these license kinds must be board certified

# A nurse is not a physician under Labor Code 3209.3, so this specialty alone cannot decide.
NEVER_ALONE = {"Registered Nurse"}

# Specialties that the other licenses of Labor Code 3209.3 include without a certificate.
SPECIALTIES_OF_KIND: dict[str, tuple[str, ...]] = {
    "DC": ("Chiropractic",),
    "DPM": ("Podiatrist", "Podiatric Surgery"),
    "PSY": ("Psychologist", "Psychology"),
    "LAC": ("Oriental Medicine",),
    "OD": ("Optometry",),
    "DDS": ("Dentist",),
}
KIND_NAMES: dict[str, str] = {
    "MD": "physician",
    "DO": "osteopathic physician",
    "DC": "chiropractor",
    "DPM": "podiatrist",
    "PSY": "psychologist",
    "LAC": "acupuncturist",
    "OD": "optometrist",
    "DDS": "dentist",
}
# Letters name this state first, and matching gives points for its license.
HOME_STATE = "California"

# An experimental treatment requires experience in this many past years.
EXPERIENCE_YEARS = 3


@dataclass(frozen=True)
class FactRecord:
    """A fact in force on the day, with who verified it, when, and from which source."""

    pk: int
    valid_from: date | None
    valid_to: date | None
    verified_on: date
    verified_by: str
    source: str
    recorded_at: datetime


@dataclass(frozen=True)
class LicenseRecord(FactRecord):
    """A license. Its ``standing`` is ACTIVE when it is unrestricted."""

    state: str
    number: str = field(repr=False)
    kind: str
    standing: str


@dataclass(frozen=True)
class CertificationRecord(FactRecord):
    """A board certification."""

    board: str
    specialty: str
    parent: str
    standing: str = "CERTIFIED"


@dataclass(frozen=True)
class PracticeRecord(FactRecord):
    """START: in practice since ``valid_from``. HOURS: attested hours a week."""

    kind: str
    weekly_hours: Decimal | None


@dataclass(frozen=True)
class TrainingRecord(FactRecord):
    """Training in the law (LAW) or in the evidence hierarchy (EVIDENCE)."""

    topic: str
    version_taught: str


@dataclass(frozen=True)
class SanctionRecord(FactRecord):
    """The result of a check of a sanctions register."""

    register: str
    found: bool


@dataclass(frozen=True)
class ExperienceRecord(FactRecord):
    """Clinical experience with a treatment, ongoing or until ``valid_to``."""

    treatment: str


@dataclass(frozen=True)
class FileProofRecord(FactRecord):
    """A document in the file: IDENTITY, MALPRACTICE, or QME (an appointment)."""

    kind: str


@dataclass(frozen=True)
class LeaveRecord(FactRecord):
    """A leave of absence."""

    note: str


@dataclass(frozen=True)
class AffiliationRecord(FactRecord):
    """An affiliation with an organization or a person."""

    relation: str
    organization_id: int | None
    person_id: int | None
    share_percent: Decimal | None
    kin: str = ""


@dataclass(frozen=True)
class Profile:
    """A reviewer's file on a day (``on``), as known at a moment (``known_at``)."""

    reviewer_id: int
    code: str
    status: str
    capacity: int
    has_sign_in: bool
    on: date
    known_at: datetime
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    licenses: tuple[LicenseRecord, ...] = ()
    certifications: tuple[CertificationRecord, ...] = ()
    practice: tuple[PracticeRecord, ...] = ()
    trainings: tuple[TrainingRecord, ...] = ()
    sanction_checks: tuple[SanctionRecord, ...] = ()
    experience: tuple[ExperienceRecord, ...] = ()  # of the past three years
    file_proofs: tuple[FileProofRecord, ...] = ()
    leaves: tuple[LeaveRecord, ...] = ()
    affiliations: tuple[AffiliationRecord, ...] = ()

    # The results are kept in ``__dict__``, which works on a frozen dataclass, too.
    @cached_property
    def restricted_licenses(self) -> tuple[LicenseRecord, ...]:
        """Licenses that a board has restricted, suspended or revoked, in any state."""
        return tuple(
            held_license for held_license in self.licenses if held_license.standing != "ACTIVE"
        )

    @cached_property
    def good_licenses(self) -> tuple[LicenseRecord, ...]:
        """Active licenses, California first. Empty when any board has restricted one."""
        if self.restricted_licenses:
            return ()
        return tuple(sorted(self.licenses, key=lambda row: (row.state != HOME_STATE, row.state)))

    @cached_property
    def kind(self) -> str:
        """The license kind under which the reviewer decides. A physician license comes first."""
        kinds = [held_license.kind for held_license in self.good_licenses]
        return min(kinds, key=lambda kind: (kind not in PHYSICIANS, kind), default="")

    @cached_property
    def is_physician(self) -> bool:
        return self.kind in PHYSICIANS

    @cached_property
    def certified_specialties(self) -> tuple[str, ...]:
        """Specialties, by name, whose certification is in force and allows a decision."""
        names = {
            certification.specialty
            for certification in self.certifications
            if certification.standing == "CERTIFIED"
        }
        return tuple(sorted(names - NEVER_ALONE))

    @cached_property
    def lost_certifications(self) -> tuple[CertificationRecord, ...]:
        """Certifications that a board has suspended or revoked."""
        lost = {"SUSPENDED", "REVOKED"}
        return tuple(
            certification for certification in self.certifications if certification.standing in lost
        )

    @cached_property
    def specialties(self) -> tuple[str, ...]:
        """Specialties in which the reviewer may decide.

        A physician's come from certifications, those of other licenses from the license kind.
        """
        if self.is_physician:
            return self.certified_specialties
        return SPECIALTIES_OF_KIND.get(self.kind, ())

    @cached_property
    def practice_start(self) -> PracticeRecord | None:
        """The start of active clinical practice; the latest one if several are on file."""
        # The latest start gives the fewest years, which is safe if two are on file by mistake.
        starts = [fact for fact in self.practice if fact.kind == PracticeKind.START]
        return max(starts, key=lambda fact: (fact.valid_from or date.min, fact.pk), default=None)

    @cached_property
    def hours(self) -> PracticeRecord | None:
        """The attestation of weekly hours in force; the latest one if there are several."""
        attested = [fact for fact in self.practice if fact.kind == PracticeKind.HOURS]
        return max(attested, key=lambda fact: (fact.valid_from or date.min, fact.pk), default=None)

    def training(self, topic: str) -> TrainingRecord | None:
        """Return the latest training in a topic that is in force, or ``None``."""
        records = [record for record in self.trainings if record.topic == topic]
        return max(
            records, key=lambda record: (record.valid_from or date.min, record.pk), default=None
        )

    @property
    def found_sanctions(self) -> tuple[SanctionRecord, ...]:
        return tuple(check for check in self.sanction_checks if check.found)


def format_day(day: date) -> str:
    """Format a day for sentences on screens: ``Nov 29, 2026``."""
    return f"{day:%b} {day.day}, {day.year}"


def subtract_years(day: date, years: int) -> date:
    """Return the same day some years earlier. February 29 becomes February 28 if needed."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
