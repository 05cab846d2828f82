"""Draw the list of modules in ``docs/architecture.md`` from the first sentence of each."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from imr_portal.drawing import DrawCommand

PAGE = Path("docs", "architecture.md")
# Every app has these, and they say nothing about it.
_NOT_LISTED = {"__init__", "apps", "urls"}


class Command(DrawCommand):
    """``manage.py draw_architecture [--check]``."""

    help = f"Redraw the lists of modules in {PAGE}; --check only compares."
    page = PAGE

    def draw(self, name: str) -> str:
        lines = [f"| `{module}` | {sentence} |" for module, sentence in modules_of(name)]
        return "\n".join(["", "| module | what it holds |", "|---|---|", *lines, "", ""])


def modules_of(app: str) -> Iterator[tuple[str, str]]:
    """Each module of an app, by its path inside the app, with its first sentence."""
    root = Path(settings.BASE_DIR) / app
    for path in sorted(root.rglob("*.py"), key=lambda path: (len(path.parts), path)):
        inside = path.relative_to(root)
        if inside.parts[0] != "migrations" and path.stem not in _NOT_LISTED:
            yield inside.as_posix(), _first_sentence(path)


def _first_sentence(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    words = " ".join(docstring.split("\n\n")[0].split())
    return words.partition(". ")[0].rstrip(".") + "." if words else ""
