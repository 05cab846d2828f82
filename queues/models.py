"""How the office shares its lists: who took which case, named filters, how long stages take."""

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
    """Asks who has what, as of a moment."""

    def live(self, *, at: datetime) -> Self:
        """Claims that hold: not given back, not lapsed, and their case still in the same list."""
        return self.filter(released_at__isnull=True, until__gt=at, queue=F("case__queue"))


class WorkClaim(models.Model):
    """Someone has taken a case out of a list to work on it.

    It keeps two people off one case and forbids nothing. It ends by being given back, by the
    case leaving its list, or by running out: an absent clerk keeps no case from the others. The
    last two are read from the row and the case, so no job has to run for them.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="work_claims")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    queue = models.CharField(max_length=12)  # the list that the case stood in
    claimed_at = models.DateTimeField()
    until = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=200, blank=True)  # why this one came first, when it did

    objects: ClassVar[WorkClaimQuerySet] = WorkClaimQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["by", "released_at"], name="work_claim_of_person")]
        constraints = [
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
        return f"{self.case} taken by {self.by}"


class SavedView(Versioned):
    """A list with its filter and order, under a name; its owner's, or shared with the office."""

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
    """How long cases took from a stage to the act that its due date asks for. Only grows.

    Measured from the events of the cases that did it last; the newest row of a stage counts.
    """

    measured_at = models.DateTimeField()
    status = models.CharField(max_length=20, choices=Status)
    median_days = models.PositiveSmallIntegerField()  # calendar days, rounded up
    cases = models.PositiveIntegerField()  # how many it rests on

    def __str__(self) -> str:
        unit = "day" if self.median_days == 1 else "days"
        return f"{self.get_status_display()}: {self.median_days} {unit}"
