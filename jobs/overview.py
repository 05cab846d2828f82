"""Data of the page of jobs: failures that nothing has resolved, and the last run of each job."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from accounts.visibility import match_hidden_references

from .kinds import JOB_KINDS, JobKind
from .models import Job, JobRun

MOST_FAILURES = 200


@dataclass(frozen=True)
class JobLine:
    """One job with its last run, as the page shows it."""

    name: str
    kind: JobKind
    started_at: datetime | None
    ended_at: datetime | None
    state: str
    is_failed: bool


def list_failures(reader: User) -> list[JobRun]:
    """List the failures that no later run has resolved, latest first.

    Failures on cases that are hidden from the reader are left out.
    """
    runs = JobRun.objects.unresolved().exclude(match_hidden_references(reader))
    return list(runs.order_by("-pk")[:MOST_FAILURES])


def list_last_runs(*, at: datetime) -> list[JobLine]:
    """List every job with its last run, failed ones first. Three queries."""
    jobs = {job.name: job for job in Job.objects.all()}
    failed = set(JobRun.objects.unresolved().values_list("name", flat=True))
    waiting = set(
        JobRun.objects.filter(outcome=JobRun.Outcome.WAITING).values_list("name", flat=True)
    )
    lines = [_describe_job(name, jobs.get(name), failed, waiting, at=at) for name in JOB_KINDS]
    return sorted(lines, key=lambda line: not line.is_failed)


def _describe_job(
    name: str, job: Job | None, failed: set[str], waiting: set[str], *, at: datetime
) -> JobLine:
    started_at = job.started_at if job else None
    ended_at = job.ended_at if job else None
    if job is not None and job.is_leased(at=at):
        state = "Running"
    elif name in waiting:
        state = "Waiting to start"
    elif started_at is None:
        state = "Never run"
    elif name in failed:
        state = "Failed"
    else:
        state = "Done" if ended_at else "Stopped"
    return JobLine(
        name=name,
        kind=JOB_KINDS[name],
        started_at=started_at,
        ended_at=ended_at,
        state=state,
        is_failed=state in {"Failed", "Stopped"},
    )
