"""Import published decisions from JSON files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from determinations import shapes
from determinations.services.published import AlreadyLoaded, NumberTaken, load_published


class Command(BaseCommand):
    """``manage.py import_case_facts FILE… [--dry-run]``."""

    help = (
        "Import each JSON file of a published decision as a closed case. An invalid file is "
        "refused as a whole, with the place and the reason; the other files are imported. The "
        "exit status is 1 if a file was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything, store nothing"
        )

    def handle(self, *args: Any, files: list[Path], dry_run: bool, **options: Any) -> None:
        refused = 0
        for file in files:
            try:
                self.stdout.write(f"{file}: {self._load(file, dry_run)}")
            except (OSError, shapes.InvalidFactsFile, NumberTaken) as error:
                reason = f"{error.strerror}." if isinstance(error, OSError) else error
                self.stderr.write(f"{file}: refused. {reason}")
                refused += 1
        if refused:
            raise CommandError(f"{refused} of {len(files)} files refused.", returncode=1)

    def _load(self, file: Path, dry_run: bool) -> str:
        at = timezone.now()
        with file.open("rb") as opened:
            # One byte more than allowed is enough to refuse a larger file without reading it all.
            facts = shapes.parse_facts_file(opened.read(shapes.MAX_FILE_BYTES + 1))
        _, notes = shapes.read_published_case(facts, today=timezone.localdate(at))
        try:
            case = load_published(facts=facts, by=None, at=at, dry_run=dry_run)
        except AlreadyLoaded as known:
            return f"case {known.case.number} is already loaded, unchanged."
        done = "can be loaded" if dry_run else "loaded"
        kept_out = f" Notes not stored: {', '.join(notes)}." if notes else ""
        return f"case {case.number} {done}.{kept_out}"
