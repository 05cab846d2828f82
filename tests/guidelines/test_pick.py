"""The reviewer's guideline picker."""

from datetime import date

import pytest
from django.urls import reverse

from accounts.roles import Role
from guidelines import services
from guidelines.models import Recommendation
from tests.factories import MONDAY, person

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]


@pytest.fixture
def reviewer(client):
    services.seed_guidelines(by=None, at=MONDAY)
    someone = person(Role.REVIEWER)
    client.force_login(someone)
    return someone


def pick(client, **query):
    address = reverse("guidelines:pick")
    fields = {"assignment": 7, "item": 9, **query}
    return client.get(address, fields, headers={"HX-Request": "true"})


def test_without_scripts_the_list_is_a_page_that_can_search_again(client, reviewer):
    address = reverse("guidelines:pick")
    fields = {"assignment": 7, "item": 9, "q": "epidural", "on": "2014-06-20"}
    page = client.get(address, fields).content.decode()

    assert "<h1>Guideline search</h1>" in page
    assert 'name="on" value="2014-06-20"' in page
    assert 'value="epidural"' in page
    assert "Chronic Pain Medical Treatment 2009, Section(s): Epidural" in page
    assert "<h1>" not in pick(client, **fields).content.decode()


def test_the_edition_of_the_request_comes_first(client, reviewer):
    page = pick(client, q="epidural pain", on="2014-06-20").content.decode()

    first = page.index("Chronic Pain Medical Treatment 2009, Section(s): Epidural steroid inj")
    second = page.index("Chronic Pain Medical Treatment 2016, Section(s): Epidural steroid inj")
    assert first < second
    assert "in force on Jun 20, 2014; edition not confirmed for this date" in page
    assert "not yet in force on Jun 20, 2014" in page

    page = pick(client, q="epidural pain", on="2017-01-20").content.decode()
    assert page.index("Treatment 2016, Section(s)") < page.index("Treatment 2009, Section(s)")
    assert "superseded on Jan 20, 2017" in page


def test_every_word_counts_in_any_order_and_case(client, reviewer):
    page = pick(client, q="STUDIES back low special", on="2014-06-20").content.decode()

    assert "Low Back Complaints 2004, Section(s): Special Studies" in page
    assert "Shoulder" not in page


def test_at_most_twenty_are_shown_and_a_single_letter_finds_nothing(client, reviewer):
    assert pick(client, q="mtus").content.decode().count("<li>") == 20
    assert "<li>" not in pick(client, q="m").content.decode()
    assert "<li>" not in pick(client, q="").content.decode()


def test_the_buttons_cite_on_the_item_that_asked(client, reviewer):
    page = pick(client, q="epidural", on="2014-06-20").content.decode()

    assert reverse("determinations:cite", args=[7, 9]) in page
    row = Recommendation.objects.filter(section__startswith="Epidural").first()
    assert f'value="{row.pk}"' in page


@pytest.mark.parametrize(
    "query",
    [
        {"on": "yesterday"},
        {"on": "2014-13-45"},
        {"assignment": "../1"},
        {"item": "9" * 40},
        {"q": "<script>alert(1)</script>"},
        {"q": "%' OR 1=1 --" * 100},
    ],
)
def test_nonsense_is_answered_and_never_printed_raw(client, reviewer, query):
    answer = pick(client, **{"q": "epidural", **query})

    assert answer.status_code == 200
    assert b"<script>" not in answer.content


def test_a_retired_source_is_not_offered(client, reviewer):
    for row in Recommendation.objects.filter(section__startswith="Epidural"):
        row.is_active = False
        row.store(by=None, at=MONDAY, fields=["is_active"])

    assert b"No guideline matches" in pick(client, q="epidural").content


def test_the_picker_takes_few_queries(client, reviewer, django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        found = Recommendation.objects.picker("pain", on=date(2014, 6, 20))
        assert [(row.authority(), row.edition_note(date(2014, 6, 20))) for row in found]


@pytest.mark.parametrize("role", Role)
def test_only_roles_that_cite_or_maintain_guidelines_may_search(client, role):
    client.force_login(person(role))

    allowed = role in {Role.REVIEWER, Role.GUIDELINE_ADMIN}
    assert pick(client, q="pain").status_code == (200 if allowed else 403)
