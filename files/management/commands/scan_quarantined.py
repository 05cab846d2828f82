"""``manage.py scan_quarantined``: scan the files that came while the scanner was unavailable."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from files import services
from files.models import StoredFile


class Command(BaseCommand):
    help = "Scan every quarantined file. Files that are clean can then be opened."

    def handle(self, **options: Any) -> None:
        waiting = StoredFile.objects.filter(state=StoredFile.State.QUARANTINED).order_by("pk")
        counts = dict.fromkeys(StoredFile.State.values, 0)
        # Read as a list first: each scan is a transaction of its own and may take long.
        for file_id in list(waiting.values_list("pk", flat=True)):
            file = services.release_quarantined(file_id=file_id, at=timezone.now())
            counts[file.state] += 1
        self.stdout.write(
            f"{counts['CLEAN']} clean, {counts['REFUSED']} refused, "
            f"{counts['QUARANTINED']} still quarantined."
        )
