"""Fold names, claim numbers and references so that equal things compare equal. Pure."""

import re
import unicodedata

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


# Letters with a stroke and ligatures, which Unicode does not decompose.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)


def fold_name(name: str) -> str:
    """Fold a name: without case, accents and punctuation, in any script.

    An apostrophe is removed and a hyphen becomes a space, so that ``D'Angelo-Núñez`` folds like
    ``DANGELO NUNEZ`` and two surnames stay two words.
    """
    # Normalized twice, because folding case can bring back composed letters.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"['’`]", "", plain).translate(_PLAIN)
    return " ".join(re.findall(r"[^\W_]+", plain))


def fold_organization(name: str) -> str:
    """Fold the name of an organization, without words of its legal form such as "Inc."."""
    words = fold_name(name).split()
    kept = [word for word in words if word not in _CORPORATE]
    # A name of such words only keeps them, because an empty name matches nothing.
    return " ".join(kept or words)


def fold_number(number: str) -> str:
    """Fold a claim number or reference: letters and digits only, in capitals."""
    return "".join(re.findall(r"[A-Za-z0-9]", number)).upper()


def one_slip_apart(one: str, other: str) -> bool:
    """Whether two texts differ by at most one typing error.

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
