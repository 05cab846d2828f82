"""An expedited case stands first in every list and shows the hours to its deadline's moment."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.models import Case
from cases.services import priority
from deadlines.days import local_day
from tests.factories import MONDAY, noticed_case, person
from tests.records.factories import case_with_records
from tests.reviewers.factories import fit_reviewer, offered_case

pytestmark = pytest.mark.django_db

TODAY = local_day(MONDAY)
HOUR = timedelta(hours=1)
CERTIFIED = {
    "certified_by": "Dana Oyelaran MD",
    "certified_on": TODAY,
    "support": "The report of March 1: loss of motor function.",
    "why": "The physician certified it after the notice was sent.",
}


@pytest.fixture
def ada(db):
    return person(Role.COORDINATOR, name="Ada Clerk")


def expedite(case, by, *, at, **times):
    priority.change_priority(case_id=case.pk, new="EXPEDITED", by=by, at=at, **(CERTIFIED | times))
    return Case.objects.get(pk=case.pk)


@pytest.fixture
def waiting_for_records(ada):
    """A regular case that is overdue and an expedited one that is due later."""
    regular, expedited = noticed_case(), noticed_case()
    regular.due_on = TODAY - timedelta(days=3)
    regular.store(by=None, at=MONDAY, fields=["due_on"])
    at = MONDAY + 8 * HOUR
    return regular, expedite(expedited, ada, at=at, notice_received_at=at)


def find_in_order(page, *cases):
    """The cases in the order in which a page first names them."""
    return sorted(cases, key=lambda case: page.index(f">{case.number}</a>"))


@pytest.mark.parametrize(
    "address",
    [
        "/queues/records/",
        "/queues/records/?priority=EXPEDITED",
        "/",
        reverse("records:outstanding"),
        reverse("correspondence:drafts") + "?kind=expedited_notice",
    ],
)
@pytest.mark.capability("AD-2")
def test_lists_show_the_hours_of_an_expedited_case_before_all_others(
    client, ada, waiting_for_records, set_clock, address
):
    regular, expedited = waiting_for_records
    set_clock(MONDAY + 10 * HOUR + HOUR / 2)  # the answer is due 24 hours after 8 hours
    client.force_login(ada)

    page = client.get(address).content.decode()

    assert "21 hours left" in page
    if f">{regular.number}</a>" in page:
        assert find_in_order(page, regular, expedited) == [expedited, regular]


@pytest.mark.capability("AD-2")
def test_the_due_moment_of_a_case_follows_its_deadline(ada, waiting_for_records):
    regular, expedited = waiting_for_records
    assert expedited.due_at == MONDAY + 32 * HOUR
    assert regular.due_at is None

    priority.change_priority(
        case_id=expedited.pk, new="REGULAR", why="Withdrawn.", by=ada, at=MONDAY + 9 * HOUR
    )
    assert Case.objects.get(pk=expedited.pk).due_at is None


@pytest.mark.capability("CK-10")
def test_the_notice_of_expedited_review_is_drafted_and_stands_first(
    client, ada, waiting_for_records, set_clock
):
    regular, expedited = waiting_for_records
    draft = expedited.case_letters.get(kind="expedited_notice")
    set_clock(MONDAY + 10 * HOUR)
    client.force_login(ada)

    rows = client.get(reverse("correspondence:drafts")).context["rows"]

    assert draft in rows
    assert [row.case.pk for row in rows].index(expedited.pk) == 0
    assert regular.pk in [row.case.pk for row in rows]


@pytest.mark.capability("AD-2")
def test_a_reviewer_sees_an_expedited_review_first(client, ada, set_clock):
    reviewer_user = person(Role.REVIEWER)
    reviewer = fit_reviewer(user=reviewer_user)
    offered_at = MONDAY + timedelta(days=1)
    regular, expedited = (
        offered_case(case=case_with_records(), reviewer=reviewer, at=offered_at).case
        for _ in range(2)
    )
    regular.due_on = TODAY
    regular.store(by=None, at=MONDAY, fields=["due_on"])
    at = MONDAY + timedelta(days=3)
    expedited = expedite(expedited, ada, at=at, information_complete_at=at)
    set_clock(at + HOUR / 2)
    client.force_login(reviewer_user)

    page = client.get(reverse("determinations:my_reviews")).content.decode()

    assert find_in_order(page, regular, expedited) == [expedited, regular]
    assert "71 hours left" in page
