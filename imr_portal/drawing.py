"""Base of the commands that regenerate the marked parts of a documentation page.

A part begins with ``<!-- drawn: NAME -->`` and ends with ``<!-- end of drawn -->``.
"""

import re
from abc import abstractmethod
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

_MARKED = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end of drawn -->)", re.DOTALL)


class DrawCommand(BaseCommand):
    """Write the marked parts of ``page``; with ``--check``, compare only and fail if stale."""

    page: ClassVar[Path]  # from the root of the project

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        file = Path(settings.BASE_DIR) / self.page
        old = file.read_text(encoding="utf-8")
        new = _MARKED.sub(lambda match: f"{match[1]}{self.draw(match[2])}{match[3]}", old)
        if not check:
            file.write_text(new, encoding="utf-8")
            self.stdout.write(f"{self.page} drawn.")
        elif new != old:
            name = type(self).__module__.rpartition(".")[2]
            raise CommandError(f"{self.page} is stale. Run manage.py {name}.")
        else:
            self.stdout.write(f"{self.page} is current.")

    @abstractmethod
    def draw(self, name: str) -> str:
        """Return the part of this name, ending with a line break."""
