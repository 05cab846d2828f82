"""Clocks on a case, as capabilities: derived from what is on file, whatever a scheduler did."""

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from accounts.roles import Role
from cases.deadlines import local_day
from cases.models import Case
from cases.services import claims, clocks, dwell, holds
from tests.determinations.factories import approved, issued, submitted
from tests.factories import MONDAY, noticed_case, person
from tests.records.factories import attested, case_with_records, offered

pytestmark = pytest.mark.django_db
TODAY = local_day(MONDAY)


def sums(case):
    rows = case.deadlines.filter(replaced_at__isnull=True).order_by("clock")
    return [(row.clock, row.due_on, row.due_at, row.target_on, row.steps) for row in rows]


@pytest.fixture
def held():
    """A case with a complete file that is held for three days."""
    case = Case.objects.get(pk=case_with_records().pk)
    holds.begin_hold(
        case_id=case.pk,
        reason="UNREADABLE",
        starts_on=TODAY,
        planned_end=TODAY + timedelta(days=3),
        by=person(Role.COORDINATOR),
        at=MONDAY + timedelta(hours=7),
    )
    return case


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=3), timedelta(days=90)])
def test_ck1_recomputing_gives_the_same_dates_and_writes_nothing(held, later):
    before, rows = sums(held), held.deadlines.count()

    for _ in range(2):
        moved = clocks.recompute(case=held, why="Checked", by=None, at=MONDAY + later)
        assert moved == []

    assert sums(held) == before
    assert held.deadlines.count() == rows


def test_ck9_defect_3_a_scheduler_that_stops_three_days_changes_nothing(held):
    before = sums(held)

    for day in (1, 5):  # nothing ran on the days between
        clocks.recompute(case=held, why="Checked", by=None, at=MONDAY + timedelta(days=day))

    assert sums(held) == before
    coordinator = person(Role.COORDINATOR)
    assert claims.next_case(user=coordinator, at=MONDAY + timedelta(days=4)) == held


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_stepped_by_an_hour_changes_no_date(held, hours):
    before = sums(held)

    clocks.recompute(case=held, why="Checked", by=None, at=MONDAY + timedelta(days=1, hours=hours))

    assert sums(held) == before


def test_ck1_a_fact_that_changes_replaces_the_sum_and_keeps_the_earlier_one(held):
    old = held.deadlines.get(clock="determination_regular", replaced_at=None)

    row = held.holds.get()
    holds.end_hold(
        hold_id=row.pk,
        ended_on=TODAY + timedelta(days=1),
        because="A clean copy came.",
        by=person(Role.SUPERVISOR),
        at=MONDAY + timedelta(days=1),
    )

    new = held.deadlines.get(clock="determination_regular", replaced_at=None)
    old.refresh_from_db()
    assert old.replaced_at is not None
    assert new.target_on < old.target_on
    assert new.due_on == old.due_on


def test_ck5_work_next_gives_a_held_case_only_when_its_hold_has_reached_its_end():
    coordinator = person(Role.COORDINATOR)
    case = Case.objects.get(pk=case_with_records().pk)
    planned = TODAY + timedelta(days=4)
    holds.begin_hold(
        case_id=case.pk,
        reason="NO_REVIEWER",
        starts_on=TODAY,
        planned_end=planned,
        by=coordinator,
        at=MONDAY + timedelta(hours=7),
    )

    assert claims.next_case(user=coordinator, at=MONDAY + timedelta(days=3)) is None
    assert claims.next_case(user=coordinator, at=MONDAY + timedelta(days=4)) == case
    assert claims.next_case(user=coordinator, at=MONDAY + timedelta(days=5)) == case


def test_ck6_the_time_in_each_list_is_read_back_for_a_closed_case():
    case = issued(approved(submitted(attested(offered(case_with_records())))))
    case.refresh_from_db()
    at = MONDAY + timedelta(days=30)

    spells = dwell.in_lists(case=case, at=at)

    assert spells[0].since <= MONDAY
    for earlier, later in zip(spells, spells[1:], strict=False):
        assert earlier.until == later.since
    names = [total.name for total in dwell.totals(spells=spells)]
    assert {"Eligibility", "Awaiting records", "In review", "Quality check"} <= set(names)
    reviewers = dwell.with_reviewers(case=case, at=at)
    assert reviewers
    assert {spell.name for spell in reviewers} == {"The reviewer"}


def test_ck6_the_time_with_each_person_ends_when_the_case_leaves_the_list():
    ada = person(Role.COORDINATOR, name="Ada Clerk")
    case = noticed_case()
    claims.claim(case_id=case.pk, by=ada, at=MONDAY + timedelta(hours=5))
    claims.release(case_id=case.pk, by=ada, at=MONDAY + timedelta(hours=6))
    claims.claim(case_id=case.pk, by=ada, at=MONDAY + timedelta(days=1))

    spells = dwell.with_people(case=case, reader=ada, at=MONDAY + timedelta(days=9))

    assert [spell.took for spell in spells] == [timedelta(hours=1), claims.LEASE]
    assert str(dwell.totals(spells=spells)[0]) == "Ada Clerk: 0 d 5 h, 2 times"


def test_ck6_the_page_says_where_the_time_went(client):
    case = noticed_case()
    client.force_login(person(Role.COORDINATOR))

    with mock.patch.object(timezone, "now", return_value=MONDAY + timedelta(days=2)):
        shown = client.get(f"{case.get_absolute_url()}clocks/").content.decode()

    assert "Where the time went" in shown
    assert "Awaiting records: 1 d 20 h" in shown
