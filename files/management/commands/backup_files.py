"""``manage.py backup_files FOLDER``: copy new stored files to a backup, and verify all of it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.counting import count_noun
from files.backups import CopyResult, copy_verified_files


class Command(BaseCommand):
    help = (
        "Copy the stored files that a backup lacks, and verify every file of the backup by its "
        "hash. Fails if a file is damaged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder of the backup")

    def handle(self, *, folder: Path, **options: Any) -> str:
        return describe_copies(copy_verified_files(Path(settings.FILES_DIR), folder))


def describe_copies(result: CopyResult) -> str:
    """Say what was copied.

    :raises CommandError: naming the files that neither folder has intact.
    """
    if result.damaged:
        names = "\n".join(f"    {name}" for name in result.damaged)
        raise CommandError(
            f"{count_noun(len(result.damaged), 'file is,files are')} damaged, and no intact copy "
            f"was found. All others were copied. Get these from another backup:\n{names}"
        )
    return (
        f"{count_noun(result.copied, 'file')} copied, "
        f"{count_noun(len(result.replaced), 'damaged copy,damaged copies')} replaced, "
        f"{count_noun(result.present, 'file was,files were')} there."
    )
