"""Planted steering is found, a fair deal is not blamed; the same history gives the same answer."""

import json
import random
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.roles import Role
from reviewers.fairness import Choice, find_steering
from tests.factories import MONDAY, person
from tests.reviewers.factories import fit_reviewer, offered_case


def deal(seed, *, steered=0.0, many=400):
    """Choices over two specialties; a share of one payer's cases goes to a friend of theirs."""
    chance = random.Random(seed)
    choices = []
    for _ in range(many):
        specialty = chance.choice(["Neurology", "Surgery"])
        party = chance.choice(["Northfield", "Harbour", "Crest"])
        reviewer = f"{specialty} {chance.randrange(6)}"
        if party == "Northfield" and chance.random() < steered:
            reviewer = f"{specialty} 0"
        choices.append(Choice(specialty, party, reviewer))
    return choices


def test_ma5_co6_planted_steering_is_found():
    found = find_steering(deal(1, steered=0.4), deals=299)
    assert found.is_steered
    assert found.compared == found.choices == 400


def test_ma5_co6_a_fair_deal_is_not_blamed_more_often_than_chance_allows():
    blamed = [find_steering(deal(seed, many=120), deals=199).is_steered for seed in range(40)]
    assert sum(blamed) <= 2


def test_ma5_a_payer_with_one_specialty_is_not_taken_for_steering():
    """Who pays and who decides go together here, and only because of what is disputed."""
    chance = random.Random(7)
    choices = [Choice("Surgery", "Northfield", f"S{chance.randrange(4)}") for _ in range(100)] + [
        Choice("Neurology", "Harbour", f"N{chance.randrange(4)}") for _ in range(100)
    ]

    found = find_steering(choices, deals=99)

    assert (found.compared, found.p, found.is_steered) == (0, 1.0, False)


def test_the_same_history_gives_the_same_answer():
    assert find_steering(deal(3), deals=99) == find_steering(deal(3), deals=99)


@pytest.mark.django_db
def test_ma5_co6_the_command_reads_the_offers_of_its_days():
    coordinator, reviewers = person(Role.COORDINATOR), [fit_reviewer(), fit_reviewer()]
    for n in range(4):
        offered_case(
            coordinator=coordinator,
            reviewer=reviewers[n % 2],
            at=MONDAY + timedelta(hours=4),
        )

    def said(*options):
        out = StringIO()
        call_command("check_fairness", "--json", *options, stdout=out)
        return json.loads(out.getvalue())["tests"]["claims administrator"]

    assert said("--from", "2026-03-01", "--to", "2026-03-02")["choices"] == 4
    assert said("--from", "2026-03-03", "--to", "2026-03-31")["choices"] == 0
