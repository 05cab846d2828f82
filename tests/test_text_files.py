"""Templates and scripts stay readable: no line is longer than 120 characters.

Whether our JavaScript parses is not tested here, because no JavaScript engine is at hand without a
browser. The browser tests load every script and fail on a page error.
"""

from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LONGEST = 120
FILES = sorted([*(ROOT / "templates").rglob("*.html"), *(ROOT / "static/js").glob("*.js")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_is_longer_than_120_characters(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    long = [number for number, line in enumerate(lines, start=1) if len(line) > LONGEST]
    name = path.relative_to(ROOT).as_posix()
    assert not long, f"{name}: lines {long} are longer than {LONGEST} characters. Break them."
