"""Dated settings: matching rules, license scope limits and conflict limits."""

from django.conf import settings
from django.db import models

from accounts.versions import Versioned
from cases.models import TreatmentCategory
from directory.affiliations import DEFAULT_LIMITS

from .panel import LicenseKind


class MatchingRules(Versioned):
    """The weights and limits of matching from a day on. Earlier rows are kept."""

    # Not unique: rules can be set again on the same day, and the last row counts.
    effective_from = models.DateField()
    weights = models.JSONField(default=dict)  # keys of ``candidacy.WEIGHTS`` → points
    limits = models.JSONField(default=dict)  # keys of ``candidacy.LIMITS`` → days or cases
    reason = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        verbose_name_plural = "matching rules"

    def __str__(self) -> str:
        return f"Matching rules from {self.effective_from:%m/%d/%Y}"


class ScopeLimit(Versioned):
    """A treatment category that a license kind does not cover: a chiropractor and drugs.

    It overrides the specialty map: no line of the map makes such a reviewer eligible.
    """

    license_kind = models.CharField(max_length=8, choices=LicenseKind)
    category = models.ForeignKey(TreatmentCategory, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=300)  # the law that sets the limit
    is_active = models.BooleanField(default=True)
    confirmed_by = models.CharField(max_length=120, blank=True)
    confirmed_on = models.DateField(null=True, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="scope_limit_once", fields=["license_kind", "category"])
        ]

    def __str__(self) -> str:
        return f"{self.get_license_kind_display()} does not cover {self.category}"


class ConflictLimits(Versioned):
    """This organization's rule, from a day on: which holdings and relatives are a conflict."""

    effective_from = models.DateField(unique=True)
    # A holding above this share of an organization is a financial affiliation.
    holding_percent = models.DecimalField(max_digits=5, decimal_places=2)
    kin = models.JSONField(default=list)  # values of Kin that count as family
    # Where the organization takes these limits from; conflicts that only they cause name it.
    source = models.CharField(max_length=200, default=DEFAULT_LIMITS.source)
    reason = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()

    class Meta(Versioned.Meta):
        verbose_name_plural = "conflict limits"
        constraints = [
            models.CheckConstraint(
                name="conflict_limit_is_a_share",
                condition=models.Q(holding_percent__gte=0, holding_percent__lte=100),
            )
        ]

    def __str__(self) -> str:
        return f"Conflict limits from {self.effective_from:%m/%d/%Y}"
