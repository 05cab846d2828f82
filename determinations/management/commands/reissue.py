"""Render a copy of an issued determination, in its own layout or in another one."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.refusals import NotAllowed
from cases.models import Case
from determinations.composition import LAYOUTS
from determinations.services.issuing import render_issued_copy


class Command(BaseCommand):
    help = "Write the determination letter of a case as PDF, in the layout of today or of 2014."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("case", metavar="CASE", help="case number, such as CM26-0000001")
        parser.add_argument("--layout", choices=sorted(LAYOUTS), default="today")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE.pdf")

    def handle(self, *, case: str, layout: str, out: Path, **options: Any) -> None:
        row = Case.objects.filter(number=case).first()
        if row is None:
            raise CommandError(f"There is no case {case}.")
        try:
            content = render_issued_copy(row, layout=LAYOUTS[layout])
        except NotAllowed as refusal:
            raise CommandError(str(refusal)) from refusal
        try:
            out.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{row.number}, {layout}: {out}")
