"""Folding names, claim numbers and references so that the same thing compares equal. Pure."""

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


def fold_name(name: str) -> str:
    """A name without case, accents and punctuation; apostrophes and hyphens join.

    ``D'Angelo-Núñez`` and ``DANGELO NUNEZ`` do not fold alike: a hyphen becomes a blank, an
    apostrophe nothing, so two surnames stay two words.
    """
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"['’`]", "", plain.casefold())
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def fold_organisation(name: str) -> str:
    """An organisation's name without the words that say only its legal form."""
    words = fold_name(name).split()
    kept = [word for word in words if word not in _CORPORATE]
    return " ".join(kept or words)


def fold_number(number: str) -> str:
    """A claim number or reference: letters and digits only, capitals."""
    return "".join(re.findall(r"[A-Z0-9]", number.upper()))
