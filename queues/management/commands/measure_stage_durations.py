"""``manage.py measure_stage_durations``: measure how long each stage took lately."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.counting import count_noun
from queues.services.stage_durations import measure_stage_durations


class Command(BaseCommand):
    """Measure now; the scheduler does the same every night."""

    help = "Measure how long each stage took lately, for the order by time to spare."

    def handle(self, **options: Any) -> None:
        count = measure_stage_durations(at=timezone.now())
        for row in count:
            self.stdout.write(f"{row} (median of {count_noun(row.cases, 'case')})")
        if not count:
            self.stdout.write("Too few cases have been decided to measure anything yet.")
