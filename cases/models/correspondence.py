"""Letters of a case that a person approves before they are sent."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.versions import Versioned
from letters.kinds import case_letter_choices
from letters.models import Letter, Service

from .case import Case
from .history import Event
from .parties import Party


class CaseLetter(Versioned):
    """A letter about a case, from draft to sent, with the people who drafted and approved it.

    A draft has no text of its own: the text is composed from the current facts on each view. On
    approval it is frozen in one ``letters.Letter`` for each recipient.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        APPROVED = "APPROVED", "Approved"
        SENT = "SENT", "Sent"
        DISCARDED = "DISCARDED", "Discarded"

    class Discarded(models.TextChoices):
        OVERTAKEN = "OVERTAKEN", "No longer up to date"
        OTHER_WAY = "OTHER_WAY", "The parties were informed in another way"
        MISTAKE = "MISTAKE", "Drafted by mistake"
        NOT_NEEDED = "NOT_NEEDED", "Not needed in this case"
        UNDONE = "UNDONE", "The action that it followed was undone"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="case_letters")
    kind = models.CharField(max_length=24, choices=case_letter_choices)
    number = models.PositiveSmallIntegerField()  # 1, 2 … within case and kind
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    reason = models.CharField(max_length=500, blank=True)  # reason, shown with the draft
    caused_by = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="+")
    points = models.JSONField(default=list, blank=True)  # requested or missing facts, one text each
    particulars = models.TextField(blank=True)  # typed by a person; prints as typed
    left_out = models.JSONField(default=list, blank=True)  # ids of parties who do not receive it
    drafted_at = models.DateTimeField()
    drafted_by = models.ForeignKey(  # empty: drafted by the system after an action
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    sent_on = models.DateField(null=True)
    discarded_at = models.DateTimeField(null=True)
    discarded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    discarded_because = models.CharField(max_length=12, choices=Discarded, blank=True)

    class Meta(Versioned.Meta):
        # For the list of drafts of all cases, oldest first.
        indexes = [models.Index(fields=["state", "drafted_at", "id"], name="case_letter_by_state")]
        constraints = [
            models.UniqueConstraint(
                name="case_letter_number_once", fields=["case", "kind", "number"]
            ),
            models.UniqueConstraint(
                # A second action before approval updates the draft: the party gets one letter.
                name="case_letter_one_draft_per_kind",
                fields=["case", "kind"],
                condition=Q(state="DRAFT"),
            ),
            models.CheckConstraint(
                name="case_letter_approved_by_and_at",
                condition=Q(
                    state__in=["APPROVED", "SENT"],
                    approved_at__isnull=False,
                    approved_by__isnull=False,
                )
                | Q(
                    state__in=["DRAFT", "DISCARDED"],
                    approved_at__isnull=True,
                    approved_by__isnull=True,
                ),
            ),
            models.CheckConstraint(
                name="case_letter_discarded_says_why",
                condition=Q(
                    state="DISCARDED",
                    discarded_at__isnull=False,
                    discarded_by__isnull=False,
                    discarded_because__gt="",
                )
                | (~Q(state="DISCARDED") & Q(discarded_at__isnull=True, discarded_because="")),
            ),
            models.CheckConstraint(
                name="case_letter_sent_on_iff_sent",
                condition=Q(state="SENT", sent_on__isnull=False)
                | (~Q(state="SENT") & Q(sent_on__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_kind_display().lower()}"

    def get_absolute_url(self) -> str:
        return reverse("correspondence:letter", args=[self.case.number, self.pk])

    def current_copies(self) -> models.QuerySet["CaseLetterCopy"]:
        """Select the copies of the approval in force, with party, letter and service."""
        rows = self.copies.filter(taken_back_at__isnull=True)
        return rows.select_related("party", "letter", "service").order_by("pk")

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT


class CaseLetterCopy(Versioned):
    """An approved letter to one recipient: its frozen text and its service."""

    case_letter = models.ForeignKey(CaseLetter, on_delete=models.PROTECT, related_name="copies")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    # A letter of its own for each recipient, because deadlines run from service to that recipient.
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="+")
    service = models.OneToOneField(Service, on_delete=models.PROTECT, related_name="+")
    # The approval was undone: this copy never left, and a new approval makes another one.
    taken_back_at = models.DateTimeField(null=True)

    class Meta(Versioned.Meta):
        verbose_name_plural = "case letter copies"
        constraints = [
            models.UniqueConstraint(
                name="case_letter_once_per_recipient",
                fields=["case_letter", "party"],
                condition=Q(taken_back_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_letter} to {self.party}"
