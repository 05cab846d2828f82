"""Claim, run and end scheduled jobs, ask for another run, and write lists as files.

A run is claimed under the lock of its job. The unique row of the due moment and the lease make sure
that each due moment has one run, and that no run begins beside another. Each claim gives the job
the next turn; a run whose turn is over can neither extend the lease nor record how it ended.
"""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed

from .failures import LeaseLost
from .kinds import JOB_KINDS
from .models import Job, JobRun, ListExport, ListExportPart
from .policies import why_not_run_again

STOPPED = "The process stopped before the job ended."
EXPORTS_KEPT_FOR = timedelta(days=1)
MOST_EXPORTS_WAITING = 5
_MOVING = [ListExport.State.WAITING, ListExport.State.WRITING]


@transaction.atomic
def claim_run(
    *, name: str, scheduled_for: datetime | None, run_id: int | None, host: str, at: datetime
) -> JobRun | None:
    """Claim a run of a job; ``None`` if it runs now, or has run for this due moment.

    :param scheduled_for: the due moment; ``None`` for a run outside the schedule.
    :param run_id: the waiting run that a person asked for, if any.
    :returns: the run. It is not stored if the job keeps no rows of its runs.
    """
    Job.objects.get_or_create(name=name)
    # SQLite has one writer, so the lock is that of the transaction there.
    job = Job.objects.select_for_update().get(name=name)
    if job.is_leased(at=at):
        job.shorten_future_lease(at=at)
        return None
    run = None
    if run_id is not None:
        run = JobRun.objects.filter(pk=run_id, name=name, outcome=JobRun.Outcome.WAITING).first()
        if run is None:
            return None
    elif scheduled_for is not None:
        run = JobRun.objects.filter(name=name, scheduled_for=scheduled_for, reference="").first()
        is_taken_over = run is not None and run.outcome == JobRun.Outcome.RUNNING
        # A run whose process stopped is taken over; every other row means that the moment is done.
        if run is not None and not is_taken_over:
            return None
        if job.slot == scheduled_for and not is_taken_over and not _was_cut_off(job):
            return None
        job.slot = scheduled_for
    # Whoever held the lease is gone.
    broken = JobRun.objects.filter(name=name, outcome=JobRun.Outcome.RUNNING)
    if run is not None:
        broken = broken.exclude(pk=run.pk)
    broken.update(outcome=JobRun.Outcome.STOPPED, ended_at=at, error=STOPPED)
    if run is None:
        run = JobRun(name=name, scheduled_for=scheduled_for, created_at=at)
    job.turn += 1
    run.outcome, run.started_at, run.host = JobRun.Outcome.RUNNING, at, host[:120]
    run.turn = job.turn
    if run.pk is not None or JOB_KINDS[name].keeps_every_run:
        run.save()
    job.started_at, job.ended_at, job.lease_until = at, None, at + JOB_KINDS[name].lease
    job.save()
    return run


def _was_cut_off(job: Job) -> bool:
    """Whether the last run did not end; its lease has expired when this is asked."""
    return job.started_at is not None and job.ended_at is None


def extend_lease(*, run: JobRun, at: datetime) -> None:
    """Extend the lease of a running job; long jobs call it after each piece of work.

    :raises LeaseLost: another run has taken over.
    """
    held = Job.objects.filter(name=run.name, turn=run.turn)
    if not held.update(lease_until=at + JOB_KINDS[run.name].lease):
        raise LeaseLost(run.name)


@transaction.atomic
def end_run(*, run: JobRun, error: str, at: datetime) -> None:
    """Record how a run ended, release its job, and resolve earlier failures if it succeeded.

    :param error: a sentence for staff; empty if the run succeeded.
    :raises LeaseLost: another run has taken over; its rows stay as they are.
    """
    job = Job.objects.select_for_update().get(name=run.name)
    if job.turn != run.turn:
        raise LeaseLost(run.name)
    job.lease_until, job.ended_at = None, at
    job.save()
    run.outcome = JobRun.Outcome.FAILED if error else JobRun.Outcome.DONE
    run.error, run.ended_at = error, at
    if run.pk is None and error:
        # A job that runs every few seconds leaves one row for a failure that repeats.
        same = JobRun.objects.unresolved().filter(name=run.name, reference="", error=error)
        if not same.update(ended_at=at):
            run.save()
    elif run.pk is not None:
        run.save()
    if not error:
        # A case on which this run failed has a row that was made after the run began.
        JobRun.objects.unresolved().filter(name=run.name, created_at__lt=run.started_at).update(
            resolved_at=at
        )


@transaction.atomic
def record_case_failure(*, run: JobRun, reference: str, error: str, at: datetime) -> None:
    """Record that a run failed on one case; the other cases are not affected."""
    JobRun.objects.update_or_create(
        name=run.name,
        scheduled_for=run.scheduled_for if run.scheduled_for else at,
        reference=reference,
        defaults={
            "outcome": JobRun.Outcome.FAILED,
            "created_at": at,
            "started_at": run.started_at,
            "ended_at": at,
            "error": error,
            "host": run.host,
        },
    )


@transaction.atomic
def request_run(*, name: str, by: User, at: datetime) -> JobRun:
    """Ask for a run of a job; a worker starts it within half a minute.

    :raises NotAllowed: wrong role, or there is no such job.
    """
    if why_not := why_not_run_again(by):
        raise NotAllowed(why_not)
    if name not in JOB_KINDS:
        raise NotAllowed("There is no such job.")
    Job.objects.get_or_create(name=name)
    # Locked, so that two clicks ask for one run.
    Job.objects.select_for_update().get(name=name)
    waiting = JobRun.objects.filter(name=name, outcome=JobRun.Outcome.WAITING).first()
    return waiting or JobRun.objects.create(
        name=name, outcome=JobRun.Outcome.WAITING, created_at=at, requested_by=by
    )


@transaction.atomic
def request_export(
    *, name: str, label: str, query: str, rows_expected: int, by: User, at: datetime
) -> ListExport:
    """Ask for a list as a file; a job begins to write it within half a minute.

    :raises NotAllowed: the person has too many files that are not written yet.
    """
    moving = ListExport.objects.filter(requested_by=by, state__in=_MOVING)
    same = moving.filter(name=name, query=query).first()
    if same is not None:
        return same
    if moving.count() >= MOST_EXPORTS_WAITING:
        raise NotAllowed(
            f"{MOST_EXPORTS_WAITING} of your lists are still being written. Wait for one of them."
        )
    return ListExport.objects.create(
        name=name,
        label=label,
        query=query,
        requested_by=by,
        requested_at=at,
        rows_expected=rows_expected,
    )


@transaction.atomic
def add_export_part(
    *, export: ListExport, lines: str, rows: int, next_key: str, at: datetime
) -> None:
    """Add lines to the file of an export.

    :param next_key: of the page that is written next; empty if these lines are the last.
    """
    number = export.parts.count()
    ListExportPart.objects.create(export=export, number=number, lines=lines)
    export.rows_written += rows
    export.next_key = next_key
    export.state = ListExport.State.WRITING if next_key else ListExport.State.READY
    export.ended_at = None if next_key else at
    export.save(update_fields=["rows_written", "next_key", "state", "ended_at"])


@transaction.atomic
def fail_export(*, export: ListExport, error: str, at: datetime) -> None:
    """Record why a list could not be written, and delete what was written of it."""
    export.parts.all().delete()
    export.state, export.error, export.ended_at = ListExport.State.FAILED, error, at
    export.save(update_fields=["state", "error", "ended_at"])


@transaction.atomic
def delete_old_exports(*, at: datetime) -> int:
    """Delete the files that were ready a day ago. Returns how many."""
    old = ListExport.objects.filter(
        state=ListExport.State.READY, ended_at__lt=at - EXPORTS_KEPT_FOR
    )
    ListExportPart.objects.filter(export__in=old).delete()
    return old.update(state=ListExport.State.DELETED)
