"""A proposed change of an item stops the choice of a reviewer until a second person decides."""

import html
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.services import item_changes
from cases.services.item_changes import ItemValues
from intake.services.receiving import ItemOnForm
from reviewers.services import assignment as assignments
from reviewers.services import planning
from tests.factories import MONDAY, person
from tests.reviewers.factories import fit_reviewer, rank_panel, ready_case

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)
WAITS = "A change of the disputed items waits for a second person."


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


def propose(case, by, title="Epidural steroid injection"):
    return item_changes.propose_item_change(
        item_id=case.items.first().pk,
        facts=ItemValues(title=title),
        seen_version=None,
        why="The form says so.",
        by=by,
        at=NOON,
    )


def assign(case, reviewer, listed, by):
    return assignments.assign_reviewer(
        case_id=case.pk,
        reviewer_id=reviewer.pk,
        candidate_list_id=listed.pk,
        seen_version=case.version,
        by=by,
        at=NOON,
    )


def test_a_proposed_change_stops_assignment_and_its_refusal_frees_it(coordinator):
    reviewer, case = fit_reviewer(), ready_case()
    listed = rank_panel(case, by=coordinator)
    change = propose(case, coordinator)
    case.refresh_from_db()

    with pytest.raises(NotAllowed, match=WAITS):
        assign(case, reviewer, listed, coordinator)
    item_changes.refuse_item_change(
        change_id=change.pk, reason="No.", by=person(Role.SUPERVISOR), at=NOON
    )
    case.refresh_from_db()
    assign(case, reviewer, listed, coordinator)

    case.refresh_from_db()
    assert case.stage == Status.REVIEWER_CHOSEN


def test_a_batch_plan_leaves_out_a_case_with_a_proposed_change(coordinator):
    fit_reviewer()
    waiting, free = ready_case(), ready_case()
    propose(waiting, coordinator)

    steps, _ = planning.build_plan(by=coordinator, at=NOON)

    chosen = {step.case_id: step.chosen is not None for step in steps}
    assert chosen == {waiting.pk: False, free.pk: True}


def test_the_pages_say_why_and_lead_to_the_change(client, coordinator, set_clock):
    set_clock(NOON)
    fit_reviewer()
    case = ready_case()
    change = propose(case, coordinator)
    client.force_login(coordinator)

    page = html.unescape(
        client.get(reverse("reviewers:assign", args=[case.number])).content.decode()
    )
    assert WAITS in page
    assert reverse("cases:item_change", args=[case.number, change.pk]) in page
    overview = html.unescape(client.get(case.get_absolute_url()).content.decode())
    assert WAITS in overview


def test_like_items_are_named_together_on_the_pages_of_the_case(client, coordinator, set_clock):
    set_clock(NOON)
    fit_reviewer()
    case = ready_case(items=[ItemOnForm(f"Visit {at}", body_part="Knee") for at in range(1, 12)])
    client.force_login(coordinator)

    assign_page = client.get(reverse("reviewers:assign", args=[case.number])).content.decode()
    assert "All 11 items" in assign_page
    assert assign_page.count(">Knee<") <= 1
    overview = client.get(case.get_absolute_url()).content.decode()
    assert "All 11 items" in overview
    for at in range(1, 12):
        assert f"Visit {at}" in overview
        assert reverse("eligibility:administrator_citations", args=[case.number, at]) in overview
    assert overview.count("Enter UR citations") == 11
