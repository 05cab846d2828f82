"""Search keys of cases, and proposals of possible duplicates with their answers."""

from django.conf import settings
from django.db import models

from accounts.versions import Versioned

from .case import Case


class CaseKey(models.Model):
    """A search key that finds a case similar to another application.

    Derived from the case. Several cases may share a key. The index avoids a scan of all cases.
    """

    # Without versions: keys can be derived from the case again at any time.
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="keys")
    key = models.CharField(max_length=60)

    class Meta:
        indexes = [models.Index(fields=["key", "case"], name="case_by_key")]
        constraints = [models.UniqueConstraint(name="case_key_once", fields=["case", "key"])]

    def __str__(self) -> str:
        return f"{self.case}: {self.key}"


class DuplicateProposal(Versioned):
    """Two similar cases, with the evidence, for a person to resolve. One row per pair."""

    class Answer(models.TextChoices):
        DUPLICATE = "DUPLICATE", "The same application twice"
        PRIOR = "PRIOR", "An earlier request for the same treatment"
        DIFFERENT = "DIFFERENT", "Different applications"

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="possible_duplicates"
    )  # later
    other = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")  # earlier
    band = models.CharField(max_length=8)  # cases.duplicates.Band
    repeats = models.BooleanField(default=False)
    why = models.JSONField(default=dict)  # {"for": [sentence, …], "against": […], "points": n}
    made_at = models.DateTimeField()
    answer = models.CharField(max_length=12, choices=Answer, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    items = models.JSONField(default=list)  # ids of the later case's items that are the same
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        constraints = [
            # A pair that was answered is not proposed again.
            models.UniqueConstraint(name="possible_duplicate_once", fields=["case", "other"]),
            models.CheckConstraint(
                # An answer always has a reason and a moment, so that it can be explained later.
                name="possible_duplicate_resolved_whole",
                condition=models.Q(answer="", resolved_at__isnull=True)
                | ~models.Q(answer="") & ~models.Q(reason="") & models.Q(resolved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: possible duplicate of {self.other}"
