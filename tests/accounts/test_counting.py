"""Numbers agree with their nouns, in commands too."""

import re
from pathlib import Path

import pytest

from accounts.counting import count_noun

ROOT = Path(__file__).resolve().parent.parent.parent
# A number of things, and a noun that is always in the plural.
ALWAYS_PLURAL = re.compile(r"\{(?:len\(.*?\)|[^{}\[]*count[^{}\[]*)\} (?!of\b)[a-z]+")


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [
        (1, "row", "1 row"),
        (0, "row", "0 rows"),
        (1234, "row", "1,234 rows"),
        (1, "party,parties", "1 party"),
        (2, "file is,files are", "2 files are"),
    ],
)
def test_a_number_agrees_with_its_noun(count, noun, expected):
    assert count_noun(count, noun) == expected


def test_no_command_prints_one_rows():
    commands = [*ROOT.glob("*/management/commands/*.py"), ROOT / "maintenance/repairing.py"]
    assert len(commands) > 30
    found = {
        f"{path.relative_to(ROOT)}: {hit.group()}"
        for path in commands
        for hit in ALWAYS_PLURAL.finditer(path.read_text(encoding="utf-8"))
        if "count_noun" not in hit.group()
    }
    assert found == set()
