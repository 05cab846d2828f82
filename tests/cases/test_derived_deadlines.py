"""Dates and times that are derived from what is on file, whatever a scheduler did."""

from datetime import timedelta
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.roles import Role
from cases.models import Case
from cases.services import case_deadlines, endings, holds, time_in_stage
from deadlines.days import local_day
from determinations.services import sending
from queues.services import claims
from tests.determinations.factories import make_issued_case
from tests.factories import MONDAY, noticed_case, person, received_case
from tests.letters.factories import file_without_typesetting
from tests.records.factories import case_with_records

pytestmark = pytest.mark.django_db
TODAY = local_day(MONDAY)


def list_deadline_results(case):
    rows = case.deadlines.filter(replaced_at__isnull=True).order_by("deadline_kind")
    return [(row.deadline_kind, row.due_on, row.due_at, row.target_on, row.steps) for row in rows]


@pytest.fixture(scope="module")
def held_case_once(module_db):
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


@pytest.fixture
def held_case(held_case_once):
    """A case with a complete file that is held for three days."""
    return Case.objects.get(pk=held_case_once.pk)


@pytest.fixture(scope="module")
def noticed_once(module_db):
    return noticed_case()


@pytest.fixture
def noticed(noticed_once):
    """A case whose notices went out; it waits for records."""
    return Case.objects.get(pk=noticed_once.pk)


@pytest.fixture(scope="module")
def closed(module_db):
    """A case whose determination went out: closed on the fourth day."""
    case = make_issued_case()
    at = MONDAY + timedelta(days=3)
    file_without_typesetting(at=at)
    sending.mark_determination_sent(
        case_id=case.pk, sent_on=local_day(at), by=person(Role.MAILROOM), at=at
    )
    case = Case.objects.get(pk=case.pk)
    assert not case.is_open
    return case


@pytest.mark.capability("CK-1")
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=3), timedelta(days=90)])
def test_recomputing_the_deadlines_gives_the_same_dates_and_writes_nothing(held_case, later):
    before, rows = list_deadline_results(held_case), held_case.deadlines.count()

    for _ in range(2):
        moved = case_deadlines.recompute_deadlines(
            case=held_case, why="Checked", by=None, at=MONDAY + later
        )
        assert moved == []

    assert list_deadline_results(held_case) == before
    assert held_case.deadlines.count() == rows


def sums_after(case, days):
    """The results after each of the nights on which all dates were recalculated; then undone."""
    found = {}
    with transaction.atomic():
        for day in days:
            at = MONDAY + timedelta(days=day)
            case_deadlines.recompute_deadlines(
                case=Case.objects.get(pk=case.pk), why="Checked", by=None, at=at
            )
            found[day] = list_deadline_results(case)
        transaction.set_rollback(True)
    return found


@pytest.mark.capability("CK-9", "defect 3")
def test_a_scheduler_that_stops_for_three_days_computes_the_same_dates_as_one_that_ran(held_case):
    before = list_deadline_results(held_case)

    ran = sums_after(held_case, range(1, 7))
    stopped = sums_after(held_case, (1, 5, 6))

    assert stopped == {day: ran[day] for day in stopped}
    assert all(after == before for after in ran.values())


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_system_deadline_that_jumps_by_an_hour_changes_no_date(held_case, hours):
    before = list_deadline_results(held_case)

    case_deadlines.recompute_deadlines(
        case=held_case, why="Checked", by=None, at=MONDAY + timedelta(days=1, hours=hours)
    )

    assert list_deadline_results(held_case) == before


@pytest.mark.capability("CK-1")
def test_a_changed_fact_replaces_the_computed_date_and_keeps_the_earlier_one(held_case):
    old = held_case.deadlines.get(deadline_kind="determination_regular", replaced_at=None)

    row = held_case.holds.get()
    holds.end_hold(
        hold_id=row.pk,
        ended_on=TODAY + timedelta(days=1),
        reason="A clean copy came.",
        by=person(Role.SUPERVISOR),
        at=MONDAY + timedelta(days=1),
    )

    new = held_case.deadlines.get(deadline_kind="determination_regular", replaced_at=None)
    old.refresh_from_db()
    assert old.replaced_at is not None
    assert new.target_steps != old.target_steps
    assert new.due_on == old.due_on


def express_in_hours(*times):
    """Spells as hours since Monday at nine, for the eye."""
    hour = timedelta(hours=1)
    return [(one.name, (one.since - MONDAY) / hour, (one.until - MONDAY) / hour) for one in times]


@pytest.mark.capability("CK-6")
def test_the_time_in_each_queue_can_be_read_for_a_closed_case(closed):
    long_after = MONDAY + timedelta(days=30)

    # The moments at which the factories let each service run.
    assert express_in_hours(*time_in_stage.list_queue_intervals(case=closed, at=long_after)) == [
        ("Intake", 0, 0),
        ("Eligibility", 0, 1),
        ("Notices", 1, 4),
        ("Awaiting records", 4, 6),
        ("Ready to assign", 6, 24),
        ("In review", 24, 48),
        ("QA review", 48, 49),
        ("Ready to issue", 49, 50),
        ("To be sent", 50, 72),
    ]


@pytest.mark.capability("CK-6")
def test_the_reviewers_time_runs_from_offer_to_signature_and_shows_no_name(closed):
    intervals = time_in_stage.list_review_intervals(case=closed, at=MONDAY + timedelta(days=30))

    assert express_in_hours(*intervals) == [("The reviewer", 24, 48)]


@pytest.mark.capability("CK-6")
def test_the_time_with_a_person_ends_when_the_case_is_released_or_the_claim_expires(noticed):
    ada = person(Role.COORDINATOR, name="Ada Clerk")
    claims.claim_case(case_id=noticed.pk, by=ada, at=MONDAY + timedelta(hours=5))
    claims.release_case(case_id=noticed.pk, by=ada, at=MONDAY + timedelta(hours=6))
    claims.claim_case(case_id=noticed.pk, by=ada, at=MONDAY + timedelta(days=1))

    intervals = time_in_stage.list_claim_intervals(
        case=noticed, reader=ada, at=MONDAY + timedelta(days=9)
    )

    lease = claims.LEASE / timedelta(hours=1)
    assert express_in_hours(*intervals) == [("Ada Clerk", 5, 6), ("Ada Clerk", 24, 24 + lease)]
    assert (
        str(time_in_stage.sum_intervals(intervals=intervals)[0])
        == "Ada Clerk: 5 hours, in 2 periods"
    )


@pytest.mark.capability("CK-6")
def test_the_time_with_a_person_ends_when_the_case_leaves_the_queue():
    ada = person(Role.COORDINATOR, name="Ada Clerk")
    case = received_case()
    claims.claim_case(case_id=case.pk, by=ada, at=MONDAY + timedelta(hours=1))
    endings.withdraw_case(
        case_id=case.pk, reason="Their letter.", by=ada, at=MONDAY + timedelta(hours=2)
    )
    endings.close_case(case_id=case.pk, reason="Withdrawn.", by=ada, at=MONDAY + timedelta(hours=3))

    intervals = time_in_stage.list_claim_intervals(
        case=case, reader=ada, at=MONDAY + timedelta(days=9)
    )

    assert express_in_hours(*intervals) == [("Ada Clerk", 1, 3)]


@pytest.mark.capability("CK-6")
def test_the_page_shows_where_the_time_was_spent(client, noticed):
    client.force_login(person(Role.COORDINATOR))

    with mock.patch.object(timezone, "now", return_value=MONDAY + timedelta(days=2)):
        shown = client.get(f"{noticed.get_absolute_url()}deadlines/").content.decode()

    assert "Time spent" in shown
    assert "Awaiting records: 1 day, 20 hours" in shown
    assert "Mar 2, 2026, 1:00 PM PT to now" in shown


@pytest.mark.capability("CK-6")
def test_durations_of_a_closed_case_are_shown_to_the_minute(client, set_clock):
    """From the history alone: after a year the page of the closed case says the same."""
    ada = person(Role.COORDINATOR, name="Ada Clerk")
    case = received_case()
    claims.claim_case(case_id=case.pk, by=ada, at=MONDAY + timedelta(minutes=7))
    claims.release_case(case_id=case.pk, by=ada, at=MONDAY + timedelta(minutes=7, seconds=40))
    claims.claim_case(case_id=case.pk, by=ada, at=MONDAY + timedelta(hours=46))
    withdrawn = MONDAY + timedelta(hours=46, minutes=1)
    endings.withdraw_case(case_id=case.pk, reason="Their letter.", by=ada, at=withdrawn)
    ended = MONDAY + timedelta(days=2, hours=1, minutes=3)
    endings.close_case(case_id=case.pk, reason="Withdrawn.", by=ada, at=ended)

    set_clock(MONDAY + timedelta(days=365))
    client.force_login(ada)
    shown = client.get(f"{case.get_absolute_url()}deadlines/").content.decode()

    assert "Eligibility: 2 days, 1 hour, 3 minutes" in shown
    assert "Ada Clerk: 3 hours, 3 minutes, in 2 periods" in shown
    assert ": less than a minute</p>" in " ".join(shown.split()).replace(" </p>", "</p>")
    assert "Mar 2, 2026, 9:07 AM PT to" in shown
    assert "to now" not in shown
