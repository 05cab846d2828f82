"""What the scheduler asks of intake. Nothing legal hangs on it: a missed hour changes no date."""

import structlog
from celery import shared_task
from django.utils import timezone

from .services import drafts

logger = structlog.get_logger(__name__)


@shared_task(name="intake.close_forgotten_drafts")
def close_forgotten_drafts(**_: object) -> None:
    """End the intakes that no one went on with."""
    if ended := drafts.close_forgotten(at=timezone.now()):
        logger.info("forgotten_drafts_closed", ended=ended)
