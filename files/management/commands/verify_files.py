"""``manage.py verify_files``: compare the stored files with their rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from files import services


class Command(BaseCommand):
    help = "Compare every stored file with its row and its hash. Fails if they differ."

    def handle(self, **options: Any) -> None:
        found = services.compare_with_storage()
        for title, names in (
            ("rows without a file", found.rows_without_file),
            ("files without a row", found.files_without_row),
            ("hash differences", found.changed),
        ):
            self.stdout.write(f"{len(names)} {title}")
            for name in names:
                self.stdout.write(f"    {name}")
        if found:
            raise CommandError("Rows and stored files differ.", returncode=1)
