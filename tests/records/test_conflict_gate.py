"""Records open to a reviewer behind the conflict gate alone: the server asks at every address."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import models

from accounts.roles import Role
from cases.services.intake import PartyOnForm
from cases.services.parties import add
from records.models import Document
from reviewers.models import Attestation, ConflictResult
from reviewers.services import credentialing
from tests.factories import MONDAY, person
from tests.records.factories import attested, case_with_records, in_review, new_party, offered
from tests.reviewers.factories import VERIFIED, fit_reviewer, ranked, ready_case

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(days=2)


def addresses(assignment):
    case = assignment.case
    document = Document.objects.filter(case=case).first()
    return [
        f"/cases/{case.number}/records/",
        f"/records/{document.pk}/",
        f"/reviews/{assignment.pk}/checks/",
        f"/reviews/{assignment.pk}/preview.pdf",
    ]


def opened(client, assignment):
    client.force_login(assignment.reviewer.user)
    return [client.get(url).status_code for url in addresses(assignment)]


def test_mc2_no_address_of_the_file_opens_before_the_attestation(client):
    assignment = offered(case_with_records())
    assert 200 not in opened(client, assignment)

    attested(assignment)
    assert 200 in opened(client, assignment)


def test_mc2_every_party_of_the_case_is_tested_those_of_items_too():
    assignment = offered(case_with_records())
    case = assignment.case
    add(
        case_id=case.pk, party=PartyOnForm(role="MANUFACTURER", name="Neurocoil Devices"),
        since=None, item_id=case.items.get().pk, why="The device of item 1",
        by=person(Role.COORDINATOR), at=LATER,
    )  # fmt: skip
    credentialing.add_affiliation(
        reviewer_id=assignment.reviewer_id, relation="CONTRACT",
        organisation_name="Neurocoil Devices", valid_from=None, by=None, at=MONDAY, **VERIFIED,
    )  # fmt: skip
    after = attested(assignment, at=LATER + timedelta(hours=1))

    assert after.state == "DECLINED"
    tested = ConflictResult.objects.filter(case=case, result="FAIL").get()
    assert (tested.party.role, tested.party.item) == ("MANUFACTURER", case.items.get())
    assert after.reviewer.bars.filter(case=case).exists()


def test_mc3_a_new_party_closes_the_file_and_both_attestations_stay_readable(client):
    assignment = in_review()
    assert 200 in opened(client, assignment)
    new_party(assignment.case, at=LATER)
    assert 200 not in opened(client, assignment)

    attested(assignment, at=LATER + timedelta(hours=1))
    assert 200 in opened(client, assignment)
    rows = Attestation.objects.filter(assignment=assignment).order_by("signed_at")
    assert [row.voided_at is None for row in rows] == [False, True]
    assert rows[0].answers == rows[1].answers


def test_ac11_california_comes_first_and_discipline_and_evaluators_never():
    case, coordinator = ready_case(), person(Role.COORDINATOR)
    elsewhere = fit_reviewer(licence={"state": "Nevada"})
    at_home = fit_reviewer()
    disciplined = fit_reviewer(sanctions={"found": True})
    listed = ranked(case, by=coordinator)

    ranks = dict(listed.candidates.values_list("reviewer_id", "rank"))
    assert ranks[at_home.pk] < ranks[elsewhere.pk]
    assert ranks[disciplined.pk] is None


def test_co7_no_table_ties_money_to_an_outcome():
    """A table with an amount that is paid has no column, and no way, to an outcome."""
    money = ("amount", "fee", "pay", "price", "usd")
    for model in apps.get_models():
        names = [field.name for field in model._meta.concrete_fields]
        if any(name.startswith(money) for name in names):
            assert not [name for name in names if "outcome" in name], model
        for field in model._meta.concrete_fields:
            if "outcome" in field.name:
                assert not isinstance(field, models.DecimalField), field
