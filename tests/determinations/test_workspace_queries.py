"""The workspace of a reviewer reads each table once, and shows what has changed since."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AccessLogEntry
from tests.determinations.factories import REVIEWED, reviewer_of, save_draft_part, write_review
from tests.records.factories import in_review

pytestmark = pytest.mark.django_db

MOST = 14


@pytest.fixture(scope="module")
def assignment(module_db):
    assignment = in_review()
    write_review(assignment)
    return assignment


@pytest.fixture
def reviewer(client, assignment, set_clock):
    set_clock(REVIEWED)
    client.force_login(reviewer_of(assignment))
    return client


def list_addresses(assignment):
    address = reverse("determinations:workspace", args=[assignment.pk])
    item = assignment.opinions.get().item_id
    return [address, f"{address}?part=item-{item}"]


def test_the_workspace_takes_no_more_than_fourteen_queries(reviewer, assignment):
    for address in list_addresses(assignment):
        reviewer.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert reviewer.get(address).status_code == 200
        asked = [query["sql"] for query in queries]
        assert len(asked) <= MOST, "\n".join(asked)


def test_the_workspace_shows_what_was_saved_since_the_last_request(reviewer, assignment):
    address, _ = list_addresses(assignment)
    reviewer.get(address)
    save_draft_part(assignment, "summary", {"summary": "Written in another window."}, at=REVIEWED)

    assert "Written in another window." in reviewer.get(address).content.decode()


def test_the_access_log_still_names_the_case(reviewer, assignment):
    address, _ = list_addresses(assignment)
    reviewer.get(address)

    entry = AccessLogEntry.objects.filter(subject="assignment").latest("pk")
    assert entry.case_number == assignment.case.number


def test_a_party_that_is_added_later_closes_the_records_at_once(reviewer, assignment):
    address, _ = list_addresses(assignment)
    assert reviewer.get(address).status_code == 200
    case = assignment.case
    case.party_list_version += 1
    case.store(by=None, at=REVIEWED, fields=["party_list_version"])

    page = reviewer.get(address)

    assert page.status_code == 302 or not page.context["viewer"].rows
