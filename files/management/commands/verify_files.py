"""``manage.py verify_files``: compare the stored files with their rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.counting import count_noun
from files import services


class Command(BaseCommand):
    help = "Compare every stored file with its row and its hash. Fails if they differ."

    def handle(self, **options: Any) -> None:
        differences = services.compare_with_storage(at=timezone.now())
        for title, names in (
            ("row without a file,rows without a file", differences.rows_without_file),
            ("file without a row,files without a row", differences.files_without_row),
            ("hash difference", differences.changed),
            (
                "leftover of a killed upload in incoming,leftovers of killed uploads in incoming",
                differences.leftovers,
            ),
        ):
            self.stdout.write(count_noun(len(names), title))
            for name in names:
                self.stdout.write(f"    {name}")
        if differences:
            raise CommandError("Rows and stored files differ.", returncode=1)
