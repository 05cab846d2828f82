"""What workers do. A message holds an id and nothing else; the row says the rest."""

import uuid

# Read in before the worker forks its children, so that their first letter is as quick as the
# others. To import Typst before a fork is safe; to compile is not.
import pikepdf  # noqa: F401
import structlog
import typst  # noqa: F401
from celery import shared_task
from django.utils import timezone

from . import services

logger = structlog.get_logger(__name__)


@shared_task(name="letters.render")
def render(*, letter_id: str, **_: object) -> None:
    """Typeset and file one letter. May run twice, late or never."""
    try:
        letter = services.render(
            letter_id=uuid.UUID(letter_id), at=timezone.now(), now=timezone.now
        )
    except services.LetterTaken:
        logger.info("letter_already_taken", letter_id=letter_id)
    else:
        logger.info("letter_rendered", letter_id=letter_id, state=letter.state)


@shared_task(name="letters.sweep")
def sweep(**_: object) -> None:
    """Bring back letters that got lost. The relay does the same, in case no worker lives."""
    services.sweep(at=timezone.now())


@shared_task(name="letters.heartbeat")
def heartbeat(**_: object) -> None:
    """Show that a worker works: being alive is not enough."""
    services.beat(name="worker", at=timezone.now())
