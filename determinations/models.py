"""Reviews and opinions of reviewers, the determination derived from them, and QA reviews."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from accounts.versions import Versioned
from cases.models import Case, DisputedItem, Origin
from deadlines.models import DatedRow
from deadlines.rules import BadRules, refuse_gap_or_overlap
from guidelines.models import CitationFields, Recommendation
from letters.models import Letter
from letters.outcomes import case_outcome_choices, outcome_choices
from reviewers.models import ReviewerAssignment

from .checks import HIGHER_RANK, DatedText


class PartyTerm(models.TextChoices):
    """The term that a letter uses for the injured worker."""

    INJURED_WORKER = "injured worker", "injured worker"
    PATIENT = "patient", "patient"
    APPLICANT = "applicant", "applicant"


class EvidenceRank(models.TextChoices):
    """The ranks of evidence of Labor Code 4610.5(c)(2), highest first."""

    A = "A", "A. Medical Treatment Utilization Schedule (MTUS)"
    B = "B", "B. Peer-reviewed scientific and medical evidence"
    C = "C", "C. Nationally recognized professional standards"
    D = "D", "D. Expert opinion"
    E = "E", "E. Generally accepted standards of medical practice"
    F = "F", "F. Likely to benefit where other treatments are not effective"


class RuleText(DatedRow):
    """What the law requires at one check of a review, for requests from a day to a day.

    The day is that of the request for authorization, or of the service if the request is
    retrospective.
    """

    KEY = ["code"]

    class Code(models.TextChoices):
        HIGHER_RANK = HIGHER_RANK, "Evidence below the first rank"

    code = models.CharField("check", max_length=40, choices=Code)
    sentence = models.CharField(max_length=400)  # what the reviewer has to do

    class Meta(Versioned.Meta):
        verbose_name = "evidence rule"

    def __str__(self) -> str:
        return f"{self.get_code_display()}, from {self.effective_from:%m/%d/%Y}"

    def clean(self) -> None:
        """Refuse days that overlap with another row or leave a gap, on the form of the row.

        :raises ValidationError: naming both rows.
        """
        if self.effective_from is None:
            return  # the form already says that the day is missing
        try:
            refuse_gap_or_overlap([*self.versions_of_the_law().exclude(pk=self.pk), self])
        except BadRules as problem:
            raise ValidationError(str(problem)) from problem

    def as_text(self) -> DatedText:
        """Return the row as the checks read it."""
        return DatedText(
            code=self.code,
            effective_from=self.effective_from,
            effective_to=self.effective_to,
            sentence=self.sentence,
            source=self.source,
            is_confirmed=self.is_confirmed,
        )


class Review(Versioned):
    """A reviewer's work on a case: the clinical case summary and the state of the review."""

    class State(models.TextChoices):
        WRITING = "WRITING", "Being written"
        SUBMITTED = "SUBMITTED", "Submitted"
        RETURNED = "RETURNED", "Returned for changes"
        FINISHED = "FINISHED", "Finished"

    assignment = models.OneToOneField(
        ReviewerAssignment, on_delete=models.PROTECT, related_name="review"
    )
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.OWN)
    state = models.CharField(max_length=12, choices=State, default=State.WRITING)
    party_term = models.CharField(
        max_length=20, choices=PartyTerm, default=PartyTerm.INJURED_WORKER, blank=True
    )
    summary = models.TextField(blank=True)
    submitted_at = models.DateTimeField(null=True)
    times_submitted = models.PositiveSmallIntegerField(default=0)

    class Meta(Versioned.Meta):
        constraints = [
            models.CheckConstraint(
                # Published letters come without the text of the summary.
                name="review_submitted_has_summary",
                condition=Q(origin=Origin.PUBLISHED)
                | Q(state__in=["WRITING", "RETURNED"])
                | ~Q(summary=""),
            )
        ]

    def __str__(self) -> str:
        return f"Review of {self.assignment}"


class Opinion(Versioned):
    """One reviewer's decision on one disputed item, with the rationale."""

    assignment = models.ForeignKey(
        ReviewerAssignment, on_delete=models.PROTECT, related_name="opinions"
    )
    item = models.ForeignKey(DisputedItem, on_delete=models.PROTECT, related_name="opinions")
    outcome = models.CharField(max_length=12, choices=outcome_choices, blank=True)
    rationale = models.TextField(blank=True)
    basis = models.CharField(max_length=1, choices=EvidenceRank, blank=True)
    why_not_higher = models.TextField(blank=True)  # required when the basis is not A
    notices = models.JSONField(default=list, blank=True)  # codes, e.g. "opioid-taper"

    class Meta(Versioned.Meta):
        constraints = [models.UniqueConstraint(name="opinion_once", fields=["assignment", "item"])]

    def __str__(self) -> str:
        return f"Opinion on {self.item}"


class OpinionCitation(CitationFields, Versioned):
    """An authority that the reviewer cites for an item, with its position."""

    opinion = models.ForeignKey(Opinion, on_delete=models.PROTECT, related_name="citations")
    recommendation = models.ForeignKey(
        Recommendation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    removed_at = models.DateTimeField(null=True)  # removed by the reviewer, but kept in the history

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="opinion_citation_order",
                # Removed citations keep their position, so only the others must be distinct.
                fields=["opinion", "position"],
                condition=Q(removed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.opinion}, citation {self.position}"


# No ``Versioned``: autosave writes every few seconds, and each write would become a version.
class Draft(models.Model):
    """Text that a reviewer has typed since the last version. Autosave writes it, with a revision.

    A version is made from it when the reviewer leaves the part, submits, or after 15 minutes of
    editing.
    """

    assignment = models.ForeignKey(
        ReviewerAssignment, on_delete=models.PROTECT, related_name="drafts"
    )
    part = models.CharField(max_length=24)  # "summary" or "item-<id>"
    content = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)  # first save since the last version
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="draft_once", fields=["assignment", "part"])]

    def __str__(self) -> str:
        return f"Draft of {self.part}"


class Determination(Versioned):
    """The decision of a case in one round, derived from the opinions."""

    class State(models.TextChoices):
        IN_QA = "IN_QA", "In QA review"
        RETURNED = "RETURNED", "Returned for changes"
        APPROVED = "APPROVED", "Approved"
        ISSUED = "ISSUED", "Issued"
        SET_ASIDE = "SET_ASIDE", "Set aside"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="determinations")
    round = models.PositiveSmallIntegerField()
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.OWN)
    state = models.CharField(max_length=12, choices=State, default=State.IN_QA)
    outcome = models.CharField(max_length=20, choices=case_outcome_choices, blank=True)
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    issued_at = models.DateTimeField(null=True)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_on = models.DateField(null=True)  # Pacific day of issue
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="determination_one_live_per_round",
                fields=["case", "round"],
                # A second determination of a round is possible only after the first was set aside.
                condition=~Q(state="SET_ASIDE"),
            ),
            models.CheckConstraint(
                # An issued determination binds the parties, so nothing may be missing. Published
                # letters do not say who approved or issued them.
                name="determination_issued_whole",
                condition=Q(origin=Origin.PUBLISHED)
                | ~Q(state="ISSUED")
                | Q(
                    issued_at__isnull=False,
                    issued_by__isnull=False,
                    approved_by__isnull=False,
                    decided_on__isnull=False,
                    letter__isnull=False,
                )
                & ~Q(outcome=""),
            ),
        ]

    def __str__(self) -> str:
        return f"Determination of {self.case}, round {self.round}"


class DecidedItem(Versioned):
    """The outcome of one item in a determination, and how it was derived from the opinions."""

    class Derivation(models.TextChoices):
        ONE_REVIEWER = "ONE_REVIEWER", "One reviewer"
        MAJORITY = "MAJORITY", "Majority"
        EVEN_SPLIT = "EVEN_SPLIT", "Even split, so the treatment is approved"
        AS_PRINTED = "AS_PRINTED", "As printed in the published letter"

    determination = models.ForeignKey(
        Determination, on_delete=models.PROTECT, related_name="decided_items"
    )
    item = models.ForeignKey(DisputedItem, on_delete=models.PROTECT, related_name="decided")
    outcome = models.CharField(max_length=12, choices=outcome_choices)
    how = models.CharField(max_length=16, choices=Derivation)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="decided_item_once", fields=["determination", "item"])
        ]

    def __str__(self) -> str:
        return f"{self.item}: {self.get_outcome_display()}"


class CredentialStatement(Versioned):
    """One reviewer's credentials as the letter prints them, stored at issue. Never a name."""

    determination = models.ForeignKey(
        Determination, on_delete=models.PROTECT, related_name="credential_statements"
    )
    seat = models.PositiveSmallIntegerField(default=1)
    label = models.CharField(max_length=60, default="expert reviewer")
    # Copied from the reviewer's file: its later changes must not change an issued letter.
    specialties = models.JSONField(default=list)  # in printed order
    license_states = models.JSONField(default=list)  # in printed order
    separator = models.CharField(max_length=20, blank=True)
    placement = models.CharField(max_length=120, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="credential_statement_once", fields=["determination", "seat"]
            )
        ]

    def __str__(self) -> str:
        return f"Credentials in {self.determination}"


class QualityReview(Versioned):
    """One QA review of a determination: returned with a comment, or approved."""

    class Result(models.TextChoices):
        RETURNED = "RETURNED", "Returned for changes"
        APPROVED = "APPROVED", "Approved"

    determination = models.ForeignKey(
        Determination, on_delete=models.PROTECT, related_name="quality_reviews"
    )
    number = models.PositiveSmallIntegerField()
    result = models.CharField(max_length=12, choices=Result)
    comment = models.TextField(blank=True)
    item = models.ForeignKey(
        DisputedItem, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    seat = models.PositiveSmallIntegerField(null=True)  # the one reviewer that it is for, if any
    checked_at = models.DateTimeField()
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    voided_at = models.DateTimeField(null=True)  # when the medical director voided the approval

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="quality_review_numbered", fields=["determination", "number"]
            ),
            models.CheckConstraint(
                name="quality_return_says_why",
                condition=~Q(result="RETURNED") | ~Q(comment=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_result_display()}, QA review {self.number}"
