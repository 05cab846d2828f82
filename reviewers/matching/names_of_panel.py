"""Finding, among the names of the whole panel, those that could be like a party's. Pure.

Comparing every reviewer's name with every name of every party is most of the work of a ranking, and
nearly all of it ends in "different". This index leaves out only who is certainly different
(``directory.conflicts.compare_names`` then decides about the others), so the answer is the same.
"""

from collections import defaultdict
from collections.abc import Iterable

from directory.affiliations import SLIPS_FROM, FoldedName, PartyFacts


class NamesOfPanel:
    """The folded names of reviewers by what could make them like another name."""

    def __init__(self, names: Iterable[tuple[int, FoldedName]]) -> None:
        self._by_surname: dict[str, set[int]] = defaultdict(set)
        self._by_first: dict[str, set[int]] = defaultdict(set)
        self._by_slip: dict[str, set[int]] = defaultdict(set)
        self._swapped: dict[tuple[str, str], set[int]] = defaultdict(set)
        for reviewer_id, name in names:
            self._by_first[name.first].add(reviewer_id)
            self._swapped[name.last, name.first].add(reviewer_id)
            for word in name.last.split():
                self._by_surname[word].add(reviewer_id)
            for slip in _slips(name.last):
                self._by_slip[slip].add(reviewer_id)

    def near(self, parties: Iterable[PartyFacts]) -> set[int]:
        """The reviewers whose name may have to do with one of these parties."""
        found: set[int] = set()
        for party in parties:
            for name in (*party.person_names, *party.officer_names):
                self._add_near(name, found)
            # An organization may be called after a person: "Ada Quill Medical Group".
            for word in party.organization_words:
                found |= self._by_first.get(word, set())
        return found

    def _add_near(self, name: FoldedName, found: set[int]) -> None:
        found |= self._swapped.get((name.first, name.last), set())
        for word in name.last.split():
            found |= self._by_surname.get(word, set())
        for slip in _slips(name.last):
            found |= self._by_slip.get(slip, set())


def _slips(surname: str) -> set[str]:
    """The surname, and what is left of it without one letter.

    Two surnames one slip of the pen apart have one of these in common.
    """
    if len(surname) < SLIPS_FROM:
        return set()
    return {surname, *(surname[:at] + surname[at + 1 :] for at in range(len(surname)))}
