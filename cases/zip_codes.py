"""Cities and states of ZIP codes, from the list in the package ``zipcodes``. No database access."""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class ZipCode:
    """Where a ZIP code is.

    :ivar city: the name that the Postal Service prefers.
    :ivar cities: every name under which mail is addressed there, in small letters.
    """

    city: str
    state: str
    cities: frozenset[str]


@cache
def find_zip_code(digits: str) -> ZipCode | None:
    """Find a ZIP code of five digits; ``None`` if the list does not have it, as if it is new."""
    # Imported at the first look-up, because its list takes 50 MB and half a second.
    import zipcodes

    for row in zipcodes.matching(digits):
        names = (row["city"], *row["acceptable_cities"], *row["unacceptable_cities"])
        return ZipCode(row["city"], row["state"], frozenset(map(str.casefold, names)))
    return None
