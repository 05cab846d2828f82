"""Compare two versions of a text word by word. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from diff_match_patch import diff_match_patch

Change = Literal["same", "added", "removed"]

_WORDS = re.compile(r"\s+|[^\W_]+(?:[’'.,-][^\W_]+)*|.", re.DOTALL)
_FIRST_CODE = 0xF0000  # private-use characters, each standing for a word
_KINDS: dict[int, Change] = {0: "same", 1: "added", -1: "removed"}
_LONGEST = 200_000  # characters; beyond it the whole text counts as replaced


@dataclass(frozen=True)
class Piece:
    """A piece of text that was kept, added or removed."""

    change: Change
    text: str


def word_differences(old: str, new: str) -> list[Piece]:
    """Return the pieces that turn ``old`` into ``new``, in reading order; words are never split.

    All pieces but the ``added`` ones make ``old``; all but the ``removed`` ones make ``new``.
    """
    if old == new:
        return [Piece("same", old)] if old else []
    # The library compares characters, so each word is mapped to one private-use character.
    codes: dict[str, str] = {}

    def encode(text: str) -> str:
        words = _WORDS.findall(text)
        return "".join(codes.setdefault(word, chr(_FIRST_CODE + len(codes))) for word in words)

    if len(old) + len(new) > _LONGEST:
        differences = [(-1, old), (1, new)]
        return [Piece(_KINDS[kind], text) for kind, text in differences if text]
    matcher = diff_match_patch()
    # In seconds. After that the library returns a coarser result instead of working on.
    matcher.Diff_Timeout = 1.0
    differences = matcher.diff_main(encode(old), encode(new), False)
    matcher.diff_cleanupSemantic(differences)
    words = {code: word for word, code in codes.items()}
    return [
        Piece(_KINDS[kind], "".join(words[code] for code in text))
        for kind, text in differences
        if text
    ]
