"""My day: what is due and what waits, for each role; and the jump box."""

import html
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import PERMISSIONS, Role
from cases.models import Case
from tests.factories import MONDAY, eligible_case, parties, person, received_case
from tests.records.factories import in_review
from tests.reviewers.factories import fit_reviewer, ready_case

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
SEE_CASES = PERMISSIONS["cases.view_case"]


@pytest.fixture(scope="module")
def cases(module_db):
    """A case for each of several roles, by the role that must act next."""
    found = {"COORDINATOR": eligible_case(), "REVIEWER": in_review().case}
    for role, status in (("QA", "QA"), ("DIRECTOR", "APPROVED"), ("MAILROOM", "ISSUED")):
        case = ready_case()
        for step in ("REVIEWER_CHOSEN", "IN_REVIEW", "QA", "APPROVED", "ISSUED"):
            case.move_to(step, by=None, at=MONDAY)
            if step == status:
                break
        found[role] = case
    return {role: Case.objects.get(pk=case.pk) for role, case in found.items()}


def day(client, role):
    client.force_login(person(role))
    return client.get("/")


@pytest.mark.parametrize("role", ["COORDINATOR", "QA", "DIRECTOR", "MAILROOM"])
def test_everyone_sees_what_waits_for_their_role_and_nothing_else(client, cases, role):
    page = day(client, Role(role)).content.decode()

    for other, case in cases.items():
        assert (case.number in page) is (other == role), other


@pytest.mark.parametrize("role", sorted(SEE_CASES - {"COORDINATOR", "QA", "DIRECTOR", "MAILROOM"}))
def test_for_whom_nothing_waits_the_page_is_calm(client, cases, role):
    answer = day(client, role)

    assert answer.status_code == 200
    assert not [case for case in cases.values() if case.number in answer.content.decode()]


def test_a_reviewer_is_led_to_their_own_list(client, cases):
    assert day(client, Role.REVIEWER).url == reverse("reviewers:my_reviews")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.GUIDELINE_ADMIN])
def test_who_does_not_work_on_cases_sees_none(client, cases, role):
    answer = day(client, role)

    assert answer.status_code in {200, 302}
    assert "CM26-" not in answer.content.decode()


def test_a_reviewer_who_is_also_a_director_sees_no_other_reviewers_case(client, cases):
    client.force_login(person(Role.REVIEWER, Role.DIRECTOR))

    page = client.get("/").content.decode()

    assert cases["DIRECTOR"].number in page
    assert cases["REVIEWER"].number not in page


def test_what_is_due_today_or_before_stands_apart(client, cases, set_clock):
    set_clock(MONDAY + timedelta(days=60))
    context = day(client, Role.COORDINATOR).context
    assert cases["COORDINATOR"] in context["due_today"]

    set_clock(MONDAY)
    context = day(client, Role.COORDINATOR).context
    assert cases["COORDINATOR"] in context["waiting"]


# --- The jump box ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found_by(module_db):
    names = parties(EMPLOYEE="Siobhán O’Neill-García", REQUESTING_PHYSICIAN="Dana Oyelaran")
    return received_case(claim_number="06-2213-ABC", parties=names)


def jump(client, query, **more):
    return client.get(reverse("desk:jump"), {"q": query}, **more)


@pytest.fixture
def desk(client):
    client.force_login(person(Role.INTAKE))
    return client


@pytest.mark.parametrize(
    "query",
    ["06-2213-ABC", "062213a", "06 2213", "ONEILL", "o'neill garcia", "siobhan", "García"],
)
def test_a_case_is_found_by_claim_or_employee_however_they_are_written(desk, found_by, query):
    assert found_by.number in jump(desk, query).content.decode()
    assert found_by.number in jump(desk, query, **HTMX).content.decode()


def test_a_whole_number_leads_straight_to_the_case(desk, found_by):
    for query in (found_by.number, found_by.number.lower(), f" {found_by.number} "):
        assert jump(desk, query).url == found_by.get_absolute_url()
    assert found_by.number in jump(desk, found_by.number, **HTMX).content.decode()


def test_the_beginning_of_a_number_finds_the_newest_first(desk, found_by):
    numbers = [case.number for case in jump(desk, "CM26").context["cases"]]
    assert found_by.number in numbers
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("query", ["", " ", "x", "%", "_", "--", "' OR 1=1", "%00"])
def test_too_little_or_nothing_that_fits_finds_nothing(desk, found_by, query):
    answer = jump(desk, query)

    assert answer.status_code == 200
    assert answer.context["cases"] == []


def test_a_megabyte_of_query_is_answered(desk, found_by):
    assert jump(desk, "a" * 4000).status_code == 200


def test_users_reviewers_and_physicians_are_never_found(desk, found_by):
    fit_reviewer(first_name="Zebulon", last_name="Quartermain", email="zq@example.org")
    person(Role.QA, name="Xanthippe Farfel")

    for query in ("Quartermain", "Zebulon", "zq@example.org", "Xanthippe", "Oyelaran", "R-0001"):
        assert jump(desk, query).context["cases"] == [], query


@pytest.mark.parametrize("role", sorted(set(Role) - SEE_CASES))
def test_who_does_not_work_on_cases_finds_nothing(client, found_by, role):
    client.force_login(person(role))

    answer = jump(client, found_by.number)

    assert answer.status_code == 200
    assert answer.context["cases"] == []


def test_what_was_asked_is_shown_as_text(desk):
    page = jump(desk, "<script>alert(1)</script>", **HTMX).content.decode()
    assert "<script>" not in page
    assert "<script>alert(1)</script>" in html.unescape(page)
