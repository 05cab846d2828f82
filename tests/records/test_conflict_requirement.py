"""Records open to a reviewer behind the conflict requirement alone.

The server asks at every address.
"""

import re
from datetime import timedelta

import pytest
from django.apps import apps

from accounts.roles import Role
from cases.services.parties import PartyOnForm, add_party_to_case
from determinations.services import writing
from records.models import Document
from reviewers.models import Attestation, ConflictResult
from reviewers.services import credentialing
from tests.factories import MONDAY, person
from tests.pristine import ROOT
from tests.records.factories import attested, case_with_records, in_review, new_party, offered
from tests.reviewers.factories import (
    VERIFIED,
    fit_reviewer,
    no_to_all,
    ranked,
    ready_case,
    with_evidence,
)

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(days=2)
OUR_APPS = {path.parent.name for path in ROOT.glob("*/apps.py")}


def addresses(assignment):
    """Every address at which a reviewer reads something of the case's file."""
    case = assignment.case
    document = Document.objects.filter(case=case).first()
    return [
        f"/cases/{case.number}/records/",
        f"/cases/{case.number}/records/read/",
        f"/records/{document.pk}/",
        f"/records/{document.pk}/pages/1/",
        f"/records/{document.pk}/pages/1/text/",
        f"/records/{document.pk}/pages/1.png",
        f"/reviews/{assignment.pk}/checks/",
    ]


CLOSED = [404] * 8
OPEN = [200] * 7 + [422]  # nothing is written yet, so the preview says what is missing


def answers(client, assignment):
    """What each of the addresses answers to the reviewer."""
    client.force_login(assignment.reviewer.user)
    opened = [client.get(url).status_code for url in addresses(assignment)]
    return [*opened, client.post(f"/reviews/{assignment.pk}/preview.pdf").status_code]


@pytest.mark.capability("MC-2")
def test_no_address_of_the_file_opens_before_the_attestation_and_all_open_after_it(
    client, set_clock
):
    set_clock(LATER)
    assignment = offered(case_with_records())
    assert answers(client, assignment) == CLOSED

    attested(assignment)
    writing.open_review(assignment_id=assignment.pk, by=assignment.reviewer.user, at=LATER)
    assert answers(client, assignment) == OPEN


@pytest.mark.capability("MC-2")
def test_every_party_of_the_case_and_of_its_items_is_checked():
    assignment = offered(case_with_records())
    case = assignment.case
    add_party_to_case(
        case_id=case.pk, party=PartyOnForm(role="MANUFACTURER", name="Neurocoil Devices"),
        since=None, item_id=case.items.get().pk, why="The device of item 1",
        by=person(Role.COORDINATOR), at=LATER,
    )  # fmt: skip
    credentialing.add_affiliation(**with_evidence(
        reviewer_id=assignment.reviewer_id, relation="CONTRACT",
        organization_name="Neurocoil Devices", valid_from=None, by=None, at=MONDAY, **VERIFIED,
    ))  # fmt: skip
    after = attested(assignment, at=LATER + timedelta(hours=1))

    assert after.state == "DECLINED"
    tested = ConflictResult.objects.filter(case=case, result="FAIL").get()
    assert (tested.party.role, tested.party.item) == ("MANUFACTURER", case.items.get())
    assert after.reviewer.bars.filter(case=case).exists()


@pytest.mark.capability("MC-3")
def test_a_new_party_closes_the_file_and_both_attestations_stay_readable(client, set_clock):
    set_clock(LATER)
    assignment = in_review()
    writing.open_review(assignment_id=assignment.pk, by=assignment.reviewer.user, at=LATER)
    assert answers(client, assignment) == OPEN
    new_party(assignment.case, at=LATER)
    assert answers(client, assignment) == CLOSED

    attested(assignment, at=LATER + timedelta(hours=1))
    assert answers(client, assignment) == OPEN
    rows = Attestation.objects.filter(assignment=assignment).order_by("signed_at")
    assert [row.voided_at is None for row in rows] == [False, True]
    _, given = no_to_all()
    assert [row.answers for row in rows] == [given, given]


@pytest.mark.capability("AC-11")
def test_california_reviewers_rank_first_and_disciplined_reviewers_are_never_ranked():
    case, coordinator = ready_case(), person(Role.COORDINATOR)
    elsewhere = fit_reviewer(license={"state": "Nevada"})
    at_home = fit_reviewer()
    disciplined = fit_reviewer(sanctions={"found": True})
    listed = ranked(case, by=coordinator)

    ranks = dict(listed.candidates.values_list("reviewer_id", "rank"))
    assert ranks[at_home.pk] < ranks[elsewhere.pk]
    assert ranks[disciplined.pk] is None


@pytest.mark.capability("CO-7")
def test_the_only_amount_on_file_is_the_penalty_for_late_records():
    """No payment may depend on an outcome. Check that before you add a column of money here."""
    money = re.compile(r"amount|fee|paid|pay(?!er)|price|cost|usd|dollar|salary|wage|bonus|bill")
    found = {
        f"{model._meta.model_name}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if model.__module__.partition(".")[0] in OUR_APPS and money.search(field.name)
    }

    assert {name for name in found if not name.startswith("historical")} == {
        "deadlinerule.usd_per_day",
        "deadlinerule.usd_limit",
    }
