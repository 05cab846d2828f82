"""Letters of a case that staff see before they go: drafted by an act, approved by a person."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.versions import Versioned
from letters.kinds import case_letter_choices
from letters.models import Delivery, Letter

from .case import Case
from .history import Event
from .parties import Party


class CaseLetter(Versioned):
    """A letter about a case, from draft to sent: what it is about, and who answered for it.

    A draft holds no words: they are made from the facts of the day each time someone looks, and
    frozen in a ``letters.Letter`` for each recipient when a person approves.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        APPROVED = "APPROVED", "Approved"
        SENT = "SENT", "Sent"
        DISCARDED = "DISCARDED", "Discarded"

    class Discarded(models.TextChoices):
        OVERTAKEN = "OVERTAKEN", "Something else has happened since"
        OTHER_WAY = "OTHER_WAY", "The parties were told in another way"
        MISTAKE = "MISTAKE", "Drafted by mistake"
        NOT_NEEDED = "NOT_NEEDED", "Not needed in this case"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="case_letters")
    kind = models.CharField(max_length=24, choices=case_letter_choices)
    number = models.PositiveSmallIntegerField()  # 1, 2 … within case and kind
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    because = models.CharField(max_length=500, blank=True)  # in words, for whoever reads the draft
    caused_by = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="+")
    points = models.JSONField(default=list, blank=True)  # what is asked or missing, one text each
    particulars = models.TextField(blank=True)  # typed by a person; prints as typed
    left_out = models.JSONField(default=list, blank=True)  # ids of parties who do not get it
    drafted_at = models.DateTimeField()
    drafted_by = models.ForeignKey(  # empty: proposed by the system after an act
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
        indexes = [models.Index(fields=["state", "drafted_at", "id"], name="case_letter_by_state")]
        constraints = [
            models.UniqueConstraint(
                name="case_letter_number_once", fields=["case", "kind", "number"]
            ),
            models.UniqueConstraint(
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

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT


class CaseLetterCopy(Versioned):
    """An approved letter to one recipient: its frozen words, and how it travels."""

    case_letter = models.ForeignKey(CaseLetter, on_delete=models.PROTECT, related_name="copies")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="+")
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="+")

    class Meta(Versioned.Meta):
        verbose_name_plural = "case letter copies"
        constraints = [
            models.UniqueConstraint(
                name="case_letter_once_per_recipient", fields=["case_letter", "party"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_letter} to {self.party}"
