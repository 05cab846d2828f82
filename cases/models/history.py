"""Events, notices and deadlines of a case."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from accounts.versions import Versioned
from letters.models import Letter, Service

from .case import Case
from .parties import Party


class Event(models.Model):
    """One action on a case, written by its service in the same transaction. Append-only."""

    EVENT_OWNER: ClassVar[str] = "case_id"

    class Kind(models.TextChoices):
        RECEIVED = "RECEIVED", "Application received"
        LOADED = "LOADED", "Loaded from a published letter"
        LINKED = "LINKED", "Linked to another case"
        CHANGED = "CHANGED", "Details changed"
        FOUND_ELIGIBLE = "FOUND_ELIGIBLE", "Found eligible"
        FOUND_INELIGIBLE = "FOUND_INELIGIBLE", "Found ineligible"
        DEFERRED = "DEFERRED", "Deferred"
        SCREENED = "SCREENED", "Eligibility review, a fact is missing"
        NOTICES_MADE = "NOTICES_MADE", "NOARFI notices prepared"
        NOTICES_SENT = "NOTICES_SENT", "NOARFI notices sent"
        DOCUMENT_RECEIVED = "DOCUMENT_RECEIVED", "Document received"
        RECORD_ADDED = "RECORD_ADDED", "Record added"
        RECORD_REMOVED = "RECORD_REMOVED", "Record removed"
        RECORDS_COMPLETE = "RECORDS_COMPLETE", "Records marked complete"
        REVIEWER_OFFERED = "REVIEWER_OFFERED", "Offered to a reviewer"
        REVIEWER_ATTESTED = "REVIEWER_ATTESTED", "Reviewer attested no conflict"
        REVIEWER_DECLINED = "REVIEWER_DECLINED", "Reviewer declined"
        REVIEWER_REMOVED = "REVIEWER_REMOVED", "Reviewer removed"
        RECORDS_DISPATCHED = "RECORDS_DISPATCHED", "Case file sent to the reviewer"
        SUBMITTED = "SUBMITTED", "Review submitted"
        QA_RETURNED = "QA_RETURNED", "Returned by quality assurance"
        QA_APPROVED = "QA_APPROVED", "Approved by quality assurance"
        APPROVAL_VOIDED = "APPROVAL_VOIDED", "Approval voided"
        ISSUED = "ISSUED", "Determination issued"
        LETTER_SENT = "LETTER_SENT", "Letter sent"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        TERMINATED = "TERMINATED", "Terminated"
        CLOSED = "CLOSED", "Closed"
        REOPENED = "REOPENED", "Reopened"
        NOTE = "NOTE", "Note"
        RECEIVED_CORRECTED = "RECEIVED_CORRECTED", "Received date corrected"
        DUPLICATE_SETTLED = "DUPLICATE_SETTLED", "Possible duplicate resolved"
        CONSOLIDATED = "CONSOLIDATED", "Consolidated"
        SEPARATED = "SEPARATED", "Separated"
        SPLIT = "SPLIT", "Split"
        MERGED_BACK = "MERGED_BACK", "Merged back"
        INFO_ASKED = "INFO_ASKED", "Information requested"
        INFO_ANSWERED = "INFO_ANSWERED", "Information received"
        WAIVED = "WAIVED", "Lateness waived"
        CASE_LETTER = "CASE_LETTER", "Letter"
        PARTY_CHANGED = "PARTY_CHANGED", "Party changed"
        ITEM_CHANGE_ASKED = "ITEM_CHANGE_ASKED", "Item change proposed"
        ITEM_CHANGED = "ITEM_CHANGED", "Item changed"
        ITEM_CHANGE_REFUSED = "ITEM_CHANGE_REFUSED", "Item change refused"
        HELD = "HELD", "Hold begun"
        HOLD_ENDED = "HOLD_ENDED", "Hold ended"
        EXTENDED = "EXTENDED", "Time extended"
        CONVERTED = "CONVERTED", "Priority changed"
        COMMITMENT = "COMMITMENT", "Commitment to a party"
        CALL = "CALL", "Telephone call"
        REMINDED = "REMINDED", "Reminder about records"
        SEATS_APPROVED = "SEATS_APPROVED", "More reviewers approved"
        RESTRICTED = "RESTRICTED", "Case restricted"
        RESTRICTION_LIFTED = "RESTRICTION_LIFTED", "Restriction lifted"
        CLEARED = "CLEARED", "Clearance granted"
        CLEARANCE_ENDED = "CLEARANCE_ENDED", "Clearance ended"
        UNDONE = "UNDONE", "Undone"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=24, choices=Kind)
    happened_at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # Actions of a reviewer: without reviewers.view_identity one reads only "the reviewer".
    by_reviewer_seat = models.PositiveSmallIntegerField(null=True)
    sentence = models.TextField()  # shown on the timeline; never names a reviewer
    why = models.TextField(blank=True)
    facts = models.JSONField(default=dict, blank=True)  # ids, and values before and after
    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, null=True, related_name="+")
    caused_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["case", "happened_at", "id"], name="event_of_case")]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_kind_display()}"


class AssignmentNotice(Versioned):
    """Notice of Assignment and Request for Information (NOARFI) to one recipient.

    It allows 15 or 12 days, depending on the channel (8 CCR 9792.10.5(a)(1)).
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    round = models.PositiveSmallIntegerField()
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="+")
    service = models.OneToOneField(Service, on_delete=models.PROTECT, related_name="+")
    sent_on = models.DateField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            # A remand sends new notices in its round.
            models.UniqueConstraint(name="notice_once", fields=["case", "round", "party"])
        ]

    def __str__(self) -> str:
        return f"Notice to {self.party}"


# Shown for information only: nobody in the office has to do anything by these dates.
_NO_DUTY_OF_THE_CASE = frozenset(
    {
        "notice_mark",
        "own_papers",
        "own_papers_expedited",
        "petition",
        "authorize",
        "reimburse",
    }
)


class Deadline(Versioned):
    """A due date with its calculation: trigger, rule, source, days added, roll, result."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="deadlines")
    round = models.PositiveSmallIntegerField()
    deadline_kind = models.CharField(max_length=40)
    # The service of a letter from which it runs, if each recipient has a deadline of its own.
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, related_name="+")
    given = models.JSONField(default=dict)  # the trigger facts, as the deadline engine names them
    due_on = models.DateField(null=True)  # NULL while a fact is missing; ``unknown`` says which
    # The earliest day that could be argued to be the last one. Letters give parties this day.
    file_by = models.DateField(null=True)
    due_at = models.DateTimeField(null=True)  # set for deadlines that run in hours
    target_on = models.DateField(null=True)  # our own earlier target
    steps = models.JSONField(default=list)  # the calculation, line by line
    unknown = models.TextField(blank=True)  # why there is no date, as a sentence
    met_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                # Satisfied rows count too, because they can be reopened.
                name="deadline_one_live_per_kind",
                fields=["case", "round", "deadline_kind"],
                condition=models.Q(replaced_at__isnull=True, service__isnull=True),
            ),
            models.UniqueConstraint(
                name="deadline_one_live_per_service",
                fields=["deadline_kind", "service"],
                condition=models.Q(replaced_at__isnull=True, service__isnull=False),
            ),
            models.CheckConstraint(
                # A missing date without a reason would look as if nothing were due.
                name="deadline_has_a_date_or_says_why_not",
                condition=models.Q(due_on__isnull=False, unknown="")
                | (models.Q(due_on__isnull=True) & ~models.Q(unknown="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deadline_kind} due {self.due_on or 'on a day not known'}"

    @property
    def legal_steps(self) -> list[dict[str, Any]]:
        """The steps that lead to the legal date."""
        return self.steps[: self._result()]

    @property
    def target_steps(self) -> list[dict[str, Any]]:
        """The steps from the legal date to the internal target; empty for duties of others."""
        return self.steps[self._result() :]

    def _result(self) -> int:
        """Count the steps of the legal date; the last of them is its result."""
        kinds = [step["kind"] for step in self.steps]
        return kinds.index("RESULT") + 1 if "RESULT" in kinds else len(kinds)

    @property
    def decides_nothing(self) -> bool:
        """Whether it is shown for information only, or is a right of a party."""
        return self.deadline_kind in _NO_DUTY_OF_THE_CASE

    @property
    def is_confirmed(self) -> bool:
        """Whether every rule in the calculation was compared with the text of the law."""
        # Steps without a source are arithmetic, not law.
        return all(step["confirmed"] for step in self.steps if step["source"])
