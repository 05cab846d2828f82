"""The product is written in American English, in the words of its glossary (tests/words.txt)."""

import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
MOST_ALLOWED = 15
NAME = re.compile(r"\W*[\w.:/-]*\W*")  # a string that is a name for the program, not a text
# Decision records are left out: they name things as they were called on their day.
TEXTS = ["docs/*.md", "letters/wording/*.toml", "templates/**/*.html", "templates/**/*.txt"]
PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
APPS = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))
WORDS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}  # from Python 3.12


def words_file():
    """The listed words with what replaces them, and the allowed places with their reasons."""
    listed, _, allowed = (ROOT / "tests/words.txt").read_text().partition("\nallowed:\n")
    lines = [line for line in listed.splitlines() if line and not line.startswith("#")]
    places = [line.split("\t") for line in allowed.splitlines() if line.strip()]
    return dict(line.split("\t") for line in lines), {
        (file, word): why for file, word, why in places
    }


def pattern_of(word):
    """A listed word as a pattern: whole words, in any case, any space between them."""
    stem = re.escape(word.removesuffix("*")).replace(r"\ ", r"\s+")
    ending = r"\w*" if word.endswith("*") else ""
    return re.compile(rf"(?<![\w-]){stem}{ending}(?![\w-])", re.IGNORECASE)


def python_texts(source):
    """What people read of a module: its strings, docstrings and comments."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if (
            token.type == tokenize.COMMENT
            or token.type in WORDS
            and not NAME.fullmatch(token.string)
        ):
            yield token.string


@cache
def texts():
    """Every file whose words people read, with its text."""
    found = {}
    for pattern in [*TEXTS, *PAGES]:
        for path in ROOT.glob(pattern):
            found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" not in path.parts:
                found[str(path.relative_to(ROOT))] = "\n".join(python_texts(path.read_text()))
    return found


def places_of(word, texts):
    return {file for file, text in texts.items() if pattern_of(word).search(text)}


def test_no_retired_word_is_used_outside_its_allowed_places():
    listed, allowed = words_file()

    found = [
        f"{file}: “{word}”, write {instead}"
        for word, instead in listed.items()
        for file in sorted(places_of(word, texts()))
        if (file, word) not in allowed
    ]

    assert not found, "\n".join(found)


def test_every_allowed_place_is_needed_and_says_why():
    listed, allowed = words_file()

    unused = [place for place in allowed if place[0] not in places_of(place[1], texts())]

    assert not unused
    assert {word for _, word in allowed} <= set(listed)
    assert all(allowed.values())
    assert len(allowed) <= MOST_ALLOWED


@pytest.mark.parametrize(
    ("word", "text", "is_found"),
    [
        ("organis*", "The Organisation decides.", True),
        ("organis*", "The organization decides.", False),
        ("tie", "A tie\nof blood", True),
        ("tie", "Tied, parties, tie-break", False),
        ("records owed", "Records\n    owed", True),
        ("house", "house_style", False),
    ],
)
def test_a_planted_word_is_found(word, text, is_found):
    assert bool(places_of(word, {"page": text})) is is_found
