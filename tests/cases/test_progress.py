"""The progress line of a case: which step is current, what it waits for, and how a case ended."""

from datetime import date

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.lifecycle import CLOSED_STATES, Status
from cases.models import Case
from cases.progress import StepState, list_steps
from tests.factories import person, received_case

DAY = date(2026, 11, 3)


def steps_of(status, **days):
    return list_steps(Case(status=status, received_on=DAY, **days))


def states(steps):
    return [step.state for step in steps]


@pytest.mark.parametrize("status", [one for one in Status if one not in CLOSED_STATES])
def test_every_open_case_has_one_current_step_with_a_reason(status):
    current = [step for step in steps_of(status) if step.state is StepState.CURRENT]

    assert len(current) == 1
    assert current[0].note


def test_the_steps_before_the_current_one_are_done_with_their_days():
    steps = steps_of(Status.NOTICE_SENT, assigned_on=date(2026, 11, 9))

    assert states(steps) == [*[StepState.DONE] * 3, StepState.CURRENT, *[StepState.TO_COME] * 3]
    assert [step.day for step in steps[:3]] == [DAY, None, date(2026, 11, 9)]
    assert steps[3].note == "Waiting for the claims administrator"


def test_a_decided_case_that_is_closed_has_done_all():
    steps = steps_of(Status.CLOSED, decided_on=DAY)

    assert {*states(steps)} == {StepState.DONE}
    assert steps[-1].day == DAY


@pytest.mark.parametrize(
    ("days", "label"),
    [
        ({}, "Eligibility"),
        ({"assigned_on": DAY}, "Records"),
        ({"assigned_on": DAY, "records_complete_on": DAY}, "Review"),
        # withdrawn in the second round
        ({"assigned_on": DAY, "records_complete_on": DAY, "decided_on": DAY}, "Determination"),
    ],
)
def test_an_ended_case_says_where_it_ended(days, label):
    steps = steps_of(Status.WITHDRAWN, **days)
    place = states(steps).index(StepState.CURRENT)

    assert (steps[place].label, steps[place].note) == (label, "Withdrawn")
    assert {*states(steps)[place + 1 :]} <= {StepState.NOT_REACHED}


def test_the_case_page_shows_the_progress(db, client):
    case = received_case()

    client.force_login(person(Role.COORDINATOR))
    page = client.get(reverse("desk:case", args=[case.number]))

    assert '<li aria-current="step">\n    <b>Eligibility</b>' in page.content.decode()
