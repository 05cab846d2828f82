"""Scheduled tasks of the queues. No legal date depends on them."""

import structlog
from celery import shared_task
from django.utils import timezone

from .services import stage_durations

logger = structlog.get_logger(__name__)


@shared_task(name="queues.measure_stage_durations")
def measure_stage_durations(**_: object) -> None:
    """Measure how long stages take, for the order by time to spare. May run twice or not at all."""
    found = stage_durations.measure_stage_durations(at=timezone.now())
    logger.info("stage_duration_measured", stages=len(found))
