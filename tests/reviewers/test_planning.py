"""Many cases given away at once: shown before anything moves, refused one by one."""

from datetime import timedelta

import pytest

from accounts.roles import Role
from cases.lifecycle import Status
from cases.policies import NotAllowed
from reviewers.models import CandidateList, ReviewerAssignment
from reviewers.services import credentialing, planning
from tests.factories import MONDAY, person
from tests.reviewers.factories import fit_reviewer, offered_case, ready_case
from tests.reviewers.test_pages import fit_today

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)


def lines(steps):
    return [(step.case_id, step.version, step.chosen.reviewer_id) for step in steps if step.chosen]


def test_mc7_a_plan_lists_every_case_and_every_refusal_and_moves_nothing():
    coordinator = person(Role.COORDINATOR)
    cases = [ready_case() for _ in range(3)]
    reviewer, without_hours = fit_reviewer(capacity=2), fit_reviewer(hours=None)

    steps, waiting = planning.draw_up(by=coordinator, at=NOON)

    assert waiting == 3
    assert {step.case_id for step in steps} == {case.pk for case in cases}
    assert [step.chosen.reviewer_id if step.chosen else None for step in steps] == [
        reviewer.pk,
        reviewer.pk,
        None,  # the plan's own offers count against capacity
    ]
    full = {one.reviewer_id: one.refusals[0].sentence for one in steps[2].refused}
    assert full[reviewer.pk] == "Has 2 open of 2."
    assert "weekly hours" in full[without_hours.pk]
    assert not ReviewerAssignment.objects.exists()
    assert not CandidateList.objects.exists()


def test_mc7_carrying_out_asks_every_gate_again_and_one_refusal_stops_one_case():
    coordinator = person(Role.COORDINATOR)
    first, second = ready_case(), ready_case()
    ana, ben = fit_reviewer(), fit_reviewer()
    steps, _ = planning.draw_up(by=coordinator, at=NOON)
    plan = {case_id: (case_id, version, who) for case_id, version, who in lines(steps)}
    assert {who for _, _, who in plan.values()} == {ana.pk, ben.pk}
    gone = plan[first.pk][2]
    credentialing.set_status(
        reviewer_id=gone, status="SUSPENDED", reason="Asked to", by=None, at=NOON
    )

    outcomes = planning.carry_out(
        choices=[plan[first.pk], plan[second.pk], (0, 0, 0)], by=coordinator, at=NOON
    )

    assert [one.is_done for one in outcomes] == [False, True, False]
    assert "Suspended from the panel." in outcomes[0].sentence
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, second.status) == (Status.RECORDS_COMPLETE, Status.REVIEWER_CHOSEN)


def test_mc7_a_case_that_somebody_else_gave_away_meanwhile_stays_with_them():
    coordinator, reviewer = person(Role.COORDINATOR), fit_reviewer()
    case = ready_case()
    steps, _ = planning.draw_up(by=coordinator, at=NOON)
    held = offered_case(case=case, reviewer=reviewer)

    (outcome,) = planning.carry_out(choices=lines(steps), by=coordinator, at=NOON)

    assert not outcome.is_done
    assert list(case.assignments.all()) == [held]


def test_only_coordinators_plan():
    with pytest.raises(NotAllowed):
        planning.draw_up(by=person(Role.QA), at=NOON)


def test_mc7_the_page_shows_the_plan_first_and_then_offers_what_is_ticked(client):
    coordinator, case = person(Role.COORDINATOR), ready_case()
    reviewer = fit_today()
    client.force_login(coordinator)
    line = f"{case.pk}:{case.version}:{reviewer.pk}"

    page = client.get("/reviewers/plan/")
    assert page.status_code == 200
    assert case.number in page.content.decode()
    assert client.post("/reviewers/plan/", {}).status_code == 422
    assert client.post("/reviewers/plan/", {"choices": ["x"]}).status_code == 422
    answer = client.post("/reviewers/plan/", {"choices": [line]})

    assert answer.status_code == 200
    assert f"Offered to {reviewer.code}." in answer.content.decode()
    assert ReviewerAssignment.objects.filter(case=case, reviewer=reviewer).exists()
