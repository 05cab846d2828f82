"""Postal addresses as clerks key them, brought to the form of USPS Publication 28. Pure.

City and state follow from the ZIP code. Words are abbreviated only where Publication 28 abbreviates
them, and only in lines that begin with a street number or a box; other lines, and addresses without
a ZIP code at their end, stay as typed. Letters print upper and lower case.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from .places import find_state_code
from .zip_codes import ZipCode

_SUFFIXES = {
    "alley": "Aly", "avenue": "Ave", "av": "Ave", "boulevard": "Blvd", "canyon": "Cyn",
    "center": "Ctr", "centre": "Ctr", "circle": "Cir", "court": "Ct", "cove": "Cv", "creek": "Crk",
    "crossing": "Xing", "drive": "Dr", "expressway": "Expy", "freeway": "Fwy", "gardens": "Gdns",
    "grove": "Grv", "heights": "Hts", "highway": "Hwy", "hill": "Hl", "hills": "Hls",
    "junction": "Jct", "landing": "Lndg", "lane": "Ln", "meadow": "Mdw", "meadows": "Mdws",
    "mountain": "Mtn", "parkway": "Pkwy", "place": "Pl", "plaza": "Plz", "point": "Pt",
    "ridge": "Rdg", "road": "Rd", "square": "Sq", "station": "Sta", "street": "St", "str": "St",
    "terrace": "Ter", "trail": "Trl", "turnpike": "Tpke", "valley": "Vly", "view": "Vw",
    "village": "Vlg", "vista": "Vis", "way": "Way", "loop": "Loop", "run": "Run", "walk": "Walk",
}  # fmt: skip
_SUFFIXES |= {short.casefold(): short for short in _SUFFIXES.values()}
_UNITS = {
    "apartment": "Apt", "apt": "Apt", "building": "Bldg", "bldg": "Bldg", "department": "Dept",
    "dept": "Dept", "floor": "Fl", "fl": "Fl", "room": "Rm", "rm": "Rm", "suite": "Ste",
    "ste": "Ste", "unit": "Unit", "space": "Spc", "spc": "Spc", "trailer": "Trlr", "lot": "Lot",
}  # fmt: skip
_DIRECTIONS = {
    "north": "N", "south": "S", "east": "E", "west": "W", "northeast": "NE", "northwest": "NW",
    "southeast": "SE", "southwest": "SW", "n": "N", "s": "S", "e": "E", "w": "W", "ne": "NE",
    "nw": "NW", "se": "SE", "sw": "SW",
}  # fmt: skip
_BOX = re.compile(r"p\.?\s*o\.?\s*box\s+(?=\S)", re.IGNORECASE)
_ZIP_AT_END = re.compile(r"(.*?)[\s,.]*\b(\d{5})(?:(?:\s*-\s*|\s)(\d{4}))?[.,]?$")
_SHORTEST_SHOUT = 3  # letters of a word in capitals that is not an abbreviation


@dataclass(frozen=True)
class PostalAddress:
    """How a keyed address was read.

    :ivar text: the address in postal form, one line for each line of the envelope.
    :ivar note: what was filled in or changed; empty if nothing was.
    :ivar is_bad: the note names something that has to be checked.
    """

    text: str
    note: str = ""
    is_bad: bool = False


def read_postal_address(typed: str, *, find_zip: Callable[[str], ZipCode | None]) -> PostalAddress:
    """Bring a keyed address to postal form, and fill in the city and state of its ZIP code.

    :param find_zip: finds a ZIP code by its five digits.
    """
    lines = [" ".join(line.split()).strip(",") for line in typed.splitlines() if line.strip(" ,")]
    end = _ZIP_AT_END.match(lines[-1]) if lines else None
    if end is None:
        return PostalAddress(typed, "No ZIP code at its end" if lines else "")
    before, digits, four = end.groups()
    place = find_zip(digits)
    head, city, state = _split_last_line(before)
    note = _check_place(digits, city, state, place)
    # Perhaps an address of another country: nothing is filled in or changed.
    if note and not state:
        return PostalAddress(typed, note, is_bad=True)
    filled = ""
    if place is not None and not (city and state):
        city, state = city or place.city, state or place.state
        filled = f"{_write_calmly(city)} {state}, from the ZIP code."
    zip_code = f"{digits}-{four}" if four else digits
    last_line = " ".join(part for part in (_write_calmly(city), state, zip_code) if part)
    text = "\n".join([*map(_write_street, [*lines[:-1], *head]), last_line])
    changed = "" if _is_same(text, typed, bool(filled)) else f"Typed: “{_join_lines(typed)}”"
    return PostalAddress(text, " ".join(filter(None, (note, filled, changed))), bool(note))


def _split_last_line(before: str) -> tuple[list[str], str, str]:
    """Split what stands before a ZIP code: a street, if it is there too, the city, the state."""
    city, state = before.strip(" ,."), ""
    words = city.split()
    for count in (2, 1):  # "New Mexico" before "Mexico"
        if not state and len(words) >= count:
            state = find_state_code(" ".join(words[-count:]))
            city = " ".join(words[:-count]).strip(" ,") if state else city
    if "," in city:
        street, city = (part.strip() for part in city.rsplit(",", 1))
        return [street], city, state
    if not state and (city[:1].isdigit() or _BOX.match(city)):
        return [city], "", ""
    return [], city, state


def _check_place(digits: str, city: str, state: str, place: ZipCode | None) -> str:
    """Return what to check about a ZIP code; empty if it fits the city and state beside it."""
    if place is None:
        return f"ZIP code {digits} is not in the list. Check it."
    is_other_city = city and city.casefold() not in place.cities
    if is_other_city or (state and state != place.state):
        return f"ZIP code {digits} is {place.city} {place.state}. Check the city."
    return ""


def _write_street(line: str) -> str:
    if match := _BOX.match(line):
        return f"PO Box {line[match.end() :]}"
    if not line[:1].isdigit():
        return line
    words = _write_calmly(line).replace(",", "").split()
    unit = next((n for n, word in enumerate(words) if n and _fold(word) in _UNITS), len(words))
    # A unit with a sign: "#4" and "# 4".
    unit = min(unit, next((n for n, word in enumerate(words) if word[0] == "#"), unit))
    street, rest = words[:unit], words[unit:]
    if len(street) > 3 and _fold(street[1]) in _DIRECTIONS:
        street[1] = _DIRECTIONS[_fold(street[1])]
    last = len(street) - 1
    if last > 2 and _fold(street[last]) in _DIRECTIONS and _fold(street[last - 1]) in _SUFFIXES:
        street[last] = _DIRECTIONS[_fold(street[last])]
        last -= 1
    if last > 1 and _fold(street[last]) in _SUFFIXES:
        street[last] = _SUFFIXES[_fold(street[last])]
    if rest and _fold(rest[0]) in _UNITS:
        rest[0] = _UNITS[_fold(rest[0])]
    return " ".join([*street, *rest])


def _fold(word: str) -> str:
    return word.casefold().strip(".,")


def _write_calmly(text: str) -> str:
    """Write words of an address in upper and lower case if all are in one of both."""
    letters = [sign for sign in text if sign.isalpha()]
    if len(letters) < _SHORTEST_SHOUT or not (text.isupper() or text.islower()):
        return text
    return " ".join(map(_write_word, text.split()))


def _write_word(word: str) -> str:
    if re.fullmatch(r"\d+(st|nd|rd|th)[.,]?", word.casefold()):
        return word.lower()
    # "4B" of an apartment, and "NW".
    if word[:1].isdigit() or word.upper() in _DIRECTIONS.values():
        return word.upper()
    return re.sub(r"[^\W\d_]+", lambda part: part[0].capitalize(), word)


def _join_lines(typed: str) -> str:
    return " / ".join(line.strip() for line in typed.splitlines())[:120]


def _is_same(text: str, typed: str, is_filled: bool) -> bool:
    """Whether no more was changed than blanks, commas and lines, and what was filled in."""
    ours, theirs = (re.sub(r"[\s,.]+", " ", one).strip() for one in (text, typed))
    if is_filled:
        # The filled words stand before the ZIP code.
        return ours.startswith(re.sub(r"\s*\d{5}([-\s]\d{4})?$", "", theirs))
    return ours == theirs
