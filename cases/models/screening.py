"""What was found when a case was screened, and what followed from it."""

from django.conf import settings
from django.db import models

from accounts.versions import Versioned

from .application import DisputedItem
from .case import Case


class Answer(models.TextChoices):
    YES = "YES", "Yes"
    NO = "NO", "No"
    UNKNOWN = "UNKNOWN", "Unknown"


class EligibilityFact(models.TextChoices):
    """The six facts on which eligibility rests."""

    SIGNED = "SIGNED", "Signed by the employee or a valid representative"
    TIMELY = "TIMELY", "Received in time"
    UR_ATTACHED = "UR_ATTACHED", "The UR decision is attached"
    NECESSITY = "NECESSITY", "It denies or modifies these items for medical necessity"
    NOT_DECIDED = "NOT_DECIDED", "Not a duplicate and not already decided"
    LIABILITY_CLEAR = "LIABILITY_CLEAR", "No liability dispute is open"


class EligibilityResult(models.TextChoices):
    ELIGIBLE = "ELIGIBLE", "Eligible"
    INELIGIBLE = "INELIGIBLE", "Ineligible"
    DEFERRED = "DEFERRED", "Deferred"
    INCOMPLETE = "INCOMPLETE", "A fact is missing"


class EligibilityDecision(Versioned):
    """A finding on the whole case. A later one supersedes an earlier; neither is overwritten."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="eligibility_decisions")
    attempt = models.PositiveSmallIntegerField()
    result = models.CharField(max_length=12, choices=EligibilityResult)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="eligibility_attempt_once", fields=["case", "attempt"])
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_result_display().lower()}"


class EligibilityFinding(Versioned):
    """One of the six facts, answered, for the case or for one item."""

    decision = models.ForeignKey(
        EligibilityDecision, on_delete=models.PROTECT, related_name="findings"
    )
    fact = models.CharField(max_length=16, choices=EligibilityFact)
    item = models.ForeignKey(
        DisputedItem,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="findings",
    )
    answer = models.CharField(max_length=8, choices=Answer)
    reason_code = models.CharField(max_length=16, blank=True)  # I-LATE, I-UNSIGNED, …
    note = models.TextField(blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="eligibility_fact_once",
                fields=["decision", "fact", "item"],
            ),
            models.UniqueConstraint(
                name="eligibility_fact_once_for_the_case",
                fields=["decision", "fact"],
                condition=models.Q(item__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_fact_display()}: {self.get_answer_display()}"
