"""Two people who state what a UR decision cites do not overwrite each other unseen."""

import pytest
from django.urls import reverse

from accounts.roles import Role
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, set_clock):
    set_clock(MONDAY)
    case = received_case()
    client.force_login(person(Role.COORDINATOR))
    url = reverse("eligibility:administrator_citations", args=[case.number, 1])

    def send(version, **words):
        return client.post(url, {"version": version, **words})

    return case.items.get(), send


def test_a_stale_form_is_refused_and_shows_both(page):
    item, send = page
    seen = item.version
    other = {"kind_0": "OTHER", "chapter_0": "A journal, 2019"}
    assert send(seen, **other).status_code == 302

    answer = send(seen, nothing="on")

    assert answer.status_code == 409
    assert "A journal, 2019" in answer.content.decode()
    item.refresh_from_db()
    assert not item.administrator_cites_nothing
    assert send(item.version, nothing="on").status_code == 302


def test_pages_of_another_source_are_not_dropped_without_a_word(page):
    item, send = page

    answer = send(item.version, kind_0="OTHER", chapter_0="A journal", pages_0="12-14")

    assert answer.status_code == 422
    assert "in this field" in answer.content.decode()
    assert "12-14" in answer.content.decode()
