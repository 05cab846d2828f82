"""Scheduled jobs and their runs, and the lists that people asked for as files."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from .kinds import JOB_KINDS, JobKind

# Clocks of two machines differ a little, and a caller reads the clock before it waits for the lock.
CLOCK_SKEW = timedelta(minutes=5)


class Job(models.Model):
    """A scheduled job: the last due moment that a run was started for, and the lease of that run.

    The row is locked while a run is claimed, so two schedulers start one run.
    """

    name = models.CharField(max_length=60, unique=True)
    slot = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # NULL while it does not run
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Rises with each claim. A run that finds another number here has lost its lease.
    turn = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> JobKind:
        return JOB_KINDS[self.name]

    def is_leased(self, *, at: datetime) -> bool:
        """Whether a run holds the job."""
        return self.lease_until is not None and at < self.lease_until

    def shorten_future_lease(self, *, at: datetime) -> None:
        """Let a lease that was made before the clock was set back end in its own length from now.

        Its run may still be at work, and then extends it by the new clock.
        """
        if self.lease_until is None or self.lease_until <= at + self.kind.lease + CLOCK_SKEW:
            return
        self.lease_until = at + self.kind.lease
        self.save(update_fields=["lease_until"])


class JobRunQuerySet(models.QuerySet["JobRun"]):
    """Queries of the page of jobs."""

    def unresolved(self) -> Self:
        """Failed runs after which no later run has succeeded."""
        return self.filter(
            outcome__in=[JobRun.Outcome.FAILED, JobRun.Outcome.STOPPED], resolved_at__isnull=True
        )

    def of_case(self, number: str) -> Self:
        """Failures that concern one case."""
        return self.filter(reference=number)


class JobRun(models.Model):
    """One run of a job, or its failure on one case. Kept; only its own progress changes."""

    class Outcome(models.TextChoices):
        WAITING = "WAITING", "Waiting to start"
        RUNNING = "RUNNING", "Running"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed"
        STOPPED = "STOPPED", "Stopped"

    name = models.CharField(max_length=60)
    scheduled_for = models.DateTimeField(null=True)  # NULL: a person asked for it
    reference = models.CharField(max_length=40, blank=True)  # the case on which it failed
    outcome = models.CharField(max_length=8, choices=Outcome)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)  # one sentence for staff
    host = models.CharField(max_length=120, blank=True)
    turn = models.PositiveBigIntegerField(default=0)  # that of the job since this run began
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True)  # when a later run succeeded

    objects = JobRunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["name", "id"], name="job_run_of_job"),
            models.Index(fields=["reference", "id"], name="job_run_of_case"),
        ]
        constraints = [
            # Each due moment has one run, however many schedulers there are.
            models.UniqueConstraint(
                name="job_run_once_per_slot", fields=["name", "scheduled_for", "reference"]
            ),
            models.CheckConstraint(
                name="job_run_failed_says_why",
                condition=~Q(outcome__in=["FAILED", "STOPPED"]) | ~Q(error=""),
            ),
            models.CheckConstraint(
                name="job_run_ended_iff_over",
                condition=Q(outcome__in=["WAITING", "RUNNING"], ended_at__isnull=True)
                | Q(outcome__in=["DONE", "FAILED", "STOPPED"], ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.get_outcome_display()}"

    @property
    def label(self) -> str:
        """What the job is called on pages."""
        kind = JOB_KINDS.get(self.name)
        return kind.label if kind else self.name


class ListExport(models.Model):
    """A list that a person asked for as a file, written page by page by a scheduled job.

    The file is deleted after a day: it holds the names of workers, and the list can be exported
    again.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting to start"
        WRITING = "WRITING", "Being written"
        READY = "READY", "Ready"
        FAILED = "FAILED", "Failed"
        DELETED = "DELETED", "Deleted after a day"

    name = models.CharField(max_length=40)  # of the list, as ``desk.exports`` knows it
    label = models.CharField(max_length=120)
    query = models.TextField(blank=True)  # the filter of the list, as in its address
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    rows_expected = models.PositiveIntegerField()
    rows_written = models.PositiveIntegerField(default=0)
    next_key = models.CharField(max_length=80, blank=True)  # of the page that is written next
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)  # one sentence for the person

    class Meta:
        indexes = [
            models.Index(fields=["state", "id"], name="list_export_by_state"),
            models.Index(fields=["requested_by", "id"], name="list_export_of_person"),
        ]
        constraints = [
            models.CheckConstraint(
                name="list_export_failed_says_why", condition=~Q(state="FAILED") | ~Q(error="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.get_state_display()}"

    @property
    def is_moving(self) -> bool:
        return self.state in {self.State.WAITING, self.State.WRITING}

    @property
    def percent(self) -> int:
        """How much is written, 0 to 99 until it is ready."""
        if not self.is_moving:
            return 100
        return min(99, 100 * self.rows_written // max(1, self.rows_expected))


class ListExportPart(models.Model):
    """Some lines of the file of an export."""

    export = models.ForeignKey(ListExport, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    lines = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="list_export_part_once", fields=["export", "number"])
        ]

    def __str__(self) -> str:
        return f"{self.export}, part {self.number}"
