"""What the scheduler asks of the queues. Nothing legal hangs on it."""

import structlog
from celery import shared_task
from django.utils import timezone

from .services import pace

logger = structlog.get_logger(__name__)


@shared_task(name="queues.measure_pace")
def measure_pace(**_: object) -> None:
    """Measure how long stages take, for the order by time to spare. May run twice or never."""
    found = pace.measure_pace(at=timezone.now())
    logger.info("pace_measured", stages=len(found))
