"""The rows of a case are read once for a page that only reads, and again by everything else."""

from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.urls import reverse

from accounts.roles import Role
from cases.case_rows import keep_rows, keeps_rows, rows_of
from cases.models import Case
from cases.services import holds, restrictions
from cases.views.acting import load_case
from intake.services.receiving import ItemOnForm
from tests.factories import MONDAY, parties, person, received_case
from tests.reviewers.factories import ready_case

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]

TODAY = MONDAY.date()


@pytest.fixture
def case(db):
    items = [ItemOnForm("First", body_part="Knee"), ItemOnForm("Second", body_part="Neck")]
    return received_case(items=items, parties=parties(EMPLOYEE="Łukasz “O’Neill” Żółć"))


def ask_for(case, method):
    request = getattr(RequestFactory(), method)("/")
    request.user = person(Role.COORDINATOR)
    return load_case(request, case.number)


def test_a_page_that_reads_asks_each_table_once(case, django_assert_num_queries):
    loaded = ask_for(case, "get")
    rows = rows_of(loaded)
    assert rows is rows_of(loaded)

    with django_assert_num_queries(3):
        for _ in range(3):
            rows.deadlines, rows.deadlines_of_round(), rows.items, rows.parties_on(TODAY)


def test_the_bar_of_a_page_needs_no_query_of_its_own(case, django_assert_num_queries, set_clock):
    set_clock(MONDAY)
    loaded = ask_for(case, "get")

    with django_assert_num_queries(0):
        rows = rows_of(loaded)
        assert rows.employee_name_on(TODAY) == "Łukasz “O’Neill” Żółć"
        assert rows.body_parts == ["Knee", "Neck"]
        assert rows.hold_spans == []


def test_the_bar_names_other_cases_of_the_worker_that_the_reader_may_see(client, set_clock):
    set_clock(MONDAY)
    numbers = [received_case(claim_number=f"07-{place}").number for place in range(3)]
    first, second, third = (Case.objects.get(number=number) for number in numbers)
    client.force_login(person(Role.COORDINATOR))

    def read_bar():
        page = client.get(reverse("cases:deadlines", args=[first.number])).content.decode()
        return page.partition('<nav class="subnav"')[0]

    assert read_bar().index(third.number) < read_bar().index(second.number)
    assert "(screening)" in read_bar()
    restrictions.restrict_case(
        case_id=third.pk, ground="EMPLOYEE", reason="A colleague.", by=person(Role.DIRECTOR),
        at=MONDAY,
    )  # fmt: skip
    assert third.number not in read_bar()
    assert second.number in read_bar()
    other = received_case(parties=parties(EMPLOYEE="Nina Alvarado"), claim_number="08-1")
    assert "Also:" not in client.get(other.get_absolute_url()).content.decode()


def test_what_the_bar_was_loaded_with_is_what_the_rows_say(set_clock):
    case = ready_case()
    holds.begin_hold(
        case_id=case.pk,
        reason="UNREADABLE",
        starts_on=TODAY,
        planned_end=TODAY + timedelta(days=5),
        by=person(Role.COORDINATOR),
        at=MONDAY + timedelta(hours=4),
    )
    set_clock(MONDAY + timedelta(hours=5))
    # The same case, once loaded for a page and once bare.
    loaded, bare = rows_of(ask_for(case, "get")), rows_of(Case.objects.get(pk=case.pk))

    assert loaded.hold_spans == bare.hold_spans != []
    assert loaded.employee_name_on(TODAY) == bare.employee_name_on(TODAY) != ""
    assert loaded.body_parts == bare.body_parts


def test_a_page_that_may_change_something_keeps_no_rows(case):
    assert keeps_rows(ask_for(case, "get"))
    assert not keeps_rows(ask_for(case, "post"))


def test_a_service_reads_again_what_a_page_has_read(case):
    loaded = ask_for(case, "get")
    assert [item.title for item in rows_of(loaded).items] == ["First", "Second"]
    item = case.items.get(position=1)
    item.title = "Changed"
    item.store(by=None, at=MONDAY, fields=["title"])

    # A service locks a case of its own, so it never sees the rows of a page.
    assert [one.title for one in rows_of(Case.objects.get(pk=case.pk)).items][0] == "Changed"
    assert [one.title for one in rows_of(ask_for(case, "get")).items][0] == "Changed"


def test_each_request_reads_anew(client, case):
    client.force_login(person(Role.COORDINATOR))
    address = reverse("desk:case", args=[case.number])
    assert "Changed" not in client.get(address).content.decode()
    item = case.items.get(position=1)
    item.title = "Changed"
    item.store(by=None, at=MONDAY, fields=["title"])

    assert "Changed" in client.get(address).content.decode()


def test_a_case_without_kept_rows_reads_each_time(case, django_assert_num_queries):
    bare = Case.objects.get(pk=case.pk)
    with django_assert_num_queries(2):
        assert rows_of(bare).items
        assert rows_of(bare).items
    keep_rows(bare)
    with django_assert_num_queries(1):
        assert rows_of(bare).items
        assert rows_of(bare).items
