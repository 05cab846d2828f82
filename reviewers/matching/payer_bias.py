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
class BiasResult:
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
        reviewers_of: dict[int, set[int]] = defaultdict(set)
        for of_party, of_reviewer, _ in self._blocks:
            for party in of_party:
                reviewers_of[party].update(of_reviewer)
        return (
            party * self.stride + reviewer
            for party, reviewers in reviewers_of.items()
            for reviewer in reviewers
        )


class _Specialty:
    """The comparable choices of one specialty, with parties and reviewers as numbers."""

    def __init__(self, choices: Iterable[Choice]) -> None:
        months: dict[str, list[Choice]] = defaultdict(list)
        for choice in choices:
            months[choice.month].append(choice)
        # With one party or one reviewer in a month, all deals are equal and show nothing.
        comparable = [
            month
            for _, month in sorted(months.items())
            if len({choice.party for choice in month}) > 1
            and len({choice.reviewer for choice in month}) > 1
        ]
        self.parties = sorted({choice.party for month in comparable for choice in month})
        self.reviewers = sorted({choice.reviewer for month in comparable for choice in month})
        party_number = {name: number for number, name in enumerate(self.parties)}
        reviewer_number = {name: number for number, name in enumerate(self.reviewers)}
        self.blocks = [
            _Block(
                [party_number[choice.party] for choice in month],
                [reviewer_number[choice.reviewer] for choice in month],
            )
            for month in comparable
        ]
        stride = len(self.reviewers)
        # A deal moves only the reviewers, so the party's part of each pair number is computed once.
        self.party_offsets = [party * stride for block in self.blocks for party in block.parties]
        self.expected = _Expected(self.blocks, stride)

    def count_pairs(self, reviewers: Iterable[int]) -> Counter[int]:
        """Count the shared cases of each pair when reviewers are assigned in this order."""
        return Counter(map(add, self.party_offsets, reviewers))

    def count_actual_pairs(self) -> Counter[int]:
        """Count the shared cases of each pair as actually assigned."""
        return self.count_pairs(reviewer for block in self.blocks for reviewer in block.reviewers)

    def measure_unevenness(self, pair_counts: Counter[int]) -> float:
        """Compute Pearson's chi-square: the sum of (actual - expected)²/expected over all pairs."""
        # It equals the sum of actual²/expected, less the total.
        expected = self.expected
        return sum(n * n / expected[pair] for pair, n in pair_counts.items()) - len(
            self.party_offsets
        )

    def measure_random_deal(self, generator: random.Random) -> float:
        """Return the unevenness of one random deal."""
        draw = generator.random
        deal: list[int] = []
        for block in self.blocks:
            # Sorting by a random key is a fair shuffle, and faster here than random.shuffle.
            deal += sorted(block.reviewers, key=lambda _: draw())
        return self.measure_unevenness(self.count_pairs(deal))


def find_steering(
    choices: Sequence[Choice], *, deals: int | None = None, seed: int = SEED
) -> BiasResult:
    """Test whether, given the specialty, the reviewer depends on the party.

    The same choices, deals and seed give the same result.

    :param deals: number of random deals. By default 999 for up to 10,000 comparable choices, then
        fewer with more choices but at least 199, so that a year of 140,000 choices takes seconds.
    """
    specialties = _list_comparable_specialties(choices)
    compared = sum(len(specialty.party_offsets) for specialty in specialties)
    if deals is None:
        deals = choose_deal_count(compared)
    generator = random.Random(seed)  # noqa: S311  # not used for security
    actual_unevenness, deal_unevenness = 0.0, [0.0] * deals
    for specialty in specialties:
        actual_unevenness += specialty.measure_unevenness(specialty.count_actual_pairs())
        for number in range(deals):
            deal_unevenness[number] += specialty.measure_random_deal(generator)
        # The values of all specialties of a year would not fit in memory.
        specialty.expected.clear()
    # A deal as uneven as reality counts; the tolerance covers the rounding of sums.
    as_uneven = sum(total >= actual_unevenness - 1e-9 for total in deal_unevenness)
    return BiasResult(
        choices=len(choices),
        compared=compared,
        unevenness=round(actual_unevenness, 3),
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
        specialty = _Specialty(group)
        pair_counts = specialty.count_actual_pairs()
        deviances = (
            (_measure_deviance(pair_counts[pair], specialty.expected[pair]), pair)
            for pair in specialty.expected.pairs()
        )
        # The pairs of a year are too many to sort, and only a few are shown.
        for surprise, pair in heapq.nlargest(most, deviances):
            party, reviewer = divmod(pair, specialty.expected.stride)
            expected = specialty.expected[pair]
            worst_pair = Pair(
                name,
                specialty.parties[party],
                specialty.reviewers[reviewer],
                expected,
                pair_counts[pair],
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
    for choice in choices:
        groups[choice.specialty].append(choice)
    return sorted(groups.items())


def _list_comparable_specialties(choices: Iterable[Choice]) -> list[_Specialty]:
    """Return the specialties that have a comparable choice in at least one month."""
    specialties = [_Specialty(group) for _, group in _group_by_specialty(choices)]
    return [specialty for specialty in specialties if specialty.blocks]
