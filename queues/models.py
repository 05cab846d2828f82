"""Shared work lists: who has or skipped a case, saved views, and how long stages take."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts.versions import Versioned
from cases.lifecycle import Status
from cases.models.case import Case


class WorkClaimQuerySet(models.QuerySet["WorkClaim"]):
    """Queries of work claims at a point in time."""

    def live(self, *, at: datetime) -> Self:
        """Select the claims in force: not released or expired, with the case in the same list."""
        return self.filter(released_at__isnull=True, until__gt=at, queue=F("case__queue"))


class WorkClaim(models.Model):
    """A case that a person has assigned to themselves to work on it.

    It shows others that the case is taken and does not block them. It ends when it is released,
    when the case leaves its list, or when it expires, so that an absent clerk does not keep a case.
    Queries find out whether it expired or the case left the list, so no job has to run for that.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="work_claims")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    queue = models.CharField(max_length=12)  # the list that the case was in
    claimed_at = models.DateTimeField()
    until = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=200, blank=True)  # why this case was next, at that time
    # Who gave it to the person; empty if they took it themselves.
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects: ClassVar[WorkClaimQuerySet] = WorkClaimQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["by", "released_at"], name="work_claim_of_person")]
        constraints = [
            # An expired claim has no ``released_at``, so storing a new claim first sets it.
            models.UniqueConstraint(
                name="work_claim_one_per_case",
                fields=["case"],
                condition=Q(released_at__isnull=True),
            ),
            models.CheckConstraint(
                name="work_claim_runs_forward", condition=Q(until__gte=F("claimed_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} assigned to {self.by}"

    def is_live_in(self, queue: str, *, at: datetime) -> bool:
        """Whether an unreleased claim is in force: not expired, and the case is still in its list.

        The same rule as ``WorkClaimQuerySet.live``, for a row that is loaded.
        """
        return self.released_at is None and self.until > at and self.queue == queue


class CaseSkip(Versioned):
    """A case that a person skipped in a list, with the reason. Supervisors see the skips.

    It comes last for this person for a while; others get it in its usual place.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="skips")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    queue = models.CharField(max_length=12)  # the list that the case was in
    status = models.CharField(max_length=20, choices=Status)  # and its stage
    reason = models.CharField(max_length=300)
    skipped_at = models.DateTimeField()

    class Meta(Versioned.Meta):
        indexes = [models.Index(fields=["by", "skipped_at"], name="case_skip_of_person")]
        constraints = [models.CheckConstraint(name="case_skip_has_reason", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return f"{self.case} skipped by {self.by}"


class SavedView(Versioned):
    """The filter and order of a work list, saved under a name; private to its owner or shared."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    queue = models.CharField(max_length=12)
    query = models.CharField(
        max_length=500, blank=True
    )  # of the URL; see queues.filters.Filter.query
    is_shared = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="saved_view_name_once_per_owner",
                fields=["owner", "name"],
                condition=Q(retired_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        address = reverse("desk:queue", args=[self.queue])
        return f"{address}?{self.query}" if self.query else address


class StageDuration(models.Model):
    """How long cases took from the beginning of a stage to meeting its deadline. Append-only.

    Measured from the events of the cases that finished it last; the newest row of a stage counts.
    """

    measured_at = models.DateTimeField()
    status = models.CharField(max_length=20, choices=Status)
    median_days = models.PositiveSmallIntegerField()  # calendar days, rounded up
    cases = models.PositiveIntegerField()  # how many cases were measured

    def __str__(self) -> str:
        unit = "day" if self.median_days == 1 else "days"
        return f"{self.get_status_display()}: {self.median_days} {unit}"
