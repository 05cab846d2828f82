"""Complaints of parties, their answers, and the corrective actions that follow from them."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value, When
from django.urls import reverse

from accounts.versions import Versioned, VersionedQuerySet
from cases.models import Case
from cases.models.restrictions import select_visible

if TYPE_CHECKING:
    from accounts.models import User


class ComplaintQuerySet(VersionedQuerySet):
    """Queries of complaints."""

    def visible_to(self, user: "User") -> Self:
        """Leave out what a person may not read.

        Complaints about a case that is hidden from the person, and, unless the role reads all,
        those that someone else recorded.
        """
        rows: Self = select_visible(self, user)
        if user.may("complaints.view_all_complaints"):
            return rows
        return rows.filter(recorded_by=user)

    def with_state(self) -> Self:
        """Add ``state``, which follows from the answer and the corrective actions."""
        undone = CorrectiveAction.objects.filter(complaint=OuterRef("pk"), done_on=None)
        state = models.Case(
            When(answered_on=None, then=Value(Complaint.State.OPEN)),
            When(Exists(undone), then=Value(Complaint.State.ANSWERED)),
            default=Value(Complaint.State.CLOSED),
            output_field=models.CharField(),
        )
        return self.annotate(state=state)

    def in_list_order(self) -> Self:
        """Order open ones first, by their limit; then the others, the latest received first."""
        return self.order_by(
            models.Case(When(answered_on=None, then=Value(0)), default=Value(1)),
            models.Case(When(answered_on=None, then=F("answer_due_on"))),
            "-received_on",
            "-pk",
        )

    def overdue(self, today: date) -> Self:
        """Select those that should have been answered before today and are not."""
        return self.filter(answered_on=None, answer_due_on__lt=today)


class Complaint(Versioned):
    """What a party complained about, the day by which it is answered, and the answer."""

    class State(models.TextChoices):
        OPEN = "OPEN", "Open"
        # A corrective action is not done yet.
        ANSWERED = "ANSWERED", "Answered"
        CLOSED = "CLOSED", "Closed"

    class Channel(models.TextChoices):
        PHONE = "PHONE", "Phone"
        MAIL = "MAIL", "Mail"
        FAX = "FAX", "Fax"
        EMAIL = "EMAIL", "Email"
        PORTAL = "PORTAL", "Portal"

    class PartyKind(models.TextChoices):
        EMPLOYEE = "EMPLOYEE", "Injured worker"
        REPRESENTATIVE = "REPRESENTATIVE", "Attorney or other representative"
        CLAIMS_ADMINISTRATOR = "CLAIMS_ADMINISTRATOR", "Claims administrator"
        PHYSICIAN = "PHYSICIAN", "Requesting physician or provider"
        OTHER = "OTHER", "Someone else"
        NOT_NAMED = "NOT_NAMED", "Gave no name"

    class Category(models.TextChoices):
        TIMELINESS = "TIMELINESS", "Timeliness"
        QUALITY = "QUALITY", "Quality of the determination"
        CONDUCT = "CONDUCT", "Conduct"
        COMMUNICATION = "COMMUNICATION", "Communication"
        CONFIDENTIALITY = "CONFIDENTIALITY", "Confidentiality"
        OTHER = "OTHER", "Other"

    received_on = models.DateField("received")
    channel = models.CharField("received by", max_length=8, choices=Channel)
    party_kind = models.CharField("from", max_length=24, choices=PartyKind)
    party_name = models.CharField("name", max_length=120, blank=True)
    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, null=True, blank=True, related_name="complaints"
    )
    category = models.CharField(max_length=16, choices=Category)
    text = models.TextField("complaint")
    answer_due_on = models.DateField("answer due")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.TextField(blank=True)
    answered_on = models.DateField("answered", null=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects: ClassVar[Any] = ComplaintQuerySet.as_manager()

    class Meta(Versioned.Meta):
        indexes = [
            models.Index(fields=["received_on", "id"], name="complaint_received"),
            models.Index(
                fields=["answer_due_on", "id"],
                name="complaint_open",
                condition=Q(answered_on__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="complaint_has_text", condition=~Q(text="")),
            models.CheckConstraint(
                name="complaint_names_its_party",
                condition=Q(party_kind="NOT_NAMED") | ~Q(party_name=""),
            ),
            models.CheckConstraint(
                name="complaint_due_after_receipt",
                condition=Q(answer_due_on__gte=F("received_on")),
            ),
            models.CheckConstraint(
                name="complaint_answered_on_and_by",
                condition=Q(answered_on__isnull=True, answered_by__isnull=True, answer="")
                | (Q(answered_on__gte=F("received_on"), answered_by__isnull=False) & ~Q(answer="")),
            ),
        ]

    def __str__(self) -> str:
        return f"Complaint {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("complaints:complaint", args=[self.pk])

    @property
    def party(self) -> str:
        """Who complained, in words."""
        return self.party_name or self.get_party_kind_display()

    @property
    def state_label(self) -> str:
        """The state in words, of a complaint that was loaded by ``with_state``."""
        return self.State(self.__dict__["state"]).label

    def state_with(self, actions: Iterable["CorrectiveAction"]) -> State:
        """Return the state that follows from the answer and all corrective actions. No queries."""
        if self.answered_on is None:
            return self.State.OPEN
        is_done = all(action.done_on is not None for action in actions)
        return self.State.CLOSED if is_done else self.State.ANSWERED

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been answered before today and is not."""
        return self.answered_on is None and self.answer_due_on < today


class CorrectiveActionQuerySet(VersionedQuerySet):
    """Queries of corrective actions."""

    def overdue(self, today: date) -> Self:
        """Select those that should have been done before today and are not."""
        return self.filter(done_on=None, due_on__lt=today)


class CorrectiveAction(Versioned):
    """What the organization changes because of a complaint, who sees to it, and until when."""

    complaint = models.ForeignKey(Complaint, on_delete=models.PROTECT, related_name="actions")
    description = models.CharField("action", max_length=500)
    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    due_on = models.DateField("due")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    done_on = models.DateField("done", null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    done_note = models.CharField("note", max_length=500, blank=True)

    objects: ClassVar[Any] = CorrectiveActionQuerySet.as_manager()

    class Meta(Versioned.Meta):
        indexes = [
            models.Index(
                fields=["due_on", "id"],
                name="corrective_action_undone",
                condition=Q(done_on__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="corrective_action_done_with_note",
                condition=Q(done_on__isnull=True, done_by__isnull=True, done_note="")
                | (Q(done_on__isnull=False, done_by__isnull=False) & ~Q(done_note="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.complaint}: {self.description}"

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been done before today and is not."""
        return self.done_on is None and self.due_on < today
