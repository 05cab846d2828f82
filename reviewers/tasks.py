"""Scheduled tasks. Each run does the work that is missing."""

from time import monotonic

import structlog
from celery import shared_task
from django.utils import timezone

from .services import payer_bias

logger = structlog.get_logger(__name__)

LONGEST = 20.0  # seconds after which no further test starts; the next run continues


@shared_task(name="reviewers.check_payer_bias")
def check_payer_bias(**_: object) -> None:
    """Run the missing payer-bias tests of each month and each twelve months."""
    began = monotonic()
    while monotonic() - began < LONGEST:
        test = payer_bias.run_next_bias_test(at=timezone.now())
        if test is None:
            return
        logger.info(
            "payer_bias_tested",
            first=test.first.isoformat(),
            last=test.last.isoformat(),
            party=test.party_role,
            steered=test.is_steered,
        )
