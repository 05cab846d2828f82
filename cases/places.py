"""Where an address is: the state that it names. No database access.

Days that 8 CCR 10605 adds depend on the address of the person served, so a state is read from the
address or typed by a person, and never guessed.
"""

import re

OUTSIDE_US = "XX"  # stored in place of a state for an address in another country

STATES: dict[str, str] = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California",
    "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia",
    "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois",
    "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana",
    "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York",
    "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
    "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota",
    "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia",
    "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
    # Territories count as other states when service by mail adds days.
    "AS": "American Samoa", "GU": "Guam", "MP": "Northern Mariana Islands", "PR": "Puerto Rico",
    "VI": "U.S. Virgin Islands",
}  # fmt: skip

# The first three digits of the ZIP codes of each state, as ranges.
_ZIP_AREAS: dict[str, tuple[tuple[int, int], ...]] = {
    "AL": ((350, 369),), "AK": ((995, 999),), "AZ": ((850, 865),), "AR": ((716, 729),),
    "CA": ((900, 961),), "CO": ((800, 816),), "CT": ((60, 69),), "DE": ((197, 199),),
    "DC": ((200, 205), (569, 569)), "FL": ((320, 349),), "GA": ((300, 319), (398, 399)),
    "HI": ((967, 968),), "ID": ((832, 838),), "IL": ((600, 629),), "IN": ((460, 479),),
    "IA": ((500, 528),), "KS": ((660, 679),), "KY": ((400, 427),), "LA": ((700, 714),),
    "ME": ((39, 49),), "MD": ((206, 219),), "MA": ((10, 27), (55, 55)), "MI": ((480, 499),),
    "MN": ((550, 567),), "MS": ((386, 397),), "MO": ((630, 658),), "MT": ((590, 599),),
    "NE": ((680, 693),), "NV": ((889, 898),), "NH": ((30, 38),), "NJ": ((70, 89),),
    "NM": ((870, 884),), "NY": ((5, 5), (63, 63), (100, 149)), "NC": ((270, 289),),
    "ND": ((580, 588),), "OH": ((430, 459),), "OK": ((730, 749),), "OR": ((970, 979),),
    "PA": ((150, 196),), "RI": ((28, 29),), "SC": ((290, 299),), "SD": ((570, 577),),
    "TN": ((370, 385),), "TX": ((733, 733), (750, 799), (885, 885)), "UT": ((840, 847),),
    "VT": ((50, 59),), "VA": ((201, 201), (220, 246)), "WA": ((980, 994),), "WV": ((247, 268),),
    "WI": ((530, 549),), "WY": ((820, 831), (834, 834)),
    "AS": ((967, 967),), "GU": ((969, 969),), "MP": ((969, 969),), "PR": ((6, 9),),
    "VI": ((8, 8),),
}  # fmt: skip

# Name or code, in lower case, to code.
_STATE_CODES = {name.casefold(): code for code, name in STATES.items()} | {
    "calif": "CA",
    **{code.casefold(): code for code in STATES},
}
# A state counts only before a ZIP code that ends the line or stands before the country, so that
# neither "Ohio Street" nor "DE 10115 Berlin" names a state.
_STATE_AND_ZIP = re.compile(
    rf"(?<![A-Za-z])({'|'.join(sorted(map(re.escape, _STATE_CODES), key=len, reverse=True))})"
    r"[.,]?\s*(\d{5})(?:-\d{4})?(?=\s*(?:$|;|[,.]?\s*(?:U\.?S\.?A?\b|United States)))",
    re.IGNORECASE | re.MULTILINE,
)


def find_state_code(name: str) -> str:
    """Return the code of a state by its name or code, in any case; empty if it is none."""
    return _STATE_CODES.get(name.casefold().strip(" .,"), "")


def read_state(address: str) -> str:
    """Return the code of the state in a postal address, such as ``CA``.

    Empty if the address names no state before a ZIP code, names two different states, or has a ZIP
    code of another state.
    """
    # Joins initials, as in "D.C. 20001" and "P.R. 00926".
    plain = re.sub(r"\b([A-Za-z])\.\s?([A-Za-z])\.(?=,?\s*\d{5})", r"\1\2", address)
    found = {_STATE_CODES[name.casefold()] for name, _ in _STATE_AND_ZIP.findall(plain)}
    fits = all(
        _is_zip_of(_STATE_CODES[name.casefold()], zip_code)
        for name, zip_code in _STATE_AND_ZIP.findall(plain)
    )
    return found.pop() if len(found) == 1 and fits else ""


def _is_zip_of(state: str, zip_code: str) -> bool:
    """Whether a ZIP code lies in the state, so that "Cordoba AR 50000" is not in Arkansas."""
    area = int(zip_code[:3])
    return any(first <= area <= last for first, last in _ZIP_AREAS[state])


def find_place(state: str) -> str:
    """Return which days for service by mail apply: ``ca``, ``us``, ``abroad`` or ``unknown``.

    8 CCR 10605 adds more days for an address in another state or country.
    """
    if state == OUTSIDE_US:
        return "abroad"
    if state not in STATES:
        return "unknown"
    return "ca" if state == "CA" else "us"


def why_not_state(state: str, address: str) -> str:
    """Return why this state cannot be stored with this address; empty if it can."""
    if state and state != OUTSIDE_US and state not in STATES:
        return "Choose a state from the list."
    named = read_state(address)
    if state and named and named != state:
        return f"The address names {STATES[named]}. Choose that state, or correct the address."
    return ""
