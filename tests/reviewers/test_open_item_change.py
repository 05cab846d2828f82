"""A proposed change of an item stops the choice of a reviewer until a second person decides."""

import html
from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case
from cases.services import consolidation, item_changes
from cases.services.item_changes import ItemValues
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from reviewers import policies
from reviewers.models import ReviewerAssignment
from reviewers.services import assignment as assignments
from reviewers.services import moving, planning
from tests.factories import MONDAY, eligible_case, person
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


def ready_pair(coordinator):
    """A case that waits for a reviewer, and one that is decided with it."""
    lead = eligible_case(claim_number="06-2213-00417")
    follower = eligible_case(
        claim_number="06-2213-00417",
        ur_decision=URDecisionOnForm(decided_on=date(2026, 2, 16), reference="UR-2"),
        items=[ItemOnForm("Gabapentin 300 mg #90")],
    )
    consolidation.consolidate_case(
        case_id=follower.pk, lead_id=lead.pk, reason="One review", by=coordinator, at=NOON
    )
    lead.refresh_from_db()
    lead.move_to(Status.NOTICE_SENT, by=None, at=NOON)
    lead.move_to(Status.RECORDS_COMPLETE, by=None, at=NOON)
    return lead, Case.objects.get(pk=follower.pk)


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


def test_a_case_with_a_proposed_change_does_not_move_to_another_reviewer(coordinator):
    """The plan says so, and so does a plan that was made before the proposal."""
    holder, other = fit_reviewer(), fit_reviewer()
    case = ready_case()
    assign(case, holder, rank_panel(case, by=coordinator), coordinator)
    ((line,), _) = moving.build_move_plan(reviewer_id=holder.pk, by=coordinator, at=NOON)
    assert line.why_not == ""
    change = propose(case, coordinator)

    ((line,), _) = moving.build_move_plan(reviewer_id=holder.pk, by=coordinator, at=NOON)
    assert line.why_not.startswith(WAITS)
    case.refresh_from_db()
    choices = [(line.assignment.pk, case.version, other.pk)]
    (result,) = moving.execute_move_plan(
        reviewer_id=holder.pk, choices=choices, reason="Away.", by=coordinator, at=NOON
    )
    assert (result.is_done, result.sentence.startswith(WAITS)) == (False, True)
    assert ReviewerAssignment.objects.get(case=case).is_live

    item_changes.refuse_item_change(
        change_id=change.pk, reason="No.", by=person(Role.SUPERVISOR), at=NOON
    )
    ((line,), _) = moving.build_move_plan(reviewer_id=holder.pk, by=coordinator, at=NOON)
    assert line.why_not == ""


def test_a_proposed_change_in_a_consolidated_case_stops_its_lead(coordinator, client):
    reviewer = fit_reviewer()
    lead, follower = ready_pair(coordinator)
    listed = rank_panel(lead, by=coordinator)
    propose(follower, coordinator, title="Gabapentin 600 mg #90")
    lead.refresh_from_db()

    with pytest.raises(NotAllowed, match=WAITS):
        assign(lead, reviewer, listed, coordinator)

    assert policies.map_reasons_not_to_assign(coordinator, [lead])[lead.pk].startswith(WAITS)
    client.force_login(coordinator)
    page = client.get(lead.get_absolute_url()).content.decode()
    assert f"/cases/{follower.number}/item-changes/" in page
