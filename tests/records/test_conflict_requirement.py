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
from tests.records.factories import (
    case_with_records,
    in_review,
    make_offered_case,
    new_party,
    sign_attestation,
)
from tests.reviewers.factories import (
    VERIFIED,
    answer_no_to_all,
    fit_reviewer,
    rank_panel,
    ready_case,
    with_evidence,
)

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(days=2)
OUR_APPS = {path.parent.name for path in ROOT.glob("*/apps.py")}


def list_file_addresses(assignment):
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


def list_statuses(client, assignment):
    """What each of the addresses answers to the reviewer."""
    client.force_login(assignment.reviewer.user)
    opened = [client.get(url).status_code for url in list_file_addresses(assignment)]
    return [*opened, client.post(f"/reviews/{assignment.pk}/preview.pdf").status_code]


@pytest.mark.capability("MC-2")
def test_no_address_of_the_file_opens_before_the_attestation_and_all_open_after_it(
    client, set_clock
):
    set_clock(LATER)
    assignment = make_offered_case(case_with_records())
    assert list_statuses(client, assignment) == CLOSED

    sign_attestation(assignment)
    writing.open_review(assignment_id=assignment.pk, by=assignment.reviewer.user, at=LATER)
    assert list_statuses(client, assignment) == OPEN


@pytest.mark.capability("MC-2")
def test_every_party_of_the_case_and_of_its_items_is_checked():
    assignment = make_offered_case(case_with_records())
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
    after = sign_attestation(assignment, at=LATER + timedelta(hours=1))

    assert after.state == "DECLINED"
    tested = ConflictResult.objects.filter(case=case, result="FAIL").get()
    assert (tested.party.role, tested.party.item) == ("MANUFACTURER", case.items.get())
    assert after.reviewer.bars.filter(case=case).exists()


@pytest.mark.capability("MC-3")
def test_a_new_party_closes_the_file_and_both_attestations_stay_readable(client, set_clock):
    set_clock(LATER)
    assignment = in_review()
    writing.open_review(assignment_id=assignment.pk, by=assignment.reviewer.user, at=LATER)
    assert list_statuses(client, assignment) == OPEN
    new_party(assignment.case, at=LATER)
    assert list_statuses(client, assignment) == CLOSED

    sign_attestation(assignment, at=LATER + timedelta(hours=1))
    assert list_statuses(client, assignment) == OPEN
    rows = Attestation.objects.filter(assignment=assignment).order_by("signed_at")
    assert [row.voided_at is None for row in rows] == [False, True]
    _, given = answer_no_to_all()
    assert [row.answers for row in rows] == [given, given]


@pytest.mark.capability("AC-11")
def test_california_reviewers_rank_first_and_disciplined_reviewers_are_never_ranked():
    case, coordinator = ready_case(), person(Role.COORDINATOR)
    elsewhere = fit_reviewer(license={"state": "Nevada"})
    at_home = fit_reviewer()
    disciplined = fit_reviewer(sanctions={"found": True})
    listed = rank_panel(case, by=coordinator)

    ranks = {one.reviewer_id: one.rank for one in listed.candidates}
    assert ranks[at_home.pk] < ranks[elsewhere.pk]
    assert ranks[disciplined.pk] is None


@pytest.mark.capability("CO-7")
def test_no_amount_on_file_depends_on_an_outcome():
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
        # What the claims administrator pays for a review, by filing date, kind and stage.
        "feerow.amount",
    }
