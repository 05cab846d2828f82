"""``manage.py import_drug_list FILE``: import an edition of the MTUS drug list from a CSV file."""

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.refusals import Refused
from guidelines import services


class Command(BaseCommand):
    help = (
        "Import an edition of the MTUS drug list (8 CCR 9792.27.15) from a CSV file with the "
        "columns that DWC publishes. Prints what is added, changed and ended. Bad lines are named, "
        "and then nothing is saved. The same file twice changes nothing. No row is confirmed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the list, saved as CSV UTF-8")
        parser.add_argument("--label", required=True, help="the edition, such as v.7")
        parser.add_argument(
            "--starts", required=True, help="its first day in force, such as 2020-11-01"
        )
        parser.add_argument(
            "--source",
            default=services.DRUG_LIST_SOURCE,
            help="the order that adopts it (default: %(default)s)",
        )
        parser.add_argument(
            "--incomplete",
            action="store_true",
            help="the file has only some of the drugs: end no row that it lacks",
        )
        parser.add_argument("--dry-run", action="store_true", help="print the changes only")

    def handle(
        self,
        *,
        file: Path,
        label: str,
        starts: str,
        source: str,
        incomplete: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        try:
            starts_on = date.fromisoformat(starts)
        except ValueError as error:
            raise CommandError("Write the first day as in 2020-11-01.") from error
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        try:
            changes = services.import_drug_list(
                content=content,
                label=label,
                starts_on=starts_on,
                source=source,
                is_complete=not incomplete,
                dry_run=dry_run,
                by=None,
                at=timezone.now(),
            )
        except Refused as refusal:
            raise CommandError(f"{refusal}\nNothing was imported.") from refusal
        for kind, texts in (
            ("Added", changes.added),
            ("Changed", changes.changed),
            ("Ended", changes.ended),
            ("Brand names", changes.renamed),
        ):
            for text in texts:
                self.stdout.write(f"{kind}: {text}")
        if changes.edition:
            self.stdout.write(f"Edition: {changes.edition}")
        self.stdout.write(f"{changes}.")
        if dry_run:
            self.stdout.write("Dry run: nothing was saved.")
