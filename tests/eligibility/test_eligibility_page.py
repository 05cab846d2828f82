"""The page of the six facts, by HTTP."""

import html
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.lifecycle import Status
from eligibility.services import screening
from tests.factories import MONDAY, SIX_YES, eligible_case, person, received_case

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def coordinator(client, set_clock):
    set_clock(MONDAY + timedelta(hours=3))
    user = person(Role.COORDINATOR)
    client.force_login(user)
    return user


def url(case):
    return reverse("eligibility:eligibility", args=[case.number])


def make_form_data(case, **changes):
    return SIX_YES | {"version": str(case.version), "note_TIMELY": "Stamped on page 1."} | changes


def test_six_yes_make_the_case_eligible(client):
    case = received_case()

    answer = client.post(url(case), make_form_data(case))

    case.refresh_from_db()
    assert (answer.status_code, answer.url) == (302, case.get_absolute_url())
    assert case.stage == Status.ELIGIBLE
    assert "All six facts are answered Yes" in client.get(answer.url).content.decode()


def test_an_unanswered_fact_is_named_and_the_others_stay_answered(client):
    case = received_case()
    answers = make_form_data(case)
    del answers["SIGNED"]

    answer = client.post(url(case), answers)

    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert "Answer Yes, No or Unknown." in page
    assert "Stamped on page 1." in page
    assert page.count("checked") == 5
    assert not case.eligibility_decisions.exists()


@pytest.mark.parametrize(
    ("note", "sentence"),
    [("⚕", "A printed letter cannot contain"), ("x" * 1001, "Shorten it to 1000.")],
)
def test_a_note_that_cannot_be_kept_is_refused_beside_its_field(client, note, sentence):
    case = received_case()

    answer = client.post(url(case), make_form_data(case, note_TIMELY=note))

    assert answer.status_code == 422
    assert sentence in str(answer.context["form"].errors["note_TIMELY"])
    assert note in answer.content.decode()


def test_a_stale_page_is_409_with_the_typed_answers_kept_and_the_new_version_shown(client):
    case = received_case()
    before = make_form_data(case, SIGNED="NO")
    screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES | {"TIMELY": "UNKNOWN"},
        notes={},
        seen_version=None,
        by=person(Role.COORDINATOR),
        at=MONDAY + timedelta(hours=2),
    )

    answer = client.post(url(case), before)

    assert answer.status_code == 409
    page = html.unescape(answer.content.decode())
    assert "Someone else changed this after you opened it" in page
    assert "Stamped on page 1." in page
    assert page.count("checked") == 6
    case.refresh_from_db()
    assert f'name="version" value="{case.version}"' in page
    assert case.stage == Status.SCREENING
    assert case.eligibility_decisions.count() == 1


def test_a_case_in_another_stage_shows_its_stage(client):
    case = eligible_case()

    assert "is in the “Eligible” stage" in html.unescape(client.get(url(case)).content.decode())
    answer = client.post(url(case), make_form_data(case))

    assert answer.status_code == 422
    assert "is in the “Eligible” stage" in html.unescape(answer.content.decode())
    assert case.eligibility_decisions.count() == 1


def test_another_role_is_not_let_in(client):
    case = received_case()
    client.force_login(person(Role.INTAKE))

    assert client.get(url(case)).status_code == 403
    assert client.post(url(case), make_form_data(case)).status_code == 403
    assert not case.eligibility_decisions.exists()


def test_an_unknown_case_is_not_found(client):
    assert client.get(reverse("eligibility:eligibility", args=["CM26-9999999"])).status_code == 404
