"""From where on a tie is a conflict: dated, so that a past choice reads by its day's limits."""

from django.db import models

from accounts.versions import Versioned


class ConflictLimits(Versioned):
    """Which holdings and which relatives make a conflict, from a day on (8 CCR 9768.1)."""

    effective_from = models.DateField(unique=True)
    # A holding above this share of an organisation is a financial tie.
    holding_percent = models.DecimalField(max_digits=5, decimal_places=2)
    kin = models.JSONField(default=list)  # values of Kin that count as family
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
