"""Actions that can be taken back for a short time."""

from django.conf import settings
from django.db import models

from accounts.versions import Versioned

from .case import Case
from .history import Event


class UndoableAct(Versioned):
    """One action that can be undone, with what it changed, until when, and who undid it.

    The versions of the rows before the action say what to restore; those after it say whether
    anything followed.
    """

    class Kind(models.TextChoices):
        FOUND_ELIGIBLE = "FOUND_ELIGIBLE", "Found eligible"
        OFFERED = "OFFERED", "Offered to a reviewer"
        QA_APPROVED = "QA_APPROVED", "Approved for issue"
        CLOSED = "CLOSED", "Closed"
        LETTER_APPROVED = "LETTER_APPROVED", "Letter approved"
        # What a person recorded as sent can have been recorded in error.
        NOTICES_SENT = "NOTICES_SENT", "NOARFI notices marked as sent"
        LETTER_SENT = "LETTER_SENT", "Letter marked as sent"
        DETERMINATION_SENT = "DETERMINATION_SENT", "Determination marked as sent"

    SENT = frozenset({Kind.NOTICES_SENT, Kind.LETTER_SENT, Kind.DETERMINATION_SENT})

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="undoable_acts")
    kind = models.CharField(max_length=20, choices=Kind)
    # The id of the decision, assignment, QA review or letter, by the kind; 0 for the case itself.
    subject_id = models.PositiveBigIntegerField(default=0)
    done_at = models.DateTimeField()
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    until = models.DateTimeField()  # the end of the time in which it can be undone
    last_event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="+")
    rows_before = models.JSONField(default=dict, blank=True)  # model to id to version
    rows_after = models.JSONField(default=dict, blank=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        indexes = [models.Index(fields=["case", "until"], name="undoable_act_of_case")]
        constraints = [
            models.CheckConstraint(
                name="undoable_act_undone_by_and_at",
                condition=models.Q(undone_at__isnull=True, undone_by__isnull=True)
                | models.Q(undone_at__isnull=False, undone_by__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_kind_display()}"

    @property
    def is_sent_mark(self) -> bool:
        """Whether it recorded that something was sent, which can be recorded in error."""
        return self.kind in self.SENT
