"""From opinions to outcomes. Pure.

Majority prevails; an even split is decided in favor of the treatment (Labor Code 4610.6(e)).
The words for a whole case follow from its items and are never stored by hand.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from letters.outcomes import CaseOutcome, Outcome


class NoOpinion(ValueError):
    """An outcome was asked for where no reviewer has decided."""


def item_outcome(opinions: Sequence[str]) -> tuple[str, str]:
    """The outcome of one item and how it follows: (outcome, how).

    :raises NoOpinion: there is no opinion, or one of them is undecided.
    """
    if not opinions or any(opinion not in Outcome.values for opinion in opinions):
        raise NoOpinion("Every reviewer has to decide the item first.")
    votes = Counter(opinions)
    if len(opinions) == 1:
        return opinions[0], "ONE_REVIEWER"
    if votes[Outcome.UPHELD] == votes[Outcome.OVERTURNED]:
        return Outcome.OVERTURNED, "EVEN_SPLIT"
    return votes.most_common(1)[0][0], "MAJORITY"


def case_outcome(items: Iterable[str]) -> str:
    """The word for the whole case.

    :raises NoOpinion: no item was decided.
    """
    found = set(items)
    if not found or found - set(Outcome.values):
        raise NoOpinion("A case without decided items has no outcome.")
    if found == {Outcome.UPHELD}:
        return CaseOutcome.UPHOLD
    return CaseOutcome.OVERTURN if found == {Outcome.OVERTURNED} else CaseOutcome.PARTIAL
