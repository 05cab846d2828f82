"""Facts with two times: when they were true, and when they were recorded."""

from datetime import date, datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q, Value


class TwoTimeQuerySet(models.QuerySet[Any]):
    """Queries of facts as of a day, as known at a moment."""

    def known_at(self, moment: datetime | Value) -> Self:
        """Select the facts known at a moment: recorded by then and not corrected by then."""
        return self.filter(recorded_at__lte=moment, withdrawn=False).exclude(
            correction__recorded_at__lte=moment
        )

    def current(self) -> Self:
        """Select the facts known today: every row that no later row corrects."""
        return self.filter(correction__isnull=True, withdrawn=False)

    def true_on(self, day: date | Value) -> Self:
        """Select the facts that were true on a day. A missing first or last day means unbounded."""
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=day),
            Q(valid_to__isnull=True) | Q(valid_to__gte=day),
        )


class TwoTimeFact(models.Model):
    """A dated fact. Rows are never changed: a correction adds a row that points to the old one.

    ``valid_from`` and ``valid_to`` are the first and last day on which the fact was true.
    """

    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    source = models.CharField(max_length=200, blank=True)
    # Each row is corrected at most once, so the corrections of a fact form one chain.
    corrects = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="correction",
    )
    withdrawn = models.BooleanField(default=False)  # this row records that the fact was never true

    objects = TwoTimeQuerySet.as_manager()

    class Meta:
        abstract = True
        indexes = [
            # Nearly every row corrects none. By an index of all rows, SQLite would prefer to read
            # the whole table when it looks for the correction of a row.
            models.Index(
                fields=["corrects"],
                name="%(class)s_corrected",
                condition=Q(corrects__isnull=False),
            )
        ]

    def held_on(self, day: date) -> bool:
        """Return whether the fact was true on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )

    def corrected(
        self, *, by: Any, at: datetime, withdrawn: bool = False, **changes: Any
    ) -> "TwoTimeFact":
        """Store a row that replaces this one, with changes.

        :param withdrawn: the fact was never true; the old row stays readable.
        """
        # By column name, so that related rows are not loaded.
        values = {
            field.attname: getattr(self, field.attname)
            for field in self._meta.concrete_fields
            if field.name not in {"id", "recorded_at", "recorded_by", "corrects", "withdrawn"}
        }
        model: Any = type(self)  # the type checker does not know of ``corrects`` here
        row: TwoTimeFact = model(
            **(values | changes), corrects=self, withdrawn=withdrawn, recorded_at=at, recorded_by=by
        )
        # Insert only: the database refuses changes to these tables.
        row.save(force_insert=True)
        return row
