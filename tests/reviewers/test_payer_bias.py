"""Planted steering is found, a fair deal is not blamed; the same history gives the same answer."""

import json
import random
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.roles import Role
from reviewers.matching.payer_bias import Choice, choose_deal_count, find_deviating, find_steering
from tests.factories import MONDAY, person
from tests.reviewers.factories import fit_reviewer, offered_case


def make_choices(seed, *, steered=0.0, many=400):
    """Choices over two specialties; a share of one payer's cases goes to a friend of theirs."""
    chance = random.Random(seed)
    choices = []
    for _ in range(many):
        specialty = chance.choice(["Neurology", "Surgery"])
        party = chance.choice(["Northfield", "Harbor", "Crest"])
        reviewer = f"{specialty} {chance.randrange(6)}"
        if party == "Northfield" and chance.random() < steered:
            reviewer = f"{specialty} 0"
        choices.append(Choice(specialty, party, reviewer))
    return choices


@pytest.mark.capability("MA-5", "CO-6")
def test_planted_payer_bias_is_found():
    found = find_steering(make_choices(1, steered=0.4), deals=299)
    assert found.is_steered
    assert found.compared == found.choices == 400


@pytest.mark.capability("MA-5", "CO-6")
def test_a_fair_assignment_is_flagged_no_more_often_than_chance_allows():
    blamed = [
        find_steering(make_choices(seed, many=120), deals=199).is_steered for seed in range(40)
    ]
    assert sum(blamed) <= 2


@pytest.mark.capability("MA-5")
def test_a_payer_with_one_specialty_is_not_flagged_as_bias():
    """Who pays and who decides go together here, and only because of what is disputed."""
    chance = random.Random(7)
    choices = [Choice("Surgery", "Northfield", f"S{chance.randrange(4)}") for _ in range(100)] + [
        Choice("Neurology", "Harbor", f"N{chance.randrange(4)}") for _ in range(100)
    ]

    found = find_steering(choices, deals=99)

    assert (found.compared, found.p, found.is_steered) == (0, 1.0, False)


def test_the_same_history_gives_the_same_answer():
    assert find_steering(make_choices(3), deals=99) == find_steering(make_choices(3), deals=99)


def test_a_reviewer_who_joins_with_a_new_payer_is_not_flagged_as_bias():
    """Who came in July meets the payers of July; within July they meet by chance."""
    chance = random.Random(5)
    choices = [
        Choice(
            "Surgery", f"{month} {chance.randrange(3)}", f"{month} R{chance.randrange(4)}", month
        )
        for month in ("2026-06", "2026-07")
        for _ in range(150)
    ]

    found = find_steering(choices, deals=199)

    assert (found.compared, found.is_steered) == (300, False)
    without_months = [Choice(one.specialty, one.party, one.reviewer) for one in choices]
    assert find_steering(without_months, deals=199).is_steered


def test_bias_that_is_hidden_in_a_single_month_is_found_over_the_year():
    """A friend gets a few more cases each month: too few to see in one, plain in twelve."""
    months = [f"2025-{number:02}" for number in range(1, 13)]
    year = {
        month: [
            Choice(one.specialty, one.party, one.reviewer, month)
            for one in make_choices(number, steered=0.25, many=60)
        ]
        for number, month in enumerate(months)
    }

    alone = [find_steering(choices, deals=199).is_steered for choices in year.values()]

    assert sum(alone) <= 3
    assert find_steering([one for month in months for one in year[month]], deals=199).is_steered


def test_the_biased_pair_comes_first():
    pairs = find_deviating(make_choices(1, steered=0.4))

    assert {(pair.party, pair.reviewer[-1]) for pair in pairs[:2]} == {("Northfield", "0")}
    assert all(pair.actual > 1.5 * pair.expected for pair in pairs[:2])
    assert pairs == find_deviating(make_choices(1, steered=0.4))


def test_a_payer_whose_cases_a_reviewer_never_gets_is_a_pair_too():
    choices = [
        one
        for one in make_choices(2, many=600)
        if (one.party, one.reviewer) != ("Crest", "Surgery 3")
    ]

    (first,) = find_deviating(choices, most=1)

    assert (first.party, first.reviewer, first.actual) == ("Crest", "Surgery 3", 0)
    assert first.expected > 5


def test_a_single_rare_pair_ranks_below_half_of_the_cases_of_a_payer():
    rare = Choice("Surgery", "Seen once", "Seen once")

    pairs = find_deviating([*make_choices(1, steered=0.4), rare])

    assert (pairs[0].party, pairs[0].reviewer[-1]) == ("Northfield", "0")


@pytest.mark.parametrize(
    ("compared", "deals"), [(0, 999), (10_000, 999), (20_000, 500), (140_000, 199)]
)
def test_more_choices_need_fewer_permutations_but_enough_to_raise_the_alarm(compared, deals):
    assert choose_deal_count(compared) == deals
    assert 1 / (deals + 1) < 0.01


@pytest.mark.capability("MA-5", "CO-6")
@pytest.mark.django_db
def test_the_command_reads_the_offers_of_the_given_days():
    coordinator, reviewers = person(Role.COORDINATOR), [fit_reviewer(), fit_reviewer()]
    for n in range(4):
        offered_case(
            coordinator=coordinator,
            reviewer=reviewers[n % 2],
            at=MONDAY + timedelta(hours=4),
        )

    def run_command(*options):
        out = StringIO()
        call_command("check_payer_bias", "--json", *options, stdout=out)
        return json.loads(out.getvalue())["tests"]["claims administrator"]

    assert run_command("--from", "2026-03-01", "--to", "2026-03-02")["choices"] == 4
    assert run_command("--from", "2026-03-03", "--to", "2026-03-31")["choices"] == 0
