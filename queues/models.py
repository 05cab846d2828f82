"""Shared work lists: to whom cases are assigned, saved views, and how long stages take."""

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
    """Queries of claims as of a moment."""

    def live(self, *, at: datetime) -> Self:
        """Claims in force: not released, not expired, and the case is still in the same list."""
        return self.filter(released_at__isnull=True, until__gt=at, queue=F("case__queue"))


class WorkClaim(models.Model):
    """A case that a person has assigned to themselves to work on it.

    It keeps two people from working on one case and forbids nothing. It ends when it is released,
    when the case leaves its list, or when it expires, so that an absent clerk does not block a
    case. The last two follow from the row and the case, so no job has to run for them.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="work_claims")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    queue = models.CharField(max_length=12)  # the list that the case was in
    claimed_at = models.DateTimeField()
    until = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=200, blank=True)  # why this case was next, at that time

    objects: ClassVar[WorkClaimQuerySet] = WorkClaimQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["by", "released_at"], name="work_claim_of_person")]
        constraints = [
            # Expired claims count too, so storing a new claim ends them first.
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


class SavedView(Versioned):
    """A list with its filter and order under a name; private to its owner or shared."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    queue = models.CharField(max_length=12)
    query = models.CharField(max_length=500, blank=True)  # as Filter.query() writes it
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
