"""Eligibility decisions, questions to parties, and the reading of the UR decision."""

from django.conf import settings
from django.db import models

from accounts.versions import Versioned
from cases.models.application import DisputedItem
from cases.models.case import Case
from cases.models.parties import Party

from .answers import Answer, EligibilityFact, EligibilityResult


class EligibilityDecision(Versioned):
    """One eligibility decision on a case. A later decision supersedes it without changing it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="eligibility_decisions")
    attempt = models.PositiveSmallIntegerField()
    result = models.CharField(max_length=12, choices=EligibilityResult)
    # The result that the rules proposed; empty for decisions made before the rules existed.
    proposed = models.CharField(max_length=12, choices=EligibilityResult, blank=True)
    why_different = models.TextField(blank=True)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(blank=True)
    undone_at = models.DateTimeField(null=True)  # taken back by the person, seconds later
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        constraints = [
            # Decisions are numbered under the lock on the case; this catches code that forgets the
            # lock.
            models.UniqueConstraint(name="eligibility_attempt_once", fields=["case", "attempt"])
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_result_display().lower()}"

    def refusals(self) -> list["EligibilityFinding"]:
        """Return the findings that a letter states: for the application first, then by item.

        Each has a ``reason_code`` and a ``letter_sentence``. ``item`` is empty for the application.
        """
        rows = self.findings.exclude(letter_sentence="").select_related("item", "other_case")
        return sorted(rows, key=lambda one: (one.item.position if one.item else 0, one.pk))


class EligibilityFinding(Versioned):
    """A person's answer to one of the six facts, for the case or for one item.

    The row also stores what the rules proposed and the facts they used, so that the page can show
    why the two differ. For a No, it stores the sentence that the letter prints.
    """

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
    proposed = models.CharField(max_length=8, choices=Answer, blank=True)
    reason_code = models.CharField(max_length=16, blank=True)  # I-LATE, I-UNSIGNED, …
    facts_used = models.JSONField(default=list, blank=True)  # a list of {name, value, source}
    source = models.CharField(max_length=200, blank=True)  # the law, "8 CCR 9792.10.3(a)(1)"
    sentence = models.TextField(blank=True)  # shown to staff
    letter_sentence = models.TextField(blank=True)  # printed in the letter if the answer is NO
    other_case = models.ForeignKey(
        Case, on_delete=models.PROTECT, null=True, blank=True, related_name="findings_elsewhere"
    )
    note = models.TextField(blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="eligibility_fact_once",
                fields=["decision", "fact", "item"],
            ),
            # NULLs are not equal in SQL, so the constraint above does not cover rows without an
            # item.
            models.UniqueConstraint(
                name="eligibility_fact_once_for_the_case",
                fields=["decision", "fact"],
                condition=models.Q(item__isnull=True),
            ),
            # Overruling a proposed NO needs a reason on file, whatever code stores the row.
            models.CheckConstraint(
                name="eligibility_overruled_with_note",
                condition=~models.Q(proposed="NO", answer="YES") | ~models.Q(note=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_fact_display()}: {self.get_answer_display()}"

    @property
    def waiver(self) -> str:
        """The note with which a person waived lateness; empty if nothing was waived.

        It is computed from the answer and the proposal, so no stored flag can contradict them.
        """
        late = self.fact == EligibilityFact.TIMELY and self.proposed == Answer.NO
        return self.note if late and self.answer == Answer.YES else ""


class InformationRequest(Versioned):
    """A question to one party about missing facts (8 CCR 9792.10.3(b), (c))."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="information_requests")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField(default=list)  # the eligibility facts that depend on the answer
    question = models.TextField()
    asked_at = models.DateTimeField()
    received_on = models.DateField()  # the date on which the party receives the question
    due_on = models.DateField()
    answered_on = models.DateField(null=True, blank=True)
    answer = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # answered, or no longer needed

    class Meta(Versioned.Meta):
        constraints = [
            # A question may be closed without an answer, but an answered one is never open.
            models.CheckConstraint(
                name="information_answer_closes",
                condition=models.Q(answered_on__isnull=True) | models.Q(closed_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.case}: question to {self.party}"


class URReading(Versioned):
    """What a person has read in the UR decision, for comparison with the application."""

    # One reading per case; a corrected reading is a new version of the same row.
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="ur_reading")
    employee = models.CharField(max_length=300, blank=True)  # as printed
    claim_number = models.CharField(max_length=60, blank=True)
    date_of_injury = models.DateField(null=True, blank=True)
    injury_last_day = models.DateField(null=True, blank=True)  # set for a cumulative injury
    date_of_injury_printed = models.CharField(max_length=60, blank=True)
    items = models.JSONField(default=list, blank=True)  # the treatments decided, as printed

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return f"UR decision of {self.case} as read"


class DifferenceAnswer(Versioned):
    """A person's answer to one difference between the application and the UR decision.

    It holds for these two values only. If either value changes, a new answer is needed.
    """

    class Answer(models.TextChoices):
        SAME = "SAME", "The same"
        TYPING_ERROR = "TYPING_ERROR", "Typing error"
        DIFFERENT = "DIFFERENT", "Different"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="difference_answers")
    key = models.CharField(max_length=32)  # see ``eligibility.differences.Difference.key``
    field = models.CharField(max_length=16)
    on_application = models.TextField(blank=True)
    on_ur_decision = models.TextField(blank=True)
    answer = models.CharField(max_length=12, choices=Answer)
    note = models.CharField(max_length=300, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="difference_answer_once", fields=["case", "key"])
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_answer_display().lower()}"
