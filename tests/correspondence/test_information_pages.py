"""Asking a party: the question, its letter and the approval in one step."""

from datetime import timedelta
from unittest import mock

import pytest
from django.urls import reverse

from accounts import roles
from accounts.roles import Role
from cases.models import Case, CaseLetter
from letters import typesetting
from letters.kinds import LetterKind
from letters.models import Letter
from tests.factories import MONDAY, person, received_case
from tests.letters.factories import publish_sample_wording, stand_in

pytestmark = pytest.mark.django_db

NOW = MONDAY + timedelta(hours=1)


@pytest.fixture
def desk(client, set_clock):
    set_clock(NOW)
    client.force_login(person(Role.COORDINATOR))
    with mock.patch.object(typesetting, "typeset_words", stand_in):
        yield client


def ask(desk, case, **typed):
    data = {
        "party": case.parties.get(role="CLAIMS_ADMINISTRATOR").pk,
        "facts": ["UR_ATTACHED"],
        "question": "Please send the UR decision.",
        "received_on": "3/3/2026",
        **typed,
    }
    return desk.post(reverse("correspondence:information", args=[case.number]), data, follow=True)


def letter_of(case):
    return case.case_letters.get(kind=LetterKind.INFORMATION_REQUEST)


def test_whoever_may_approve_asks_and_sends_in_one_step(desk):
    publish_sample_wording()
    case = received_case()
    assert (
        "Approve the letter and send it now"
        in desk.get(reverse("correspondence:information", args=[case.number])).content.decode()
    )

    page = ask(desk, case, send_now="on").content.decode()

    letter = letter_of(case)
    assert letter.state == CaseLetter.State.APPROVED
    assert "its letter approved: it leaves in ten seconds" in page
    assert "Undo</button>" in page
    queued = Letter.objects.filter(pk__in=letter.current_copies().values("letter"))
    assert set(queued.values_list("state", "due_at")) == {("QUEUED", NOW + timedelta(seconds=10))}
    assert Case.objects.get(pk=case.pk).due_deadline_kind == "eligibility_information"


def test_a_person_may_leave_the_letter_as_a_draft(desk):
    publish_sample_wording()
    case = received_case()

    page = ask(desk, case).content.decode()

    assert letter_of(case).state == CaseLetter.State.DRAFT
    assert "Its letter is a draft that has to be approved." in page


def test_two_steps_remain_for_those_who_may_not_approve(desk, monkeypatch):
    publish_sample_wording()
    monkeypatch.setitem(roles.PERMISSIONS, "correspondence.review_drafts", {Role.SUPERVISOR})
    case = received_case()
    page = desk.get(reverse("correspondence:information", args=[case.number])).content.decode()
    assert "Someone who may approve letters approves it" in " ".join(page.split())
    assert "send_now" not in page

    ask(desk, case, send_now="on")

    assert letter_of(case).state == CaseLetter.State.DRAFT


def test_a_letter_that_lacks_something_stays_a_draft_and_the_page_says_what(desk):
    case = received_case()  # no wording is published

    page = ask(desk, case, send_now="on").content.decode()

    letter = letter_of(case)
    assert letter.state == CaseLetter.State.DRAFT
    assert "Question saved, but its letter is still a draft. No wording is published" in page
    assert case.information_requests.get().question == "Please send the UR decision."


def test_the_same_question_sent_twice_makes_and_approves_one_letter(desk):
    publish_sample_wording()
    case = received_case()
    key = {"form_key": "5f0c8f0e-5f0c-4f0e-8f0e-5f0c8f0e5f0c"}

    for _ in range(2):
        assert ask(desk, case, send_now="on", **key).status_code == 200

    assert case.information_requests.count() == 1
    assert letter_of(case).state == CaseLetter.State.APPROVED
