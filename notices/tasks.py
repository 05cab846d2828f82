"""The task of the workers. A message holds only ids of notices; all else is in their rows."""

import structlog
from celery import shared_task
from django.utils import timezone

from . import services

logger = structlog.get_logger(__name__)


@shared_task(name="notices.send_mail")
def send_mail(*, notice_ids: list[int], **_: object) -> None:
    """Send the e-mail of these notices. It may run twice, late or never."""
    sent = services.send_mail(notice_ids=notice_ids, at=timezone.now(), now=timezone.now)
    logger.info("notices_mailed", sent=sent, left_out=len(notice_ids) - sent)
