"""The tasks of the workers. A message holds only ids of letters; all else is in their rows."""

import uuid

# Imported before the worker forks its children, so that their first letter is as fast as the
# others. Importing Typst before a fork is safe; compiling with it is not.
import structlog
import typst  # noqa: F401
from celery import shared_task
from django.utils import timezone

from jobs.tasks import JobInProgress, scheduled_job

from . import services

logger = structlog.get_logger(__name__)


@shared_task(name="letters.render")
def render_letters(*, letter_ids: list[str], **_: object) -> None:
    """Typeset and file the letters of one message. It may run twice, late or never."""
    settled = services.render_letters(
        letter_ids=[uuid.UUID(letter_id) for letter_id in letter_ids],
        at=timezone.now(),
        now=timezone.now,
    )
    for letter in settled:
        logger.info("letter_rendered", letter_id=str(letter.pk), state=letter.state)
    if len(settled) < len(letter_ids):
        # Another worker has them, or they are filed or failed, or there was no time.
        logger.info("letters_left_out", count=len(letter_ids) - len(settled))


@scheduled_job("letters.sweep")
def sweep_letters(job: JobInProgress) -> None:
    """Queue lost letters again. The relay does the same, in case no worker is running."""
    services.requeue_lost_letters(at=timezone.now())


@scheduled_job("letters.heartbeat")
def record_worker_heartbeat(job: JobInProgress) -> None:
    """Record that a worker executes tasks; a running process alone would not show this."""
    services.record_heartbeat(name="worker", at=timezone.now())
