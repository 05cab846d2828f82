"""What the scheduler asks of cases. Nothing legal hangs on it: a missed night changes no date."""

import structlog
from celery import shared_task
from django.utils import timezone

from .services import house_ties

logger = structlog.get_logger(__name__)


@shared_task(name="cases.examine_house")
def examine_house(**_: object) -> None:
    """Test open cases again after facts about this organization have changed."""
    if tested := house_ties.examine_outdated(by=None, at=timezone.now()):
        logger.info("house_examined", cases=tested)
