"""Find characters that a letter cannot print, and clean text pasted from word processors.

Under PDF/A and PDF/UA, a character that no font contains stops the typesetting. So every text that
may reach a letter is checked here when it is saved, and the page names the characters to replace.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "fonts"
# The fonts for text that people write. A character must be in both.
TEXT_FACES = ("SourceSerif4-Regular.otf", "SourceSerif4-Semibold.otf")

# Word's private-use bullets and boxes, and signs that have an ordinary form.
_REPLACED = {
    "\u00a0": (" ", "no-break spaces"),
    "\u202f": (" ", "no-break spaces"),
    "\u2007": (" ", "no-break spaces"),
    "\u2002": (" ", "wide spaces"),
    "\u2003": (" ", "wide spaces"),
    "\u2009": (" ", "thin spaces"),
    "\u200a": (" ", "thin spaces"),
    "\u3000": (" ", "wide spaces"),
    "\t": (" ", "tabs"),
    "\u2028": ("\n", "line separators"),
    "\u2029": ("\n\n", "paragraph separators"),
    "\u0085": ("\n", "line separators"),
    "\u000b": ("\n", "line separators"),
    "\u000c": ("\n\n", "page breaks"),
    "\u2011": ("-", "no-break hyphens"),
    "\uf0b7": ("•", "Word's bullets"),
    "\uf0a7": ("•", "Word's bullets"),
    "\uf076": ("•", "Word's bullets"),
    "\uf0d8": ("•", "Word's bullets"),
    "\uf0fc": ("✓", "Word's ticks"),
    "\uf0a8": ("☐", "Word's boxes"),
    "\uf06f": ("☐", "Word's boxes"),
    "\uf0fe": ("☑", "Word's boxes"),
    "\uf0e0": ("→", "Word's arrows"),
    "\uf0b0": ("°", "Word's degree signs"),
    "\uf0b3": ("≥", "Word's signs"),
    "\uf0a3": ("≤", "Word's signs"),
    "●": ("•", "round bullets"),
    "▪": ("•", "square bullets"),
    "■": ("•", "square bullets"),
    "◦": ("•", "hollow bullets"),
    "○": ("•", "hollow bullets"),
    "‣": ("•", "arrow bullets"),
    "\u2043": ("•", "dash bullets"),
    "\u2010": ("-", "hyphens"),
}
_REMOVED = {
    "\u00ad": "soft hyphens",
    "\u200b": "zero-width spaces",
    "\u200c": "zero-width joiners",
    "\u200d": "zero-width joiners",
    "\u2060": "word joiners",
    "\ufeff": "byte-order marks",
    "\u200e": "direction marks",
    "\u200f": "direction marks",
    "\u061c": "direction marks",
    "\ufffc": "embedded objects",
}


@dataclass(frozen=True)
class UnprintableCharacter:
    """A character that a letter cannot print, and where it occurs."""

    character: str
    positions: tuple[int, ...]  # counted from 0

    @property
    def name(self) -> str:
        """The Unicode name in lowercase, with the code point."""
        unicode_name = unicodedata.name(self.character, "a character without a name")
        return f"{unicode_name.lower()}, U+{ord(self.character):04X}"

    @property
    def sentence(self) -> str:
        """The message for the person who typed it."""
        quoted = f"“{self.character}” " if self.character.isprintable() else ""
        first = self.positions[0] + 1
        often = f" and {len(self.positions) - 1} more" if len(self.positions) > 1 else ""
        return (
            f"{quoted}({self.name}) at character {first}{often} cannot be printed in a letter. "
            "Write it another way."
        )


@cache
def list_printable_characters() -> frozenset[str]:
    """List the characters that all text fonts of the letters contain."""
    faces = [_read_characters(FONTS / name) for name in TEXT_FACES]
    return frozenset.intersection(*faces)


def find_unprintable(text: str) -> list[UnprintableCharacter]:
    """Find the characters that the letters' fonts lack, in the order of first appearance."""
    can = list_printable_characters()
    # Most texts end here, without a look at each character.
    if text.isascii() and text.isprintable():
        return []
    positions: dict[str, list[int]] = {}
    for position, character in enumerate(text):
        if character != "\n" and character not in can:
            positions.setdefault(character, []).append(position)
    return [
        UnprintableCharacter(character, tuple(character_positions))
        for character, character_positions in positions.items()
    ]


def normalize_text(text: str) -> tuple[str, list[str]]:
    """Clean text pasted from a word processor. Also returns a note for each kind of change.

    Line endings become newlines, combining accents are composed with their letters, bullets and
    spaces become ordinary ones, and invisible and control characters are removed. Nothing that
    carries meaning is removed: an unknown character stays, and ``find_unprintable`` names it.
    """
    counts: dict[str, int] = {}

    def note(kind: str, how_many: int = 1) -> None:
        counts[kind] = counts.get(kind, 0) + how_many

    plain = text.replace("\r\n", "\n").replace("\r", "\n")  # browsers send CRLF: not worth a note
    composed = unicodedata.normalize("NFC", plain)
    parts: list[str] = []
    for character in composed:
        if character in _REPLACED:
            other, kind = _REPLACED[character]
            parts.append(other)
            if other != character:
                note(f"Replaced {kind}")
        elif character in _REMOVED:
            note(f"Removed {_REMOVED[character]}")
        elif character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs"}:
            note("Removed control characters")
        else:
            parts.append(character)
    notes = [f"{kind} ({count})." for kind, count in counts.items()]
    return "".join(parts), notes


def _read_characters(path: Path) -> frozenset[str]:
    """Read the characters that a font file maps to glyphs, from its ``cmap`` table."""
    with TTFont(path, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))
