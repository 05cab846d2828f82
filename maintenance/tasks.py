"""The nightly run."""

import structlog
from django.utils import timezone

from accounts.form_keys import delete_old_form_keys
from jobs.tasks import JobInProgress, scheduled_job

from .services import nightly

logger = structlog.get_logger(__name__)

# A large office needs minutes; the lease is extended while the checks read.
LONGEST_SECONDS = 3600


@scheduled_job(
    "maintenance.run_nightly_checks",
    soft_time_limit=LONGEST_SECONDS,
    time_limit=LONGEST_SECONDS + 60,
)
def run_nightly_checks(job: JobInProgress) -> None:
    """Look for impossible states, and compare every stored value with its sources."""
    # First, because a check may fail.
    delete_old_form_keys(at=timezone.now())
    count = nightly.run_checks(at=timezone.now(), tick=job.keep_alive)
    logger.info("nightly_checks_done", findings=count)
