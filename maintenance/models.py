"""Findings of the nightly run, and repairs with their reasons."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q


class FindingQuerySet(models.QuerySet["Finding"]):
    """Queries of the page of findings."""

    def open(self) -> Self:
        """Findings that the last run still found."""
        return self.filter(resolved_at__isnull=True)


class Finding(models.Model):
    """An impossible state that the nightly run named. Kept after it was resolved."""

    code = models.CharField(max_length=40)  # a key of maintenance.checks.CHECKS
    table = models.CharField(max_length=80)
    row = models.CharField(max_length=60, blank=True)
    column = models.CharField(max_length=60, blank=True)
    reference = models.CharField(max_length=40, blank=True)  # the number of the case
    sentence = models.TextField()
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # by the last run that found it
    resolved_at = models.DateTimeField(null=True)  # by the first run that did not find it

    objects = FindingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["reference", "id"], name="finding_of_case")]
        constraints = [
            models.UniqueConstraint(
                name="finding_open_once",
                fields=["code", "table", "row", "column", "sentence"],
                condition=Q(resolved_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.table} {self.row} {self.column}".strip()

    @property
    def place(self) -> str:
        """Where it was found: “cases_case, row 12, column due_on”."""
        row = f"row {self.row}" if self.row else ""
        column = f"column {self.column}" if self.column else ""
        return ", ".join(filter(None, (self.table, row, column)))


class Repair(models.Model):
    """One run of a repair command that changed something. Append-only."""

    command = models.CharField(max_length=60)
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    happened_at = models.DateTimeField()
    changes = models.JSONField(default=list)  # table, row and column of each change

    class Meta:
        constraints = [
            models.CheckConstraint(name="repair_says_why", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.command}, {len(self.changes)} changes"
