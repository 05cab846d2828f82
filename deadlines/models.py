"""The deadline rules and holidays: dated rows that people confirm, replace and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from accounts.versions import Versioned, VersionedQuerySet

from .calendars import CalendarName, Calendars, Holiday, calendars_from, format_day, read_pattern
from .kinds import DEADLINE_KINDS
from .rules import BadRules, Effect, Extension, Kind, LegalHold, Roll, Rule, refuse_gap_or_overlap
from .shipped_rules import RULES, default_calendars

if TYPE_CHECKING:
    from accounts.models import User

# What deadlines are computed with.
Law = tuple[Sequence[Rule], Calendars]

_CALENDARS = [(calendar.value, calendar.label) for calendar in CalendarName]


class DatedRowQuerySet(VersionedQuerySet):
    """Queries of dated rows, of which one is in force on any day."""

    def in_force_on(self, day: date) -> Self:
        """Select the rows in force on a day."""
        return self.filter(
            Q(effective_to__isnull=True) | Q(effective_to__gte=day), effective_from__lte=day
        )

    def unconfirmed(self) -> Self:
        """Select the rows that no one has confirmed against the text of the law."""
        return self.filter(confirmed_on__isnull=True)

    def bulk_store(
        self,
        rows: Sequence[Any],
        *,
        by: User | None,
        at: datetime,
        why: str | Sequence[str] = "",
    ) -> None:
        """Insert many new rows.

        :raises BadRules: rows with the same key would overlap or leave a gap.
        """
        with transaction.atomic():
            super().bulk_store(rows, by=by, at=at, why=why)
            _refuse_bad_sets(rows)

    def store_together(
        self, rows: Sequence[Any], *, by: User | None, at: datetime, why: str
    ) -> None:
        """Store rows that are valid only together, such as both sides of a moved boundary.

        :raises BadRules: rows with the same key would overlap or leave a gap.
        """
        with transaction.atomic():
            # Rows that give up days go first: the database refuses even a temporary overlap.
            for row in sorted(rows, key=_takes_days):
                # Not row.store(), which would refuse each row by itself.
                Versioned.store(row, by=by, at=at, why=why)
            _refuse_bad_sets(rows)


def _takes_days(row: Any) -> bool:
    """Return whether a row is new or covers days that it did not cover before."""
    old = type(row).objects.filter(pk=row.pk).first()
    if old is None:
        return True
    ends_later = old.effective_to is not None and (
        row.effective_to is None or row.effective_to > old.effective_to
    )
    return bool(ends_later or row.effective_from < old.effective_from)


def _refuse_bad_sets(rows: Iterable[Any]) -> None:
    # Checked after storing, in the same transaction, so that the query sees the whole set.
    for row in rows:
        refuse_gap_or_overlap(list(row.versions_of_the_law()))


class DatedRow(Versioned):
    """A row in force from a day to a day, both included, and confirmed or not."""

    KEY: ClassVar[list[str]]  # the columns that identify the rule or holiday

    source = models.CharField(max_length=200)
    note = models.TextField(blank=True)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_on = models.DateField(null=True, blank=True)

    objects: ClassVar[Any] = DatedRowQuerySet.as_manager()

    class Meta(Versioned.Meta):
        abstract = True

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_on is not None

    def versions_of_the_law(self) -> models.QuerySet[Any]:
        """Return every stored row of the same rule or holiday, in order of time. One query."""
        same = {column: getattr(self, column) for column in self.KEY}
        return type(self).objects.filter(**same).order_by("effective_from", "pk")

    def refuse_unusable(self) -> None:
        """Check the row without storing it. One query.

        :raises BadRules: it would overlap with another row of the same key, or leave a gap. End the
            old row first, then add the new one; or use ``store_together``.
        """
        # Leave out the stored copy of this row, because its days may be changing.
        refuse_gap_or_overlap([*self.versions_of_the_law().exclude(pk=self.pk), self])

    def store(
        self,
        *,
        by: User | None,
        at: datetime,
        why: str = "",
        fields: Iterable[str] | None = None,
    ) -> Self:
        """Save the row and its version.

        :raises BadRules: as ``refuse_unusable``.
        """
        self.refuse_unusable()
        return super().store(by=by, at=at, why=why, fields=fields)


class DeadlineRuleQuerySet(DatedRowQuerySet):
    """Queries of deadline rules."""

    def as_rules(self) -> list[Rule]:
        """Return the rows as the deadline engine reads them."""
        # Each rule names who confirmed it; without the join, that is one more query per rule.
        rows = self.select_related("confirmed_by").order_by("deadline_kind", "effective_from", "pk")
        return [row.as_rule() for row in rows]


class DeadlineRule(DatedRow):
    """How long one deadline is, for triggers from a day to a day.

    The JSON columns hold what depends on the way of service or on the reason of a hold:
    ``length_by_method`` and ``deemed_received`` map a way of service to days, ``extensions`` to
    ``{"days", "source", "court_days", "disputed"}``; ``legal_holds`` maps a reason to
    ``{"effect", "source", "max_days", "restarts_as"}``. No other reason moves a legal date.
    """

    KEY = ["deadline_kind"]

    deadline_kind = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=[(kind.value, f"{kind.unit}s") for kind in Kind])
    length = models.PositiveSmallIntegerField(null=True, blank=True)
    length_by_method = models.JSONField(default=dict, blank=True)
    calendar = models.CharField(max_length=12, choices=_CALENDARS, blank=True)
    roll = models.CharField(
        max_length=8, choices=[(roll.value, roll.label) for roll in Roll], default=Roll.NONE.value
    )
    extensions = models.JSONField(default=dict, blank=True)
    extends_by_address = models.BooleanField(default=False)
    defines_calendar = models.BooleanField(default=False)
    legal_holds = models.JSONField(default=dict, blank=True)
    cutoff = models.TimeField(null=True, blank=True)
    deemed_received = models.JSONField(default=dict, blank=True)
    outer_days = models.PositiveSmallIntegerField(null=True, blank=True)
    usd_per_day = models.PositiveIntegerField(null=True, blank=True)
    usd_limit = models.PositiveIntegerField(null=True, blank=True)

    objects: ClassVar[Any] = DeadlineRuleQuerySet.as_manager()

    class Meta(DatedRow.Meta):
        constraints = [
            models.UniqueConstraint(
                name="deadline_rule_begins_once", fields=["deadline_kind", "effective_from"]
            ),
            models.CheckConstraint(
                name="deadline_rule_ends_after_it_begins",
                condition=Q(effective_to__isnull=True)
                | Q(effective_to__gte=models.F("effective_from")),
            ),
            models.CheckConstraint(
                name="deadline_rule_confirmed_by_and_on",
                condition=Q(confirmed_by__isnull=True, confirmed_on__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_on__isnull=False),
            ),
            # A row without a length would never give a date. A penalty is an amount of money.
            models.CheckConstraint(
                name="deadline_rule_counts_something",
                condition=Q(length__gt=0)
                | ~Q(length_by_method={})
                | Q(deadline_kind="records_penalty"),
            ),
        ]

    def __str__(self) -> str:
        label = (
            DEADLINE_KINDS[self.deadline_kind].label
            if self.deadline_kind in DEADLINE_KINDS
            else self.deadline_kind
        )
        until = f"to {format_day(self.effective_to)}" if self.effective_to else "with no end"
        return f"“{label}” from {format_day(self.effective_from)} {until}"

    @property
    def lacks_amount(self) -> bool:
        """Whether it is a penalty whose amount is not on file."""
        return self.deadline_kind == "records_penalty" and self.usd_per_day is None

    def refuse_unusable(self) -> None:
        """Check the row without storing it. One query.

        :raises BadRules: the engine cannot read it, or it overlaps or leaves a gap.
        """
        # Read the row as the engine does, so that a bad one is refused here and not while counting.
        self.as_rule()
        super().refuse_unusable()

    def as_rule(self) -> Rule:
        """Return the row as the deadline engine reads it.

        :raises BadRules: a value that the engine cannot use.
        """
        try:
            return Rule(
                deadline_kind=self.deadline_kind,
                kind=Kind(self.kind),
                source=self.source,
                effective_from=self.effective_from,
                effective_to=self.effective_to,
                length=self.length,
                calendar=self.calendar,
                roll=Roll(self.roll),
                length_by_method=self.length_by_method,
                extensions={way: Extension(**row) for way, row in self.extensions.items()},
                extends_by_address=self.extends_by_address,
                defines_calendar=self.defines_calendar,
                legal_holds={
                    reason: LegalHold(**{**row, "effect": Effect(row["effect"])})
                    for reason, row in self.legal_holds.items()
                },
                cutoff=self.cutoff,
                deemed_received=self.deemed_received,
                outer_days=self.outer_days,
                usd_per_day=self.usd_per_day,
                usd_limit=self.usd_limit,
                note=self.note,
                confirmed_by=str(self.confirmed_by) if self.confirmed_by else "",
                confirmed_on=self.confirmed_on,
            )
        # The JSON columns can hold anything; wrong keys and types show up as these errors.
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadRules(f"The rule {self} cannot be read: {error}.") from error


class HolidayRuleQuerySet(DatedRowQuerySet):
    """Queries of holidays."""

    def as_calendars(self) -> Calendars:
        """Return the calendars made from these rows. Cached for the same rows."""
        rows = self.select_related("confirmed_by").order_by("calendar", "name", "effective_from")
        return calendars_from(tuple(row.as_holiday() for row in rows))


class HolidayRule(DatedRow):
    """One holiday of one calendar. ``calendars.Holiday`` explains ``pattern``."""

    KEY = ["calendar", "name"]

    calendar = models.CharField(max_length=12, choices=_CALENDARS)
    name = models.CharField(max_length=80)
    pattern = models.TextField()
    sunday_moves_to_monday = models.BooleanField(default=False)
    saturday_moves_to_friday = models.BooleanField(default=False)

    objects: ClassVar[Any] = HolidayRuleQuerySet.as_manager()

    class Meta(DatedRow.Meta):
        constraints = [
            models.UniqueConstraint(
                name="holiday_begins_once", fields=["calendar", "name", "effective_from"]
            ),
            models.CheckConstraint(
                name="holiday_ends_after_it_begins",
                condition=Q(effective_to__isnull=True)
                | Q(effective_to__gte=models.F("effective_from")),
            ),
            models.CheckConstraint(
                name="holiday_confirmed_by_and_on",
                condition=Q(confirmed_by__isnull=True, confirmed_on__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        until = f"to {format_day(self.effective_to)}" if self.effective_to else "with no end"
        return f"“{self.name}” ({self.calendar}) from {format_day(self.effective_from)} {until}"

    def refuse_unusable(self) -> None:
        """Check the row without storing it. One query.

        :raises BadHoliday: the pattern cannot be read.
        :raises BadRules: it overlaps or leaves a gap.
        """
        # A pattern that cannot be read would make every count on its calendar fail.
        read_pattern(self.pattern)
        super().refuse_unusable()

    def as_holiday(self) -> Holiday:
        """Return the row as the calendars read it."""
        return Holiday(
            calendar=self.calendar,
            name=self.name,
            pattern=self.pattern,
            source=self.source,
            effective_from=self.effective_from,
            effective_to=self.effective_to,
            sunday_moves_to_monday=self.sunday_moves_to_monday,
            saturday_moves_to_friday=self.saturday_moves_to_friday,
            note=self.note,
            confirmed_by=str(self.confirmed_by) if self.confirmed_by else "",
            confirmed_on=self.confirmed_on,
        )


def latest_rule_version() -> tuple[int, int]:
    """The ids of the latest versions of a rule and of a holiday. They grow when any changes."""
    latest = [
        model.history.order_by("-history_id").values_list("history_id", flat=True).first() or 0
        for model in (DeadlineRule, HolidayRule)
    ]
    return latest[0], latest[1]


def rules_on_file() -> Law:
    """Load the rules and calendars to compute with, or the shipped ones if there are none.

    Two queries. Load them once for a page and pass them to every computation on it.
    """
    # An empty table must not leave every case without dates.
    rules = DeadlineRule.objects.as_rules() or list(RULES)
    calendars = HolidayRule.objects.as_calendars()
    return rules, calendars if calendars.names else default_calendars()
