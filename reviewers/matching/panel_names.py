"""Index of the panel's names, to find reviewers whose name may match a party's. Pure.

Comparing every reviewer with every party name would be most of the work of a ranking, and nearly
all comparisons end in "different". The index leaves out only names that certainly differ; the name
comparison of ``directory.affiliations`` then decides about the others, so the result is the same.
"""

from collections import defaultdict
from collections.abc import Iterable

from directory.affiliations import SLIPS_FROM, FoldedName, PartyFacts


class PanelNameIndex:
    """Folded names of reviewers, indexed by surname, first name and possible misspellings."""

    def __init__(self, names: Iterable[tuple[int, FoldedName]]) -> None:
        self._by_surname: dict[str, set[int]] = defaultdict(set)
        self._by_first: dict[str, set[int]] = defaultdict(set)
        self._by_slip: dict[str, set[int]] = defaultdict(set)
        # Forms often have the first name in the field of the surname.
        self._swapped: dict[tuple[str, str], set[int]] = defaultdict(set)
        for reviewer_id, name in names:
            self._by_first[name.first].add(reviewer_id)
            self._swapped[name.last, name.first].add(reviewer_id)
            # A person with two surnames may use only one of them.
            for word in name.last.split():
                self._by_surname[word].add(reviewer_id)
            for slip in _build_surname_keys(name.last):
                self._by_slip[slip].add(reviewer_id)

    def near(self, parties: Iterable[PartyFacts]) -> set[int]:
        """Return the ids of reviewers whose name may match one of these parties."""
        ids: set[int] = set()
        for party in parties:
            for name in (*party.person_names, *party.officer_names):
                self._add_near(name, ids)
            # An organization may be named after a person: "Ada Quill Medical Group".
            for word in party.organization_words:
                ids |= self._by_first.get(word, set())
        return ids

    def _add_near(self, name: FoldedName, ids: set[int]) -> None:
        ids |= self._swapped.get((name.first, name.last), set())
        for word in name.last.split():
            ids |= self._by_surname.get(word, set())
        for slip in _build_surname_keys(name.last):
            ids |= self._by_slip.get(slip, set())


def _build_surname_keys(surname: str) -> set[str]:
    """Return the surname and all its variants with one letter removed.

    Two surnames that differ by one letter share at least one of these. Short surnames have none,
    because too many of them would match.
    """
    if len(surname) < SLIPS_FROM:
        return set()
    return {surname, *(surname[:at] + surname[at + 1 :] for at in range(len(surname)))}
