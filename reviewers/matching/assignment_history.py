"""Past reviewer assignments by payer: the input of the payer-bias test, and its worst pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from accounts.models import User
from cases.models import Party, PartyRole
from deadlines.days import local_day, start_of_day
from directory.names import fold_organization
from reviewers.models import PayerBiasTest, Reviewer, ReviewerAssignment

from .payer_bias import Choice, find_deviating


@dataclass(frozen=True)
class ChoiceHistory:
    """The assignments of a period, and the latest printed name of each party."""

    choices: Sequence[Choice]
    names: Mapping[str, str]


def list_offers_between(first: date, last: date) -> QuerySet[ReviewerAssignment]:
    """Return all offers of a period, both days included, whatever their outcome.

    An offer that was undone within seconds is not a choice and does not count.
    """
    return ReviewerAssignment.objects.exclude(state=ReviewerAssignment.State.UNDONE).filter(
        # Cases loaded from published letters name no reviewer.
        reviewer__isnull=False,
        offered_at__gte=start_of_day(first),
        offered_at__lt=start_of_day(last + timedelta(days=1)),
    )


def list_choices_between(first: date, last: date, *, role: PartyRole) -> Sequence[Choice]:
    """Load all offers of a period with the party of one role. Two queries."""
    return load_choice_history(first, last, role=role).choices


def load_choice_history(
    first: date, last: date, *, role: PartyRole, known_at: datetime | None = None
) -> ChoiceHistory:
    """Load all offers of a period and the names of their parties. Two queries.

    The specialty is the matched one. If a case has several parties of the role, the last one
    counts.

    :param known_at: leave out offers after this moment.
    """
    offers = list_offers_between(first, last)
    if known_at is not None:
        offers = offers.filter(offered_at__lte=known_at)
    parties: dict[int, str] = {}
    names: dict[str, str] = {}
    rows = Party.objects.filter(role=role, case__in=offers.values("case"))
    for case_id, organization_id, name in rows.order_by("pk").values_list(
        "case_id", "organization_id", "name"
    ):
        # A party that is not in the directory is recognized by its folded name.
        key = str(organization_id or fold_organization(name))
        parties[case_id], names[key] = key, name
    rows_of_offers = offers.order_by("pk").values_list(
        "case_id", "reviewer_id", "offered_at", "match_reasons"
    )
    choices = [
        Choice(
            # Items may match different specialties. Such cases are compared only with each other.
            specialty=", ".join(sorted({one["specialty"] for one in reasons})),
            party=parties[case_id],
            reviewer=str(reviewer_id),
            month=f"{local_day(offered_at):%Y-%m}",
        )
        # A year has about 140,000 offers, so the rows are not kept in memory.
        for case_id, reviewer_id, offered_at, reasons in rows_of_offers.iterator()
        if offered_at is not None and case_id in parties
    ]
    return ChoiceHistory(choices, names)


PAGE = 50


@dataclass(frozen=True)
class DeviatingPair:
    """A party and a reviewer with more, or fewer, shared cases than chance explains."""

    specialty: str
    party: str
    reviewer: Reviewer | None  # None for a reader without reviewers.view_identity
    expected: float
    actual: int


def list_deviating_pairs(test: PayerBiasTest, *, reader: User) -> Sequence[DeviatingPair]:
    """Return the pairs that deviate most, from the assignments that the test read. Three queries.

    The reviewer is hidden from a reader without ``reviewers.view_identity`` (Labor Code 4610.6(f)).
    """
    # Offers made after the test would give other pairs than those that raised the alert.
    history = load_choice_history(
        test.first, test.last, role=PartyRole(test.party_role), known_at=test.made_at
    )
    pairs = find_deviating(history.choices)
    reviewers_by_id: dict[int, Reviewer] = {}
    if reader.may("reviewers.view_identity"):
        reviewers_by_id = Reviewer.objects.in_bulk([int(pair.reviewer) for pair in pairs])
    return [
        DeviatingPair(
            specialty=pair.specialty,
            party=history.names[pair.party],
            reviewer=reviewers_by_id.get(int(pair.reviewer)),
            expected=pair.expected,
            actual=pair.actual,
        )
        for pair in pairs
    ]


def list_bias_tests(before: int | None) -> tuple[list[PayerBiasTest], int | None]:
    """Return a page of tests, newest first, and the id from which the next page continues."""
    rows = PayerBiasTest.objects.select_related("made_by").prefetch_related("notes").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    # One row more than a page shows whether there is a next page, without a count.
    tests = list(rows[: PAGE + 1])
    return tests[:PAGE], tests[PAGE - 1].pk if len(tests) > PAGE else None
