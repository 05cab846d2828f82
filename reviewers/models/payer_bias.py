"""Monthly payer-bias tests of reviewer selection, and the follow-up on each alert."""

from django.conf import settings
from django.db import models

from cases.models import PartyRole
from reviewers.matching.payer_bias import FEWEST_COMPARED


class PayerBiasTest(models.Model):
    """One payer-bias test of a period for the parties of one role. Append-only."""

    class Answer(models.TextChoices):
        """The result of a test, as its page shows it."""

        STEERED = "STEERED", "Depends on the payer"
        TOO_FEW = "TOO_FEW", "Not enough data"
        NO_SIGN = "NO_SIGN", "No sign of bias"

    first = models.DateField()
    last = models.DateField()
    party_role = models.CharField(max_length=24, choices=PartyRole)
    choices = models.PositiveIntegerField()
    compared = models.PositiveIntegerField()
    unevenness = models.DecimalField(max_digits=16, decimal_places=3)
    p = models.DecimalField(max_digits=7, decimal_places=6)
    alarm = models.DecimalField(max_digits=7, decimal_places=6)  # steering if p is below
    # Stored, so that open alerts can be queried. A constraint below keeps it consistent.
    is_steered = models.BooleanField()
    # With these two, the same result can be computed again.
    deals = models.PositiveIntegerField()
    seed = models.PositiveIntegerField()
    is_monthly = models.BooleanField(default=False)  # made by the schedule
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(  # NULL: the system
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            # Two workers may compute the same test of the schedule at once; one row is kept.
            models.UniqueConstraint(
                name="payer_bias_monthly_once",
                fields=["first", "last", "party_role"],
                condition=models.Q(is_monthly=True),
            ),
            models.CheckConstraint(
                name="payer_bias_monthly_by_system",
                condition=models.Q(is_monthly=False) | models.Q(made_by__isnull=True),
            ),
            models.CheckConstraint(
                name="payer_bias_period", condition=models.Q(first__lte=models.F("last"))
            ),
            models.CheckConstraint(
                name="payer_bias_steered_iff_below",
                condition=models.Q(is_steered=True, p__lt=models.F("alarm"))
                | models.Q(is_steered=False, p__gte=models.F("alarm")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_party_role_display()}, {self.first:%m/%d/%Y} to {self.last:%m/%d/%Y}"

    @property
    def answer(self) -> Answer:
        """The result for display.

        Steering is reported even with few choices, because the test is exact. The absence of
        steering is reported only with enough comparable choices.
        """
        if self.is_steered:
            return self.Answer.STEERED
        return self.Answer.NO_SIGN if self.compared >= FEWEST_COMPARED else self.Answer.TOO_FEW

    @property
    def sentence(self) -> str:
        """The result as a sentence."""
        return {
            self.Answer.STEERED: (
                f"Reviewer choice depends on the {self.get_party_role_display().lower()}."
            ),
            self.Answer.TOO_FEW: (
                f"Not enough data: fewer than {FEWEST_COMPARED} comparable assignments."
            ),
            self.Answer.NO_SIGN: "No sign that reviewer choice depends on the payer.",
        }[self.answer]


class PayerBiasNote(models.Model):
    """A note on what someone found about a test. Append-only.

    The text may name reviewers, so only people with ``reviewers.view_identity`` see it.
    """

    test = models.ForeignKey(PayerBiasTest, on_delete=models.PROTECT, related_name="notes")
    words = models.CharField(max_length=1000)
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payer_bias_note_says_something", condition=~models.Q(words="")
            )
        ]

    def __str__(self) -> str:
        return f"Note on {self.test}"
