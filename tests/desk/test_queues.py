"""The lists of the office: in order, no case lost or doubled between pages, at a steady cost."""

import re
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.roles import PERMISSIONS, Role
from cases.lifecycle import QUEUES
from cases.models import Case, Priority
from cases.services import holds, restrictions
from desk import queues
from desk.templatetags.page_tags import format_capped_count
from intake.services.receiving import ItemOnForm
from queues.filters import Filter
from queues.models import StageDuration, WorkClaim
from queues.services import claims, saved_views
from queues.work_order import Sort
from tests.factories import MONDAY, eligible_case, parties, person, received_case
from tests.records.factories import case_with_records

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]

TODAY = date(2026, 3, 2)
READY = MONDAY + timedelta(days=2)
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
    other.pk, other.ur_decision, other.application, other.version = None, None, None, 0
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


def get_user(client):
    return User.objects.get(pk=client.session["_auth_user_id"])


def list_case_ids(answer):
    return [int(pk) for pk in re.findall(r'id="case-(\d+)"', answer.content.decode())]


def next_page(answer):
    found = re.search(r'id="more" href="([^"]+)"', answer.content.decode())
    return found and reverse("desk:queue", args=["eligibility"]) + found[1].replace("&amp;", "&")


def test_most_urgent_first_and_no_case_lost_or_doubled_between_pages(desk, many):
    seen, here, pages = [], url(), 0
    while here:
        answer = desk.get(here, **(HTMX if pages else {}))
        seen += list_case_ids(answer)
        here, pages = next_page(answer), pages + 1

    assert pages == 3
    assert seen == many


def test_a_case_that_changes_stage_between_two_pages_hides_no_other_case(desk, many):
    first = desk.get(url())
    case = Case.objects.get(pk=list_case_ids(first)[3])
    case.move_to("WITHDRAWN", by=None, at=MONDAY)

    second = desk.get(next_page(first), **HTMX)

    assert list_case_ids(first) + list_case_ids(second) == many[:100]


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

    assert at_five == at_fifty <= 9, (sql_five, sql_fifty)
    assert not [sql for sql in sql_fifty if "COUNT" in sql and "GROUP BY" not in sql]


def test_a_page_needs_two_queries_and_one_more_by_time_to_spare(many, django_assert_num_queries):
    def rows_of(list_filter, reader):
        page = queues.load_queue_page(
            "eligibility", list_filter=list_filter, user=reader, today=TODAY, at=MONDAY
        )
        return [title for row in page.rows for title in row.titles]

    reader = person(Role.COORDINATOR)
    assert reader.roles
    # Cases with items, who has them, administrators: the expedited ones, then the others.
    with django_assert_num_queries(2):
        assert len(rows_of(Filter(), reader)) == 50
    with django_assert_num_queries(2):  # the pace, and it is the same for every stage
        rows_of(Filter(sort=Sort.SLACK), reader)
    StageDuration.objects.create(measured_at=MONDAY, status="SCREENING", median_days=2, cases=9)
    with django_assert_num_queries(3):  # the keys of all stages in one statement
        assert len(rows_of(Filter(sort=Sort.SLACK), reader)) == 50


def test_the_filter_is_kept_from_page_to_page(desk, many):
    for pk in many[:60]:
        case = Case.objects.get(pk=pk)
        case.priority = Priority.EXPEDITED
        case.store(by=None, at=MONDAY, fields=["priority"])

    first = desk.get(url(priority="EXPEDITED"))
    second = desk.get(next_page(first), **HTMX)

    assert "priority=EXPEDITED" in next_page(first)
    assert list_case_ids(first) + list_case_ids(second) == many[:60]
    assert next_page(second) is None


def test_a_fragment_has_only_the_rows_and_a_page_is_complete(desk, many):
    page, fragment = desk.get(url()), desk.get(url(), **HTMX)
    restored = desk.get(url(), **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")

    assert "<html" in page.content.decode()
    assert "<html" not in fragment.content.decode()
    assert "<html" in restored.content.decode()
    assert list_case_ids(page) == list_case_ids(fragment)
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
def test_an_invalid_page_key_is_not_found(desk, key):
    assert desk.get(url(after=key)).status_code == 404


def test_a_key_past_the_end_is_an_empty_page(desk):
    answer = desk.get(url(after="2026-03-02," + "9" * 30))
    assert answer.status_code in {200, 404}


def test_an_unknown_list_is_not_found(desk):
    assert desk.get(url("nonsense")).status_code == 404
    assert desk.get(reverse("desk:work_next", args=["nonsense"])).status_code == 404


def test_an_unknown_priority_is_no_filter(desk, many):
    assert list_case_ids(desk.get(url(priority="VIP"))) == many[:50]


@pytest.mark.parametrize("slug", QUEUES)
def test_every_list_opens_and_shows_only_its_own_cases(desk, many, slug):
    answer = desk.get(url(slug))
    assert answer.status_code == 200
    assert list_case_ids(answer) == (many[:50] if slug == "eligibility" else [])


def test_work_next_shows_the_most_urgent_case_with_the_reason_and_claims_nothing(desk, many):
    answer = desk.get(reverse("desk:work_next", args=["eligibility"]))

    assert answer.context["case"].pk == many[0]
    assert "unassigned." in answer.context["why"]
    assert not WorkClaim.objects.exists()
    empty = desk.get(reverse("desk:work_next", args=["qa"]))
    assert "Your role does not act on cases of this list." in empty.content.decode()


def test_a_case_is_in_one_list_and_the_counts_agree(desk, many):
    eligible_case()
    cache.clear()

    counts = queues.count_queues(user=person(Role.AUDITOR))

    assert (counts["eligibility"], counts["notices"]) == (len(many), 1)
    assert sum(counts.values()) == len(many) + 1
    assert set(counts) == {*QUEUES, queues.UNREAD}


def test_published_cases_are_in_no_list(desk, many):
    case = Case.objects.get(pk=many[0])
    case.origin, case.queue = "PUBLISHED", ""
    case.store(by=None, at=MONDAY, fields=["origin", "queue"])

    assert case.pk not in list_case_ids(desk.get(url()))


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["cases.view_case"]))
def test_a_role_that_does_not_work_on_cases_sees_no_list(client, role):
    client.force_login(person(role))
    assert client.get(url()).status_code == 403


def test_an_overdue_case_is_marked_in_text(client, set_clock):
    case = received_case()
    set_clock(MONDAY + timedelta(days=30))
    client.force_login(person(Role.COORDINATOR))

    assert "over" in client.get(url()).content.decode()
    assert case.due_on < date(2026, 4, 1)


# --- Orders and filters, all in the address -------------------------------------------------------


def read_all_rows(desk, **query):
    """Every row of a list, page after page."""
    seen, here = [], url(**query)
    while here:
        answer = desk.get(here)
        assert answer.status_code == 200
        seen += list_case_ids(answer)
        here = next_page(answer)
    return seen


def change_case(pk, **values):
    case = Case.objects.get(pk=pk)
    for name, value in values.items():
        setattr(case, name, value)
    case.store(by=None, at=MONDAY, fields=list(values))


@pytest.mark.capability("AD-2")
@pytest.mark.parametrize("sort", ["due", "lead_time"])
def test_cases_without_a_due_date_are_last_under_a_heading_and_expedited_ones_first(
    desk, many, sort
):
    StageDuration.objects.create(measured_at=MONDAY, status="SCREENING", median_days=9, cases=9)
    undated = many[:60]
    for pk in undated:
        change_case(pk, due_on=TODAY - timedelta(days=30), due_deadline_kind="")
    day = Case.objects.get(pk=many[-1]).due_on
    change_case(many[-1], due_on=day, priority=Priority.EXPEDITED)
    change_case(many[-2], due_on=day - timedelta(days=1))

    seen = read_all_rows(desk, sort=sort)

    # By time to spare, an expedited case is first of its day; by due date, first of all.
    first = [many[-1], many[-2]] if sort == "due" else [many[-2], many[-1]]
    assert seen[:3] == [*first, many[60]]
    assert seen[-60:] == sorted(undated)
    assert len(seen) == len(set(seen)) == len(many)
    first = desk.get(url(sort=sort)).content.decode()
    assert "No due date</td>" not in first  # sixty dated ones fill the first page
    second = desk.get(url(sort=sort, after=desk.get(url(sort=sort)).context["next_key"]))
    assert second.content.decode().count("No due date</td>") == 1
    third = desk.get(url(sort=sort, after=second.context["next_key"])).content.decode()
    assert "No due date</td>" not in third  # the heading is on the page before
    assert "No due date</td>" not in desk.get(url(sort="received")).content.decode()


@pytest.mark.capability("AD-2")
@pytest.mark.parametrize("sort", Sort.values)
def test_every_sort_order_shows_each_case_once_over_all_pages(desk, many, sort):
    StageDuration.objects.create(measured_at=MONDAY, status="SCREENING", median_days=9, cases=9)
    for place, pk in enumerate(many):
        day = TODAY + timedelta(days=place * 7 % 5)
        change_case(pk, due_on=day, received_on=day - timedelta(days=place % 3))
        if place % 2:
            Case.objects.get(pk=pk).move_to("WITHDRAWN", by=None, at=MONDAY)

    seen = read_all_rows(desk, sort=sort)

    assert sorted(seen) == sorted(many)

    def key(pk):
        case = Case.objects.get(pk=pk)
        spare = case.due_on - timedelta(days=9 if case.status == "SCREENING" else 0)
        return {"due": case.due_on, "received": case.received_on, "lead_time": spare}[sort], pk

    assert seen == sorted(seen, key=key)


@pytest.mark.capability("AD-2")
def test_filter_and_sort_order_survive_reload_and_back(desk, many):
    change_case(many[7], priority=Priority.EXPEDITED)
    address = url(priority="EXPEDITED", sort="received")

    first, again = desk.get(address), desk.get(address)
    restored = desk.get(address, **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")

    for answer in (first, again, restored):
        assert list_case_ids(answer) == [many[7]]
        assert "<html" in answer.content.decode()
        assert "Remove the filter: </span>Expedited" in answer.content.decode()
    assert first.context["list_filter"].query() == "priority=EXPEDITED&sort=received"


def test_one_filter_can_be_removed_without_the_others(desk, many):
    list_filter = desk.get(url(priority="EXPEDITED", due="over", sort="lead_time")).context[
        "list_filter"
    ]

    assert {chip.label: chip.query for chip in list_filter.chips()} == {
        "Expedited": "due=over&sort=lead_time",
        "Overdue": "priority=EXPEDITED&sort=lead_time",
    }


def test_a_list_that_the_filter_empties_names_the_filter_and_the_count_without_it(desk, many):
    page = desk.get(url(priority="FORMULARY", taken="me")).content.decode()

    assert "No case matches: Formulary and assigned to me." in page
    assert "Without the filter there are 121." in page
    assert "Show all" in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"due_by": "30 Feb 2026"}, "Due by: “30 Feb 2026” is not a filter of this list"),
        ({"priority": "VIP"}, "Priority: “VIP” is not a filter of this list"),
        ({"stage": "QA"}, "Stage: “QA” is not a filter of this list"),
        ({"q": "a" * 200}, "Name or claim: “aaa"),
    ],
)
def test_an_invalid_filter_is_ignored_with_a_sentence(desk, many, query, sentence):
    answer = desk.get(url(**query))

    assert sentence in answer.content.decode()
    assert list_case_ids(answer) == many[:50]


def list_matching_ids(desk, **query):
    return set(read_all_rows(desk, **query))


def test_each_filter_leaves_the_cases_that_it_names(desk, many):
    first, second, third = many[:3]
    change_case(first, due_on=TODAY - timedelta(days=3))
    change_case(second, due_on=TODAY)
    change_case(third, received_on=date(2026, 1, 15))
    Case.objects.get(pk=many[3]).move_to("WITHDRAWN", by=None, at=MONDAY)

    assert list_matching_ids(desk, due="over") == {first}
    assert list_matching_ids(desk, due="today") == {first, second}
    assert list_matching_ids(desk, due_by="2026-03-01") == {first}
    assert list_matching_ids(desk, received_to="1/31/26") == {third}
    assert list_matching_ids(desk, received_from="1/1/26", received_to="1/14/26") == set()
    assert list_matching_ids(desk, stage="WITHDRAWN") == {many[3]}
    assert list_matching_ids(desk, channel="FAX") == set()
    assert list_matching_ids(desk, channel="MAIL") == {many[1]}  # the copies have no application


def test_a_case_is_found_by_any_spelling_of_a_name(desk):
    names = parties(EMPLOYEE="Siobhán O’Neill-García", CLAIMS_ADMINISTRATOR="Sierra Claims")
    case = received_case(parties=names, claim_number="AB-77-1")
    received_case()

    for text in ("oneill garcia", "ab77", case.number.lower()):
        assert list_matching_ids(desk, q=text) == {case.pk}, text
    assert list_matching_ids(desk, administrator="sierra") == {case.pk}


def test_the_person_assigned_to_a_case_is_shown_and_filtered(desk, many):
    ada = person(Role.COORDINATOR, name="Ada Clerk")
    claims.claim_case(case_id=many[2], by=ada, at=MONDAY + timedelta(minutes=42))
    me = get_user(desk)
    claims.claim_case(case_id=many[1], by=me, at=MONDAY)

    page = desk.get(url()).content.decode()
    assert "Ada Clerk, since 9:42 AM PT" in page
    assert "You, since 9:00 AM PT" in page
    assert list_matching_ids(desk, taken="me") == {many[1]}
    assert list_matching_ids(desk, taken="someone") == {many[1], many[2]}
    assert list_matching_ids(desk, taken="nobody") == set(many) - {many[1], many[2]}


def test_a_claim_that_expired_or_was_of_another_list_is_not_shown(desk, many, set_clock):
    ada = person(Role.COORDINATOR, name="Ada Clerk")
    claim = claims.claim_case(case_id=many[2], by=ada, at=MONDAY)
    assert "Ada Clerk" in desk.get(url()).content.decode()

    change_case(many[2], queue="notices")
    assert "Ada Clerk" not in desk.get(url("notices")).content.decode()
    change_case(many[2], queue="eligibility")
    set_clock(claim.until)
    desk.force_login(get_user(desk))
    assert "Ada Clerk" not in desk.get(url()).content.decode()


def test_the_texts_of_a_row_are_shown_as_text(client):
    names = parties(CLAIMS_ADMINISTRATOR="<b>Sierra & Claims</b>")
    received_case(parties=names, items=[ItemOnForm("<i>Infusion</i>"), ItemOnForm("Walker & cane")])
    client.force_login(person(Role.COORDINATOR))

    page = client.get(url(administrator="sierra")).content.decode()

    assert "<i>Infusion" not in page
    assert "&lt;i&gt;Infusion&lt;/i&gt;; Walker &amp; cane" in page
    assert "&lt;b&gt;Sierra &amp; Claims&lt;/b&gt;" in page


@pytest.mark.parametrize(
    "query",
    [{"sort": "lead_time"}, {"sort": "lead_time", "q": "quintanar"}, {"administrator": "pacific"}],
)
def test_no_order_and_no_filter_takes_more_than_nine_queries(desk, many, query):
    StageDuration.objects.create(measured_at=MONDAY, status="SCREENING", median_days=2, cases=9)
    desk.get(url(**query))
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        desk.get(url(**query))
    assert len(queries) <= 9, [query["sql"] for query in queries]


def test_a_case_without_a_running_deadline_is_never_overdue(desk, many):
    change_case(many[0], due_on=TODAY - timedelta(days=30), due_deadline_kind="")

    assert list_matching_ids(desk, due="over") == set()


def test_time_to_spare_is_shown_only_when_the_list_is_sorted_by_it(desk, many):
    StageDuration.objects.create(measured_at=MONDAY, status="SCREENING", median_days=30, cases=9)

    assert " short" in desk.get(url(sort="lead_time")).content.decode()
    assert "To spare" not in desk.get(url()).content.decode()


def test_columns_depend_on_the_readers_role(client, many):
    def heads(role):
        client.force_login(person(role))
        return re.findall(r"<th[^>]*>([A-Z][a-z ]+)", client.get(url()).content.decode())

    assert "Claims administrator" in heads(Role.COORDINATOR)
    assert "Received by" in heads(Role.INTAKE)
    assert "Claims administrator" not in heads(Role.QA)


# --- Counts ---------------------------------------------------------------------------------------


def test_a_count_stops_at_its_limit(desk, many, monkeypatch):
    monkeypatch.setattr(queues, "COUNTED", 99)
    cache.clear()

    assert queues.count_queues(user=person(Role.AUDITOR))["eligibility"] == 100
    assert (
        format_capped_count(queues.count_queues(user=person(Role.AUDITOR))["eligibility"], 99)
        == "99+"
    )
    assert format_capped_count(99, 99) == "99"


def test_a_restricted_case_is_counted_no_longer_from_the_next_request(desk, many):
    eligible = eligible_case()
    saved_views.save_view(
        name="Mine", queue="notices", query="priority=REGULAR", today=TODAY, by=get_user(desk),
        at=MONDAY,
    )  # fmt: skip
    assert desk.get(url("notices")).context["count"] == 1
    assert desk.get("/").context["views"][0].count == 1

    restrictions.restrict_case(
        case_id=eligible.pk, ground="OTHER", reason="A relative", by=person(Role.SUPERVISOR),
        at=MONDAY,
    )  # fmt: skip

    assert desk.get(url("notices")).context["count"] == 0
    assert desk.get("/").context["views"][0].count == 0


def test_counts_are_polled_and_answer_nothing_while_unchanged(desk, many):
    cache.clear()
    page = desk.get(url()).content.decode()
    ask = re.search(r'hx-get="(/queues/counts/[^"]+)"', page)[1]
    assert desk.get(ask, **HTMX).status_code == 204

    eligible_case()
    cache.clear()
    answer = desk.get(ask, **HTMX)

    assert answer.status_code == 200
    assert '<span id="count-notices" hx-swap-oob="true">1<' in answer.content.decode()


# --- Holds ----------------------------------------------------------------------------------------


@pytest.mark.capability("CK-5")
def test_a_hold_that_ends_returns_the_case_to_the_list_without_anyone_acting(client, set_clock):
    case, ada = case_with_records(), person(Role.COORDINATOR)
    set_clock(READY)
    today = READY.date()
    holds.begin_hold(
        case_id=case.pk,
        reason="UNREADABLE",
        starts_on=today,
        planned_end=today + timedelta(days=3),
        by=ada,
        at=READY,
    )
    client.force_login(ada)

    def listed(**query):
        return list_case_ids(client.get(url("assign", **query)))

    assert "On hold until" in client.get(url("assign")).content.decode()
    assert (listed(hold="yes"), listed(hold="no")) == ([case.pk], [])
    assert claims.claim_next_case(queue="assign", by=ada, at=READY) is None

    later = READY + timedelta(days=3)  # no job has run, no one has acted
    set_clock(later)
    client.force_login(ada)

    assert "On hold until" not in client.get(url("assign")).content.decode()
    assert (listed(hold="yes"), listed(hold="no")) == ([], [case.pk])
    assert claims.claim_next_case(queue="assign", by=ada, at=later).case == case


@pytest.mark.capability("CK-5")
def test_work_next_offers_a_held_case_from_its_due_date(client, set_clock):
    case, ada = case_with_records(), person(Role.COORDINATOR)
    begun = READY + (case.due_on - timedelta(days=2) - READY.date())
    holds.begin_hold(
        case_id=case.pk,
        reason="UNREADABLE",
        starts_on=begun.date(),
        planned_end=begun.date() + timedelta(days=9),
        by=ada,
        at=begun,
    )

    offered = {}
    for days in (-1, 0, 1):
        set_clock(begun + timedelta(days=2 + days))
        client.force_login(ada)
        offered[days] = case.number in client.get("/queues/assign/next/").content.decode()

    assert offered == {-1: False, 0: True, 1: True}
