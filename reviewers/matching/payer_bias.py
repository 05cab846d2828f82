"""Whether the choice of reviewers depends on who pays: a permutation test, small and pure.

Within each specialty and month the reviewers are dealt out again at random, many times. If claims
administrators (or employers) and reviewers really go together, what happened is farther from an
even deal than nearly every random one (Labor Code 4616.4(a)(3)(C)).

Dealing stays within the month because a reviewer who joins in July meets the payers of July: over
a whole year that looks like going together, and steers no one. What is compared is the period.
"""

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from operator import add

MOST_DEALS = 999
FEWEST_DEALS = 199  # with 99 nothing could ever fall below the alarm
DEALT_AT_MOST = 10_000_000  # choices times deals: some seconds of one processor
ALARM = 0.01  # fewer than one random deal in a hundred is as uneven
ENOUGH = 30  # with fewer that could have gone otherwise, even plain steering may not show
SEED = 4610


@dataclass(frozen=True)
class Choice:
    """One assignment: for which specialty, whose case it was, who was chosen, in which month."""

    specialty: str
    party: str
    reviewer: str
    month: str = ""


@dataclass(frozen=True)
class Finding:
    """The answer of one test. ``p`` is the share of random deals as uneven as what happened."""

    choices: int
    compared: int  # in specialties and months where more than one party and reviewer occur
    unevenness: float
    p: float
    deals: int
    seed: int

    @property
    def is_steered(self) -> bool:
        return self.p < ALARM


@dataclass(frozen=True)
class Pair:
    """A party and a reviewer in one specialty: how often together, how often by an even deal."""

    specialty: str
    party: str
    reviewer: str
    expected: float
    actual: int


@dataclass(frozen=True)
class _Block:
    """The choices of one specialty and month, in which parties and reviewers could differ."""

    parties: Sequence[int]
    reviewers: Sequence[int]


class _Expected(dict[int, float]):
    """How often a pair comes together by an even deal, worked out when it is first asked for.

    A pair is one number, ``party * stride + reviewer``: counting numbers is what takes the time.
    """

    def __init__(self, blocks: Sequence[_Block], stride: int) -> None:
        super().__init__()
        self.stride = stride
        self._blocks = [
            (Counter(block.parties), Counter(block.reviewers), len(block.parties))
            for block in blocks
        ]

    def __missing__(self, pair: int) -> float:
        party, reviewer = divmod(pair, self.stride)
        self[pair] = sum(
            of_party[party] * of_reviewer[reviewer] / total
            for of_party, of_reviewer, total in self._blocks
        )
        return self[pair]

    def pairs(self) -> Iterator[int]:
        """Every pair that could have come together, once."""
        seen: dict[int, set[int]] = defaultdict(set)
        for of_party, of_reviewer, _ in self._blocks:
            for party in of_party:
                seen[party].update(of_reviewer)
        return (party * self.stride + one for party, others in seen.items() for one in others)


class _Specialty:
    """The choices of one specialty that can be compared, party and reviewer as numbers."""

    def __init__(self, choices: Iterable[Choice]) -> None:
        months: dict[str, list[Choice]] = defaultdict(list)
        for one in choices:
            months[one.month].append(one)
        able = [
            month
            for _, month in sorted(months.items())
            if len({one.party for one in month}) > 1 and len({one.reviewer for one in month}) > 1
        ]
        self.parties = sorted({one.party for month in able for one in month})
        self.reviewers = sorted({one.reviewer for month in able for one in month})
        party_number = {name: number for number, name in enumerate(self.parties)}
        reviewer_number = {name: number for number, name in enumerate(self.reviewers)}
        self.blocks = [
            _Block(
                [party_number[one.party] for one in month],
                [reviewer_number[one.reviewer] for one in month],
            )
            for month in able
        ]
        stride = len(self.reviewers)
        self.bases = [party * stride for block in self.blocks for party in block.parties]
        self.expected = _Expected(self.blocks, stride)

    def together(self, reviewers: Iterable[int]) -> Counter[int]:
        """How often each pair came together when the reviewers are dealt out in this order."""
        return Counter(map(add, self.bases, reviewers))

    def happened(self) -> Counter[int]:
        return self.together(one for block in self.blocks for one in block.reviewers)

    def unevenness(self, together: Counter[int]) -> float:
        """Pearson's chi-square: the sum of (actual - expected)²/expected over all pairs."""
        # Which equals the sum of actual²/expected, less the total.
        expected = self.expected
        return sum(n * n / expected[pair] for pair, n in together.items()) - len(self.bases)

    def dealt(self, chance: random.Random) -> float:
        """The unevenness of one random deal."""
        draw = chance.random
        deal: list[int] = []
        for block in self.blocks:
            # Sorting by a random key is a fair shuffle, and the quickest there is here.
            deal += sorted(block.reviewers, key=lambda _: draw())
        return self.unevenness(self.together(deal))


def find_steering(
    choices: Sequence[Choice], *, deals: int | None = None, seed: int = SEED
) -> Finding:
    """Test whether, given the specialty, the reviewer depends on the party.

    The same choices, deals and seed give the same answer.

    :param deals: how many random deals; left out, 999 up to 10,000 choices that can be compared,
        then fewer the more there are, and never under 199: a year of 140,000 is to take seconds.
    """
    specialties = _comparable(choices)
    compared = sum(len(one.bases) for one in specialties)
    if deals is None:
        deals = deals_for(compared)
    chance = random.Random(seed)  # noqa: S311  # a fair deal, no secret
    happened, dealt = 0.0, [0.0] * deals
    for one in specialties:
        happened += one.unevenness(one.happened())
        for number in range(deals):
            dealt[number] += one.dealt(chance)
        one.expected.clear()  # of one specialty at a time, or a year does not fit in memory
    as_uneven = sum(total >= happened - 1e-9 for total in dealt)
    return Finding(
        choices=len(choices),
        compared=compared,
        unevenness=round(happened, 3),
        p=round((as_uneven + 1) / (deals + 1), 6),
        deals=deals,
        seed=seed,
    )


def deals_for(compared: int) -> int:
    """How many random deals so many choices are worth."""
    return max(FEWEST_DEALS, min(MOST_DEALS, DEALT_AT_MOST // max(compared, 1)))


def find_deviating(choices: Sequence[Choice], *, most: int = 10) -> list[Pair]:
    """The pairs that an even deal explains least: those together too often, then too seldom.

    Chosen by how surprising the count is (its deviance), so that one meeting of two who were
    unlikely to meet does not stand before a reviewer who gets half of a payer's cases.
    """
    worst: list[tuple[float, Pair]] = []
    for name, group in _by_specialty(choices):
        one = _Specialty(group)
        together = one.happened()
        found = (
            (_surprise(together[pair], one.expected[pair]), pair) for pair in one.expected.pairs()
        )
        for surprise, pair in heapq.nlargest(most, found):
            party, reviewer = divmod(pair, one.expected.stride)
            expected = one.expected[pair]
            told = Pair(name, one.parties[party], one.reviewers[reviewer], expected, together[pair])
            worst.append((surprise, told))
    worst.sort(key=lambda line: (-line[0], line[1].specialty, line[1].party, line[1].reviewer))
    pairs = [pair for _, pair in worst[:most]]
    return sorted(pairs, key=lambda pair: pair.actual < pair.expected)


def _surprise(actual: int, expected: float) -> float:
    return actual * log(actual / expected) - actual + expected if actual else expected


def _by_specialty(choices: Iterable[Choice]) -> list[tuple[str, list[Choice]]]:
    groups: dict[str, list[Choice]] = defaultdict(list)
    for one in choices:
        groups[one.specialty].append(one)
    return sorted(groups.items())


def _comparable(choices: Iterable[Choice]) -> list[_Specialty]:
    """The specialties in which, in some month, there was a choice at all."""
    found = [_Specialty(group) for _, group in _by_specialty(choices)]
    return [one for one in found if one.blocks]
