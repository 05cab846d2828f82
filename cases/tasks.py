"""Scheduled tasks of cases. No legal date depends on them: a missed run changes nothing."""

import structlog
from django.utils import timezone

from jobs.tasks import JobInProgress, scheduled_job

from .services import own_conflicts

logger = structlog.get_logger(__name__)


@scheduled_job("cases.examine_own_organization")
def examine_own_organization(job: JobInProgress) -> None:
    """Repeat the conflict check of open cases after facts about this organization changed."""
    # Most runs find nothing to check, and log nothing.
    if tested := own_conflicts.check_outdated_cases(by=None, at=timezone.now(), guard=job.for_case):
        logger.info("own_organization_examined", cases=tested)
