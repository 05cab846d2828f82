"""``manage.py restore_files FOLDER``: copy the files of a backup back, and verify all of them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from files.backups import copy_verified_files
from files.management.commands.backup_files import describe_copies


class Command(BaseCommand):
    help = (
        "Copy the files of a backup that are missing or damaged here, and verify every stored file "
        "by its hash. Fails if a file is damaged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder of the backup")

    def handle(self, *, folder: Path, **options: Any) -> str:
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        return describe_copies(copy_verified_files(folder, Path(settings.FILES_DIR)))
