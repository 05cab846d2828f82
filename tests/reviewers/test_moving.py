"""One reviewer's open work moved to others: shown first, then case by case, both halves or none."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case, Event
from reviewers.matching import kept_panel
from reviewers.matching.candidates import evaluate_candidates
from reviewers.models import CandidateList, ReviewerAssignment
from reviewers.services import assignment as assignments
from reviewers.services import credentialing, moving
from tests.factories import MONDAY, person
from tests.reviewers.factories import accepted_case, fit_reviewer, offered_case, sign_attestation
from tests.reviewers.test_no_assignment_around_requirements import LACKS, make_reviewer_with_fault
from tests.reviewers.test_seats import approve_seats, assign_reviewer

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)
LATER = NOON + timedelta(hours=3)
State = ReviewerAssignment.State


def suspend_reviewer(reviewer, *, at=NOON):
    credentialing.set_reviewer_status(
        reviewer_id=reviewer.pk, status="SUSPENDED", reason="Asked to", by=None, at=at
    )


def build_plan_lines(reviewer, *, by, at=LATER, **options):
    lines, _ = moving.build_move_plan(reviewer_id=reviewer.pk, by=by, at=at, **options)
    return lines


def list_choices(lines):
    return [
        (line.assignment.pk, line.step.version, line.step.chosen.reviewer_id)
        for line in lines
        if line.step and line.step.chosen
    ]


def execute_plan(reviewer, choices, *, by, at=LATER, reason="Away until May", **options):
    return moving.execute_move_plan(
        reviewer_id=reviewer.pk, choices=choices, reason=reason, by=by, at=at, **options
    )


def now_with(case):
    live = case.assignments.filter(state__in=ReviewerAssignment.LIVE).order_by("seat")
    return list(live.values_list("reviewer", flat=True))


def read_all_rows():
    """Everything that moving a case would touch."""
    return (
        sorted(ReviewerAssignment.history.values_list("id", "version", "state")),
        sorted(Case.objects.values_list("pk", "version", "status")),
        Event.objects.count(),
        CandidateList.objects.count(),
    )


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR, name="Mina Petrov")


# --- on paper -----------------------------------------------------------------------------------


@pytest.mark.capability("MC-7")
def test_every_open_case_is_shown_with_its_new_reviewer_and_nothing_moves(coordinator):
    leaving = fit_reviewer(capacity=9)
    cases = [
        offered_case(reviewer=leaving).case,
        accepted_case(reviewer=leaving).case,
        accepted_case(reviewer=leaving).case,
        accepted_case(reviewer=leaving).case,
    ]
    cases[3].refresh_from_db()
    cases[3].move_to(Status.QA, by=None, at=NOON)
    other, without_hours = fit_reviewer(capacity=2), fit_reviewer(hours=None)
    before = read_all_rows()

    lines = {line.assignment.case_id: line for line in build_plan_lines(leaving, by=coordinator)}

    assert set(lines) == {case.pk for case in cases}
    chosen = [lines[case.pk].step.chosen for case in cases[:3]]
    assert [one and one.reviewer_id for one in chosen] == [other.pk, other.pk, None]
    full = lines[cases[2].pk].step
    assert {one.reviewer_id for one in full.refused} == {other.pk, without_hours.pk}
    assert "Open cases: 2 of 2." in {one.refusals[0].sentence for one in full.refused}
    assert (1, "at capacity") in full.counts
    assert lines[cases[3].pk].step is None
    assert "is in the “QA review” stage" in lines[cases[3].pk].why_not
    assert read_all_rows() == before


def test_the_work_of_a_suspended_reviewer_is_moved_and_never_proposed_to_them_again(coordinator):
    assignment = accepted_case()
    suspend_reviewer(assignment.reviewer)

    (line,) = build_plan_lines(assignment.reviewer, by=coordinator)

    assert line.step.chosen is None
    assert line.step.kept_out == 0  # they are not even asked
    other = fit_reviewer()
    (outcome,) = execute_plan(
        assignment.reviewer,
        list_choices(build_plan_lines(assignment.reviewer, by=coordinator)),
        by=coordinator,
    )
    assert outcome.is_done, outcome.sentence
    assert now_with(assignment.case) == [other.pk]


def test_a_reviewer_with_another_seat_of_the_case_is_not_proposed(coordinator):
    assignment = accepted_case()
    approve_seats(assignment.case)
    beside = assign_reviewer(assignment.case).reviewer

    (line,) = build_plan_lines(assignment.reviewer, by=coordinator)

    assert line.step.chosen is None
    (out,) = line.step.refused
    assert out.reviewer_id == beside.pk
    assert out.refusals[0].sentence == "Barred from this case: has another seat of this case."
    third = fit_reviewer()
    (outcome,) = execute_plan(
        assignment.reviewer,
        list_choices(build_plan_lines(assignment.reviewer, by=coordinator)),
        by=coordinator,
    )
    assert outcome.is_done, outcome.sentence
    assert set(now_with(assignment.case)) == {beside.pk, third.pk}


@pytest.mark.capability("MC-7")
def test_late_cases_of_the_plan_count_toward_the_limit_of_overdue_cases(coordinator):
    leaving, other = fit_reviewer(capacity=9), fit_reviewer(capacity=9)
    for _ in range(5):
        offered_case(reviewer=leaving)
    late = LATER + timedelta(days=3)
    assert all(due < late.date() for due in Case.objects.values_list("due_on", flat=True))

    lines = build_plan_lines(leaving, by=coordinator, at=late)
    outcomes = execute_plan(leaving, list_choices(lines), by=coordinator, at=late)

    assert [bool(line.step.chosen) for line in lines] == [True, True, True, False, False]
    assert all(one.is_done for one in outcomes), outcomes
    assert "Overdue cases: 3." in lines[3].step.refused[0].refusals[0].sentence
    assert ReviewerAssignment.objects.filter(reviewer=other, state=State.OFFERED).count() == 3


def test_only_the_best_excluded_reviewers_are_listed_unless_all_are_requested(coordinator):
    assignment = offered_case()
    far = fit_reviewer(hours=None, law=None, evidence=None)
    near = [fit_reviewer(hours=None) for _ in range(11)]

    (line,) = build_plan_lines(assignment.reviewer, by=coordinator)
    (whole,) = build_plan_lines(assignment.reviewer, by=coordinator, in_full=assignment.case.number)

    assert [one.reviewer_id for one in line.step.refused] == [one.pk for one in near[:10]]
    assert (line.step.kept_out, line.step.counts[0]) == (
        12,
        (12, "without 24 attested hours a week"),
    )
    assert far.pk in {one.reviewer_id for one in whole.step.refused}
    assert len(whole.step.refused) == 12


# --- carried out --------------------------------------------------------------------------------


def test_a_case_is_moved_in_one_action_and_the_event_names_no_one(coordinator):
    assignment = accepted_case()
    other = fit_reviewer()

    (outcome,) = execute_plan(
        assignment.reviewer,
        list_choices(build_plan_lines(assignment.reviewer, by=coordinator)),
        by=coordinator,
    )

    assert outcome.is_done, outcome.sentence
    assignment.refresh_from_db()
    assert (assignment.state, assignment.ended_because) == (State.REMOVED, "Away until May")
    assert assignment.attestations.get().voided_at == LATER
    made = assignment.case.assignments.get(reviewer=other)
    assert (made.state, made.override_code) == (State.OFFERED, "")
    assert made.candidate_list.made_at == LATER
    assignment.case.refresh_from_db()
    assert assignment.case.status == Status.REVIEWER_CHOSEN
    stored_events = list(assignment.case.events.filter(happened_at=LATER).order_by("pk"))
    assert [event.sentence for event in stored_events] == [
        "The reviewer was removed to reassign the case.",
        "Offered to the reviewer.",
    ]
    result = " ".join(f"{event.sentence} {event.why} {event.facts}" for event in stored_events)
    for secret in (assignment.reviewer, other):
        assert secret.last_name not in result
        assert secret.code not in result
    assert "Away until May" not in result


def test_a_refusal_stops_only_one_case_and_leaves_it_unchanged(coordinator):
    leaving = fit_reviewer(capacity=9)
    first, second = (accepted_case(reviewer=leaving) for _ in range(2))
    ana, ben = fit_reviewer(capacity=1), fit_reviewer(capacity=1)
    choices = list_choices(build_plan_lines(leaving, by=coordinator))
    assert {to for _, _, to in choices} == {ana.pk, ben.pk}
    gone = next(to for pk, _, to in choices if pk == first.pk)
    credentialing.set_reviewer_status(
        reviewer_id=gone, status="SUSPENDED", reason="Asked to", by=None, at=LATER
    )
    version, events = Case.objects.get(pk=first.case_id).version, first.case.events.count()
    lists = first.case.candidate_lists.count()

    outcomes = execute_plan(leaving, [*choices, (0, 0, 0)], by=coordinator)

    by_number = {one.case_number: one for one in outcomes}
    assert by_number[second.case.number].is_done
    assert not by_number[first.case.number].is_done
    assert "Suspended from the panel." in by_number[first.case.number].sentence
    assert by_number["?"].sentence == "There is no such case."
    first.refresh_from_db()
    assert first.state == State.ACCEPTED
    assert first.attestations.get().voided_at is None
    case = Case.objects.get(pk=first.case_id)
    assert (case.version, case.status) == (version, Status.IN_REVIEW)
    assert (case.events.count(), case.candidate_lists.count()) == (events, lists)


def test_a_case_of_another_reviewer_is_not_moved_by_this_page(coordinator):
    assignment, foreign = offered_case(), offered_case()
    other = fit_reviewer()

    (outcome,) = execute_plan(assignment.reviewer, [(foreign.pk, 0, other.pk)], by=coordinator)

    assert outcome.sentence == "There is no such case."
    foreign.refresh_from_db()
    assert foreign.state == State.OFFERED


def test_work_is_not_moved_to_the_reviewer_it_comes_from(coordinator):
    assignment = offered_case()
    version = Case.objects.get(pk=assignment.case_id).version

    (outcome,) = execute_plan(
        assignment.reviewer, [(assignment.pk, version, assignment.reviewer_id)], by=coordinator
    )

    assert not outcome.is_done
    assert "already has the case" in outcome.sentence


@pytest.mark.parametrize("stage", [Status.QA, Status.INFO_FOR_REVIEW])
def test_a_case_that_has_changed_stage_is_not_moved(coordinator, stage):
    assignment = accepted_case()
    other = fit_reviewer()
    case = Case.objects.get(pk=assignment.case_id)
    case.move_to(stage, by=None, at=NOON)

    (outcome,) = execute_plan(
        assignment.reviewer, [(assignment.pk, case.version, other.pk)], by=coordinator
    )

    assert not outcome.is_done
    assert f"is in the “{stage.label}” stage" in outcome.sentence
    assignment.refresh_from_db()
    assert assignment.state == State.ACCEPTED


def test_a_reviewer_who_is_no_longer_in_the_first_three_needs_a_new_preview(coordinator):
    assignment = accepted_case()
    last = fit_reviewer(license={"state": "Nevada"})
    (choice,) = list_choices(build_plan_lines(assignment.reviewer, by=coordinator))
    assert choice[2] == last.pk
    for _ in range(3):
        fit_reviewer()

    (outcome,) = execute_plan(assignment.reviewer, [choice], by=coordinator)

    assert outcome.was_overtaken
    assert outcome.sentence == (
        f"{last.code} is no longer one of the first three for this case. "
        "Plan this case alone, then select it again."
    )
    assignment.refresh_from_db()
    assert assignment.state == State.ACCEPTED


def test_moving_work_needs_a_reason_and_the_role_of_coordinator(coordinator):
    assignment = offered_case()
    with pytest.raises(NotAllowed, match="Enter why the cases are moved"):
        execute_plan(assignment.reviewer, [], by=coordinator, reason="  ")
    for act in (
        lambda by: build_plan_lines(assignment.reviewer, by=by),
        lambda by: execute_plan(assignment.reviewer, [], by=by),
    ):
        with pytest.raises(NotAllowed, match="Only coordinators assign cases"):
            act(person(Role.CREDENTIALING))


def test_cases_without_time_left_are_not_moved_and_reported(coordinator):
    leaving = fit_reviewer(capacity=9)
    for _ in range(3):
        offered_case(reviewer=leaving)
    fit_reviewer(capacity=9)
    lines, many = moving.build_move_plan(
        reviewer_id=leaving.pk,
        by=coordinator,
        at=LATER,
        has_time=iter([True, True, False]).__next__,
    )
    assert (len(lines), many) == (2, 3)

    outcomes = execute_plan(
        leaving,
        list_choices(build_plan_lines(leaving, by=coordinator)),
        by=coordinator,
        has_time=iter([True, False]).__next__,
    )

    assert [(one.is_done, one.is_left) for one in outcomes] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert leaving.assignments.filter(state=State.OFFERED).count() == 2


# --- two at one time ----------------------------------------------------------------------------


def test_the_second_coordinator_sees_who_moved_the_case(coordinator):
    assignment = accepted_case()
    fit_reviewer()
    choices = list_choices(build_plan_lines(assignment.reviewer, by=coordinator))
    second = person(Role.COORDINATOR)
    assert execute_plan(assignment.reviewer, choices, by=coordinator)[0].is_done
    before = read_all_rows()

    (outcome,) = execute_plan(
        assignment.reviewer, choices, by=second, at=LATER + timedelta(minutes=1)
    )

    assert outcome.was_overtaken
    assert outcome.sentence == (
        f"{assignment.reviewer.code} no longer has the case: removed by Mina Petrov."
    )
    assert read_all_rows() == before


def test_a_case_that_changed_after_the_plan_is_not_moved_and_shows_who_changed_it(coordinator):
    assignment = offered_case()
    fit_reviewer()
    choices = list_choices(build_plan_lines(assignment.reviewer, by=coordinator))
    sign_attestation(assignment, at=LATER)

    (outcome,) = execute_plan(
        assignment.reviewer, choices, by=coordinator, at=LATER + timedelta(minutes=1)
    )

    assert outcome.was_overtaken
    assert outcome.sentence.startswith(f"{assignment.reviewer.full_name} changed the case")
    assignment.refresh_from_db()
    assert assignment.state == State.ACCEPTED


# --- who comes first later ----------------------------------------------------------------------


def first_for(case, *, at):
    case.refresh_from_db()
    results, _ = evaluate_candidates(case, on=at.date(), known_at=at)
    return results


def read_remarks(results, reviewer):
    (found,) = [one for one in results if one.reviewer_id == reviewer.pk]
    return " ".join(reason.sentence for reason in found.reasons)


@pytest.mark.capability("MC-5")
def test_a_moved_case_does_not_return_to_its_previous_reviewer(coordinator):
    assignment = accepted_case()
    case, giver, taker = assignment.case, assignment.reviewer, fit_reviewer()
    assert execute_plan(
        giver, list_choices(build_plan_lines(giver, by=coordinator)), by=coordinator
    )[0].is_done
    made = case.assignments.get(reviewer=taker)
    # The list that was made in the act itself says nothing of a return either.
    listed = made.candidate_list.find_candidate(giver.pk)
    assert "goes back to the same reviewer" not in str(listed.reasons)

    sign_attestation(made, at=LATER + timedelta(hours=1))
    taken_back = LATER + timedelta(days=1)
    assignments.remove_reviewer(
        assignment_id=made.pk, reason="Ill for a day", by=coordinator, at=taken_back
    )

    results = first_for(case, at=taken_back + timedelta(hours=1))
    assert results[0].reviewer_id == taker.pk
    assert "it returns to the same reviewer" in read_remarks(results, taker)
    assert "it returns to the same reviewer" not in read_remarks(results, giver)


@pytest.mark.capability("MC-5")
def test_the_previous_reviewer_gets_no_preference_when_the_new_one_declines(coordinator):
    assignment = accepted_case()
    case, giver, taker = assignment.case, assignment.reviewer, fit_reviewer()
    assert execute_plan(
        giver, list_choices(build_plan_lines(giver, by=coordinator)), by=coordinator
    )[0].is_done
    third = fit_reviewer()
    made = case.assignments.get(reviewer=taker)
    at = LATER + timedelta(hours=1)
    assignments.decline_assignment(assignment_id=made.pk, reason="On holiday", by=taker.user, at=at)

    results = first_for(case, at=at + timedelta(hours=1))

    assert "Declined this case before." in read_remarks(results, taker)
    assert "goes back to the same reviewer" not in read_remarks(results, giver)
    assert {one.reviewer_id for one in results[:2]} == {giver.pk, third.pk}


@pytest.mark.capability("MC-5")
def test_a_case_returns_to_its_last_reviewer_and_not_to_the_one_before(coordinator):
    assignment = accepted_case()
    case, first = assignment.case, assignment.reviewer
    ended = NOON + timedelta(days=1)
    assignments.remove_reviewer(assignment_id=assignment.pk, reason="Ill", by=coordinator, at=ended)
    assert "returns" in read_remarks(first_for(case, at=ended + timedelta(hours=1)), first)
    second = fit_reviewer()
    made = sign_attestation(
        offered_case(case=case, reviewer=second, at=ended + timedelta(hours=2)),
        at=ended + timedelta(hours=3),
    )
    again = ended + timedelta(days=1)
    assignments.remove_reviewer(assignment_id=made.pk, reason="Ill too", by=coordinator, at=again)

    results = first_for(case, at=again + timedelta(hours=1))

    assert results[0].reviewer_id == second.pk
    assert "returns" not in read_remarks(results, first)


# --- pages --------------------------------------------------------------------------------------


def page_of(reviewer):
    return reverse("reviewers:move", args=[reviewer.code])


@pytest.mark.capability("MC-7")
def test_the_page_shows_the_plan_asks_for_a_reason_and_then_moves_the_cases(
    client, coordinator, set_clock
):
    set_clock(LATER)
    assignment, other = accepted_case(), fit_reviewer()
    client.force_login(coordinator)

    file = client.get(
        reverse("reviewers:reviewer", args=[assignment.reviewer.code])
    ).content.decode()
    assert page_of(assignment.reviewer) in file
    text = client.get(page_of(assignment.reviewer)).content.decode()
    assert assignment.case.number in text
    assert other.full_name in text
    choice = re.search(r'name="choices"[^>]*value="([\d:]+)"', text)[1]

    refused = client.post(page_of(assignment.reviewer), {"choices": [choice], "reason": ""})
    assert refused.status_code == 422
    assert "Enter why the cases are moved." in refused.content.decode()
    assert f'value="{choice}" checked' in refused.content.decode()
    nothing = client.post(page_of(assignment.reviewer), {"reason": "Away"})
    assert nothing.status_code == 422
    assert "Select at least one case." in nothing.content.decode()
    assert f'value="{choice}" checked' not in nothing.content.decode()
    answer = client.post(page_of(assignment.reviewer), {"choices": [choice], "reason": "Away"})

    assert answer.status_code == 200
    assert f"Moved to {other.full_name} ({other.code})." in answer.content.decode()
    assert "No open cases." in answer.content.decode()
    assert now_with(assignment.case) == [other.pk]
    again = client.post(page_of(assignment.reviewer), {"choices": [choice], "reason": "Away"})
    assert again.status_code == 409
    assert "removed by Mina Petrov." in again.content.decode()


def test_only_the_selected_cases_are_planned_and_the_reason_is_kept(client, coordinator, set_clock):
    set_clock(LATER)
    leaving = fit_reviewer(capacity=9)
    first, second = (offered_case(reviewer=leaving) for _ in range(2))
    best, other = fit_reviewer(capacity=1), fit_reviewer(capacity=1, license={"state": "Nevada"})
    client.force_login(coordinator)
    version = Case.objects.get(pk=second.case_id).version
    assert (
        f'value="{second.pk}:{version}:{other.pk}"' in client.get(page_of(leaving)).content.decode()
    )

    answer = client.post(
        page_of(leaving),
        {"choices": [f"{second.pk}:{version}:{other.pk}"], "reason": "Away", "alone": "1"},
    )

    text = answer.content.decode()
    assert answer.status_code == 200
    assert f'value="{second.pk}:{version}:{best.pk}" checked' in text
    assert first.case.number not in text
    assert 'value="Away"' in text
    assert now_with(second.case) == [leaving.pk]


def test_the_page_links_to_all_excluded_reviewers(client, coordinator, set_clock):
    set_clock(LATER)
    assignment = offered_case()
    out = [fit_reviewer(hours=None) for _ in range(12)]
    client.force_login(coordinator)

    text = client.get(page_of(assignment.reviewer)).content.decode()
    whole = client.get(
        page_of(assignment.reviewer), {"all": assignment.case.number}
    ).content.decode()

    assert f"?all={assignment.case.number}#case-{assignment.case.number}" in text
    assert sum(one.code in text for one in out) == 10
    assert sum(one.code in whole for one in out) == 12


@pytest.mark.parametrize("role", [Role.CREDENTIALING, Role.QA, Role.DIRECTOR, Role.REVIEWER])
def test_a_role_that_does_not_assign_neither_opens_the_page_nor_sees_its_link(client, role):
    assignment = offered_case()
    client.force_login(person(role))

    assert client.get(page_of(assignment.reviewer)).status_code == 403
    assert client.post(page_of(assignment.reviewer), {}).status_code == 403
    file = client.get(reverse("reviewers:reviewer", args=[assignment.reviewer.code]))
    assert page_of(assignment.reviewer) not in file.content.decode()


@pytest.mark.capability("RP-4")
def test_the_list_of_expired_credentials_links_a_coordinator_to_the_page_for_moving_cases(
    client, coordinator, set_clock
):
    set_clock(LATER)
    assignment = accepted_case()
    suspend_reviewer(assignment.reviewer)
    client.force_login(coordinator)
    assert page_of(assignment.reviewer) in client.get("/reviewers/worklist/").content.decode()
    client.force_login(person(Role.CREDENTIALING))
    assert page_of(assignment.reviewer) not in client.get("/reviewers/worklist/").content.decode()


@pytest.mark.capability("RP-5")
def test_a_reviewer_who_loses_a_case_sees_it_on_their_own_page_for_a_while(
    client, coordinator, set_clock
):
    set_clock(LATER)
    assignment = accepted_case()
    fit_reviewer()
    client.force_login(assignment.reviewer.user)
    assert "no longer assigned to you" not in client.get("/reviews/").content.decode()
    execute_plan(
        assignment.reviewer,
        list_choices(build_plan_lines(assignment.reviewer, by=coordinator)),
        by=coordinator,
    )

    text = client.get("/reviews/").content.decode()

    assert "1 case no longer assigned to you" in text
    assert assignment.case.number in text
    assert "Away until May" not in text
    set_clock(LATER + timedelta(days=15))
    assert "no longer assigned to you" not in client.get("/reviews/").content.decode()


# --- whatever the panel -------------------------------------------------------------------------


@pytest.mark.capability("AC-7")
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from([*LACKS, "nothing"]), min_size=1, max_size=4),
    st.booleans(),
)
def test_no_case_moves_to_a_reviewer_who_fails_a_requirement(db, lacks, is_suspended):
    kept_panel.clear_kept_panel()
    with transaction.atomic():
        _move_before(lacks, is_suspended)
        transaction.set_rollback(True)


def _move_before(lacks, is_suspended):
    """One panel: no one whom a requirement refuses is proposed, and a forged line moves nothing."""
    coordinator = person(Role.COORDINATOR)
    assignment = accepted_case()
    giver = assignment.reviewer
    if is_suspended:
        suspend_reviewer(giver)
    panel = {make_reviewer_with_fault(lack).pk: lack for lack in lacks}

    proposed = list_choices(build_plan_lines(giver, by=coordinator))
    assert {panel[to] for _, _, to in proposed} <= {"nothing"}
    assert bool(proposed) == ("nothing" in lacks)
    version = Case.objects.get(pk=assignment.case_id).version
    forged = [
        (assignment.pk, version, pk) for pk in [giver.pk, *panel] if panel.get(pk) != "nothing"
    ]
    before = read_all_rows()
    refused = execute_plan(giver, forged, by=coordinator)

    assert not any(one.is_done for one in refused)
    assert read_all_rows() == before
    assert all(one.is_done for one in execute_plan(giver, proposed, by=coordinator))
    given_to = assignment.case.assignments.exclude(pk=assignment.pk)
    assert {panel[row.reviewer_id] for row in given_to} <= {"nothing"}
