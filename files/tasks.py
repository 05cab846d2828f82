"""Scheduled tasks of the stored files."""

from django.utils import timezone

from jobs.tasks import JobInProgress, scheduled_job

from . import services


@scheduled_job("files.delete_leftovers")
def delete_leftovers(job: JobInProgress) -> None:
    """Delete the files of killed uploads."""
    services.delete_leftovers(at=timezone.now())
