"""Run the functions of scheduled jobs once for each due moment, and start requested runs."""

import functools
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog
from celery import current_app, shared_task
from django.utils import timezone

from . import services
from .failures import LeaseLost, describe_failure
from .models import JobRun
from .slots import find_slot

logger = structlog.get_logger(__name__)


class JobInProgress:
    """A run as its function sees it."""

    def __init__(self, run: JobRun) -> None:
        self.run = run

    def keep_alive(self) -> None:
        """Extend the lease. Call it after each piece of work of a long job.

        :raises LeaseLost: another run has taken over; let it end this one.
        """
        services.extend_lease(run=self.run, at=timezone.now())

    @contextmanager
    def for_case(self, number: str) -> Iterator[None]:
        """Do the work of one case: an error is recorded for the case, and the job continues."""
        try:
            yield
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - one case must not stop the others
            logger.error(
                "job_failed_on_case", job=self.run.name, case=number, error=type(error).__name__
            )
            services.record_case_failure(
                run=self.run, reference=number, error=describe_failure(error), at=timezone.now()
            )


def scheduled_job(name: str, **options: Any) -> Callable[[Callable[[JobInProgress], None]], Any]:
    """Decorate the function of a scheduled job: make a task that runs once for each due moment.

    Called directly, as from a shell, the task runs outside the schedule.

    :param options: options of the Celery task.
    """

    def decorate(work: Callable[[JobInProgress], None]) -> Any:
        @functools.wraps(work)
        def run_task(task: Any, run_id: int | None = None, **_: object) -> None:
            at = timezone.now()
            is_scheduled = run_id is None and not task.request.called_directly
            run_job(
                name=name,
                work=work,
                scheduled_for=find_due_moment(name, at) if is_scheduled else None,
                run_id=run_id,
            )

        # The signature of the function is not that of its task.
        del run_task.__wrapped__
        return shared_task(name=name, bind=True, **options)(run_task)

    return decorate


def find_due_moment(name: str, at: datetime) -> datetime:
    """Return the due moment of a job that a message now means.

    :raises LookupError: the job is not in the schedule.
    """
    for entry in current_app.conf.beat_schedule.values():
        if entry["task"] == name:
            return find_slot(entry["schedule"], at)
    raise LookupError(f"{name} is not in the schedule.")


def run_job(
    *,
    name: str,
    work: Callable[[JobInProgress], None],
    scheduled_for: datetime | None,
    run_id: int | None = None,
) -> bool:
    """Run a job unless it runs or has run for this due moment; return whether it ran.

    An error is recorded with its run, and raised again for the log of the worker.
    """
    run = services.claim_run(
        name=name,
        scheduled_for=scheduled_for,
        run_id=run_id,
        host=socket.gethostname(),
        at=timezone.now(),
    )
    if run is None:
        return False
    try:
        work(JobInProgress(run))
    except LeaseLost:
        raise
    except Exception as error:
        services.end_run(run=run, error=describe_failure(error), at=timezone.now())
        raise
    services.end_run(run=run, error="", at=timezone.now())
    return True


@scheduled_job("jobs.start_requested")
def start_requested_runs(job: JobInProgress) -> None:
    """Send the runs that people asked for to the workers. A run that cannot start yet stays."""
    waiting = JobRun.objects.filter(outcome=JobRun.Outcome.WAITING).order_by("pk")
    for name, run_id in waiting.values_list("name", "pk"):
        current_app.send_task(name, kwargs={"run_id": run_id}, retry=False)
