"""Tests of whether who pays steers who decides, and what came of those that raised the alarm."""

from django.conf import settings
from django.db import models

from cases.models import Role as PartyRole
from reviewers.matching.payer_bias import ENOUGH


class PayerBiasTest(models.Model):
    """One test of the choices of a period against the parties of one role. Only grows."""

    class Answer(models.TextChoices):
        """What a test says, in the words of its page."""

        STEERED = "STEERED", "Depends on who pays"
        TOO_FEW = "TOO_FEW", "Too few to say"
        NO_SIGN = "NO_SIGN", "No sign"

    first = models.DateField()
    last = models.DateField()
    party_role = models.CharField(max_length=24, choices=PartyRole)
    choices = models.PositiveIntegerField()
    compared = models.PositiveIntegerField()
    unevenness = models.DecimalField(max_digits=16, decimal_places=3)
    p = models.DecimalField(max_digits=7, decimal_places=6)
    alarm = models.DecimalField(max_digits=7, decimal_places=6)  # p below it is steering
    is_steered = models.BooleanField()
    deals = models.PositiveIntegerField()
    seed = models.PositiveIntegerField()
    is_monthly = models.BooleanField(default=False)  # made by the schedule
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(  # NULL: the system
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
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
        """Steering counts however few there are: the test is exact. That there is none does not."""
        if self.is_steered:
            return self.Answer.STEERED
        return self.Answer.NO_SIGN if self.compared >= ENOUGH else self.Answer.TOO_FEW

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        return {
            self.Answer.STEERED: (
                f"Depends on the {self.get_party_role_display().lower()}: look at these pairs."
            ),
            self.Answer.TOO_FEW: (
                f"Too few to say: fewer than {ENOUGH} choices could have gone otherwise."
            ),
            self.Answer.NO_SIGN: "No sign that who pays steers who decides.",
        }[self.answer]


class PayerBiasNote(models.Model):
    """That someone looked into a test, and what they found. Only grows.

    The words may name reviewers, so they are for people with reviewers.see_identity alone.
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
