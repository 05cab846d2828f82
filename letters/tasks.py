"""The tasks of the workers. A message holds only a letter's id; all other data is in its row."""

import uuid

# Imported before the worker forks its children, so that their first letter is as fast as the
# others. Importing Typst before a fork is safe; compiling with it is not.
import pikepdf  # noqa: F401
import structlog
import typst  # noqa: F401
from celery import shared_task
from django.utils import timezone

from . import services

logger = structlog.get_logger(__name__)


@shared_task(name="letters.render")
def render_letter(*, letter_id: str, **_: object) -> None:
    """Typeset and file one letter. It may run twice, late or never."""
    try:
        letter = services.render_letter(
            letter_id=uuid.UUID(letter_id), at=timezone.now(), now=timezone.now
        )
    except services.LetterTaken:
        logger.info("letter_already_taken", letter_id=letter_id)
    else:
        logger.info("letter_rendered", letter_id=letter_id, state=letter.state)


@shared_task(name="letters.sweep")
def sweep_letters(**_: object) -> None:
    """Queue lost letters again. The relay does the same, in case no worker is running."""
    services.requeue_lost_letters(at=timezone.now())


@shared_task(name="letters.heartbeat")
def record_worker_heartbeat(**_: object) -> None:
    """Record that a worker executes tasks; a running process alone would not show this."""
    services.record_heartbeat(name="worker", at=timezone.now())
