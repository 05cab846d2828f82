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
from reviewers.matching import panel_snapshot
from reviewers.matching.candidates import evaluate_candidates
from reviewers.models import CandidateList, ReviewerAssignment
from reviewers.services import assignment as assignments
from reviewers.services import credentialing, moving
from tests.factories import MONDAY, person
from tests.reviewers.factories import accepted_case, attested, fit_reviewer, offered_case
from tests.reviewers.test_no_way_round import LACKS, somebody
from tests.reviewers.test_seats import approve, offer

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)
LATER = NOON + timedelta(hours=3)
State = ReviewerAssignment.State


def suspend(reviewer, *, at=NOON):
    credentialing.set_reviewer_status(
        reviewer_id=reviewer.pk, status="SUSPENDED", reason="Asked to", by=None, at=at
    )


def shown(reviewer, *, by, at=LATER, **options):
    lines, _ = moving.build_move_plan(reviewer_id=reviewer.pk, by=by, at=at, **options)
    return lines


def ticks(lines):
    return [
        (line.held.pk, line.step.version, line.step.chosen.reviewer_id)
        for line in lines
        if line.step and line.step.chosen
    ]


def move(reviewer, choices, *, by, at=LATER, reason="Away until May", **options):
    return moving.execute_move_plan(
        reviewer_id=reviewer.pk, choices=choices, reason=reason, by=by, at=at, **options
    )


def now_with(case):
    live = case.assignments.filter(state__in=ReviewerAssignment.LIVE).order_by("seat")
    return list(live.values_list("reviewer", flat=True))


def snapshot():
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
    before = snapshot()

    lines = {line.held.case_id: line for line in shown(leaving, by=coordinator)}

    assert set(lines) == {case.pk for case in cases}
    chosen = [lines[case.pk].step.chosen for case in cases[:3]]
    assert [one and one.reviewer_id for one in chosen] == [other.pk, other.pk, None]
    full = lines[cases[2].pk].step
    assert {one.reviewer_id for one in full.refused} == {other.pk, without_hours.pk}
    assert "Open cases: 2 of 2." in {one.refusals[0].sentence for one in full.refused}
    assert (1, "at capacity") in full.counts
    assert lines[cases[3].pk].step is None
    assert "is in “QA review”" in lines[cases[3].pk].why_not
    assert snapshot() == before


def test_the_work_of_a_suspended_reviewer_is_moved_and_never_proposed_to_them_again(coordinator):
    held = accepted_case()
    suspend(held.reviewer)

    (line,) = shown(held.reviewer, by=coordinator)

    assert line.step.chosen is None
    assert line.step.kept_out == 0  # they are not even asked
    other = fit_reviewer()
    (outcome,) = move(held.reviewer, ticks(shown(held.reviewer, by=coordinator)), by=coordinator)
    assert outcome.is_done, outcome.sentence
    assert now_with(held.case) == [other.pk]


def test_a_reviewer_with_another_seat_of_the_case_is_not_proposed(coordinator):
    held = accepted_case()
    approve(held.case)
    beside = offer(held.case).reviewer

    (line,) = shown(held.reviewer, by=coordinator)

    assert line.step.chosen is None
    (out,) = line.step.refused
    assert out.reviewer_id == beside.pk
    assert out.refusals[0].sentence == "Barred from this case: has another seat of this case."
    third = fit_reviewer()
    (outcome,) = move(held.reviewer, ticks(shown(held.reviewer, by=coordinator)), by=coordinator)
    assert outcome.is_done, outcome.sentence
    assert set(now_with(held.case)) == {beside.pk, third.pk}


@pytest.mark.capability("MC-7")
def test_late_cases_of_the_plan_count_toward_the_limit_of_overdue_cases(coordinator):
    leaving, other = fit_reviewer(capacity=9), fit_reviewer(capacity=9)
    for _ in range(5):
        offered_case(reviewer=leaving)
    late = LATER + timedelta(days=3)
    assert all(due < late.date() for due in Case.objects.values_list("due_on", flat=True))

    lines = shown(leaving, by=coordinator, at=late)
    outcomes = move(leaving, ticks(lines), by=coordinator, at=late)

    assert [bool(line.step.chosen) for line in lines] == [True, True, True, False, False]
    assert all(one.is_done for one in outcomes), outcomes
    assert "Overdue cases: 3." in lines[3].step.refused[0].refusals[0].sentence
    assert ReviewerAssignment.objects.filter(reviewer=other, state=State.OFFERED).count() == 3


def test_only_the_best_excluded_reviewers_are_listed_unless_all_are_requested(coordinator):
    held = offered_case()
    far = fit_reviewer(hours=None, law=None, evidence=None)
    near = [fit_reviewer(hours=None) for _ in range(11)]

    (line,) = shown(held.reviewer, by=coordinator)
    (whole,) = shown(held.reviewer, by=coordinator, in_full=held.case.number)

    assert [one.reviewer_id for one in line.step.refused] == [one.pk for one in near[:10]]
    assert (line.step.kept_out, line.step.counts[0]) == (
        12,
        (12, "without 24 attested hours a week"),
    )
    assert far.pk in {one.reviewer_id for one in whole.step.refused}
    assert len(whole.step.refused) == 12


# --- carried out --------------------------------------------------------------------------------


def test_a_case_is_moved_in_one_action_and_the_event_names_no_one(coordinator):
    held = accepted_case()
    other = fit_reviewer()

    (outcome,) = move(held.reviewer, ticks(shown(held.reviewer, by=coordinator)), by=coordinator)

    assert outcome.is_done, outcome.sentence
    held.refresh_from_db()
    assert (held.state, held.ended_because) == (State.REMOVED, "Away until May")
    assert held.attestations.get().voided_at == LATER
    made = held.case.assignments.get(reviewer=other)
    assert (made.state, made.override_code) == (State.OFFERED, "")
    assert made.candidate_list.made_at == LATER
    held.case.refresh_from_db()
    assert held.case.status == Status.REVIEWER_CHOSEN
    said = list(held.case.events.filter(happened_at=LATER).order_by("pk"))
    assert [event.sentence for event in said] == [
        "The reviewer was removed to reassign the case.",
        "Offered to the reviewer.",
    ]
    told = " ".join(f"{event.sentence} {event.why} {event.facts}" for event in said)
    for secret in (held.reviewer, other):
        assert secret.last_name not in told
        assert secret.code not in told
    assert "Away until May" not in told


def test_a_refusal_stops_only_one_case_and_leaves_it_unchanged(coordinator):
    leaving = fit_reviewer(capacity=9)
    first, second = (accepted_case(reviewer=leaving) for _ in range(2))
    ana, ben = fit_reviewer(capacity=1), fit_reviewer(capacity=1)
    choices = ticks(shown(leaving, by=coordinator))
    assert {to for _, _, to in choices} == {ana.pk, ben.pk}
    gone = next(to for pk, _, to in choices if pk == first.pk)
    credentialing.set_reviewer_status(
        reviewer_id=gone, status="SUSPENDED", reason="Asked to", by=None, at=LATER
    )
    version, events = Case.objects.get(pk=first.case_id).version, first.case.events.count()
    lists = first.case.candidate_lists.count()

    outcomes = move(leaving, [*choices, (0, 0, 0)], by=coordinator)

    told = {one.case_number: one for one in outcomes}
    assert told[second.case.number].is_done
    assert not told[first.case.number].is_done
    assert "Suspended from the panel." in told[first.case.number].sentence
    assert told["?"].sentence == "There is no such case."
    first.refresh_from_db()
    assert first.state == State.ACCEPTED
    assert first.attestations.get().voided_at is None
    case = Case.objects.get(pk=first.case_id)
    assert (case.version, case.status) == (version, Status.IN_REVIEW)
    assert (case.events.count(), case.candidate_lists.count()) == (events, lists)


def test_a_case_of_another_reviewer_is_not_moved_by_this_page(coordinator):
    held, foreign = offered_case(), offered_case()
    other = fit_reviewer()

    (outcome,) = move(held.reviewer, [(foreign.pk, 0, other.pk)], by=coordinator)

    assert outcome.sentence == "There is no such case."
    foreign.refresh_from_db()
    assert foreign.state == State.OFFERED


def test_work_is_not_moved_to_the_reviewer_it_comes_from(coordinator):
    held = offered_case()
    version = Case.objects.get(pk=held.case_id).version

    (outcome,) = move(held.reviewer, [(held.pk, version, held.reviewer_id)], by=coordinator)

    assert not outcome.is_done
    assert "already has the case" in outcome.sentence


@pytest.mark.parametrize("stage", [Status.QA, Status.INFO_FOR_REVIEW])
def test_a_case_that_has_changed_stage_is_not_moved(coordinator, stage):
    held = accepted_case()
    other = fit_reviewer()
    case = Case.objects.get(pk=held.case_id)
    case.move_to(stage, by=None, at=NOON)

    (outcome,) = move(held.reviewer, [(held.pk, case.version, other.pk)], by=coordinator)

    assert not outcome.is_done
    assert f"is in “{stage.label}”" in outcome.sentence
    held.refresh_from_db()
    assert held.state == State.ACCEPTED


def test_a_reviewer_who_is_no_longer_in_the_first_three_needs_a_new_preview(coordinator):
    held = accepted_case()
    last = fit_reviewer(license={"state": "Nevada"})
    (choice,) = ticks(shown(held.reviewer, by=coordinator))
    assert choice[2] == last.pk
    for _ in range(3):
        fit_reviewer()

    (outcome,) = move(held.reviewer, [choice], by=coordinator)

    assert outcome.was_overtaken
    assert outcome.sentence == (
        f"{last.code} is no longer one of the first three for this case. "
        "Plan this case alone, then select it again."
    )
    held.refresh_from_db()
    assert held.state == State.ACCEPTED


def test_moving_work_needs_a_reason_and_the_role_of_coordinator(coordinator):
    held = offered_case()
    with pytest.raises(NotAllowed, match="Enter why the cases are moved"):
        move(held.reviewer, [], by=coordinator, reason="  ")
    for act in (
        lambda by: shown(held.reviewer, by=by),
        lambda by: move(held.reviewer, [], by=by),
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

    outcomes = move(
        leaving,
        ticks(shown(leaving, by=coordinator)),
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
    held = accepted_case()
    fit_reviewer()
    choices = ticks(shown(held.reviewer, by=coordinator))
    second = person(Role.COORDINATOR)
    assert move(held.reviewer, choices, by=coordinator)[0].is_done
    before = snapshot()

    (outcome,) = move(held.reviewer, choices, by=second, at=LATER + timedelta(minutes=1))

    assert outcome.was_overtaken
    assert outcome.sentence == (
        f"{held.reviewer.code} no longer has the case: removed by Mina Petrov."
    )
    assert snapshot() == before


def test_a_case_that_changed_after_the_plan_is_not_moved_and_shows_who_changed_it(coordinator):
    held = offered_case()
    fit_reviewer()
    choices = ticks(shown(held.reviewer, by=coordinator))
    attested(held, at=LATER)

    (outcome,) = move(held.reviewer, choices, by=coordinator, at=LATER + timedelta(minutes=1))

    assert outcome.was_overtaken
    assert outcome.sentence.startswith(f"{held.reviewer.full_name} changed the case")
    held.refresh_from_db()
    assert held.state == State.ACCEPTED


# --- who comes first later ----------------------------------------------------------------------


def first_for(case, *, at):
    case.refresh_from_db()
    verdicts, _ = evaluate_candidates(case, on=at.date(), known_at=at)
    return verdicts


def remarks(verdicts, reviewer):
    (found,) = [one for one in verdicts if one.reviewer_id == reviewer.pk]
    return " ".join(reason.sentence for reason in found.reasons)


@pytest.mark.capability("MC-5")
def test_a_moved_case_does_not_return_to_its_previous_reviewer(coordinator):
    held = accepted_case()
    case, giver, taker = held.case, held.reviewer, fit_reviewer()
    assert move(giver, ticks(shown(giver, by=coordinator)), by=coordinator)[0].is_done
    made = case.assignments.get(reviewer=taker)
    # The list that was made in the act itself says nothing of a return either.
    listed = made.candidate_list.candidates.get(reviewer=giver)
    assert "goes back to the same reviewer" not in str(listed.reasons)

    attested(made, at=LATER + timedelta(hours=1))
    taken_back = LATER + timedelta(days=1)
    assignments.remove_reviewer(
        assignment_id=made.pk, reason="Ill for a day", by=coordinator, at=taken_back
    )

    verdicts = first_for(case, at=taken_back + timedelta(hours=1))
    assert verdicts[0].reviewer_id == taker.pk
    assert "it returns to the same reviewer" in remarks(verdicts, taker)
    assert "it returns to the same reviewer" not in remarks(verdicts, giver)


@pytest.mark.capability("MC-5")
def test_the_previous_reviewer_gets_no_preference_when_the_new_one_declines(coordinator):
    held = accepted_case()
    case, giver, taker = held.case, held.reviewer, fit_reviewer()
    assert move(giver, ticks(shown(giver, by=coordinator)), by=coordinator)[0].is_done
    third = fit_reviewer()
    made = case.assignments.get(reviewer=taker)
    at = LATER + timedelta(hours=1)
    assignments.decline_assignment(assignment_id=made.pk, reason="On holiday", by=taker.user, at=at)

    verdicts = first_for(case, at=at + timedelta(hours=1))

    assert "Declined this case before." in remarks(verdicts, taker)
    assert "goes back to the same reviewer" not in remarks(verdicts, giver)
    assert {one.reviewer_id for one in verdicts[:2]} == {giver.pk, third.pk}


@pytest.mark.capability("MC-5")
def test_a_case_returns_to_its_last_reviewer_and_not_to_the_one_before(coordinator):
    held = accepted_case()
    case, first = held.case, held.reviewer
    ended = NOON + timedelta(days=1)
    assignments.remove_reviewer(assignment_id=held.pk, reason="Ill", by=coordinator, at=ended)
    assert "returns" in remarks(first_for(case, at=ended + timedelta(hours=1)), first)
    second = fit_reviewer()
    made = attested(
        offered_case(case=case, reviewer=second, at=ended + timedelta(hours=2)),
        at=ended + timedelta(hours=3),
    )
    again = ended + timedelta(days=1)
    assignments.remove_reviewer(assignment_id=made.pk, reason="Ill too", by=coordinator, at=again)

    verdicts = first_for(case, at=again + timedelta(hours=1))

    assert verdicts[0].reviewer_id == second.pk
    assert "returns" not in remarks(verdicts, first)


# --- pages --------------------------------------------------------------------------------------


def page_of(reviewer):
    return reverse("reviewers:move", args=[reviewer.code])


@pytest.mark.capability("MC-7")
def test_the_page_shows_the_plan_asks_for_a_reason_and_then_moves_the_cases(
    client, coordinator, set_clock
):
    set_clock(LATER)
    held, other = accepted_case(), fit_reviewer()
    client.force_login(coordinator)

    file = client.get(reverse("reviewers:reviewer", args=[held.reviewer.code])).content.decode()
    assert page_of(held.reviewer) in file
    text = client.get(page_of(held.reviewer)).content.decode()
    assert held.case.number in text
    assert other.full_name in text
    choice = re.search(r'name="choices"[^>]*value="([\d:]+)"', text)[1]

    refused = client.post(page_of(held.reviewer), {"choices": [choice], "reason": ""})
    assert refused.status_code == 422
    assert "Enter why the cases are moved." in refused.content.decode()
    assert f'value="{choice}" checked' in refused.content.decode()
    nothing = client.post(page_of(held.reviewer), {"reason": "Away"})
    assert nothing.status_code == 422
    assert "Select at least one case." in nothing.content.decode()
    assert f'value="{choice}" checked' not in nothing.content.decode()
    answer = client.post(page_of(held.reviewer), {"choices": [choice], "reason": "Away"})

    assert answer.status_code == 200
    assert f"Moved to {other.full_name} ({other.code})." in answer.content.decode()
    assert "No open cases." in answer.content.decode()
    assert now_with(held.case) == [other.pk]
    again = client.post(page_of(held.reviewer), {"choices": [choice], "reason": "Away"})
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
    held = offered_case()
    out = [fit_reviewer(hours=None) for _ in range(12)]
    client.force_login(coordinator)

    text = client.get(page_of(held.reviewer)).content.decode()
    whole = client.get(page_of(held.reviewer), {"all": held.case.number}).content.decode()

    assert f"?all={held.case.number}#case-{held.case.number}" in text
    assert sum(one.code in text for one in out) == 10
    assert sum(one.code in whole for one in out) == 12


@pytest.mark.parametrize("role", [Role.CREDENTIALING, Role.QA, Role.DIRECTOR, Role.REVIEWER])
def test_a_role_that_does_not_assign_neither_opens_the_page_nor_sees_its_link(client, role):
    held = offered_case()
    client.force_login(person(role))

    assert client.get(page_of(held.reviewer)).status_code == 403
    assert client.post(page_of(held.reviewer), {}).status_code == 403
    file = client.get(reverse("reviewers:reviewer", args=[held.reviewer.code]))
    assert page_of(held.reviewer) not in file.content.decode()


@pytest.mark.capability("RP-4")
def test_the_list_of_expired_credentials_links_a_coordinator_to_the_page_for_moving_cases(
    client, coordinator, set_clock
):
    set_clock(LATER)
    held = accepted_case()
    suspend(held.reviewer)
    client.force_login(coordinator)
    assert page_of(held.reviewer) in client.get("/reviewers/worklist/").content.decode()
    client.force_login(person(Role.CREDENTIALING))
    assert page_of(held.reviewer) not in client.get("/reviewers/worklist/").content.decode()


@pytest.mark.capability("RP-5")
def test_a_reviewer_who_loses_a_case_sees_it_on_their_own_page_for_a_while(
    client, coordinator, set_clock
):
    set_clock(LATER)
    held = accepted_case()
    fit_reviewer()
    client.force_login(held.reviewer.user)
    assert "no longer assigned to you" not in client.get("/reviews/").content.decode()
    move(held.reviewer, ticks(shown(held.reviewer, by=coordinator)), by=coordinator)

    text = client.get("/reviews/").content.decode()

    assert "1 case no longer assigned to you" in text
    assert held.case.number in text
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
    panel_snapshot.clear_panel_snapshots()
    with transaction.atomic():
        _move_before(lacks, is_suspended)
        transaction.set_rollback(True)


def _move_before(lacks, is_suspended):
    """One panel: no one whom a requirement refuses is proposed, and a forged line moves nothing."""
    coordinator = person(Role.COORDINATOR)
    held = accepted_case()
    giver = held.reviewer
    if is_suspended:
        suspend(giver)
    panel = {somebody(lack).pk: lack for lack in lacks}

    proposed = ticks(shown(giver, by=coordinator))
    assert {panel[to] for _, _, to in proposed} <= {"nothing"}
    assert bool(proposed) == ("nothing" in lacks)
    version = Case.objects.get(pk=held.case_id).version
    forged = [(held.pk, version, pk) for pk in [giver.pk, *panel] if panel.get(pk) != "nothing"]
    before = snapshot()
    refused = move(giver, forged, by=coordinator)

    assert not any(one.is_done for one in refused)
    assert snapshot() == before
    assert all(one.is_done for one in move(giver, proposed, by=coordinator))
    given_to = held.case.assignments.exclude(pk=held.pk)
    assert {panel[row.reviewer_id] for row in given_to} <= {"nothing"}
