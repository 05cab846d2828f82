"""Scheduled tasks of intake. No legal date depends on them, so a late run does no harm."""

import structlog
from django.utils import timezone

from jobs.tasks import JobInProgress, scheduled_job

from .services import drafts

logger = structlog.get_logger(__name__)


@scheduled_job("intake.close_forgotten_drafts")
def close_forgotten_drafts(job: JobInProgress) -> None:
    """Close the drafts that nobody has saved for a week."""
    if ended := drafts.close_lapsed_drafts(at=timezone.now()):
        logger.info("forgotten_drafts_closed", ended=ended)
