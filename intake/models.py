"""Scans before they are cases: batches, who keys which scan, and unfinished forms."""

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

LEASE = timedelta(minutes=30)  # how long a scan stays with a clerk of whom nothing is heard
DRAFT_DAYS = 7  # how long an unfinished form waits for its owner


class WhyNot(models.TextChoices):
    """Why a scan is skipped, or an intake ends without a case."""

    UNREADABLE = "UNREADABLE", "Cannot be read"
    PAGES_MISSING = "PAGES_MISSING", "Pages are missing"
    NOT_AN_APPLICATION = "NOT_AN_APPLICATION", "Not an application"
    ALREADY_ENTERED = "ALREADY_ENTERED", "Entered before"
    QUESTION = "QUESTION", "A question for the supervisor"
    START_OVER = "START_OVER", "To be keyed again"
    LEFT = "LEFT", "Left unfinished"  # said by the machine alone
    OTHER = "OTHER", "Another reason"


class BatchQuerySet(VersionedQuerySet):
    """The questions the intake desk asks about its batches."""

    def counted(self) -> Self:
        """With the number of scans in each state: ``waiting``, ``skipped``, ``entered`` …"""
        return self.annotate(
            total=Count("scans"),
            **{
                state.lower(): Count("scans", filter=Q(scans__state=state))
                for state in Scan.State.values
            },
        )

    def in_work(self, *, since: datetime) -> Self:
        """With a scan that waits or is skipped, or opened lately; oldest first."""
        unsettled = Scan.objects.filter(
            batch=OuterRef("pk"), state__in=[Scan.State.WAITING, Scan.State.SKIPPED]
        )
        return self.filter(Q(opened_at__gte=since) | Exists(unsettled)).order_by(
            "received_on", "pk"
        )


class Batch(Versioned):
    """Scans that came together by one channel, on one day."""

    channel = models.CharField(max_length=8, choices=Channel)
    received_on = models.DateField()  # the stamp: the day that the law counts
    note = models.CharField(max_length=120, blank=True)
    folder = models.CharField(max_length=300, blank=True)  # the watched folder it was found in
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
    """The questions the intake desk asks about its scans."""

    def free(self, *, at: datetime) -> Self:
        """Waiting, checked for viruses, and with no one who was heard of lately; oldest first."""
        return self.filter(
            Q(claimed_at__isnull=True) | Q(claimed_at__lte=at - LEASE),
            state=Scan.State.WAITING,
            file__state=StoredFile.State.CLEAN,
        ).order_by("received_on", "pk")

    def held(self, *, at: datetime) -> Self:
        """Being keyed right now."""
        return self.filter(state=Scan.State.WAITING, claimed_at__gt=at - LEASE)


class Scan(Versioned):
    """One scanned application. It waits, is skipped, or has become a case.

    A claim is a lease: it lapses by itself, so a closed browser keeps no scan.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        SKIPPED = "SKIPPED", "Skipped"
        ENTERED = "ENTERED", "Entered"
        REPEATED = "REPEATED", "The same bytes again"
        REFUSED = "REFUSED", "Refused"

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="scans")
    position = models.PositiveSmallIntegerField()
    received_on = models.DateField()  # the batch's; here so that the next one is found by an index
    name_received = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, db_index=True)  # of what came, also if refused
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    refusal = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    claimed_at = models.DateTimeField(null=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="scans")
    same_as = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    why_skipped = models.CharField(max_length=20, choices=WhyNot, blank=True)
    note = models.CharField(max_length=300, blank=True)
    settled_at = models.DateTimeField(null=True)  # entered, skipped, refused

    objects: ClassVar[Any] = ScanQuerySet.as_manager()

    class Meta(Versioned.Meta):
        indexes = [
            models.Index(
                fields=["received_on", "id"],
                name="scan_next",
                condition=Q(state="WAITING"),
            )
        ]
        constraints = [
            models.UniqueConstraint(name="scan_place_once", fields=["batch", "position"]),
            models.UniqueConstraint(
                name="scan_at_hand_once",
                fields=["file"],
                condition=Q(state__in=["WAITING", "SKIPPED", "ENTERED"]),
            ),
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
            models.CheckConstraint(
                name="scan_refused_says_why",
                condition=Q(state="REFUSED", file__isnull=True) & ~Q(refusal="")
                | ~Q(state="REFUSED") & Q(file__isnull=False),
            ),
            models.CheckConstraint(
                name="scan_claimed_by_someone_at_some_time",
                condition=Q(claimed_by__isnull=True, claimed_at__isnull=True)
                | Q(claimed_by__isnull=False, claimed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch}, scan {self.position}"

    def is_held(self, *, at: datetime) -> bool:
        """Whether someone keys it now; a lease that has run out says no."""
        return (
            self.state == self.State.WAITING
            and self.claimed_at is not None
            and self.claimed_at > at - LEASE
        )


class IntakeDraft(models.Model):
    """Everything typed on a form that is not accepted yet, kept for the clerk who types it."""

    key = models.UUIDField(unique=True, default=uuid4)  # the form's; the application takes it over
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="intake_drafts"
    )
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, null=True, related_name="drafts")
    content = models.JSONField(default=dict)  # field name -> the texts typed, in order
    revision = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["owner", "saved_at"], name="draft_open", condition=Q(ended_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"Draft of {self.begun_at:%m/%d/%Y}"

    @property
    def title(self) -> str:
        """Whose form it is, as far as it was typed."""
        names = [*self.content.get("first_name", []), *self.content.get("last_name", [])]
        return " ".join(name for name in names if name) or f"Form without a name, {self.pk}"

    @property
    def lapses_on(self) -> datetime:
        """Until when its owner can go on with it."""
        return self.saved_at + timedelta(days=DRAFT_DAYS)

    def is_open(self, *, at: datetime) -> bool:
        """Whether its owner can go on with it; it ends by itself, whether or not a job has run."""
        return self.ended_at is None and self.saved_at > at - timedelta(days=DRAFT_DAYS)


class CanceledIntake(Versioned):
    """An intake that ended without a case, with its coded reason: the supervisor's list."""

    draft = models.OneToOneField(IntakeDraft, on_delete=models.PROTECT, related_name="canceled")
    reason = models.CharField(max_length=20, choices=WhyNot)
    note = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField()
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        indexes = [models.Index(fields=["ended_at", "id"], name="canceled_intake_by_time")]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.draft}"
