"""The lists of the office: in order, no case lost or doubled between pages, at a steady cost."""

import re
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.roles import PERMISSIONS, Role
from cases.lifecycle import QUEUES
from cases.models import Case, Priority
from desk import queues
from tests.factories import MONDAY, eligible_case, person, received_case

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def desk(client, set_clock):
    set_clock(MONDAY + timedelta(hours=3))
    client.force_login(person(Role.COORDINATOR))
    return client


@pytest.fixture(scope="module")
def many(module_db):
    """A hundred and twenty cases in one list, all due on one day, and one that is more urgent."""
    first = received_case()
    copies = [_copy(first, number) for number in range(119)]
    urgent = _copy(first, 500)
    urgent.due_on = first.due_on - timedelta(days=1)
    urgent.store(by=None, at=MONDAY, fields=["due_on"])
    return [urgent.pk, first.pk, *[case.pk for case in copies]]


def _copy(case, number):
    """A case like this one; a hundred journeys would say nothing more about a list."""
    other = Case.objects.get(pk=case.pk)
    other.pk, other.ur_decision, other.version = None, None, 0
    other.number, other._state.adding = f"CM26-9{number:06d}", True
    other.store(by=None, at=MONDAY)
    item = case.items.get()
    item.pk, item.case, item.version, item._state.adding = None, other, 0, True
    item.store(by=None, at=MONDAY)
    return other


def url(slug="eligibility", **query):
    found = reverse("desk:queue", args=[slug])
    return found + (
        "?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else ""
    )


def rows(answer):
    return [int(pk) for pk in re.findall(r'id="case-(\d+)"', answer.content.decode())]


def next_page(answer):
    found = re.search(r'id="more" href="([^"]+)"', answer.content.decode())
    return found and reverse("desk:queue", args=["eligibility"]) + found[1].replace("&amp;", "&")


def test_most_urgent_first_and_no_case_lost_or_doubled_between_pages(desk, many):
    seen, here, pages = [], url(), 0
    while here:
        answer = desk.get(here, **(HTMX if pages else {}))
        seen += rows(answer)
        here, pages = next_page(answer), pages + 1

    assert pages == 3
    assert seen == many


def test_a_case_that_moves_on_between_two_pages_costs_no_other_its_place(desk, many):
    first = desk.get(url())
    case = Case.objects.get(pk=rows(first)[3])
    case.move_to("WITHDRAWN", by=None, at=MONDAY)

    second = desk.get(next_page(first), **HTMX)

    assert rows(first) + rows(second) == many[:100]


def test_the_list_costs_the_same_for_five_and_for_fifty_rows(desk, many):
    def cost(address):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            desk.get(address)
        return len(queries), [query["sql"] for query in queries]

    for pk in many[:5]:
        case = Case.objects.get(pk=pk)
        case.priority = Priority.EXPEDITED
        case.store(by=None, at=MONDAY, fields=["priority"])
    desk.get(url())  # what is looked up once for ever
    at_five, sql_five = cost(url(priority="EXPEDITED"))
    at_fifty, sql_fifty = cost(url())

    assert at_five == at_fifty <= 8, (sql_five, sql_fifty)
    assert not [sql for sql in sql_fifty if "COUNT" in sql and "GROUP BY" not in sql]


def test_a_page_needs_two_queries(many, django_assert_num_queries):
    with django_assert_num_queries(2):
        page = queues.page("eligibility")
        [item.title for case in page.cases for item in case.items.all()]


def test_the_filter_is_kept_from_page_to_page(desk, many):
    for pk in many[:60]:
        case = Case.objects.get(pk=pk)
        case.priority = Priority.EXPEDITED
        case.store(by=None, at=MONDAY, fields=["priority"])

    first = desk.get(url(priority="EXPEDITED"))
    second = desk.get(next_page(first), **HTMX)

    assert "priority=EXPEDITED" in next_page(first)
    assert rows(first) + rows(second) == many[:60]
    assert next_page(second) is None


def test_a_fragment_is_rows_alone_and_a_page_is_whole(desk, many):
    page, fragment = desk.get(url()), desk.get(url(), **HTMX)
    restored = desk.get(url(), **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")

    assert "<html" in page.content.decode()
    assert "<html" not in fragment.content.decode()
    assert "<html" in restored.content.decode()
    assert rows(page) == rows(fragment)
    for answer in (page, fragment):
        assert "HX-Request" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "key",
    [
        "x", "2026-03-02", "2026-03-02,", "2026-03-02,x", "2026-13-02,1", "9" * 30, ",",
        "2026-03-02,²", "2026-03-02," + "9" * 5000,
    ],
)  # fmt: skip
def test_a_page_that_we_never_gave_out_is_not_found(desk, key):
    assert desk.get(url(after=key)).status_code == 404


def test_a_key_past_the_end_is_an_empty_page(desk):
    answer = desk.get(url(after="2026-03-02," + "9" * 30))
    assert answer.status_code in {200, 404}


def test_a_list_that_is_not_there_is_not_found(desk):
    assert desk.get(url("nonsense")).status_code == 404
    assert desk.get(reverse("desk:work_next", args=["nonsense"])).status_code == 404


def test_an_unknown_priority_is_no_filter(desk, many):
    assert rows(desk.get(url(priority="VIP"))) == many[:50]


@pytest.mark.parametrize("slug", QUEUES)
def test_every_list_opens_and_shows_its_own_cases_alone(desk, many, slug):
    answer = desk.get(url(slug))
    assert answer.status_code == 200
    assert rows(answer) == (many[:50] if slug == "eligibility" else [])


def test_work_next_opens_the_most_urgent_case(desk, many):
    answer = desk.get(reverse("desk:work_next", args=["eligibility"]))
    assert answer.url == Case.objects.get(pk=many[0]).get_absolute_url()

    empty = desk.get(reverse("desk:work_next", args=["qa"]))
    assert empty.url == url("qa")


def test_a_case_stands_in_one_list_and_the_counts_agree(desk, many):
    eligible_case()
    cache.clear()

    counts = queues.counts()

    assert (counts["eligibility"], counts["notices"]) == (len(many), 1)
    assert sum(counts.values()) == len(many) + 1
    assert set(counts) == set(QUEUES)


def test_published_cases_stand_in_no_list(desk, many):
    case = Case.objects.get(pk=many[0])
    case.origin, case.queue = "PUBLISHED", ""
    case.store(by=None, at=MONDAY, fields=["origin", "queue"])

    assert case.pk not in rows(desk.get(url()))


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["cases.view_case"]))
def test_who_does_not_work_on_cases_sees_no_list(client, role):
    client.force_login(person(role))
    assert client.get(url()).status_code == 403


def test_an_overdue_case_says_so_in_words(client, set_clock):
    case = received_case()
    set_clock(MONDAY + timedelta(days=30))
    client.force_login(person(Role.COORDINATOR))

    assert "over" in client.get(url()).content.decode()
    assert case.due_on < date(2026, 4, 1)
