"""Scheduled tasks of the queues. No legal date depends on them."""

import structlog
from django.utils import timezone

from jobs.tasks import JobInProgress, scheduled_job

from .services import lost_access, stage_durations

logger = structlog.get_logger(__name__)


@scheduled_job("queues.measure_stage_durations")
def measure_stage_durations(job: JobInProgress) -> None:
    """Measure how long stages take, for the order by time to spare."""
    count = stage_durations.measure_stage_durations(at=timezone.now())
    logger.info("stage_duration_measured", stages=len(count))


@scheduled_job("queues.release_lost_claims")
def release_lost_claims(job: JobInProgress) -> None:
    """Unassign cases whose holders can no longer work on them."""
    count = lost_access.release_lost_claims(at=timezone.now())
    logger.info("lost_claims_released", cases=count)
