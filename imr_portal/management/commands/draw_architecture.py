"""Write the lists of modules in ``docs/architecture.md`` from their first sentences."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from imr_portal.drawing import DrawCommand

PAGE = Path("docs", "architecture.md")
# Every app has these, so they are not worth listing.
_NOT_LISTED = {"__init__", "apps", "urls"}


class Command(DrawCommand):
    """``manage.py draw_architecture [--check]``."""

    help = f"Regenerate the lists of modules in {PAGE}; --check only compares."
    page = PAGE

    def draw(self, name: str) -> str:
        lines = [f"| `{module}` | {sentence} |" for module, sentence in modules_of(name)]
        return "\n".join(["", "| module | what it holds |", "|---|---|", *lines, "", ""])


def modules_of(app: str) -> Iterator[tuple[str, str]]:
    """Yield the modules of an app: path inside the app, and first sentence."""
    root = Path(settings.BASE_DIR) / app
    for path in sorted(root.rglob("*.py"), key=lambda path: (len(path.parts), path)):
        inside = path.relative_to(root)
        if inside.parts[0] != "migrations" and path.stem not in _NOT_LISTED:
            yield inside.as_posix(), _first_sentence(path)


def _first_sentence(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    sentence = " ".join(docstring.split("\n\n")[0].split())
    return sentence.partition(". ")[0].rstrip(".") + "." if sentence else ""
