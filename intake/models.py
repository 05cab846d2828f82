"""Batches of scans, the clerk who enters each scan, and unfinished application forms."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q

from accounts.versions import Versioned, VersionedQuerySet
from cases.models.application import Channel
from cases.models.case import Case
from files.models import StoredFile
from files.refusal_codes import RefusalCode

LEASE = timedelta(minutes=30)  # a claim on a scan ends after this long without activity
DRAFT_DAYS = 7  # an unfinished form is kept for its owner this long after the last save


class CancelReason(models.TextChoices):
    """Reasons for skipping a scan or for canceling an intake."""

    UNREADABLE = "UNREADABLE", "Unreadable"
    PAGES_MISSING = "PAGES_MISSING", "Pages missing"
    NOT_AN_APPLICATION = "NOT_AN_APPLICATION", "Not an application"
    ALREADY_ENTERED = "ALREADY_ENTERED", "Already entered"
    QUESTION = "QUESTION", "Question for the supervisor"
    START_OVER = "START_OVER", "Start over"
    LEFT = "LEFT", "Left unfinished"  # set by the scheduled job only; clerks cannot choose it
    OTHER = "OTHER", "Other"


# A scan that is skipped for one of these has to be scanned again.
UNUSABLE = (CancelReason.UNREADABLE, CancelReason.PAGES_MISSING)


class BatchQuerySet(VersionedQuerySet):
    """Queries for the list of batches."""

    def counted(self) -> Self:
        """Add the number of scans in each state: ``waiting``, ``skipped``, ``entered`` …"""
        return self.annotate(
            # All counts use the same join, so no row is counted twice.
            total=Count("scans"),
            **{
                state.lower(): Count("scans", filter=Q(scans__state=state))
                for state in Scan.State.values
            },
        )

    def in_work(self, *, since: datetime) -> Self:
        """Select batches with waiting or skipped scans or opened after ``since``, oldest first."""
        unresolved = Scan.objects.filter(
            Q(state=Scan.State.WAITING) | Q(state=Scan.State.SKIPPED, rescanned_as=None),
            batch=OuterRef("pk"),
        )
        # A subquery, because a join would repeat a batch for each scan and spoil the counts above.
        return self.filter(Q(opened_at__gte=since) | Exists(unresolved)).order_by(
            "received_on", "pk"
        )


class Batch(Versioned):
    """Scans received together, by one channel on one day."""

    channel = models.CharField(max_length=8, choices=Channel)
    received_on = models.DateField()  # the received stamp; legal periods count from this date
    note = models.CharField(max_length=120, blank=True)
    folder = models.CharField(max_length=300, blank=True)  # the watched folder it came from
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects: ClassVar[Any] = BatchQuerySet.as_manager()

    class Meta(Versioned.Meta):
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"{self.get_channel_display()} batch {self.pk}"


class ScanQuerySet(VersionedQuerySet):
    """Queries for the scans to enter."""

    def failed(self) -> Self:
        """Scans that have become no case: skipped or refused, also by a later virus check."""
        return self.filter(
            Q(state__in=[Scan.State.SKIPPED, Scan.State.REFUSED])
            | Q(state=Scan.State.WAITING, file__state=StoredFile.State.REFUSED)
        )

    def failed_because(self, code: str) -> Self:
        """Those that failed for one reason: a value of ``CancelReason`` or ``RefusalCode``."""
        because = Q(state=Scan.State.SKIPPED, why_skipped=code) | Q(refusal_code=code)
        if code == RefusalCode.VIRUS:
            # Accepted while the scanner was not available.
            because |= Q(state=Scan.State.WAITING, file__state=StoredFile.State.REFUSED)
        return self.failed().filter(because)

    def free(self, *, at: datetime) -> Self:
        """Waiting scans that passed the virus check and that nobody holds; oldest first."""
        return self.filter(
            Q(claimed_at__isnull=True) | Q(claimed_at__lte=at - LEASE),
            state=Scan.State.WAITING,
            file__state=StoredFile.State.CLEAN,
        ).order_by("received_on", "pk")

    def held(self, *, at: datetime) -> Self:
        """Waiting scans that a clerk holds at this time."""
        return self.filter(state=Scan.State.WAITING, claimed_at__gt=at - LEASE)

    def to_rescan(self) -> Self:
        """Select what has to be scanned again and was not yet: refused, unreadable or incomplete.

        By batch and position, as the paper lies.
        """
        return self.filter(
            Q(state=Scan.State.REFUSED) | Q(state=Scan.State.SKIPPED, why_skipped__in=UNUSABLE),
            rescanned_as=None,
        ).order_by("batch", "position")


class Scan(Versioned):
    """One scanned application: waiting, skipped, entered as a case, repeated or refused.

    A clerk's claim is a lease. It ends by itself, so a closed browser does not block a scan.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        SKIPPED = "SKIPPED", "Skipped"
        ENTERED = "ENTERED", "Entered"
        REPEATED = "REPEATED", "Duplicate file"
        REFUSED = "REFUSED", "Refused"

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="scans")
    position = models.PositiveSmallIntegerField()
    # A copy of the batch's date, so that one index finds the oldest waiting scan.
    received_on = models.DateField()
    name_received = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, db_index=True)  # of the upload, even if refused
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    refusal = models.CharField(max_length=300, blank=True)
    refusal_code = models.CharField(max_length=16, choices=RefusalCode, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    claimed_at = models.DateTimeField(null=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="scans")
    same_as = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    # The scan that came instead of one that was refused or unreadable.
    rescanned_as = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    why_skipped = models.CharField(max_length=20, choices=CancelReason, blank=True)
    note = models.CharField(max_length=300, blank=True)
    resolved_at = models.DateTimeField(null=True)  # when it was entered, skipped or refused

    objects: ClassVar[Any] = ScanQuerySet.as_manager()

    class Meta(Versioned.Meta):
        indexes = [
            # Only waiting scans are looked up by age; all others would only make the index larger.
            models.Index(
                fields=["received_on", "id"],
                name="scan_next",
                condition=Q(state="WAITING"),
            )
        ]
        constraints = [
            models.UniqueConstraint(name="scan_place_once", fields=["batch", "position"]),
            # The same file may arrive often, but only one scan of it can become a case.
            models.UniqueConstraint(
                name="scan_at_hand_once",
                fields=["file"],
                condition=Q(state__in=["WAITING", "SKIPPED", "ENTERED"]),
            ),
            # If a clerk asks for a scan twice at once, the second claim fails here and is tried
            # again. An entered scan keeps its clerk, hence the condition.
            models.UniqueConstraint(
                name="scan_one_per_clerk",
                fields=["claimed_by"],
                condition=Q(state="WAITING"),
            ),
            models.CheckConstraint(
                name="scan_entered_names_its_case",
                condition=~Q(state="ENTERED") | Q(case__isnull=False),
            ),
            models.CheckConstraint(
                name="scan_skipped_says_why", condition=~Q(state="SKIPPED") | ~Q(why_skipped="")
            ),
            # A refused upload is not stored, so it has no file; every other scan must have one.
            models.CheckConstraint(
                name="scan_refused_says_why",
                condition=Q(state="REFUSED", file__isnull=True)
                & ~Q(refusal="")
                & ~Q(refusal_code="")
                | ~Q(state="REFUSED") & Q(file__isnull=False),
            ),
            # A scan that is entered or waits to be entered needs no other one.
            models.CheckConstraint(
                name="scan_rescanned_was_unusable",
                condition=Q(rescanned_as__isnull=True) | Q(state__in=["REFUSED", "SKIPPED"]),
            ),
            models.CheckConstraint(
                name="scan_claimed_by_someone_at_some_time",
                condition=Q(claimed_by__isnull=True, claimed_at__isnull=True)
                | Q(claimed_by__isnull=False, claimed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch}, scan {self.position}"

    @property
    def has_to_be_rescanned(self) -> bool:
        """Whether it was refused, unreadable or incomplete, and was not scanned again yet."""
        is_unusable = self.state == self.State.REFUSED or (
            self.state == self.State.SKIPPED and self.why_skipped in UNUSABLE
        )
        return is_unusable and self.rescanned_as_id is None

    def is_held(self, *, at: datetime) -> bool:
        """Return whether a clerk holds the scan; an expired lease does not count."""
        return (
            self.state == self.State.WAITING
            and self.claimed_at is not None
            and self.claimed_at > at - LEASE
        )


class IntakeDraft(models.Model):
    """The fields typed so far on an unfinished application form, kept for its clerk."""

    # Drafts have no versions: typing saves every few seconds, and only the saved form matters.
    key = models.UUIDField(unique=True, default=uuid4)  # of the form; the application keeps it
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="intake_drafts"
    )
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, null=True, related_name="drafts")
    content = models.JSONField(default=dict)  # field name -> the typed values, in order
    revision = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    # Time that the clerk has spent on it, without pauses; see keying_time.
    keyed_seconds = models.PositiveIntegerField(default=0)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # For a clerk's list of open drafts. Most drafts have ended and need not be indexed.
            models.Index(
                fields=["owner", "saved_at"], name="draft_open", condition=Q(ended_at__isnull=True)
            ),
            models.Index(
                fields=["ended_at"], name="draft_entered", condition=Q(case__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"Draft of {self.begun_at:%m/%d/%Y}"

    @property
    def title(self) -> str:
        """The employee's name as typed so far."""
        names = [*self.content.get("first_name", []), *self.content.get("last_name", [])]
        return " ".join(name for name in names if name) or f"Unnamed form {self.pk}"

    @property
    def lapses_on(self) -> datetime:
        """When the draft closes unless its owner saves it again."""
        return self.saved_at + timedelta(days=DRAFT_DAYS)

    def is_open(self, *, at: datetime) -> bool:
        """Return whether the owner can still continue the draft.

        The date alone decides, so a late cleanup job changes nothing.
        """
        return self.ended_at is None and self.saved_at > at - timedelta(days=DRAFT_DAYS)


class CanceledIntake(Versioned):
    """An intake that ended without a case, with its coded reason; listed for the supervisor."""

    draft = models.OneToOneField(IntakeDraft, on_delete=models.PROTECT, related_name="canceled")
    reason = models.CharField(max_length=20, choices=CancelReason)
    note = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField()
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        indexes = [models.Index(fields=["ended_at", "id"], name="canceled_intake_by_time")]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.draft}"
