"""Batch assignment: the plan is shown before anything changes; each case is refused on its own."""

from datetime import timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case
from reviewers.models import CandidateList, ReviewerAssignment
from reviewers.services import credentialing, planning
from reviewers.views import planning as planning_views
from tests.factories import MONDAY, person
from tests.reviewers.factories import fit_reviewer, offered_case, ready_case
from tests.reviewers.test_pages import fit_today

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)


def list_choices(steps):
    return [(step.case_id, step.version, step.chosen.reviewer_id) for step in steps if step.chosen]


@pytest.mark.capability("MC-7")
def test_a_plan_lists_every_case_and_every_refusal_and_moves_nothing():
    coordinator = person(Role.COORDINATOR)
    cases = [ready_case() for _ in range(3)]
    reviewer, without_hours = fit_reviewer(capacity=2), fit_reviewer(hours=None)

    steps, waiting = planning.build_plan(by=coordinator, at=NOON)

    assert waiting == 3
    assert {step.case_id for step in steps} == {case.pk for case in cases}
    assert [step.chosen.reviewer_id if step.chosen else None for step in steps] == [
        reviewer.pk,
        reviewer.pk,
        None,  # the plan's own offers count against capacity
    ]
    full = {one.reviewer_id: one.refusals[0].sentence for one in steps[2].refused}
    assert full[reviewer.pk] == "Open cases: 2 of 2."
    assert "weekly hours" in full[without_hours.pk]
    assert not ReviewerAssignment.objects.exists()
    assert not CandidateList.objects.exists()


@pytest.mark.capability("MC-7")
def test_executing_a_plan_checks_every_requirement_again_and_skips_only_refused_cases():
    coordinator = person(Role.COORDINATOR)
    first, second = ready_case(), ready_case()
    ana, ben = fit_reviewer(), fit_reviewer()
    steps, _ = planning.build_plan(by=coordinator, at=NOON)
    plan = {case_id: (case_id, version, who) for case_id, version, who in list_choices(steps)}
    assert {who for _, _, who in plan.values()} == {ana.pk, ben.pk}
    gone = plan[first.pk][2]
    credentialing.set_reviewer_status(
        reviewer_id=gone, status="SUSPENDED", reason="Asked to", by=None, at=NOON
    )

    outcomes = planning.execute_plan(
        choices=[plan[first.pk], plan[second.pk], (0, 0, 0)], by=coordinator, at=NOON
    )

    assert [one.is_done for one in outcomes] == [False, True, False]
    assert "Suspended from the panel." in outcomes[0].sentence
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, second.status) == (Status.RECORDS_COMPLETE, Status.REVIEWER_CHOSEN)


@pytest.mark.capability("MC-7")
def test_a_case_that_someone_else_assigned_meanwhile_stays_with_its_reviewer():
    coordinator, reviewer = person(Role.COORDINATOR), fit_reviewer()
    case = ready_case()
    steps, _ = planning.build_plan(by=coordinator, at=NOON)
    held = offered_case(case=case, reviewer=reviewer)

    (outcome,) = planning.execute_plan(choices=list_choices(steps), by=coordinator, at=NOON)

    assert not outcome.is_done
    assert outcome.was_overtaken
    assert outcome.sentence == (
        f"{held.offered_by.name} has already offered case {case.number} to a reviewer."
    )
    assert list(case.assignments.all()) == [held]


def test_a_case_that_changed_after_the_plan_was_built_is_refused():
    coordinator = person(Role.COORDINATOR)
    case = ready_case()
    fit_reviewer()
    steps, _ = planning.build_plan(by=coordinator, at=NOON)
    other = person(Role.COORDINATOR, name="Mina Petrov")
    Case.objects.get(pk=case.pk).store(by=other, at=NOON, fields=[])

    (outcome,) = planning.execute_plan(choices=list_choices(steps), by=coordinator, at=NOON)

    assert outcome.was_overtaken
    assert outcome.sentence.startswith("Mina Petrov changed the case")
    assert not case.assignments.exists()


def test_a_reviewer_who_is_no_longer_in_the_first_three_is_not_offered_the_case():
    coordinator = person(Role.COORDINATOR)
    case = ready_case()
    last = fit_reviewer(license={"state": "Nevada"})
    steps, _ = planning.build_plan(by=coordinator, at=NOON)
    for _ in range(3):
        fit_reviewer()

    (outcome,) = planning.execute_plan(choices=list_choices(steps), by=coordinator, at=NOON)

    assert outcome.sentence.startswith(f"{last.code} is no longer one of the first three")
    assert not case.assignments.exists()
    assert not case.candidate_lists.exists()


def test_a_plan_stops_when_time_is_up_and_leaves_the_rest_unchanged():
    coordinator = person(Role.COORDINATOR)
    cases = [ready_case() for _ in range(3)]
    fit_reviewer(capacity=9)

    some, waiting = planning.build_plan(
        by=coordinator, at=NOON, has_time=iter([True, True, False]).__next__
    )
    assert (len(some), waiting) == (2, 3)
    steps, _ = planning.build_plan(by=coordinator, at=NOON)
    outcomes = planning.execute_plan(
        choices=list_choices(steps), by=coordinator, at=NOON, has_time=iter([True, False]).__next__
    )

    assert [(one.is_done, one.is_left) for one in outcomes] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert ReviewerAssignment.objects.filter(case__in=cases).count() == 1


@pytest.mark.capability("MC-7")
def test_sixty_cases_are_planned_at_once_and_all_excluded_reviewers_are_counted(monkeypatch):
    coordinator = person(Role.COORDINATOR)
    assert planning.CASES_PER_PLAN == 60
    monkeypatch.setattr(planning, "CASES_PER_PLAN", 2)
    for _ in range(3):
        ready_case()
    for _ in range(12):
        fit_reviewer(hours=None)

    steps, waiting = planning.build_plan(by=coordinator, at=NOON)

    assert (len(steps), waiting) == (2, 3)
    assert [(step.kept_out, len(step.refused)) for step in steps] == [(12, 10), (12, 10)]


def test_only_coordinators_build_plans():
    with pytest.raises(NotAllowed):
        planning.build_plan(by=person(Role.QA), at=NOON)


@pytest.mark.capability("MC-7")
def test_the_page_shows_the_plan_first_and_then_offers_the_selected_cases(client):
    coordinator, case = person(Role.COORDINATOR), ready_case()
    reviewer = fit_today()
    client.force_login(coordinator)
    line = f"{case.pk}:{case.version}:{reviewer.pk}"

    page = client.get("/reviewers/batch-assignment/")
    assert page.status_code == 200
    assert case.number in page.content.decode()
    assert client.post("/reviewers/batch-assignment/", {}).status_code == 422
    assert client.post("/reviewers/batch-assignment/", {"choices": ["x"]}).status_code == 422
    answer = client.post("/reviewers/batch-assignment/", {"choices": [line]})

    assert answer.status_code == 200
    assert f"Offered to {reviewer.full_name} ({reviewer.code})." in answer.content.decode()
    assert ReviewerAssignment.objects.filter(case=case, reviewer=reviewer).exists()


def test_the_second_person_to_execute_a_plan_sees_who_was_first(client):
    first, case, reviewer = person(Role.COORDINATOR), ready_case(), fit_today()
    line = f"{case.pk}:{case.version}:{reviewer.pk}"
    client.force_login(first)
    assert client.post("/reviewers/batch-assignment/", {"choices": [line]}).status_code == 200

    client.force_login(person(Role.COORDINATOR))
    answer = client.post("/reviewers/batch-assignment/", {"choices": [line]})

    assert answer.status_code == 409
    assert f"{first.name} has already offered case {case.number}" in answer.content.decode()
    assert case.assignments.count() == 1


def test_the_rest_of_a_plan_continues_with_one_click(client, monkeypatch):
    cases, reviewer = [ready_case() for _ in range(2)], fit_today(capacity=9)
    choices = [f"{case.pk}:{case.version}:{reviewer.pk}" for case in cases]
    monkeypatch.setattr(planning_views, "TIME_LIMIT", -1)
    client.force_login(person(Role.COORDINATOR))

    answer = client.post("/reviewers/batch-assignment/", {"choices": choices})

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Continue with 2 cases" in text
    assert all(f'name="choices" value="{choice}"' in text for choice in choices)
    assert not ReviewerAssignment.objects.exists()


def test_a_case_planned_alone_can_get_the_reviewer_planned_for_earlier_cases(client):
    first, second = ready_case(), ready_case()
    best, other = fit_today(capacity=1), fit_today(capacity=1, license={"state": "Nevada"})
    client.force_login(person(Role.COORDINATOR))
    text = client.get("/reviewers/batch-assignment/").content.decode()
    assert f'value="{second.pk}:{second.version}:{other.pk}" checked' in text

    answer = client.post(
        "/reviewers/batch-assignment/",
        {"choices": [f"{second.pk}:{second.version}:{other.pk}"], "alone": "1"},
    )

    text = answer.content.decode()
    assert answer.status_code == 200
    assert f'value="{second.pk}:{second.version}:{best.pk}" checked' in text
    assert first.number not in text
    assert "1 of 2 cases ready to assign" in text
    assert not ReviewerAssignment.objects.exists()
    assert client.post("/reviewers/batch-assignment/", {"alone": "1"}).status_code == 422


def test_the_plan_of_a_large_panel_is_a_small_page(client):
    case = ready_case()
    for _ in range(15):
        fit_today(hours=None)
    client.force_login(person(Role.COORDINATOR))

    text = client.get("/reviewers/batch-assignment/").content.decode()

    assert "15 reviewers not eligible: 15 without 24 attested hours a week" in text
    assert "Show all 15 with reasons" in text
    assert text.count("weekly hours") == 10
    assert f"/cases/{case.number}/assign/" in text
    assert "1 case without an eligible reviewer" in text
