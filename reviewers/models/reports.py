"""What reviewers tell of themselves: a change of licence, board or sanction, to be looked into."""

from django.conf import settings
from django.db import models

from accounts.versions import Versioned

from .panel import Reviewer


class ReportedChange(Versioned):
    """A change that a reviewer reports, with the day it happened and the day we were told."""

    class Subject(models.TextChoices):
        LICENCE = "LICENCE", "Licence"
        BOARD = "BOARD", "Board certificate"
        SANCTION = "SANCTION", "Discipline or sanction"
        PRACTICE = "PRACTICE", "Practice or weekly hours"
        TIE = "TIE", "A new tie to an organisation"

    reviewer = models.ForeignKey(Reviewer, on_delete=models.PROTECT, related_name="reports")
    subject = models.CharField(max_length=12, choices=Subject)
    words = models.CharField(max_length=1000)
    changed_on = models.DateField()
    reported_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    settled_note = models.CharField(max_length=300, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.CheckConstraint(
                name="report_settled_with_note",
                condition=models.Q(settled_at__isnull=True) | ~models.Q(settled_note=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_subject_display()} of {self.reviewer}"
