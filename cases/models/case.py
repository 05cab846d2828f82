"""The case: one application for independent medical review, from receipt to closure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from django.db import models
from django.db.models import F, Q
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
    refuse_illegal_undo,
)
from deadlines.kinds import DEADLINE_KINDS
from form_fields.dates import print_injury

from .restrictions import select_hidden_ids

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
    """Whether the case is our own or was loaded from a published letter."""

    OWN = "OWN", "Our own"
    PUBLISHED = "PUBLISHED", "Loaded from a published letter"


class Priority(models.TextChoices):
    """Priority of a case, which sets its legal deadlines. An attribute, not a state."""

    REGULAR = "REGULAR", "Regular"
    EXPEDITED = "EXPEDITED", "Expedited"
    FORMULARY = "FORMULARY", "Formulary"


# Added to the day of a case without a due date, so that lists have it after all dated ones.
AFTER_DATED = timedelta(days=1_000_000)


class Sex(models.TextChoices):
    FEMALE = "FEMALE", "Female"
    MALE = "MALE", "Male"


class ListPlace(NamedTuple):
    """The place of a case in lists by due date. Written as "2026-03-02,1,17" in addresses."""

    list_day: date
    urgency: int
    pk: int

    @property
    def is_expedited(self) -> bool:
        """Whether the case is among the expedited ones that stand first."""
        return self.urgency == 0 and self.list_day < date.min + AFTER_DATED


class CaseQuerySet(VersionedQuerySet):
    """Queries and locks of cases."""

    def own(self) -> Self:
        return self.filter(origin=Origin.OWN)

    def open(self) -> Self:
        return self.filter(is_open=True)

    def visible_to(self, user: User) -> Self:
        """Leave out restricted cases for which a person has no clearance.

        Every list, count, search, export and page finds cases by this method. System jobs and
        services that have been given a case do not need it.
        """
        return self.exclude(pk__in=select_hidden_ids(user))

    def lock(self, pk: int) -> Case:
        """Lock one case until the transaction ends, and return its current row.

        Services read everything they check after this call: a row read before may have changed
        while the call waited for the lock.

        :raises Case.DoesNotExist: no such case.
        """
        return self._for_update().get(pk=pk)

    def lock_all(self, pks: Iterable[int]) -> dict[int, Case]:
        """Lock several cases in the order of their ids, so that two callers cannot deadlock."""
        return {case.pk: case for case in self._for_update().filter(pk__in=pks).order_by("pk")}

    def lock_first(self, *, skip_locked: bool = False) -> Case | None:
        """Lock and return the first of these cases, or ``None``.

        :param skip_locked: skip cases that another transaction has locked, instead of waiting.
        """
        return self._for_update(skip_locked=skip_locked).first()

    def bulk_store(
        self,
        rows: Sequence[Any],
        *,
        by: User | None,
        at: datetime,
        why: str | Sequence[str] = "",
    ) -> None:
        """Insert new cases, with their places in lists, and their first versions."""
        for case in rows:
            case.set_list_order()
        super().bulk_store(rows, by=by, at=at, why=why)

    def move_all_to(
        self, cases: Sequence[Case], status: Status, *, by: User | None, at: datetime
    ) -> None:
        """Change the state of cases that were stored in this transaction, as ``Case.move_to``.

        :raises CannotMove: the lifecycle does not allow this move for one of them.
        """
        for case in cases:
            case._set_stage(status, at)
        self.bulk_store_changes(cases, fields=_STAGE_FIELDS, by=by, at=at)

    def set_due_of_all(
        self, cases: Sequence[Case], deadline_kind: str, *, by: User | None, at: datetime
    ) -> None:
        """Store the due dates that the caller has set on cases, as ``Case.set_due``."""
        for case in cases:
            case.due_deadline_kind = deadline_kind
            case.set_list_order()
        fields = [*_DUE_FIELDS, *_ORDER_FIELDS]
        self.bulk_store_changes(cases, fields=fields, by=by, at=at, why=_explain_due(deadline_kind))

    def _for_update(self, *, skip_locked: bool = False) -> Self:
        # A joined row would be read before the wait for the lock, so it could be out of date.
        return self.select_related(None).select_for_update(skip_locked=skip_locked)

    def in_queue(self, slug: str) -> Self:
        """Select the cases of one list, most urgent first."""
        # The order of the index case_in_queue, so that no sort is needed.
        return self.filter(queue=slug).order_by("list_day", "urgency", "pk")

    def held(self, *, on: date) -> Self:
        """Select the cases on hold on a day. A hold that has reached its end does not count."""
        return self.filter(_is_held(on))

    def not_held(self, *, on: date) -> Self:
        """Select the cases not on hold on a day."""
        return self.exclude(_is_held(on))

    def to_work(self, *, on: date) -> Self:
        """Select the cases to work on: those not on hold, and those on hold that are due.

        A case whose deadlines have stopped has a date to sort by but no due date.
        """
        return self.filter(~_is_held(on) | Q(list_day__lte=on))

    def expedited(self) -> Self:
        """Select the expedited cases that have a due date."""
        return self.filter(priority=Priority.EXPEDITED).exclude(due_deadline_kind="")

    def not_expedited(self) -> Self:
        """Select all other cases. An expedited case without a due date needs no haste."""
        return self.exclude(~Q(due_deadline_kind=""), urgency=0)

    def next_by_due_date(self, *, after: ListPlace | None = None, limit: int) -> list[Case]:
        """Return the next cases in the order of lists by due date.

        Expedited cases come first, whatever the day of others; then all by day. At most two
        queries, each in the order of an index.

        :param after: the place of the last case before; ``None`` for the first ones.
        """
        found: list[Case] = []
        if after is None or after.is_expedited:
            rows = self.expedited().order_by("list_day", "urgency", "pk")
            found = list((rows.after(*after) if after else rows)[:limit])
            after = None
        if len(found) < limit:
            rows = self.not_expedited().order_by("list_day", "urgency", "pk")
            found += (rows.after(*after) if after else rows)[: limit - len(found)]
        return found

    def after(self, list_day: date, urgency: int, pk: int) -> Self:
        """Select what follows a row in the order of ``in_queue``: the next page."""
        # By key and not by offset: cases that leave the list do not shift the next page.
        same_day = Q(urgency__gt=urgency) | Q(urgency=urgency, pk__gt=pk)
        # The plain bound lets the database start in the index.
        return self.filter(
            Q(list_day__gt=list_day) | Q(list_day=list_day) & same_day, list_day__gte=list_day
        )


_STAGE_FIELDS = ("status", "is_open", "next_role", "queue", "closed_at")
_DUE_FIELDS = ("due_on", "due_at", "due_deadline_kind")
_ORDER_FIELDS = ("list_day", "urgency")


def _explain_due(deadline_kind: str) -> str:
    # A kind that was removed since is still named.
    kind = DEADLINE_KINDS.get(deadline_kind)
    return f"Due by the deadline: {kind.label if kind else deadline_kind}"


def _is_held(on: date) -> Q:
    """Build the condition that a case is on hold on a day."""
    return Q(held_until__gt=on)


class Case(Versioned):
    """One application for independent medical review."""

    number = models.CharField(max_length=20, unique=True)
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.OWN)
    status = models.CharField(max_length=20, choices=Status, default=Status.RECEIVED)
    is_open = models.BooleanField(default=True)  # stored by move_to; indexes of lists need it
    next_role = models.CharField(max_length=20, blank=True)  # stored by move_to
    queue = models.CharField(max_length=12, blank=True, default="intake")  # stored by move_to
    priority = models.CharField(max_length=12, choices=Priority, default=Priority.REGULAR)
    round = models.PositiveSmallIntegerField(default=1)  # a remand opens the next one

    received_at = models.DateTimeField(null=True)  # NULL only in published letters without it
    received_on = models.DateField(null=True)  # the local day that the law counts
    assigned_on = models.DateField(null=True)  # date of notice; letters print "Date Assigned"
    records_complete_on = models.DateField(null=True)
    decided_on = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)

    # The next due date, by which lists are sorted. Its calculation is in Deadline.
    # Never NULL, because pages by key would skip the case.
    due_on = models.DateField()
    due_at = models.DateTimeField(null=True)  # its moment, if that deadline runs in hours
    due_deadline_kind = models.CharField(max_length=40, blank=True)
    # The order of lists, kept by ``store``: the due date, or a far later day if there is none;
    # within a day, expedited cases first. Lists by due date show all expedited cases before others.
    list_day = models.DateField()
    urgency = models.PositiveSmallIntegerField(default=1)  # 0: expedited
    # The first day after a hold of the whole case. Readers compare it with today: once the day has
    # come, the case is not on hold. The holds are in Hold.
    held_until = models.DateField(null=True)

    date_of_injury = models.DateField(null=True)  # the first day of a cumulative injury
    # Set for a cumulative injury alone, whose date is printed and compared as a period. The day
    # that Labor Code 5412 determines for it is on no form; see ``eligibility.rules``.
    injury_last_day = models.DateField(null=True)
    date_of_injury_printed = models.CharField(max_length=60, blank=True)
    claim_number = models.CharField(max_length=60, blank=True)
    claim_number_normal = models.CharField(max_length=60, blank=True, db_index=True)
    eams_number = models.CharField(max_length=40, blank=True)
    wcis_number = models.CharField(max_length=40, blank=True)
    diagnosis = models.CharField(max_length=500, blank=True)
    sex = models.CharField(max_length=8, choices=Sex, blank=True)
    age_stated = models.PositiveSmallIntegerField(null=True)  # as a publication states it
    body_parts = models.JSONField(default=list, blank=True)

    # NULL in published letters. Cases that were split from each other share it.
    application = models.ForeignKey(
        "Application", on_delete=models.PROTECT, null=True, related_name="cases"
    )
    ur_decision = models.ForeignKey(
        "URDecision", on_delete=models.PROTECT, null=True, related_name="cases"
    )
    duplicate_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="duplicates"
    )
    # The case from which items were split into this one; both are of one application.
    split_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="split_cases"
    )
    # Increases with every party added or changed. Conflict results name the version they used.
    party_list_version = models.PositiveIntegerField(default=0)
    # Ids of users barred by the latest OwnConflictResult rows. Stored here because every action
    # checks it.
    barred_staff = models.JSONField(default=list, blank=True)

    objects: ClassVar[Any] = CaseQuerySet.as_manager()

    class Meta(Versioned.Meta):
        indexes = [
            # Closed cases have no next role. With ``is_open`` in between, SQLite could not read the
            # cases of a role in the order of their days.
            models.Index(fields=["next_role", "list_day", "urgency", "id"], name="case_queue"),
            models.Index(fields=["queue", "list_day", "urgency", "id"], name="case_in_queue"),
            # Lists can also be sorted by arrival, and be narrowed to one state.
            models.Index(fields=["queue", "received_on", "id"], name="case_by_arrival"),
            models.Index(
                fields=["queue", "status", "list_day", "urgency", "id"], name="case_in_stage"
            ),
            # Few cases of a list are expedited or on hold; without these, all would be read.
            models.Index(
                fields=["queue", "priority", "list_day", "urgency", "id"], name="case_by_priority"
            ),
            models.Index(
                fields=["queue", "held_until"],
                name="case_on_hold",
                condition=Q(held_until__isnull=False),
            ),
            models.Index(fields=["is_open", "due_on", "id"], name="case_due"),
            # My day begins with the expedited cases of a role, which are few.
            models.Index(
                fields=["next_role", "list_day", "urgency", "id"],
                name="case_expedited",
                condition=Q(is_open=True, priority=Priority.EXPEDITED),
            ),
            # Cases without a due date are few, and every "My day" page looks for them.
            models.Index(
                fields=["next_role", "list_day", "urgency", "id"],
                name="case_without_date",
                condition=Q(is_open=True, due_deadline_kind=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # Published letters do not say when the case was closed.
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
                name="case_injury_ends_after_it_begins",
                condition=Q(injury_last_day__isnull=True)
                | Q(injury_last_day__gt=F("date_of_injury")),
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
                # A repeated filing is a duplicate of the first one and does not count here, and
                # neither does a case that was split from the one that the application opened.
                name="case_one_open_per_ur_decision",
                fields=["ur_decision"],
                condition=Q(
                    is_open=True,
                    duplicate_of__isnull=True,
                    split_from__isnull=True,
                    origin=Origin.OWN,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("desk:case", args=[self.number])

    @property
    def stage(self) -> Status:
        return Status(self.status)

    @property
    def injury_printed(self) -> str:
        """The date of injury as letters print it; a period for a cumulative injury."""
        return print_injury(self.date_of_injury, self.injury_last_day)

    @property
    def has_due_date(self) -> bool:
        """Whether a deadline is active; otherwise ``due_on`` is the day on which the last ended."""
        return bool(self.due_deadline_kind)

    def store(
        self,
        *,
        by: User | None,
        at: datetime,
        why: str = "",
        fields: Iterable[str] | None = None,
    ) -> Self:
        """Save the row and a new version of it, with its place in lists."""
        self.set_list_order()
        fields = None if fields is None else [*fields, *_ORDER_FIELDS]
        return super().store(by=by, at=at, why=why, fields=fields)

    def set_list_order(self) -> None:
        """Set the fields by which lists sort. Every way to store a case calls it."""
        order = self.list_order()
        self.list_day, self.urgency = order["list_day"], order["urgency"]

    def list_order(self) -> dict[str, Any]:
        """Return the fields by which lists sort, from the due date and the priority."""
        return {
            "list_day": self.due_on if self.has_due_date else self.due_on + AFTER_DATED,
            "urgency": 0 if self.priority == Priority.EXPEDITED else 1,
        }

    def move_to(self, status: Status, *, by: User | None, at: datetime, why: str = "") -> None:
        """Change the state of a locked case, and store who acts next.

        Nothing else changes the state of a case, but for ``CaseQuerySet.move_all_to``.

        :raises CannotMove: the lifecycle does not allow this move.
        """
        self._set_stage(status, at)
        self.store(by=by, at=at, why=why, fields=_STAGE_FIELDS)

    def move_back_to(self, status: Status, *, by: User | None, at: datetime, why: str) -> None:
        """Take back the last change of the state of a locked case.

        :raises CannotMove: the lifecycle does not allow to undo this move.
        """
        refuse_illegal_undo(self.number, self.stage, status)
        self._store_stage(status, at)
        self.store(by=by, at=at, why=why, fields=_STAGE_FIELDS)

    def _set_stage(self, status: Status, at: datetime) -> None:
        refuse_illegal_move(self.number, self.stage, status)
        self._store_stage(status, at)

    def _store_stage(self, status: Status, at: datetime) -> None:
        self.status = status
        self.is_open = is_open(status)
        self.next_role, self.queue = NEXT_ROLE[status], QUEUE_OF[status]
        # Cleared when a remand or a reversed closure reopens the case.
        self.closed_at = None if self.is_open else at

    def set_due(
        self,
        on: date,
        deadline_kind: str,
        *,
        due_at: datetime | None = None,
        by: User | None,
        at: datetime,
    ) -> None:
        """Store the next due date and the deadline that it comes from.

        :param due_at: the moment at which a deadline that runs in hours ends.
        """
        self.due_on, self.due_at, self.due_deadline_kind = on, due_at, deadline_kind
        self.store(by=by, at=at, why=_explain_due(deadline_kind), fields=_DUE_FIELDS)


class CaseLink(Versioned):
    """Link between two cases, with its reason. Links end but are never deleted."""

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
                # Two cases can be linked again after their link has ended.
                condition=Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="case_link_to_another", condition=~Q(case=models.F("other"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_kind_display().lower()} {self.other}"


class CaseNumberSeries(models.Model):
    """Last serial number used in a year. Locked while a number is taken; gaps are harmless."""

    year = models.PositiveSmallIntegerField(unique=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"
