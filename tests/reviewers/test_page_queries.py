"""The pages that assign cases read a number of statements that no size changes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.roles import Role
from reviewers.models import Affiliation
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    PANEL_ENTERED,
    VERIFIED,
    fit_reviewer,
    rank_panel,
    ready_case,
)

pytestmark = pytest.mark.django_db
MOST = 15


def count_queries(browser, address):
    browser.get(address)  # what a process keeps from its first page on
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(address).status_code == 200
    return len(asked)


@pytest.mark.capability("MC-7")
def test_the_pages_of_one_case_and_of_a_plan_stay_within_fifteen_queries(signed_in, set_clock):
    """With one case and reviewer, and with several and an affiliation."""
    set_clock(MONDAY)
    browser = signed_in(Role.COORDINATOR)
    case, reviewer = ready_case(), fit_reviewer()
    rank_panel(case, by=person(Role.COORDINATOR), at=MONDAY)
    pages = (reverse("reviewers:assign", args=[case.number]), reverse("reviewers:plan"))
    alone = [count_queries(browser, page) for page in pages]

    for _ in range(3):
        ready_case()
        fit_reviewer()
    Affiliation.objects.create(
        reviewer=reviewer,
        relation="EMPLOYMENT",
        organization=case.parties.get(role="EMPLOYER").organization,
        recorded_at=PANEL_ENTERED,
        **VERIFIED,
    )
    rank_panel(case, by=person(Role.COORDINATOR), at=MONDAY)

    assert [count_queries(browser, page) for page in pages] == alone
    assert max(alone) <= MOST
