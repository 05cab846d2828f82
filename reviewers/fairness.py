"""Whether the choice of reviewers depends on who pays: a permutation test, small and pure.

Within each specialty the reviewers are dealt out again at random, many times. If claims
administrators (or employers) and reviewers really go together, what happened is farther from an
even deal than nearly every random one (Labor Code 4616.4(a)(3)(C)).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

DEALS = 999
ALARM = 0.01  # fewer than one random deal in a hundred is as uneven
SEED = 4610


@dataclass(frozen=True)
class Choice:
    """One assignment: for which specialty, whose case it was, and who was chosen."""

    specialty: str
    party: str
    reviewer: str


@dataclass(frozen=True)
class Finding:
    """The answer of one test. ``p`` is the share of random deals as uneven as what happened."""

    choices: int
    compared: int  # in specialties where more than one party and reviewer occur
    unevenness: float
    p: float

    @property
    def is_steered(self) -> bool:
        return self.p < ALARM


def find_steering(choices: Sequence[Choice], *, deals: int = DEALS, seed: int = SEED) -> Finding:
    """Test whether, given the specialty, the reviewer depends on the party.

    The same choices and seed give the same answer.
    """
    groups = _that_can_differ(choices)
    happened = sum(_unevenness(parties, reviewers) for parties, reviewers in groups)
    deck = random.Random(seed)  # noqa: S311  # a fair deal, no secret
    as_uneven = 0
    for _ in range(deals):
        dealt = 0.0
        for parties, reviewers in groups:
            deck.shuffle(reviewers)
            dealt += _unevenness(parties, reviewers)
        as_uneven += dealt >= happened - 1e-9
    return Finding(
        choices=len(choices),
        compared=sum(len(parties) for parties, _ in groups),
        unevenness=round(happened, 3),
        p=(as_uneven + 1) / (deals + 1),
    )


def _that_can_differ(choices: Sequence[Choice]) -> list[tuple[list[str], list[str]]]:
    """The parties and reviewers of each specialty in which there was a choice at all."""
    groups: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for one in choices:
        parties, reviewers = groups[one.specialty]
        parties.append(one.party)
        reviewers.append(one.reviewer)
    return [
        (parties, list(reviewers))
        for _, (parties, reviewers) in sorted(groups.items())
        if len(set(parties)) > 1 and len(set(reviewers)) > 1
    ]


def _unevenness(parties: Sequence[str], reviewers: Sequence[str]) -> float:
    """Pearson's chi-square of the table of parties against reviewers."""
    of_party, of_reviewer = Counter(parties), Counter(reviewers)
    together = Counter(zip(parties, reviewers, strict=True))
    total = len(parties)
    # Sum of n²/expected less the total equals the sum of (n - expected)²/expected.
    return (
        sum(
            number * number * total / (of_party[party] * of_reviewer[reviewer])
            for (party, reviewer), number in together.items()
        )
        - total
    )
