"""The fees of independent medical reviews: dated rows that people add, end and confirm."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from accounts.versions import VersionedQuerySet
from guidelines.drug_list import ConfirmedRow

from .fees import Fee, FeeKind, License, Stage


class FeeRowQuerySet(VersionedQuerySet):
    """Queries of fee rows."""

    def as_fees(self) -> list[Fee]:
        """Return the rows as ``find_fee`` reads them."""
        return [row.as_fee() for row in self.order_by("effective_from", "pk")]


class FeeRow(ConfirmedRow):
    """A fee for applications filed from a day to a day, both included (8 CCR 9792.10.8)."""

    KEY: ClassVar[list[str]] = ["kind", "stage", "reviewer_license", "reviewers"]
    CONFIRMED_FIELDS = (*KEY, "amount", "effective_from", "effective_to", "source")

    kind = models.CharField(
        max_length=12, choices=[(one.value, one.label) for one in FeeKind], blank=True
    )  # empty: every kind
    stage = models.CharField(max_length=16, choices=[(one.value, one.label) for one in Stage])
    reviewer_license = models.CharField(
        "license of the reviewer",
        max_length=8,
        choices=[(one.value, one.label) for one in License],
        blank=True,
        help_text="Empty if the fee does not depend on it.",
    )
    reviewers = models.PositiveSmallIntegerField(
        "number of reviewers", default=0, help_text="0 if the fee does not depend on it."
    )
    amount = models.DecimalField("amount in US dollars", max_digits=8, decimal_places=2)
    effective_from = models.DateField("first filing date")
    effective_to = models.DateField("last filing date", null=True, blank=True)

    objects: ClassVar[Any] = FeeRowQuerySet.as_manager()

    class Meta(ConfirmedRow.Meta):
        constraints = [
            models.UniqueConstraint(
                name="fee_begins_once",
                fields=["kind", "stage", "reviewer_license", "reviewers", "effective_from"],
            ),
            models.CheckConstraint(name="fee_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="fee_ends_after_it_begins",
                condition=Q(effective_to__isnull=True)
                | Q(effective_to__gte=models.F("effective_from")),
            ),
            models.CheckConstraint(
                name="fee_confirmed_by_and_on",
                condition=Q(confirmed_by__isnull=True, confirmed_on__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        until = f"to {self.effective_to:%m/%d/%Y}" if self.effective_to else "with no end"
        kind = self.get_kind_display() or "Every kind"
        stage = self.get_stage_display().lower()
        return f"${self.amount} ({kind}, {stage}) from {self.effective_from:%m/%d/%Y} {until}"

    def clean(self) -> None:
        """Refuse filing dates that another row of the same fee already has. Queries.

        The database refuses them too; this gives the sentence.
        """
        # The form has refused this field already.
        if self.effective_from is None:
            return
        same = {column: getattr(self, column) for column in self.KEY}
        others = FeeRow.objects.filter(**same).exclude(pk=self.pk)
        others = others.filter(
            Q(effective_to__isnull=True) | Q(effective_to__gte=self.effective_from)
        )
        if self.effective_to is not None:
            others = others.filter(effective_from__lte=self.effective_to)
        other = others.first()
        if other is not None:
            raise ValidationError(f"{other} has some of these filing dates. End it first.")

    def as_fee(self) -> Fee:
        """Return the row as ``find_fee`` reads it."""
        return Fee(
            amount=self.amount,
            kind=self.kind,
            stage=self.stage,
            effective_from=self.effective_from,
            effective_to=self.effective_to,
            source=self.source,
            reviewer_license=self.reviewer_license,
            reviewers=self.reviewers,
            note=self.note,
            is_confirmed=self.is_confirmed,
        )
