"""The frame of every page: its settings, its person, and the places that each role is shown."""

import json
import re

import pytest

from accounts.roles import Role
from tests.factories import person

pytestmark = pytest.mark.django_db


def side_of(html):
    nav = re.search(r'<nav class="side".*?</nav>', html, re.DOTALL)[0]
    return re.findall(r'<a href="[^"]+"[^>]*>([^<]+)', nav)


def test_a_page_carries_one_htmx_setting_that_keeps_no_page_in_the_browser(client):
    client.force_login(person(Role.COORDINATOR))
    html = client.get("/").content.decode()
    metas = re.findall(r"<meta name=\"htmx-config\" content='([^']+)'>", html)
    assert len(metas) == 1
    setting = json.loads(metas[0])
    assert setting["historyCacheSize"] == 0
    assert setting["allowEval"] is False
    swapped = {one["code"]: one["swap"] for one in setting["responseHandling"]}
    assert [swapped["422"], swapped["409"], swapped["[45].."]] == [True, True, False]


def test_everyone_finds_the_places_of_their_roles_and_no_others(client):
    client.force_login(person(Role.INTAKE))
    intake = side_of(client.get("/").content.decode())
    client.force_login(person(Role.CREDENTIALING))
    credentialing = side_of(client.get("/").content.decode())
    assert "New application" in intake
    assert "New application" not in credentialing
    assert "Reviewers" in credentialing
    assert "Reviewers" not in intake


def test_a_reviewer_sees_no_queue_and_no_count(client):
    client.force_login(person(Role.REVIEWER))
    html = client.get("/reviews/").content.decode()
    assert side_of(html) == ["My reviews"]


def test_the_current_page_is_marked_in_the_menu(client):
    client.force_login(person(Role.COORDINATOR))
    html = client.get("/queues/eligibility/").content.decode()
    assert re.search(r'href="/queues/eligibility/" aria-current="page"', html)


def test_the_sign_in_page_names_no_demonstration_people_outside_a_demonstration(client, settings):
    html = client.get("/people/login/").content.decode()
    assert "Demonstration" not in html
    settings.DEMO = True
    html = client.get("/people/login/").content.decode()
    assert "coordinator@demo.example" in html


@pytest.mark.parametrize(("path", "status"), [("/no-such-page/", 404), ("/intake/new/", 403)])
def test_refused_pages_are_plain_sentences(client, path, status):
    client.force_login(person(Role.MAILROOM))
    answer = client.get(path)
    assert answer.status_code == status
    assert '<body class="public">' in answer.content.decode()
