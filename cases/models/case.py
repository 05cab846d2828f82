"""The case: one application for independent medical review, from receipt to closure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.versions import Versioned, VersionedQuerySet
from cases.lifecycle import (
    CLOSED_STATES,
    NEXT_ROLE,
    QUEUE_OF,
    CannotMove,
    Status,
    is_open,
    refuse_illegal_move,
)

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "CannotMove",
    "Case",
    "CaseLink",
    "CaseNumberSeries",
    "Origin",
    "Priority",
    "Status",
]


class Origin(models.TextChoices):
    """Whether we made the case or read it out of a published letter."""

    OWN = "OWN", "Our own"
    PUBLISHED = "PUBLISHED", "Loaded from a published letter"


class Priority(models.TextChoices):
    """How fast the law wants the case decided; an attribute, not a state."""

    REGULAR = "REGULAR", "Regular"
    EXPEDITED = "EXPEDITED", "Expedited"
    FORMULARY = "FORMULARY", "Formulary"


class Sex(models.TextChoices):
    FEMALE = "FEMALE", "Female"
    MALE = "MALE", "Male"


class CaseQuerySet(VersionedQuerySet):
    """The questions the office asks about its cases."""

    def own(self) -> Self:
        return self.filter(origin=Origin.OWN)

    def open(self) -> Self:
        return self.filter(is_open=True)

    def lock(self, pk: int) -> Case:
        """Lock one case until the transaction ends, and return it as it is from then on.

        What a service judges it reads after this call: a row that was read before may have changed
        while the call waited.

        :raises Case.DoesNotExist: no such case.
        """
        return self._for_update().get(pk=pk)

    def lock_all(self, pks: Iterable[int]) -> dict[int, Case]:
        """Lock several cases in the order of their ids, so that no two callers block each other."""
        return {case.pk: case for case in self._for_update().filter(pk__in=pks).order_by("pk")}

    def lock_first(self, *, skip_locked: bool = False) -> Case | None:
        """Lock the first of these cases, if there is one.

        :param skip_locked: pass over a case that someone else has locked, instead of waiting.
        """
        return self._for_update(skip_locked=skip_locked).first()

    def _for_update(self, *, skip_locked: bool = False) -> Self:
        # A row joined in the locking statement is read before the wait, so it would be stale.
        return self.select_related(None).select_for_update(skip_locked=skip_locked)

    def in_queue(self, slug: str) -> Self:
        """The cases of one list, most urgent first."""
        return self.filter(queue=slug).order_by("due_on", "pk")

    def held(self, *, on: date) -> Self:
        """Cases that are on hold on a day. A hold that has reached its end does not count."""
        return self.filter(_is_held(on))

    def not_held(self, *, on: date) -> Self:
        """Cases that are not on hold on a day."""
        return self.exclude(_is_held(on))

    def to_work(self, *, on: date) -> Self:
        """Cases to work on that day: those that are not on hold, and those on hold that are due.

        A case whose deadlines have stopped has a day to sort by, but nothing falls due on it.
        """
        is_due = Q(due_on__lte=on) & ~Q(due_deadline_kind="")
        return self.filter(~_is_held(on) | is_due)

    def after(self, due_on: date, pk: int) -> Self:
        """What follows a row in ``due_on, pk`` order: the next page, without counting."""
        return self.filter(Q(due_on__gt=due_on) | Q(due_on=due_on, pk__gt=pk))


def _is_held(on: date) -> Q:
    return Q(held_until__gt=on)


class Case(Versioned):
    """One application for independent medical review."""

    number = models.CharField(max_length=20, unique=True)
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.OWN)
    status = models.CharField(max_length=20, choices=Status, default=Status.RECEIVED)
    is_open = models.BooleanField(default=True)  # stored by move_to; a queue's index needs it
    next_role = models.CharField(max_length=20, blank=True)  # stored by move_to
    queue = models.CharField(max_length=12, blank=True, default="intake")  # stored by move_to
    priority = models.CharField(max_length=12, choices=Priority, default=Priority.REGULAR)
    round = models.PositiveSmallIntegerField(default=1)  # a remand opens the next one

    received_at = models.DateTimeField(null=True)  # NULL only where a publication is silent
    received_on = models.DateField(null=True)  # the local day that the law counts
    assigned_on = models.DateField(null=True)  # date of notice; letters print "Date Assigned"
    records_complete_on = models.DateField(null=True)
    decided_on = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)

    # The day on which the next duty falls due: what queues sort by. Its sum is in Deadline.
    due_on = models.DateField()
    due_deadline_kind = models.CharField(max_length=40, blank=True)
    # The first day on which work goes on, while a hold of the whole case is on file. A day that has
    # come holds nothing: whoever reads it compares it with today. Its rows are in Hold.
    held_until = models.DateField(null=True)

    date_of_injury = models.DateField(null=True)
    date_of_injury_printed = models.CharField(max_length=60, blank=True)
    claim_number = models.CharField(max_length=60, blank=True)
    claim_number_normal = models.CharField(max_length=60, blank=True, db_index=True)
    eams_number = models.CharField(max_length=40, blank=True)
    wcis_number = models.CharField(max_length=40, blank=True)
    diagnosis = models.CharField(max_length=500, blank=True)
    sex = models.CharField(max_length=8, choices=Sex, blank=True)
    age_stated = models.PositiveSmallIntegerField(null=True)  # as a publication states it
    body_parts = models.JSONField(default=list, blank=True)

    ur_decision = models.ForeignKey(
        "URDecision", on_delete=models.PROTECT, null=True, related_name="cases"
    )
    duplicate_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="duplicates"
    )
    # Grows with every party added or changed: conflict results say which list they tested.
    party_list_version = models.PositiveIntegerField(default=0)
    # Ids of users who may not act on the case, by the latest OwnConflictResult rows: asked at every
    # act.
    barred_staff = models.JSONField(default=list, blank=True)

    objects: ClassVar[Any] = CaseQuerySet.as_manager()

    class Meta(Versioned.Meta):
        indexes = [
            models.Index(fields=["next_role", "is_open", "due_on", "id"], name="case_queue"),
            models.Index(fields=["queue", "due_on", "id"], name="case_in_queue"),
            models.Index(fields=["queue", "received_on", "id"], name="case_by_arrival"),
            models.Index(fields=["queue", "status", "due_on", "id"], name="case_in_stage"),
            models.Index(fields=["is_open", "due_on", "id"], name="case_due"),
            # What waits without a date is rare, and is looked for on every my day.
            models.Index(
                fields=["next_role", "due_on", "id"],
                name="case_without_date",
                condition=Q(is_open=True, due_deadline_kind=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="case_closed_at_iff_closed",
                condition=Q(origin=Origin.PUBLISHED)
                | Q(status__in=CLOSED_STATES, closed_at__isnull=False)
                | Q(~Q(status__in=CLOSED_STATES), closed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="case_open_iff_not_closed",
                condition=Q(status__in=CLOSED_STATES, is_open=False)
                | Q(~Q(status__in=CLOSED_STATES), is_open=True),
            ),
            models.CheckConstraint(
                name="case_open_names_who_acts",
                condition=Q(is_open=False) | ~Q(next_role=""),
            ),
            models.CheckConstraint(
                name="case_own_has_received",
                condition=Q(origin=Origin.PUBLISHED)
                | Q(received_at__isnull=False, received_on__isnull=False),
            ),
            models.CheckConstraint(
                name="case_duplicate_names_its_lead",
                condition=~Q(status=Status.DUPLICATE) | Q(duplicate_of__isnull=False),
            ),
            models.UniqueConstraint(
                name="case_one_open_per_ur_decision",
                fields=["ur_decision"],
                condition=Q(is_open=True, duplicate_of__isnull=True, origin=Origin.OWN),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("desk:case", args=[self.number])

    @property
    def stage(self) -> Status:
        return Status(self.status)

    def move_to(self, status: Status, *, by: User | None, at: datetime, why: str = "") -> None:
        """Make one legal move, and store who acts next. The only door; lock the case first.

        :raises CannotMove: the lifecycle has no such move.
        """
        refuse_illegal_move(self.number, self.stage, status)
        self.status = status
        self.is_open = is_open(status)
        self.next_role, self.queue = NEXT_ROLE[status], QUEUE_OF[status]
        self.closed_at = None if self.is_open else at
        self.store(
            by=by,
            at=at,
            why=why,
            fields=["status", "is_open", "next_role", "queue", "closed_at"],
        )

    def set_due(self, on: date, deadline_kind: str, *, by: User | None, at: datetime) -> None:
        """Say when the next duty falls due, and which deadline says so."""
        self.due_on, self.due_deadline_kind = on, deadline_kind
        self.store(
            by=by,
            at=at,
            why=f"Due by deadline {deadline_kind}",
            fields=["due_on", "due_deadline_kind"],
        )


class CaseLink(Versioned):
    """Two cases belong together, with the reason; readable from both sides, never removed."""

    class Kind(models.TextChoices):
        DUPLICATE = "DUPLICATE", "Duplicate of"
        CONSOLIDATED = "CONSOLIDATED", "Consolidated into"
        PRIOR = "PRIOR", "Earlier case on the same treatment"
        SPLIT = "SPLIT", "Split from"

    kind = models.CharField(max_length=16, choices=Kind)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links")
    other = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="linked_from")
    reason = models.CharField(max_length=500)
    ended_at = models.DateTimeField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="case_link_once",
                fields=["kind", "case", "other"],
                condition=Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="case_link_to_another", condition=~Q(case=models.F("other"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_kind_display().lower()} {self.other}"


class CaseNumberSeries(models.Model):
    """The last serial given in a year. Locked while a number is taken; gaps are harmless."""

    year = models.PositiveSmallIntegerField(unique=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"
