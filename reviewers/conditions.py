"""Which known conditions a diagnosis on paper speaks of. Pure: no rows, no clock."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from directory.names import fold_name

# An ICD-10-CM code: a letter, two digits or a digit and a letter, then up to four more behind a
# dot that papers often leave out. "L4-L5" and "C3" are levels of the spine and no codes.
_CODE = re.compile(r"\b([A-TV-Z]\d[0-9A-B])(?:\.?([0-9A-Z]{1,4}))?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """A condition as the map knows it."""

    condition_id: int
    name: str
    codes: str = ""  # beginnings of ICD-10-CM codes, parted by commas
    words: str = ""  # phrases, parted by commas


def spoken_of(diagnosis: str, known: Iterable[Known]) -> tuple[Known, ...]:
    """The conditions that a diagnosis names by a code or by a phrase of theirs.

    A phrase counts where its words stand together in this order, whatever their case and accents.
    """
    codes = {f"{start}{rest or ''}".upper() for start, rest in _CODE.findall(diagnosis)}
    text = f" {fold_name(diagnosis)} "
    return tuple(
        one
        for one in known
        if any(code.startswith(prefix) for prefix in _prefixes(one.codes) for code in codes)
        or any(f" {phrase} " in text for phrase in _phrases(one.words))
    )


def _prefixes(codes: str) -> list[str]:
    return [
        code for code in (re.sub(r"[^0-9A-Z]", "", part.upper()) for part in _parts(codes)) if code
    ]


def _phrases(words: str) -> list[str]:
    return [phrase for phrase in map(fold_name, _parts(words)) if phrase]


def _parts(text: str) -> list[str]:
    return text.split(",")
