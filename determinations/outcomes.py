"""Derive the outcomes of items and cases from the reviewers' opinions. Pure: no queries.

The majority prevails. An even split is decided in favor of the treatment (Labor Code 4610.6(e)).
The outcome of a case is always derived from its items and never entered.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from letters.outcomes import CaseOutcome, Outcome


class NoOpinion(ValueError):
    """There is no decision to derive an outcome from."""


def derive_item_outcome(opinions: Sequence[str]) -> tuple[str, str]:
    """Derive the outcome of one item. Returns the outcome and how it was derived.

    :param opinions: the outcome that each reviewer chose.
    :raises NoOpinion: there is no opinion, or a reviewer has not decided.
    """
    if not opinions or any(opinion not in Outcome.values for opinion in opinions):
        raise NoOpinion("Every reviewer has to decide the item first.")
    votes = Counter(opinions)
    if len(opinions) == 1:
        return opinions[0], "ONE_REVIEWER"
    if votes[Outcome.UPHELD] == votes[Outcome.OVERTURNED]:
        return Outcome.OVERTURNED, "EVEN_SPLIT"
    return votes.most_common(1)[0][0], "MAJORITY"


def derive_case_outcome(items: Iterable[str]) -> str:
    """Derive the outcome of a case from the outcomes of its items.

    :raises NoOpinion: no item was decided.
    """
    outcomes = set(items)
    if not outcomes or outcomes - set(Outcome.values):
        raise NoOpinion("A case without decided items has no outcome.")
    if outcomes == {Outcome.UPHELD}:
        return CaseOutcome.UPHOLD
    return CaseOutcome.OVERTURN if outcomes == {Outcome.OVERTURNED} else CaseOutcome.PARTIAL
