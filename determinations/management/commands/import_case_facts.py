"""Import published decisions from JSON files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.counting import count_noun
from determinations import shapes
from determinations.services.published import AlreadyLoaded, load_many_published

# Loaded in one transaction. All their rows are in memory at once.
FILES_AT_ONCE = 500


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
        refused = sum(
            self._load(files[start : start + FILES_AT_ONCE], dry_run)
            for start in range(0, len(files), FILES_AT_ONCE)
        )
        if refused:
            raise CommandError(
                f"{refused} of {count_noun(len(files), 'file')} refused.", returncode=1
            )

    def _load(self, files: list[Path], dry_run: bool) -> int:
        """Load some files in one transaction and return how many were refused."""
        refusals: dict[Path, str] = {}
        letters: dict[Path, dict[str, Any]] = {}
        for file in files:
            try:
                letters[file] = self._read(file)
            except OSError as error:
                refusals[file] = f"{error.strerror}."
            except shapes.InvalidFactsFile as error:
                refusals[file] = str(error)
        results = load_many_published(
            letters=list(letters.values()), by=None, at=timezone.now(), dry_run=dry_run
        )
        done = "can be loaded" if dry_run else "loaded"
        for file, result in zip(letters, results, strict=True):
            if isinstance(result.refusal, AlreadyLoaded):
                self.stdout.write(
                    f"{file}: case {result.refusal.case.number} is already loaded, unchanged."
                )
            elif result.refusal is not None:
                refusals[file] = str(result.refusal)
            elif result.case is not None:
                names = ", ".join(result.notes)
                kept_out = f" Notes not stored: {names}." if names else ""
                self.stdout.write(f"{file}: case {result.case.number} {done}.{kept_out}")
        for file, reason in refusals.items():
            self.stderr.write(f"{file}: refused. {reason}")
        return len(refusals)

    def _read(self, file: Path) -> dict[str, Any]:
        with file.open("rb") as opened:
            # One byte more than allowed is enough to refuse a larger file without reading it all.
            return shapes.parse_facts_file(opened.read(shapes.MAX_FILE_BYTES + 1))
