"""Receives the files of a watched folder: ``manage.py ingest_folder DIR --channel FAX``.

It can run as often as needed. Files received before, with the same name and content, are skipped.
The files stay in the folder. A file's received date is the day of its last change, which is when
the fax server stored it. A file that may still be growing waits for the next run.
"""

import hashlib
from argparse import ArgumentParser
from collections import defaultdict
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.counting import count_noun
from cases.models import Channel
from files.services import clean_file_name
from intake.models import Scan
from intake.services.batches import MAX_SCANS_PER_BATCH, check_uploads, open_batch

# A file that changed within this time may still be being written.
STILL_GROWING = timedelta(seconds=10)


class Command(BaseCommand):
    help = "Receive the scans of a watched folder as batches, each file once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR")
        parser.add_argument("--channel", choices=Channel.values, default=Channel.FOLDER)

    def handle(self, *, folder: str, channel: str, **options: Any) -> None:
        now = timezone.now()
        place = Path(folder).resolve()
        if not place.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        imported = 0
        # A batch has one received date, so files of different days go to different batches.
        for day, paths in sorted(_find_new_files(place, now).items()):
            for first in range(0, len(paths), MAX_SCANS_PER_BATCH):
                some = paths[first : first + MAX_SCANS_PER_BATCH]
                # Open only the files of this batch; a full folder could exceed the limit on open
                # files.
                with ExitStack() as opened:
                    uploads = [
                        UploadedFile(
                            file=opened.enter_context(path.open("rb")),
                            name=path.name,
                            size=path.stat().st_size,
                        )
                        for path in some
                    ]
                    batch = open_batch(
                        channel=Channel(channel),
                        received_on=day,
                        uploads=check_uploads(uploads=uploads, by=None, at=now),
                        folder=str(place)[:300],
                        by=None,
                        at=now,
                    )
                imported += len(some)
                for scan in batch.scans.filter(state=Scan.State.REFUSED):
                    self.stderr.write(scan.refusal)
                self.stdout.write(f"{batch}: {count_noun(len(some), 'file')}, received {day}.")
        if not imported:
            self.stdout.write("No new files.")


def _find_new_files(place: Path, now: datetime) -> dict[date, list[Path]]:
    """Find the files that were not received yet, by the local day of their last change."""
    files_by_day: dict[date, list[Path]] = defaultdict(list)
    for path in sorted(place.iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        arrived = datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_current_timezone())
        if arrived > now - STILL_GROWING:
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        # The same content under another name is received again: the batch marks it as a duplicate
        # file, so that its receipt is on record.
        stored_names = Scan.objects.filter(
            sha256=digest, name_received=clean_file_name(path.name), batch__folder=str(place)[:300]
        )
        if not stored_names.exists():
            files_by_day[arrived.date()].append(path)
    return files_by_day
