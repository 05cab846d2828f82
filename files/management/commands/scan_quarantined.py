"""``manage.py scan_quarantined``: look again at the files that came while the scanner was away."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from files import services
from files.models import StoredFile


class Command(BaseCommand):
    help = "Scan every quarantined file; those found clean can be opened from then on."

    def handle(self, **options: Any) -> None:
        waiting = StoredFile.objects.filter(state=StoredFile.State.QUARANTINED).order_by("pk")
        counts = dict.fromkeys(StoredFile.State.values, 0)
        for file_id in list(waiting.values_list("pk", flat=True)):
            file = services.release_quarantined(file_id=file_id, at=timezone.now())
            counts[file.state] += 1
        self.stdout.write(
            f"{counts['CLEAN']} clean, {counts['REFUSED']} refused, "
            f"{counts['QUARANTINED']} still waiting."
        )
