"""How long stages take, measured from events, and the order that follows from it."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from cases.models import Event, Status
from queues.lead_time import (
    AS_LONG_AS,
    FEWEST_CASES,
    STRETCHES,
    lead_time_on,
    lead_time_words,
    measure_stretch,
    median_duration,
    stage_duration_of,
)
from queues.models import StageDuration
from queues.services.stage_durations import measure_stage_durations
from queues.work_order import Key, stage_durations_now
from tests.factories import MONDAY, received_case

NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def on(day, kind):
    return kind, NOON + timedelta(days=day)


def test_a_stretch_runs_from_its_first_beginning_to_its_first_end():
    story = [on(0, "RECEIVED"), on(4, "FOUND_ELIGIBLE"), on(6, "NOTICES_SENT")]
    returned = [on(10, "SUBMITTED"), on(11, "QA_RETURNED"), on(15, "SUBMITTED"), on(18, "ISSUED")]

    assert measure_stretch(Status.SCREENING, story) == 4
    assert measure_stretch(Status.ELIGIBLE, story) == 2
    assert measure_stretch(Status.NOTICE_SENT, story) is None
    assert measure_stretch(Status.QA, returned) == 8


def test_a_stage_duration_is_the_median_rounded_up_and_few_cases_say_nothing():
    assert median_duration([1, 2, 2.1, 9, 90]) == (3, 5)
    assert median_duration([1] * (FEWEST_CASES - 1)) is None


def test_every_event_that_a_stretch_names_exists():
    named = {kind for begins, ends in STRETCHES.values() for kind in (*begins, *ends)}
    assert named <= set(Event.Kind.values)
    assert set(AS_LONG_AS.values()) <= set(STRETCHES)


def test_time_to_spare_is_the_due_date_minus_the_usual_remaining_time():
    stage_durations = {"SCREENING": 5}

    assert lead_time_on(date(2026, 3, 10), "DEFERRED", stage_durations) == date(2026, 3, 5)
    assert stage_duration_of("WITHDRAWN", stage_durations) == 0
    texts = [
        lead_time_words(TODAY + timedelta(days=n), "SCREENING", stage_durations, today=TODAY)
        for n in (4, 5, 6, 9)
    ]
    assert texts == ["1 day short", "0 days to spare", "1 day to spare", "4 days to spare"]


@pytest.mark.parametrize("text", ["9999-12-31,1,1", "0001-01-01,1,1"])
def test_a_key_at_the_end_of_time_is_refused_not_crashed_on(text):
    with pytest.raises(ValueError, match="no day"):
        Key.read(text).later(10).later(-4_000_000)


def decided(days):
    """A case that was received and decided, with its screening done after so many days."""
    case = received_case()
    case.decided_on = date(2026, 3, 20)
    case.store(by=None, at=MONDAY, fields=["decided_on"])
    received = case.events.get(kind="RECEIVED").happened_at
    Event.objects.create(
        case=case,
        kind="FOUND_ELIGIBLE",
        happened_at=received + timedelta(days=days),
        sentence="Found eligible.",
    )


@pytest.mark.django_db
def test_the_stage_duration_is_measured_from_events_dated_and_never_changed():
    for days in (1, 2, 3, 4, 5):
        decided(days)
    received_case()  # not decided, so it says nothing yet

    (row,) = measure_stage_durations(at=NOON + timedelta(days=30))

    assert (row.status, row.median_days, row.cases) == ("SCREENING", 3, 5)
    assert stage_durations_now() == {"SCREENING": 3}
    with pytest.raises(DatabaseError), transaction.atomic():
        StageDuration.objects.update(median_days=9)


@pytest.mark.django_db
def test_the_newest_measure_counts_and_a_stage_without_one_keeps_the_last():
    later = NOON + timedelta(days=1)
    for at, status, days in ((NOON, "QA", 4), (NOON, "SCREENING", 2), (later, "SCREENING", 7)):
        StageDuration.objects.create(measured_at=at, status=status, median_days=days, cases=9)

    assert stage_durations_now() == {"QA": 4, "SCREENING": 7}


@pytest.mark.django_db
def test_the_command_prints_its_measurements():
    output = StringIO()
    call_command("measure_stage_durations", stdout=output)
    assert "Too few cases have been decided" in output.getvalue()

    for days in (1, 1, 1, 1, 1):
        decided(days)
    output = StringIO()
    call_command("measure_stage_durations", stdout=output)
    assert "Screening: 1 day (median of 5 cases)" in output.getvalue()


@pytest.mark.django_db
def test_the_measure_costs_the_same_for_few_and_many(django_assert_num_queries):
    for days in (1, 2, 3, 4, 5, 6, 7):
        decided(days)
    with django_assert_num_queries(5):  # a savepoint and its end, cases, events, one insert
        measure_stage_durations(at=NOON + timedelta(days=30))
