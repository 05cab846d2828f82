"""The MTUS drug list: its editions and its dated rows (8 CCR 9792.27.15)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from accounts.versions import Versioned, VersionedQuerySet

from .formulary import DrugList, DrugRow, Status, format_list_day, normalize_drug_text

if TYPE_CHECKING:
    from accounts.models import User


class ConfirmedRow(Versioned):
    """A row of law from a source, unconfirmed until a named person compares it with the source."""

    # The fields whose change removes the confirmation.
    CONFIRMED_FIELDS: ClassVar[tuple[str, ...]] = ()

    source = models.CharField(max_length=200)
    note = models.CharField(max_length=300, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_on = models.DateField(null=True, blank=True)

    class Meta(Versioned.Meta):
        abstract = True

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_on is not None

    def store(
        self,
        *,
        by: "User | None",
        at: datetime,
        why: str = "",
        fields: Iterable[str] | None = None,
    ) -> Self:
        """Save a version. A change of confirmed facts removes the confirmation."""
        if self._changes_what_was_confirmed():
            self.confirmed_by, self.confirmed_on = None, None
            fields = None if fields is None else {*fields, "confirmed_by", "confirmed_on"}
        return super().store(by=by, at=at, why=why, fields=fields)

    def _changes_what_was_confirmed(self) -> bool:
        # Read again, because this object already has the new values.
        stored = None if self._state.adding else type(self).objects.filter(pk=self.pk).first()
        if stored is None or not stored.is_confirmed:
            return False
        return any(getattr(stored, name) != getattr(self, name) for name in self.CONFIRMED_FIELDS)


class DrugListEdition(ConfirmedRow):
    """An edition of the drug list, in force from a day until the next edition begins."""

    CONFIRMED_FIELDS = ("label", "valid_from", "source", "is_complete")

    label = models.CharField(max_length=40, unique=True)  # such as "v.7"
    valid_from = models.DateField(unique=True)
    is_complete = models.BooleanField(
        "has all drugs of the list",
        default=False,
        help_text="If not, a drug that is missing here may be listed or unlisted.",
    )

    class Meta(ConfirmedRow.Meta):
        constraints = [
            models.CheckConstraint(
                name="drug_list_edition_confirmed_by_and_on",
                condition=Q(confirmed_by__isnull=True, confirmed_on__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"MTUS drug list {self.label} from {format_list_day(self.valid_from)}"


class ListedDrugQuerySet(VersionedQuerySet):
    """Queries for rows of the drug list by date."""

    def in_force(self, on: date) -> Self:
        """Select the rows in force on a day. ``ends_before`` is the first day not in force."""
        return self.filter(Q(ends_before__isnull=True) | Q(ends_before__gt=on), valid_from__lte=on)


class ListedDrug(ConfirmedRow):
    """A drug of the list, in force from ``valid_from`` to the day before ``ends_before``.

    A drug may have several rows, one for each dosage form and strength. A drug without a row is
    unlisted. If both days are equal, the row was entered in error and is in force on no day.
    """

    CONFIRMED_FIELDS = (
        "ingredient", "drug_class", "reference", "dosage_form", "strength", "identifiers",
        "status", "special_fill", "perioperative_fill", "valid_from", "ends_before", "source",
    )  # fmt: skip

    STATUSES = [(Status.EXEMPT.value, "Exempt"), (Status.NON_EXEMPT.value, "Non-exempt")]

    ingredient = models.CharField("drug ingredient", max_length=200)  # as printed in the list
    ingredient_normal = models.CharField(max_length=200, editable=False)
    other_names = models.CharField(
        "brand and other names", max_length=400, blank=True, help_text="Separated by commas."
    )
    drug_class = models.CharField(max_length=120, blank=True)
    reference = models.CharField("reference in guidelines", max_length=300, blank=True)
    dosage_form = models.CharField(max_length=120, blank=True)
    strength = models.CharField(max_length=120, blank=True)
    identifiers = models.TextField("unique product identifiers", blank=True)
    status = models.CharField(max_length=10, choices=STATUSES)
    special_fill = models.CharField(max_length=40, blank=True)  # "4 days", as printed
    perioperative_fill = models.CharField(max_length=40, blank=True)
    valid_from = models.DateField()
    ends_before = models.DateField(null=True, blank=True)

    objects: ClassVar[Any] = ListedDrugQuerySet.as_manager()

    class Meta(ConfirmedRow.Meta):
        constraints = [
            models.UniqueConstraint(
                name="listed_drug_begins_once",
                fields=["ingredient_normal", "dosage_form", "strength", "valid_from"],
            ),
            # Of two imports at once, the second is refused.
            models.UniqueConstraint(
                name="listed_drug_in_force_once",
                fields=["ingredient_normal", "dosage_form", "strength"],
                condition=Q(ends_before__isnull=True),
            ),
            models.CheckConstraint(
                name="listed_drug_dates_ordered",
                condition=Q(ends_before__isnull=True) | Q(ends_before__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="listed_drug_confirmed_by_and_on",
                condition=Q(confirmed_by__isnull=True, confirmed_on__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        named = ", ".join(filter(None, (self.ingredient, self.dosage_form, self.strength)))
        return f"{named} ({self.get_status_display().lower()})"

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the drug across editions."""
        return (self.ingredient_normal, self.dosage_form, self.strength)

    def clean(self) -> None:
        """Refuse days that another row of the same drug already has. Queries."""
        self.ingredient_normal = normalize_drug_text(self.ingredient)
        if self.valid_from is None or self.ends_before == self.valid_from:
            return
        others = ListedDrug.objects.filter(
            ingredient_normal=self.ingredient_normal,
            dosage_form=self.dosage_form,
            strength=self.strength,
        ).exclude(pk=self.pk)
        others = others.filter(Q(ends_before__isnull=True) | Q(ends_before__gt=self.valid_from))
        # A row that was entered in error is in force on no day.
        others = others.exclude(ends_before=F("valid_from"))
        if self.ends_before is not None:
            others = others.filter(valid_from__lt=self.ends_before)
        if others.exists():
            raise ValidationError(
                f"Another row of {self.ingredient} is in force on one of these days. End it first."
            )

    def store(
        self,
        *,
        by: "User | None",
        at: datetime,
        why: str = "",
        fields: Iterable[str] | None = None,
    ) -> Self:
        """Save a version. A change of confirmed facts removes the confirmation.

        :raises ValidationError: another row of the drug is in force on one of these days.
        """
        self.clean()
        return super().store(by=by, at=at, why=why, fields=fields)

    def as_row(self) -> DrugRow:
        """Return the row as ``guidelines.formulary`` reads it."""
        return DrugRow(
            ingredient=self.ingredient,
            status=Status(self.status),
            valid_from=self.valid_from,
            ends_before=self.ends_before,
            names=tuple(name.strip() for name in self.other_names.split(",") if name.strip()),
            dosage_form=self.dosage_form,
            strength=self.strength,
            special_fill=self.special_fill,
            perioperative_fill=self.perioperative_fill,
            is_confirmed=self.is_confirmed,
            row_id=self.pk,
        )


def drug_list_on_file(on: date) -> DrugList | None:
    """Return the edition of the drug list in force on a day, with its rows. At most two queries."""
    edition = DrugListEdition.objects.filter(valid_from__lte=on).order_by("-valid_from").first()
    if edition is None:
        return None
    rows = ListedDrug.objects.filter(valid_from__lte=on).order_by(
        "ingredient_normal", "dosage_form", "strength", "valid_from", "pk"
    )
    return DrugList(
        label=edition.label,
        valid_from=edition.valid_from,
        is_complete=edition.is_complete,
        is_confirmed=edition.is_confirmed,
        rows=tuple(row for row in _rows_with_since(rows) if row.is_in_force(on)),
    )


def _rows_with_since(rows: Iterable[ListedDrug]) -> Iterable[DrugRow]:
    """Return the rows with the first day of their status.

    A new edition may only change the reference.
    """
    before: ListedDrug | None = None
    since: date | None = None
    for row in rows:
        continues = (
            before is not None
            and (before.key, before.ends_before, before.status)
            == (row.key, row.valid_from, row.status)
        )  # fmt: skip
        since = since if continues else row.valid_from
        before = row
        yield replace(row.as_row(), since=since)
