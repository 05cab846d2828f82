"""Fold names, claim numbers and references so that equal things compare equal. Pure."""

import re
import unicodedata
from dataclasses import dataclass

_CORPORATE = {
    "inc",
    "incorporated",
    "llc",
    "llp",
    "corp",
    "corporation",
    "co",
    "ltd",
    "the",
}


# Signs that are typed and printed as an apostrophe, which is removed. Some are letters to Unicode,
# and the acute accent is a space with an accent, so they are removed before anything else.
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘‛`´ʹʻʼʽʾʿˈˊˋ′‵՚ꞌ＇·‧"))
# Letters with a stroke or a hook and ligatures, which Unicode does not decompose.
_PLAIN = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
    "ŧ": "t", "ŋ": "n", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ȷ": "j", "ɨ": "i", "ƒ": "f",
}  # fmt: skip
# Cyrillic and Greek letters that look like a Latin one, small or in capitals. The letters of a
# name that is written in one of these scripts throughout are replaced alike on both sides.
_LOOK_ALIKES = dict(
    zip(
        "авекмнорстухіјѕԁһԛԝαβεζηικμνορτυχ",
        "abekmhopctyxijsdhqwabezhikmnoptyx",
        strict=True,
    )
)
_LETTERS = str.maketrans(_PLAIN | _LOOK_ALIKES)
# Ends of a name that one form prints and another leaves out.
_SUFFIXES = {"jr", "sr", "ii", "iii", "iv"}
MOST_SEARCHED = 300  # characters of a folded name; a longer text is no name
INDEXED_LETTERS = 3  # the index of names holds groups of this many letters


def fold_name(name: str) -> str:
    """Fold a name: without case, accents and punctuation, in any script.

    An apostrophe of any shape is removed and a hyphen becomes a space, so that ``D'Angelo-Núñez``
    folds like ``DANGELO NUNEZ`` and two surnames stay two words. Search, duplicates and conflicts
    all compare names folded here.
    """
    plain = name.translate(_APOSTROPHES)
    # Normalized twice, because folding case can bring back composed letters.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold())
    plain = "".join(
        letter
        for letter in plain
        # Accents, and signs without width such as a soft hyphen.
        if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )
    # Compatibility forms of an apostrophe appear only now.
    plain = plain.translate(_APOSTROPHES).translate(_LETTERS)
    return " ".join(re.findall(r"[^\W_]+", plain))


def fold_for_search(name: str) -> str:
    """Fold a name for the index of names: two spaces before each word, and one at the end.

    A word of one or two letters is found by the spaces before it: an index of three letters each
    could not hold it otherwise.
    """
    words = fold_name(name).split()
    return "".join(f"  {word}" for word in words) + " " if words else ""


@dataclass(frozen=True)
class NameQuery:
    """What a name has to contain to be found, as parts of ``fold_for_search``.

    :ivar indexed: parts that the index finds; empty if there is nothing to search for.
    :ivar rest: shorter parts, compared with each name that the index finds.
    """

    indexed: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()


def read_name_query(text: str) -> NameQuery:
    """Read a name as typed in a search: its words in any order, a suffix such as "Jr." left out.

    Words of three letters are found anywhere in a name. If there are only shorter ones, a word of
    the name has to begin with each.
    """
    folded = fold_name(text)
    if not folded or len(folded) > MOST_SEARCHED:
        return NameQuery()
    first, *others = dict.fromkeys(folded.split())
    words = [first, *(word for word in others if word not in _SUFFIXES)]
    if long := tuple(word for word in words if len(word) >= INDEXED_LETTERS):
        return NameQuery(long, tuple(word for word in words if word not in long))
    return NameQuery(tuple(f"  {word}" for word in words))


def fold_organization(name: str) -> str:
    """Fold the name of an organization, without words of its legal form such as "Inc."."""
    words = fold_name(name).split()
    own_words = [word for word in words if word not in _CORPORATE]
    # A name of such words only keeps them, because an empty name matches nothing.
    return " ".join(own_words or words)


def fold_number(number: str) -> str:
    """Fold a claim number or reference: letters and digits only, in capitals."""
    return "".join(re.findall(r"[A-Za-z0-9]", number)).upper()


def one_slip_apart(one: str, other: str) -> bool:
    """Return whether two texts differ by at most one typing error.

    An error is a letter added, left out or replaced, or two letters swapped.
    """
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    at = next((n for n in range(len(shorter)) if shorter[n] != longer[n]), len(shorter))
    if len(shorter) != len(longer):
        return shorter[at:] == longer[at + 1 :]
    # Two swapped letters are one typing error but would count as two replaced letters.
    swapped = shorter[:at] + shorter[at + 1 : at + 2] + shorter[at : at + 1] + shorter[at + 2 :]
    return shorter[at + 1 :] == longer[at + 1 :] or swapped == longer
