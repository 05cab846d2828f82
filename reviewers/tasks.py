"""Scheduled tasks. Each run does the work that is missing."""

from time import monotonic

import structlog
from django.utils import timezone

from jobs.tasks import JobInProgress, scheduled_job

from .services import payer_bias, review_notices

logger = structlog.get_logger(__name__)

LONGEST = 20.0  # seconds after which no further test starts; the next run continues


@scheduled_job("reviewers.run_payer_bias_test")
def check_payer_bias(job: JobInProgress) -> None:
    """Run the missing payer-bias tests of each month and each twelve months."""
    began = monotonic()
    while monotonic() - began < LONGEST:
        test = payer_bias.run_next_bias_test(at=timezone.now())
        if test is None:
            return
        job.keep_alive()
        logger.info(
            "payer_bias_tested",
            first=test.first.isoformat(),
            last=test.last.isoformat(),
            party=test.party_role,
            steered=test.is_steered,
        )


@scheduled_job("reviewers.remind_due_reviews")
def remind_due_reviews(job: JobInProgress) -> None:
    """Remind reviewers of reviews that are due soon."""
    count = review_notices.remind_due_reviews(at=timezone.now())
    logger.info("due_reviews_reminded", reviews=count)
