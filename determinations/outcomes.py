"""From opinions to outcomes. Pure.

Majority prevails; an even split is decided in favour of the treatment (Labor Code 4610.6(e)).
The words for a whole case follow from its items and are never stored by hand.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

UPHELD, OVERTURNED = "UPHELD", "OVERTURNED"
UPHOLD, OVERTURN, PARTIAL = "Uphold", "Overturn", "Partially Overturn"


class NoOpinion(ValueError):
    """An outcome was asked for where no reviewer has decided."""


def item_outcome(opinions: Sequence[str]) -> tuple[str, str]:
    """The outcome of one item and how it follows: (outcome, how).

    :raises NoOpinion: there is no opinion, or one of them is undecided.
    """
    if not opinions or any(opinion not in {UPHELD, OVERTURNED} for opinion in opinions):
        raise NoOpinion("Every reviewer has to decide the item first.")
    votes = Counter(opinions)
    if len(opinions) == 1:
        return opinions[0], "ONE_REVIEWER"
    if votes[UPHELD] == votes[OVERTURNED]:
        return OVERTURNED, "EVEN_SPLIT"
    return (UPHELD if votes[UPHELD] > votes[OVERTURNED] else OVERTURNED), "MAJORITY"


def case_outcome(items: Iterable[str]) -> str:
    """The word for the whole case.

    :raises NoOpinion: no item was decided.
    """
    found = set(items)
    if not found or found - {UPHELD, OVERTURNED}:
        raise NoOpinion("A case without decided items has no outcome.")
    if found == {UPHELD}:
        return UPHOLD
    return OVERTURN if found == {OVERTURNED} else PARTIAL
