"""An experimental treatment is decided by someone who has used it in the past three years."""

from datetime import date, timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.services import item_changes
from intake.services.receiving import ItemOnForm
from reviewers.services import credentialing
from tests.factories import MONDAY, person, received_case
from tests.reviewers.factories import (
    PANEL_ENTERED,
    VERIFIED,
    fit_reviewer,
    offered_case,
    ready_case,
    sign_attestation,
    with_evidence,
)
from tests.reviewers.test_requirements import DAY, map_refusals, result_for

pytestmark = pytest.mark.django_db
TITLE = "Platelet-rich plasma injection, right knee"


def experimental_case(stated=True):
    case = ready_case(items=[ItemOnForm(title=TITLE)])
    item = case.items.get()
    item.is_experimental = stated
    item.store(by=None, at=MONDAY, fields=["is_experimental"])
    return case


def add_experience(reviewer, treatment="platelet rich plasma", first=date(2015, 1, 1), last=None):
    return credentialing.add_experience(**with_evidence(
        reviewer_id=reviewer.pk, treatment=treatment, valid_from=first, valid_to=last, by=None,
        at=PANEL_ENTERED, **VERIFIED,
    ))  # fmt: skip


@pytest.mark.capability("MA-3")
def test_an_experimental_treatment_needs_a_reviewer_with_experience_of_it():
    case, reviewer = experimental_case(), fit_reviewer()

    assert map_refusals(case, reviewer) == {
        "EXPERIENCE": "Item 1 is experimental, and no experience with it in the past 3 years is "
        "on file."
    }
    add_experience(reviewer)
    result = result_for(case, reviewer)
    assert result.is_eligible
    assert "Item 1 is experimental: experience with platelet rich plasma." in {
        reason.sentence for reason in result.reasons
    }


@pytest.mark.capability("MA-3")
@pytest.mark.parametrize("stated", [False, None])
def test_a_treatment_that_is_not_called_experimental_requires_no_experience(stated):
    assert map_refusals(experimental_case(stated), fit_reviewer()) == {}


@pytest.mark.capability("MA-3")
@pytest.mark.parametrize(
    ("last", "fits"),
    [
        (date(2023, 3, 2), True),  # three years to the day
        (date(2023, 3, 1), False),
        (None, True),
    ],
)
def test_experience_counts_for_three_years_after_its_last_day(last, fits):
    case, reviewer = experimental_case(), fit_reviewer()
    add_experience(reviewer, last=last)

    assert result_for(case, reviewer, on=DAY).is_eligible is fits


@pytest.mark.capability("MA-3")
def test_experience_with_another_treatment_or_not_yet_begun_does_not_count():
    case, reviewer = experimental_case(), fit_reviewer()
    add_experience(reviewer, treatment="platelet transfusion")
    with pytest.raises(credentialing.BadFact, match="begins in the future"):
        add_experience(reviewer, first=DAY)

    assert set(map_refusals(case, reviewer)) == {"EXPERIENCE"}


@pytest.mark.capability("MA-3")
def test_experience_withdrawn_between_offer_and_signature_stops_the_acceptance():
    case, reviewer = experimental_case(), fit_reviewer()
    fact = add_experience(reviewer)
    held = offered_case(case=case, reviewer=reviewer)
    credentialing.correct_fact(
        kind="experience", fact_id=fact.pk, changes={}, withdrawn=True, by=None, at=MONDAY
    )

    with pytest.raises(NotAllowed, match="no experience with it"):
        sign_attestation(held, at=MONDAY + timedelta(hours=6))


@pytest.mark.capability("MA-3")
def test_the_ur_decision_page_asks_about_experimental_treatment_for_each_item(client):
    case = received_case(items=[ItemOnForm(title=TITLE)])
    item = case.items.get()
    client.force_login(person(Role.COORDINATOR))
    address = f"/cases/{case.number}/ur-decision/"
    fields = {"version": case.version, f"outcome_{item.pk}": "DENIED"}

    assert "experimental or investigational" in client.get(address).content.decode()
    assert client.post(address, fields | {f"experimental_{item.pk}": "yes"}).status_code == 302

    item.refresh_from_db()
    assert (item.ur_outcome, item.is_experimental) == ("DENIED", True)
    case.refresh_from_db()
    again = client.post(address, fields | {"version": case.version, f"experimental_{item.pk}": ""})
    assert again.status_code == 302
    item.refresh_from_db()
    assert item.is_experimental is None


@pytest.mark.capability("MA-3")
def test_credentialing_records_experience_with_a_treatment(client):
    reviewer = fit_reviewer()
    client.force_login(person(Role.CREDENTIALING))
    address = f"/reviewers/{reviewer.code}/facts/experience/"
    fields = {"valid_from": "01/01/2015", "verified_on": "01/15/2026", "verified_by": "C. Keeper",
            "source": "Log of the practice"}  # fmt: skip

    refused = client.post(address, fields | {"treatment": " "})
    assert refused.status_code == 422
    assert "Enter the treatment." in refused.content.decode()
    client.post(address, fields | {"treatment": "Platelet-rich plasma", "detail": "40 a year"})

    page = client.get(f"/reviewers/{reviewer.code}/").content.decode()
    assert "Platelet-rich plasma. 40 a year" in page


@pytest.mark.capability("AC-9")
@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (
            "SUSPENDED",
            {
                "SANCTION": "Certification in Physical Medicine & Rehabilitation: suspended "
                "since Jan 1, 2008.",
            },
        ),
        ("GIVEN_UP", {"CERTIFICATION": "No board certification in force on Mar 2, 2026."}),
    ],
)
def test_a_certificate_counts_only_while_its_board_confirms_it(standing, sentence):
    reviewer = fit_reviewer(certification={"standing": standing})

    found = map_refusals(ready_case(), reviewer)

    assert {requirement: found[requirement] for requirement in sentence} == sentence
    assert "SPECIALTY" in found


@pytest.mark.capability("AC-9")
def test_a_certificate_suspended_during_a_review_stops_the_letter_and_new_work():
    held = offered_case(reviewer=fit_reviewer())
    row = held.reviewer.certifications.get()
    credentialing.correct_fact(
        kind="certification", fact_id=row.pk, changes={"standing": "REVOKED"}, by=None, at=MONDAY
    )

    with pytest.raises(NotAllowed, match="Certification in Physical Medicine .* revoked"):
        sign_attestation(held, at=MONDAY + timedelta(hours=6))


@pytest.mark.capability("MA-3")
def test_two_people_mark_an_item_experimental_until_a_reviewer_is_chosen(client):
    case = ready_case(items=[ItemOnForm(title=TITLE)])
    item, coordinator = case.items.get(), person(Role.COORDINATOR)
    client.force_login(coordinator)
    address = f"/cases/{case.number}/items/{item.position}/change/"
    page = client.get(address)
    typed = page.context["form"].initial | {"is_experimental": "yes", "why": "UR decision, page 2"}
    fields = {name: value for name, value in typed.items() if value is not None}

    assert client.post(address, fields | {"version": item.version}).status_code == 302
    change = case.item_changes.get()
    assert [one.after for one in item_changes.list_item_differences(change) if one.differs] == [
        "Yes"
    ]
    item_changes.accept_item_change(change_id=change.pk, by=person(Role.SUPERVISOR), at=MONDAY)

    item.refresh_from_db()
    assert item.is_experimental is True
    add_experience(reviewer := fit_reviewer())
    offered_case(case=case, reviewer=reviewer)
    facts = item_changes.ItemValues(title=item.title, is_experimental=False)
    with pytest.raises(NotAllowed, match="reviewer"):
        item_changes.propose_item_change(
            item_id=item.pk, facts=facts, seen_version=None, why="A slip", by=coordinator, at=MONDAY
        )
