"""Telephone calls about a case: with whom, when, what was said, and what was promised."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from .case import Case
from .history import Event
from .holds import Commitment
from .parties import Party


class PhoneCall(models.Model):
    """A call as the person who spoke logged it. Append-only; a correction is a row of its own."""

    class Direction(models.TextChoices):
        RECEIVED = "RECEIVED", "They called"
        MADE = "MADE", "We called"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="calls")
    direction = models.CharField(max_length=8, choices=Direction)
    # The row of the party on the day of the call; empty for anyone else.
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="calls")
    spoke_with = models.CharField(max_length=200, blank=True)  # who spoke, as they gave their name
    number = models.CharField(max_length=40, blank=True)
    called_at = models.DateTimeField()
    summary = models.TextField()
    # A date that was promised on the call.
    commitment = models.ForeignKey(
        Commitment, on_delete=models.PROTECT, null=True, related_name="calls"
    )
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="call")
    corrects = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="correction"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["case", "called_at", "id"], name="call_of_case")]
        constraints = [
            models.CheckConstraint(
                name="call_names_who_spoke",
                condition=Q(party__isnull=False) | ~Q(spoke_with=""),
            ),
            models.CheckConstraint(name="call_has_a_summary", condition=~Q(summary="")),
        ]

    def __str__(self) -> str:
        return f"{self.case}: call with {self.with_whom}"

    @property
    def with_whom(self) -> str:
        """Who was on the phone: the party, the person who spoke for it, or both."""
        if self.party is None:
            return self.spoke_with
        return f"{self.party.name} ({self.spoke_with})" if self.spoke_with else self.party.name
