"""Compare storage with the rows that name it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from files.services import differences


class Command(BaseCommand):
    help = "List stored files that are missing, changed, or named by no row."

    def handle(self, **options: Any) -> None:
        counts = {"missing": 0, "changed": 0, "stray": 0}
        for difference in differences():
            counts[difference.partition(":")[0]] += 1
            self.stderr.write(difference)
        line = ", ".join(f"{count} {word}" for word, count in counts.items())
        self.stdout.write(line)
        if any(counts.values()):
            raise CommandError("Storage and rows disagree.")
