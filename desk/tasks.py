"""Scheduled tasks of the desk: lists are written as files, and files of yesterday are deleted."""

from datetime import timedelta

import structlog
from django.utils import timezone

from accounts.models import User
from jobs import services
from jobs.failures import LeaseLost, describe_failure
from jobs.models import ListExport
from jobs.tasks import JobInProgress, scheduled_job

from .exports import NoSuchList, read_part

logger = structlog.get_logger(__name__)

# One run writes for so long; the next run continues, so no list holds up the letters.
LONGEST_RUN = timedelta(seconds=20)


@scheduled_job("desk.write_exports")
def write_exports(job: JobInProgress) -> None:
    """Write the lists that people asked for, oldest first. What is left waits for the next run."""
    began_at = timezone.now()
    services.delete_old_exports(at=began_at)
    moving = [ListExport.State.WAITING, ListExport.State.WRITING]
    for export in ListExport.objects.filter(state__in=moving).order_by("pk"):
        while export.is_moving:
            if timezone.now() - began_at >= LONGEST_RUN:
                return
            _write_part(export)
            job.keep_alive()


def _write_part(export: ListExport) -> None:
    """Write the next lines of one list. An error ends this list and not the others."""
    try:
        reader = User.objects.get_with_roles(export.requested_by_id)
        if reader is None or not reader.is_active:
            raise NoSuchList(export.name)
        lines, rows, next_key = read_part(export, reader, at=timezone.now())
        services.add_export_part(
            export=export, lines=lines, rows=rows, next_key=next_key, at=timezone.now()
        )
    except LeaseLost:
        raise
    except NoSuchList:
        services.fail_export(
            export=export, error="You may not open this list any more.", at=timezone.now()
        )
    except Exception as error:  # noqa: BLE001 - one list must not stop the others
        logger.error("export_failed", list=export.name, error=type(error).__name__)
        services.fail_export(export=export, error=describe_failure(error), at=timezone.now())
