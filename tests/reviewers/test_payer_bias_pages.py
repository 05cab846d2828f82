"""The pages of payer bias: read by those who may, with the reviewer's name for fewer of them."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse

from accounts.roles import PERMISSIONS, Role
from reviewers.models import PayerBiasTest
from reviewers.services import payer_bias
from tests.factories import person
from tests.reviewers.histories import PAYERS, make_offers, store_history

pytestmark = pytest.mark.django_db

APRIL_1 = datetime(2026, 4, 1, 16, 0, tzinfo=UTC)
MARCH = {"first": date(2026, 3, 1), "last": date(2026, 3, 31)}
LIST = reverse("reviewers:payer_bias")
MAY_READ = PERMISSIONS["reviewers.view_payer_bias_tests"]


@pytest.fixture
def as_role(client, set_clock):
    """A client signed in with a role on the first of April."""
    set_clock(APRIL_1)

    def sign_in(*roles):
        client.force_login(person(*roles))
        return client

    return sign_in


def steered():
    """A history in which one payer's cases go to one reviewer, tested for March."""
    store_history(make_offers(many=160, steered=0.8))
    return payer_bias.run_bias_tests(**MARCH, by=None, at=APRIL_1)[0]


def page_of(test):
    return reverse("reviewers:payer_bias_test", args=[test.pk])


@pytest.mark.parametrize("role", list(Role))
def test_only_the_director_coordinators_and_the_auditor_read_the_tests(as_role, role):
    test = steered()
    client = as_role(role)

    for address in (LIST, page_of(test)):
        assert client.get(address).status_code == (200 if role in MAY_READ else 403)
    assert (LIST in client.get("/", follow=True).content.decode()) is (role in MAY_READ)


def test_the_newest_test_comes_first_with_its_result_as_a_sentence(as_role):
    payer_bias.run_bias_tests(first=date(2026, 2, 1), last=date(2026, 2, 28), by=None, at=APRIL_1)
    steered()

    page = as_role(Role.AUDITOR).get(LIST)

    tests = [test for test, _ in page.context["lines"]]
    assert tests == list(PayerBiasTest.objects.order_by("-pk"))
    words = page.content.decode()
    assert "Reviewer choice depends on the claims administrator." in words
    assert "No sign that reviewer choice depends on the payer." in words
    assert "Not enough data" in words
    assert words.index("Mar 1, 2026") < words.index("Feb 1, 2026")


@pytest.mark.capability("CO-6")
def test_the_reviewer_is_named_only_to_roles_that_may_know(as_role):
    test = steered()

    words = as_role(Role.DIRECTOR).get(page_of(test)).content.decode()
    assert PAYERS[0] in words
    assert "Neurology 0 Reviewerson" in words
    assert "R-8" in words

    words = as_role(Role.AUDITOR).get(page_of(test)).content.decode()
    assert PAYERS[0] in words
    assert "A reviewer" in words
    assert "Reviewerson" not in words
    assert "R-8" not in words


def test_the_pairs_are_those_of_the_test_and_not_of_choices_made_since(as_role):
    test = steered()
    client = as_role(Role.DIRECTOR)
    before = client.get(page_of(test)).context["pairs"]
    assert {(pair.party, pair.reviewer.first_name[-1]) for pair in before[:2]} == {(PAYERS[0], "0")}

    late = datetime(2026, 4, 1, 6, 30, tzinfo=UTC)  # March still
    row = payer_bias.run_bias_tests(**MARCH, by=None, at=late)[0]
    result = client.get(page_of(row)).context["pairs"]
    store_history(make_offers(many=50, at=late.replace(minute=45), seed=9))

    assert client.get(page_of(row)).context["pairs"] == result


def test_a_test_without_a_sign_shows_no_pairs(as_role):
    store_history(make_offers(many=60))
    test = payer_bias.run_bias_tests(**MARCH, by=None, at=APRIL_1)[0]

    page = as_role(Role.DIRECTOR).get(page_of(test))

    assert page.context["pairs"] == []
    assert "Pairs that deviate most" not in page.content.decode()


def test_the_list_has_a_second_page_after_fifty(as_role):
    for _ in range(17):
        payer_bias.run_bias_tests(**MARCH, by=None, at=APRIL_1)
    client = as_role(Role.AUDITOR)

    first = client.get(LIST)
    second = client.get(LIST, {"before": first.context["next_id"]})

    assert (len(first.context["lines"]), len(second.context["lines"])) == (50, 1)
    assert second.context["next_id"] is None
    assert len(client.get(LIST, {"before": "x"}).context["lines"]) == 50


# --- Testing other days ---------------------------------------------------------------------------


def test_the_director_requests_a_test_of_chosen_days(as_role):
    store_history(make_offers(many=40))
    client = as_role(Role.DIRECTOR)

    answer = client.post(LIST, {"first": "3/2/26", "last": "03/20/2026"}, follow=True)

    assert "Tested 38 assignments." in answer.content.decode()
    test = PayerBiasTest.objects.first()
    assert (test.first, test.last) == (date(2026, 3, 2), date(2026, 3, 20))
    assert test.made_by.roles == {Role.DIRECTOR}


def test_a_test_is_computed_before_the_transaction_that_stores_it(as_role, monkeypatch):
    store_history(make_offers(many=40))
    client, depths = as_role(Role.DIRECTOR), []
    outside = len(connection.savepoint_ids)
    find_steering = payer_bias.find_steering

    def note_depth(choices):
        depths.append(len(connection.savepoint_ids) - outside)
        return find_steering(choices)

    monkeypatch.setattr(payer_bias, "find_steering", note_depth)
    typed = {"first": "3/2/26", "last": "03/20/2026", "form_key": str(uuid4())}
    for _ in range(2):
        assert client.post(LIST, typed).status_code == 302
    # Computed once for each role of a payer, and the form sent again added nothing.
    assert depths == [0] * len(payer_bias.PAYER_ROLES)
    assert PayerBiasTest.objects.count() == len(payer_bias.PAYER_ROLES)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"first": "", "last": "3/20/26"}, "Enter the first day."),
        ({"first": "3/2/26", "last": ""}, "Enter the last day."),
        ({"first": "the ides", "last": "3/20/26"}, "the ides"),
        ({"first": "3/20/26", "last": "3/2/26"}, "before the first"),
        ({"first": "3/20/26", "last": "4/2/26"}, "in the future"),
    ],
)
def test_dates_that_cannot_be_tested_get_a_sentence_and_stay_as_typed(as_role, typed, sentence):
    answer = as_role(Role.DIRECTOR).post(LIST, typed)

    words = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in words
    for value in filter(None, typed.values()):
        assert f'value="{value}"' in words
    assert not PayerBiasTest.objects.exists()


def test_too_many_choices_are_refused_beside_the_last_day(as_role, monkeypatch):
    monkeypatch.setattr(payer_bias, "MOST_ON_PAGE", 5)
    store_history(make_offers(many=6))

    answer = as_role(Role.DIRECTOR).post(LIST, {"first": "3/1/26", "last": "3/31/26"})

    assert answer.status_code == 422
    assert "These days have 6 assignments" in answer.context["form"].errors["last"][0]


@pytest.mark.parametrize("role", sorted(MAY_READ - {Role.DIRECTOR}))
def test_a_role_that_only_reads_tests_has_no_form_and_is_refused(as_role, role):
    test = steered()
    client = as_role(role)

    for address, typed in (
        (LIST, {"first": "3/1/26", "last": "3/31/26"}),
        (page_of(test), {"words": "Fine"}),
    ):
        assert '<form class="card' not in client.get(address).content.decode()
        assert client.post(address, typed).status_code == 422
    assert PayerBiasTest.objects.count() == 3
    assert not test.notes.exists()


# --- Looked into ----------------------------------------------------------------------------------


def test_an_alarm_is_on_my_day_of_the_director_until_its_follow_up_is_recorded(as_role):
    test = steered()
    client = as_role(Role.DIRECTOR)
    assert page_of(test) in client.get("/").content.decode()

    refused = client.post(page_of(test), {"words": " "})
    assert refused.status_code == 422
    assert "Enter what you reviewed" in refused.content.decode()
    assert page_of(test) in client.get("/").content.decode()

    kept = client.post(page_of(test), {"words": "The map sent them\nall to one."}, follow=True)
    assert "The map sent them" in kept.content.decode()
    assert page_of(test) not in client.get("/").content.decode()
    assert "Reviewed" in client.get(LIST).content.decode()


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.AUDITOR, Role.QA])
def test_an_alarm_is_on_my_day_of_no_other_role(as_role, role):
    test = steered()
    assert page_of(test) not in as_role(role).get("/").content.decode()


def test_the_follow_up_is_shown_only_to_roles_that_may_know_the_reviewer(as_role):
    test = steered()
    payer_bias.add_bias_note(
        test_id=test.pk,
        words="All went to Dr Reviewerson",
        by=person(Role.DIRECTOR, name="Director Reviewing"),
        at=APRIL_1,
    )

    assert "All went to" in as_role(Role.COORDINATOR).get(page_of(test)).content.decode()
    words = as_role(Role.AUDITOR).get(page_of(test)).content.decode()
    assert "Director Reviewing" in words
    assert "All went to" not in words
