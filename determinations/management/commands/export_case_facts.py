"""Export the facts of a decided case in the format of published decisions."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.models import Case
from determinations.published import NotExportable, export_case_facts


class Command(BaseCommand):
    """``manage.py export_case_facts CASE [--out FILE]``."""

    help = "Write the facts of a decided case as JSON, to standard output or to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("case", metavar="CASE", help="case number, such as CM26-0000001")
        parser.add_argument("--out", type=Path, metavar="FILE")

    def handle(self, *args: Any, case: str, out: Path | None, **options: Any) -> None:
        row = Case.objects.filter(number=case).first()
        if row is None:
            raise CommandError(f"There is no case {case}.")
        try:
            facts = export_case_facts(row)
        except NotExportable as error:
            raise CommandError(str(error)) from error
        text = json.dumps(facts, indent=1, ensure_ascii=False)
        if out is None:
            self.stdout.write(text)
            return
        try:
            out.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Facts of case {case} written to {out}.")
