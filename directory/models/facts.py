"""Facts with two times: when they held, and since when we have known."""

from datetime import date, datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q


class TwoTimeQuerySet(models.QuerySet[Any]):
    """Asks for facts as of a day, as known at a moment."""

    def known_at(self, moment: datetime) -> Self:
        """What we believed at that moment: recorded by then and not yet corrected by then."""
        return self.filter(recorded_at__lte=moment, withdrawn=False).exclude(
            correction__recorded_at__lte=moment
        )

    def current(self) -> Self:
        """What we believe today: every row that no later row corrects."""
        return self.filter(correction__isnull=True, withdrawn=False)

    def on(self, day: date) -> Self:
        """What held on that day. A missing first or last day means unbounded."""
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=day),
            Q(valid_to__isnull=True) | Q(valid_to__gte=day),
        )


class TwoTimeFact(models.Model):
    """A dated fact. Rows are never changed: a correction adds a row that points at the old one.

    ``valid_from`` and ``valid_to`` are days on which the fact held, both included.
    """

    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    source = models.CharField(max_length=200, blank=True)
    # One row corrects at most one other, so a correction can itself be corrected, never forked.
    corrects = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="correction",
    )
    withdrawn = models.BooleanField(default=False)  # the correction says: this was never true

    objects = TwoTimeQuerySet.as_manager()

    class Meta:
        abstract = True

    def held_on(self, day: date) -> bool:
        """Whether the fact held on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )

    def corrected(
        self, *, by: Any, at: datetime, withdrawn: bool = False, **changes: Any
    ) -> "TwoTimeFact":
        """Store a row that stands in for this one from now on, with what changes.

        :param withdrawn: it was never true; what was believed till now stays readable.
        """
        kept = {
            field.attname: getattr(self, field.attname)
            for field in self._meta.concrete_fields
            if field.name not in {"id", "recorded_at", "recorded_by", "corrects", "withdrawn"}
        }
        model: Any = type(self)  # the type checker does not know of ``corrects`` here
        row: TwoTimeFact = model(
            **(kept | changes), corrects=self, withdrawn=withdrawn, recorded_at=at, recorded_by=by
        )
        row.save(force_insert=True)
        return row
