"""Permutation test of whether the choice of reviewers depends on the payer. Pure.

Within each specialty and month, the reviewers are reassigned to the cases at random, many times (a
"deal"). If payers and reviewers are really linked, the actual assignments are farther from the
expected counts than nearly every random deal (Labor Code 4616.4(a)(3)(C)).

Deals stay within a month because a reviewer who joins in July only meets the payers of July. Over a
whole year this would look like a link although no one was steered.
"""

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from operator import add

MOST_DEALS = 999
FEWEST_DEALS = 199  # with 99 deals, p could never fall below the alarm threshold
MOST_DEALT_CHOICES = 10_000_000  # choices times deals; takes a few seconds of one processor
ALARM = 0.01  # alarm when fewer than 1 in 100 random deals is as uneven
FEWEST_COMPARED = 30  # with fewer comparable choices, even obvious steering may not show
SEED = 4610  # of the random generator; fixed so that a test can be repeated


@dataclass(frozen=True)
class Choice:
    """One assignment: the specialty, the party, the chosen reviewer and the month."""

    specialty: str
    party: str
    reviewer: str
    month: str = ""


@dataclass(frozen=True)
class Finding:
    """The result of one test. ``p`` is the share of random deals at least as uneven as reality."""

    choices: int
    compared: int  # choices in specialties and months with several parties and reviewers
    unevenness: float
    p: float
    deals: int
    seed: int

    @property
    def is_steered(self) -> bool:
        return self.p < ALARM


@dataclass(frozen=True)
class Pair:
    """A party and a reviewer in one specialty: expected and actual number of shared cases."""

    specialty: str
    party: str
    reviewer: str
    expected: float
    actual: int


@dataclass(frozen=True)
class _Block:
    """The choices of one specialty and month with several parties and several reviewers."""

    parties: Sequence[int]
    reviewers: Sequence[int]


class _Expected(dict[int, float]):
    """Expected number of shared cases of each pair, computed on first access.

    A pair is encoded as one number, ``party * stride + reviewer``, because counting pairs takes
    most of the time and counting integers is fastest.
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
        # If the reviewer does not depend on the party, a pair shares cases in proportion to the
        # totals of both.
        self[pair] = sum(
            of_party[party] * of_reviewer[reviewer] / total
            for of_party, of_reviewer, total in self._blocks
        )
        return self[pair]

    def pairs(self) -> Iterator[int]:
        """Yield every possible pair once."""
        seen: dict[int, set[int]] = defaultdict(set)
        for of_party, of_reviewer, _ in self._blocks:
            for party in of_party:
                seen[party].update(of_reviewer)
        return (party * self.stride + one for party, others in seen.items() for one in others)


class _Specialty:
    """The comparable choices of one specialty, with parties and reviewers as numbers."""

    def __init__(self, choices: Iterable[Choice]) -> None:
        months: dict[str, list[Choice]] = defaultdict(list)
        for one in choices:
            months[one.month].append(one)
        # With one party or one reviewer in a month, every deal is alike and shows nothing.
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
        # The parties keep their places in every deal, so their part of each pair is computed once.
        self.bases = [party * stride for block in self.blocks for party in block.parties]
        self.expected = _Expected(self.blocks, stride)

    def together(self, reviewers: Iterable[int]) -> Counter[int]:
        """Count the shared cases of each pair when reviewers are assigned in this order."""
        return Counter(map(add, self.bases, reviewers))

    def happened(self) -> Counter[int]:
        return self.together(one for block in self.blocks for one in block.reviewers)

    def unevenness(self, together: Counter[int]) -> float:
        """Compute Pearson's chi-square: the sum of (actual - expected)²/expected over all pairs."""
        # It equals the sum of actual²/expected, less the total.
        expected = self.expected
        return sum(n * n / expected[pair] for pair, n in together.items()) - len(self.bases)

    def dealt(self, chance: random.Random) -> float:
        """Return the unevenness of one random deal."""
        draw = chance.random
        deal: list[int] = []
        for block in self.blocks:
            # Sorting by a random key is a fair shuffle, and faster here than random.shuffle.
            deal += sorted(block.reviewers, key=lambda _: draw())
        return self.unevenness(self.together(deal))


def find_steering(
    choices: Sequence[Choice], *, deals: int | None = None, seed: int = SEED
) -> Finding:
    """Test whether, given the specialty, the reviewer depends on the party.

    The same choices, deals and seed give the same result.

    :param deals: number of random deals. By default 999 for up to 10,000 comparable choices, then
        fewer with more choices but at least 199, so that a year of 140,000 choices takes seconds.
    """
    specialties = _list_comparable_specialties(choices)
    compared = sum(len(one.bases) for one in specialties)
    if deals is None:
        deals = choose_deal_count(compared)
    chance = random.Random(seed)  # noqa: S311  # not used for security
    happened, dealt = 0.0, [0.0] * deals
    for one in specialties:
        happened += one.unevenness(one.happened())
        for number in range(deals):
            dealt[number] += one.dealt(chance)
        one.expected.clear()  # the values of all specialties of a year would not fit in memory
    # A deal as uneven as reality counts; the tolerance covers the rounding of sums.
    as_uneven = sum(total >= happened - 1e-9 for total in dealt)
    return Finding(
        choices=len(choices),
        compared=compared,
        unevenness=round(happened, 3),
        # Reality counts as one of the deals, so that p is never 0.
        p=round((as_uneven + 1) / (deals + 1), 6),
        deals=deals,
        seed=seed,
    )


def choose_deal_count(compared: int) -> int:
    """Return the number of random deals for this many comparable choices."""
    return max(FEWEST_DEALS, min(MOST_DEALS, MOST_DEALT_CHOICES // max(compared, 1)))


def find_deviating(choices: Sequence[Choice], *, most: int = 10) -> list[Pair]:
    """Return the pairs that chance explains least: too many shared cases first, then too few.

    Pairs are ordered by the deviance of their count. A single shared case of an unlikely pair
    therefore ranks below a reviewer who gets half of a payer's cases.
    """
    worst: list[tuple[float, Pair]] = []
    for name, group in _group_by_specialty(choices):
        one = _Specialty(group)
        together = one.happened()
        found = (
            (_measure_deviance(together[pair], one.expected[pair]), pair)
            for pair in one.expected.pairs()
        )
        # The pairs of a year are too many to sort, and only a few are shown.
        for surprise, pair in heapq.nlargest(most, found):
            party, reviewer = divmod(pair, one.expected.stride)
            expected = one.expected[pair]
            worst_pair = Pair(
                name, one.parties[party], one.reviewers[reviewer], expected, together[pair]
            )
            worst.append((surprise, worst_pair))
    worst.sort(key=lambda line: (-line[0], line[1].specialty, line[1].party, line[1].reviewer))
    pairs = [pair for _, pair in worst[:most]]
    # The sort is stable, so both groups stay in the order of deviance.
    return sorted(pairs, key=lambda pair: pair.actual < pair.expected)


def _measure_deviance(actual: int, expected: float) -> float:
    # One term of the Poisson deviance. Without shared cases the logarithm is left out.
    return actual * log(actual / expected) - actual + expected if actual else expected


def _group_by_specialty(choices: Iterable[Choice]) -> list[tuple[str, list[Choice]]]:
    groups: dict[str, list[Choice]] = defaultdict(list)
    for one in choices:
        groups[one.specialty].append(one)
    return sorted(groups.items())


def _list_comparable_specialties(choices: Iterable[Choice]) -> list[_Specialty]:
    """Return the specialties that have a comparable choice in at least one month."""
    found = [_Specialty(group) for _, group in _group_by_specialty(choices)]
    return [one for one in found if one.blocks]
