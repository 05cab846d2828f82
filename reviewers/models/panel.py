"""The panel: reviewers, their dated credential facts, and the changes they report."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Coalesce

from accounts.versions import Versioned
from cases.models import TreatmentCategory
from directory.models import AffiliationFields, AffiliationRelation, TwoTimeFact
from reviewers.facts import PanelStatus, PracticeKind, ProofKind


class Specialty(Versioned):
    """A specialty as letters print it. Editable; the default list is incomplete."""

    name = models.CharField(max_length=120, unique=True)
    # Not deleted when retired, because certifications on file refer to it.
    is_active = models.BooleanField(default=True)
    # Empty while the row is a default that no one has confirmed.
    confirmed_by = models.CharField(max_length=120, blank=True)
    confirmed_on = models.DateField(null=True, blank=True)

    class Meta(Versioned.Meta):
        verbose_name_plural = "specialties"

    def __str__(self) -> str:
        return self.name


class Condition(Versioned):
    """A condition of the specialty map, and how it is recognized in a diagnosis.

    Editable. The default list is incomplete and not confirmed.
    """

    name = models.CharField(max_length=120, unique=True)
    # Prefixes of ICD-10-CM codes, separated by commas: "M54, M51". Dots are ignored.
    codes = models.CharField(max_length=300, blank=True)
    # Phrases of the diagnosis, separated by commas: "low back pain, lumbago".
    words = models.CharField(max_length=500, blank=True)
    # An inactive condition also turns off its lines of the specialty map.
    is_active = models.BooleanField(default=True)
    confirmed_by = models.CharField(max_length=120, blank=True)
    confirmed_on = models.DateField(null=True, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.CheckConstraint(
                name="condition_is_recognized_by_something",
                condition=~models.Q(codes="", words=""),
                violation_error_message="Enter codes or words that identify the condition.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SpecialtyFit(Versioned):
    """A line of the specialty map: a specialty for a treatment, condition or body part."""

    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, related_name="fits")
    category = models.ForeignKey(
        TreatmentCategory,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    condition = models.ForeignKey(
        Condition, on_delete=models.PROTECT, null=True, blank=True, related_name="fits"
    )
    body_part = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300)
    is_active = models.BooleanField(default=True)

    class Meta(Versioned.Meta):
        constraints = [
            # In a constraint NULL never equals NULL, so an empty field counts as 0.
            models.UniqueConstraint(
                "specialty",
                Coalesce("category", 0),
                Coalesce("condition", 0),
                "body_part",
                name="specialty_fit_once",
                violation_error_message="This line is already on the map.",
            ),
        ]

    def __str__(self) -> str:
        about = [self.category, self.condition, self.body_part]
        return f"{self.specialty}: {', '.join(str(one) for one in about if one)}"

    def clean(self) -> None:
        """Refuse a line that would match nothing.

        :raises ValidationError: neither a treatment, nor a condition, nor a body part.
        """
        if not (self.category or self.condition or self.body_part):
            raise ValidationError("Choose a treatment, a condition or a body part.")


class LicenseKind(models.TextChoices):
    """The kinds of physician of Labor Code 3209.3. Letters describe credentials by kind."""

    MD = "MD", "Physician and surgeon (MD)"
    DO = "DO", "Osteopathic physician (DO)"
    DC = "DC", "Chiropractor"
    DPM = "DPM", "Podiatrist"
    PSY = "PSY", "Psychologist"
    LAC = "LAC", "Acupuncturist"
    OD = "OD", "Optometrist"
    DDS = "DDS", "Dentist"


class Reviewer(Versioned):
    """An expert reviewer on the panel. The name is confidential (Labor Code 4610.6(f))."""

    Status = PanelStatus

    code = models.CharField(max_length=12, unique=True)  # "R-0042": does not identify the person
    # NULL until credentialing links an account. Until then no case can be offered.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reviewer",
    )
    first_name = models.CharField(max_length=120)
    last_name = models.CharField(max_length=160)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    capacity = models.PositiveSmallIntegerField(default=4)  # open cases at one time
    # Ids of treatment categories that may be offered. NULL means all, an empty list none.
    subjects = models.JSONField(null=True, blank=True)
    days_off = models.JSONField(default=list, blank=True)  # weekdays without offers, Monday 0

    class Meta(Versioned.Meta):
        permissions = [("view_identity", "See who a reviewer is")]

    def __str__(self) -> str:
        return self.code

    @property
    def full_name(self) -> str:
        """The name, for people with ``reviewers.view_identity`` only."""
        return f"{self.first_name} {self.last_name}"


class CredentialFact(TwoTimeFact):
    """A dated fact about a reviewer, with who verified it, when, and from which source."""

    reviewer = models.ForeignKey(Reviewer, on_delete=models.PROTECT, related_name="%(class)ss")
    verified_on = models.DateField()
    verified_by = models.CharField(max_length=120)

    class Meta(TwoTimeFact.Meta):
        abstract = True


class License(CredentialFact):
    """A license to practice. ``valid_to`` is its last valid day."""

    class Standing(models.TextChoices):
        ACTIVE = "ACTIVE", "Active, unrestricted"
        RESTRICTED = "RESTRICTED", "Restricted"
        SUSPENDED = "SUSPENDED", "Suspended"
        REVOKED = "REVOKED", "Revoked"

    state = models.CharField(max_length=40)  # in full, as letters print it
    number = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=LicenseKind)
    standing = models.CharField(max_length=12, choices=Standing, default=Standing.ACTIVE)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.state}"


class Certification(CredentialFact):
    """A board certification. "Board eligible" is not one."""

    class Standing(models.TextChoices):
        """The standing with the board. A reviewer who was never certified has no row."""

        CERTIFIED = "CERTIFIED", "Certified"
        GIVEN_UP = "GIVEN_UP", "Surrendered"
        SUSPENDED = "SUSPENDED", "Suspended by the board"
        REVOKED = "REVOKED", "Revoked by the board"

    class Maintenance(models.TextChoices):
        MEETS = "MEETS", "Meets maintenance of certification"
        FAILS = "FAILS", "Does not meet maintenance of certification"
        NOT_REQUIRED = "NOT_REQUIRED", "Lifetime, no maintenance required"

    board = models.CharField(max_length=160)
    standing = models.CharField(max_length=12, choices=Standing, default=Standing.CERTIFIED)
    maintenance = models.CharField(max_length=16, choices=Maintenance, blank=True)
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, related_name="+")
    parent = models.ForeignKey(
        Specialty, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.specialty} ({self.board})"


class PracticeFact(CredentialFact):
    """The start of practice, or the attested weekly hours.

    START: ``valid_from`` is the first day of active clinical practice. HOURS: attested weekly
    hours, valid from ``valid_from`` to ``valid_to``.
    """

    Kind = PracticeKind

    kind = models.CharField(max_length=8, choices=Kind)
    weekly_hours = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)

    class Meta(CredentialFact.Meta):
        constraints = [
            models.CheckConstraint(
                name="practice_fact_whole",
                condition=models.Q(kind="HOURS", weekly_hours__isnull=False)
                | models.Q(kind="START", valid_from__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class Training(CredentialFact):
    """Training that letters state: the governing law, or the evidence hierarchy."""

    class Topic(models.TextChoices):
        LAW = "LAW", "Governing laws and regulations"
        EVIDENCE = "EVIDENCE", "Evidence hierarchy"

    topic = models.CharField(max_length=12, choices=Topic)
    version_taught = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"{self.get_topic_display()}, {self.version_taught}"


class SanctionCheck(CredentialFact):
    """A check of a sanctions register, and its result."""

    register = models.CharField(max_length=80)  # NPDB, OIG, licensing board
    found = models.BooleanField(default=False)
    note = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.register}: {'found' if self.found else 'clear'}"


class TreatmentExperience(CredentialFact):
    """Clinical experience with one treatment. Without a last day it is ongoing.

    An experimental treatment requires experience in the past three years.
    """

    treatment = models.CharField(max_length=160)  # as requests call it: "platelet rich plasma"
    detail = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.treatment


class FileProof(CredentialFact):
    """A document in a reviewer's file that letters do not state."""

    Kind = ProofKind

    kind = models.CharField(max_length=12, choices=Kind)
    detail = models.CharField(max_length=300)

    def __str__(self) -> str:
        return self.get_kind_display()


class Leave(CredentialFact):
    """Days without offers, from ``valid_from`` to ``valid_to``."""

    note = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"Leave {self.valid_from}–{self.valid_to}"


class Affiliation(CredentialFact, AffiliationFields):
    """A dated affiliation of a reviewer with a company or person that may be a party to a case."""

    Relation = AffiliationRelation

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="affiliation_with_someone",
                condition=models.Q(organization__isnull=False) | models.Q(person__isnull=False),
            )
        ]


class ReportedChange(Versioned):
    """A change reported by a reviewer, with the day it happened and when it was reported."""

    class Subject(models.TextChoices):
        LICENSE = "LICENSE", "License"
        BOARD = "BOARD", "Board certification"
        SANCTION = "SANCTION", "Discipline or sanction"
        PRACTICE = "PRACTICE", "Practice or weekly hours"
        CONFLICT = "CONFLICT", "New affiliation with an organization"

    reviewer = models.ForeignKey(Reviewer, on_delete=models.PROTECT, related_name="reports")
    subject = models.CharField(max_length=12, choices=Subject)
    words = models.CharField(max_length=1000)
    changed_on = models.DateField()
    reported_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    resolved_note = models.CharField(max_length=300, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.CheckConstraint(
                name="report_resolved_with_note",
                condition=models.Q(resolved_at__isnull=True) | ~models.Q(resolved_note=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_subject_display()} of {self.reviewer}"
