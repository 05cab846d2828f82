"""What the pages of fairness show: the tests, and the pairs behind one as a reader may see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import User
from cases.models import Role as PartyRole

from .fairness import find_deviating
from .history_of_choices import history_between
from .models import FairnessTest, Reviewer

PAGE = 50


@dataclass(frozen=True)
class Deviation:
    """A party and a reviewer who came together oftener, or seldomer, than an even deal explains."""

    specialty: str
    party: str
    reviewer: Reviewer | None  # None for a reader who may not know who decides
    expected: float
    actual: int


def deviations(test: FairnessTest, *, reader: User) -> Sequence[Deviation]:
    """The pairs that deviate most, from the choices that the test read. Three queries.

    Who a reviewer is stays hidden from a reader without reviewers.see_identity
    (Labor Code 4610.6(f)).
    """
    history = history_between(
        test.first, test.last, role=PartyRole(test.party_role), known_at=test.made_at
    )
    pairs = find_deviating(history.choices)
    known: dict[int, Reviewer] = {}
    if reader.may("reviewers.see_identity"):
        known = Reviewer.objects.in_bulk([int(pair.reviewer) for pair in pairs])
    return [
        Deviation(
            specialty=pair.specialty,
            party=history.names[pair.party],
            reviewer=known.get(int(pair.reviewer)),
            expected=pair.expected,
            actual=pair.actual,
        )
        for pair in pairs
    ]


def tests_before(before: int | None) -> tuple[list[FairnessTest], int | None]:
    """The newest tests, or those made before one; and from which the next page goes on."""
    rows = FairnessTest.objects.select_related("made_by").prefetch_related("notes").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    tests = list(rows[: PAGE + 1])
    return tests[:PAGE], tests[PAGE - 1].pk if len(tests) > PAGE else None
