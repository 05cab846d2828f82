"""The pages that keep the rules of deadlines."""

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.services import case_deadlines
from deadlines.models import DeadlineRule
from tests.factories import eligible_case, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule():
    return DeadlineRule.objects.get(deadline_kind="noarfi")


@pytest.fixture
def director(client):
    user = person(Role.DIRECTOR)
    client.force_login(user)
    return user


def url(name, rule=None):
    return reverse(f"cases:{name}", args=[rule.pk] if rule else [])


def new_row(rule, **changes):
    return {
        "effective_from": "01/02/2013",
        "length": "9",
        "calendar": rule.calendar,
        "roll": rule.roll,
        "source": "8 CCR, as amended",
        "why": "Amended",
        "version": rule.version,
    } | changes


def test_every_row_is_listed_with_its_source_and_whether_it_is_confirmed(client, director, rule):
    page = client.get(url("deadline_rules")).content.decode()

    assert url("deadline_rule", rule) in page
    assert rule.source in page
    assert "Unconfirmed" in page


def test_every_row_has_a_page(client, director):
    assert {
        client.get(url("deadline_rule", row)).status_code for row in DeadlineRule.objects.all()
    } == {200}


def test_a_row_is_confirmed_on_its_page_and_the_history_shows_it(client, director, rule):
    sent = {"compared_with": "The register", "on": "t", "version": rule.version}
    client.post(url("confirm_deadline_rule", rule), sent)

    page = client.get(url("deadline_rule", rule)).content.decode()
    assert "Compared with The register" in page
    assert "Confirm rule" not in page


def test_an_error_is_shown_beside_its_field_and_typed_text_is_kept(client, director, rule):
    answer = client.post(url("supersede_deadline_rule", rule), new_row(rule, why="", length="77"))

    assert answer.status_code == 422
    assert "Say why." in answer.content.decode()
    assert 'value="77"' in answer.content.decode()


def test_nothing_is_stored_before_its_effect_was_shown(client, director, rule):
    case = eligible_case()
    before = case_deadlines.find_due_date(case, "noarfi")

    shown = client.post(url("supersede_deadline_rule", rule), new_row(rule))

    assert "1 date would change." in shown.content.decode()
    assert case.number in shown.content.decode()
    assert DeadlineRule.objects.filter(deadline_kind="noarfi").count() == 1
    key = shown.context["shown"]

    other = client.post(url("supersede_deadline_rule", rule), new_row(rule, length="8", shown=key))
    assert other.status_code == 200
    assert DeadlineRule.objects.filter(deadline_kind="noarfi").count() == 1

    assert (
        client.post(url("supersede_deadline_rule", rule), new_row(rule, shown=key)).status_code
        == 302
    )
    assert DeadlineRule.objects.filter(deadline_kind="noarfi", length=9).exists()
    assert case_deadlines.find_due_date(case, "noarfi") == before

    client.post(url("recount"), {"why": "Amended"})
    assert case_deadlines.find_due_date(case, "noarfi") > before
    assert "No date would change." in client.get(url("recount")).content.decode()


def test_a_day_outside_the_row_is_refused_naming_both(client, director, rule):
    answer = client.post(
        url("supersede_deadline_rule", rule), new_row(rule, effective_from="06/01/2012")
    )

    assert answer.status_code == 422
    assert str(rule) in answer.context["form"].non_field_errors()[0]


def test_a_stale_form_is_409_and_stores_nothing(client, director, rule):
    sent = {"compared_with": "The register", "on": "t", "version": "0"}
    answer = client.post(url("confirm_deadline_rule", rule), sent)

    assert answer.status_code == 409
    assert "The register" in answer.content.decode()
    rule.refresh_from_db()
    assert not rule.is_confirmed


def test_the_pages_are_closed_to_other_roles(client, rule):
    client.force_login(person(Role.COORDINATOR))

    assert client.get(url("deadline_rules")).status_code == 403
    assert client.post(url("confirm_deadline_rule", rule)).status_code == 403
    assert client.post(url("recount"), {"why": "x"}).status_code == 403
