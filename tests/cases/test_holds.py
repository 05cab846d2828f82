"""Holds: rows with a start, a planned end, a reason and a person, and what they move."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.hold_reasons import HOLD_REASONS, reasons_for
from cases.lifecycle import Status
from cases.models import Case, Event
from cases.services import holds
from deadlines.days import local_day
from eligibility.services import screening
from queues.services import claims
from tests.factories import MONDAY, SIX_YES, noticed_case, person, received_case
from tests.records.factories import case_with_records

pytestmark = pytest.mark.django_db
TODAY = local_day(MONDAY)


def begin_hold(case, by, *, days=3, reason="UNREADABLE", starts_on=TODAY, at=MONDAY, **more):
    return holds.begin_hold(
        case_id=case.pk,
        reason=reason,
        starts_on=starts_on,
        planned_end=starts_on + timedelta(days=days),
        by=by,
        at=at,
        **more,
    )


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


@pytest.fixture
def complete(coordinator):
    """A case whose determination deadline runs."""
    return Case.objects.get(pk=case_with_records().pk)


def get_active_deadline(case, deadline_kind):
    return case.deadlines.get(deadline_kind=deadline_kind, replaced_at__isnull=True)


@pytest.mark.capability("CK-4")
def test_a_hold_moves_our_target_and_the_page_shows_both_calculations(complete, coordinator):
    before = get_active_deadline(complete, "determination_regular")

    begin_hold(complete, coordinator, starts_on=TODAY, days=4)

    after = get_active_deadline(complete, "determination_regular")
    assert after.due_on == before.due_on
    assert after.target_on == after.due_on  # never later than the legal date
    lines = [step["sentence"] for step in after.legal_steps]
    assert any("does not move the legal date" in line for line in lines)
    own = [step["sentence"] for step in after.target_steps]
    assert any("moves the internal target by" in line for line in own)
    assert any("after the legal date" in line for line in own)
    before.refresh_from_db()
    assert before.replaced_at is not None
    assert before.steps != after.steps


@pytest.mark.capability("CK-3")
def test_a_hold_records_its_start_end_reason_and_author(complete, coordinator):
    row = begin_hold(complete, coordinator, note="Twelve pages are black.")

    assert (row.starts_on, row.planned_end) == (TODAY, TODAY + timedelta(days=3))
    assert row.begun_by == coordinator
    event = complete.events.get(kind=Event.Kind.HELD)
    assert event.by == coordinator
    assert event.why == "Twelve pages are black."
    assert "the legal date stays" in event.sentence
    moved = [one["deadline_kind"] for one in event.facts["moved"]]
    assert moved == ["notice_mark", "determination_regular"]


@pytest.mark.capability("CK-3")
@pytest.mark.parametrize(
    ("reason", "priority", "stage"),
    [
        ("NO_REVIEWER", "EXPEDITED", Status.RECORDS_COMPLETE),
        ("PARTY_ASKED", "FORMULARY", Status.SCREENING),
        ("NO_REVIEWER", "REGULAR", Status.NOTICE_SENT),
    ],
)
def test_each_hold_reason_is_allowed_for_some_priorities_and_stages(reason, priority, stage):
    assert HOLD_REASONS[reason] not in reasons_for(priority, stage)


@pytest.mark.capability("CK-3")
def test_a_hold_reason_that_does_not_fit_the_case_is_refused_with_an_explanation(coordinator):
    case = received_case(priority="EXPEDITED")

    with pytest.raises(NotAllowed, match="not a reason to hold an expedited case"):
        begin_hold(case, coordinator, reason="PARTY_ASKED")

    assert not case.holds.exists()


@pytest.mark.capability("CK-3")
def test_earlier_holds_stay_readable(complete, coordinator):
    first = begin_hold(complete, coordinator)
    holds.end_hold(
        hold_id=first.pk,
        ended_on=TODAY + timedelta(days=1),
        reason="A clean copy came.",
        by=coordinator,
        at=MONDAY + timedelta(days=1),
    )
    begin_hold(
        complete, coordinator, starts_on=TODAY + timedelta(days=1), at=MONDAY + timedelta(days=2)
    )

    ended, lasting = complete.holds.order_by("pk")
    assert (ended.end, ended.ended_by, ended.ended_because) == (
        TODAY + timedelta(days=1),
        coordinator,
        "A clean copy came.",
    )
    assert lasting.ended_on is None
    assert complete.events.filter(kind=Event.Kind.HOLD_ENDED).count() == 1


def list_moves(deadline):
    """What the holds do to the internal target: the sentences and the days reached."""
    steps = [
        step for step in deadline.target_steps if "moves the internal target by" in step["sentence"]
    ]
    return [step["sentence"] for step in steps], [step["date"] for step in steps]


@pytest.mark.capability("defect 4")
def test_three_holds_are_three_rows_and_move_the_target_by_their_total(complete, coordinator):
    before = get_active_deadline(complete, "determination_regular").target_on
    begin_hold(complete, coordinator, days=2)
    begin_hold(complete, coordinator, days=3, starts_on=TODAY + timedelta(days=2), at=_at(2))
    begin_hold(complete, coordinator, days=2, starts_on=TODAY + timedelta(days=5), at=_at(5))

    assert complete.holds.count() == 3
    after = get_active_deadline(complete, "determination_regular")
    trigger = date.fromisoformat(after.given["records_complete"])
    held = (TODAY + timedelta(days=7) - max(TODAY, trigger)).days
    moved, reached = list_moves(after)
    assert len(moved) == 3
    assert reached[-1] == (before + timedelta(days=held)).isoformat()
    assert after.target_on == after.due_on


def _at(days):
    return MONDAY + timedelta(days=days)


@pytest.mark.capability("CK-5", "defect 5")
def test_a_hold_that_ends_returns_the_case_to_the_queue_without_a_job(coordinator):
    case = noticed_case()
    planned = TODAY + timedelta(days=3)
    begin_hold(case, coordinator)

    offered = [claims.preview_next_case(user=coordinator, at=_at(days)) for days in (0, 2, 3, 4)]
    assert offered == [None, None, case, case]
    row = case.holds.get()
    assert row.ended_on is None  # no one did anything
    assert not row.lasts_on(planned)


def test_no_hold_hides_a_case_on_the_day_it_falls_due(coordinator):
    case = noticed_case()
    late = case.due_on - timedelta(days=2)
    begin_hold(case, coordinator, starts_on=late, days=9, at=_at((late - TODAY).days))

    due = (case.due_on - TODAY).days
    offered = [
        claims.preview_next_case(user=coordinator, at=_at(due + days)) for days in (-1, 0, 1)
    ]
    assert offered == [None, case, case]
    assert claims.claim_next_case(by=coordinator, at=_at(due)).case == case


def test_a_held_case_without_a_running_deadline_never_falls_due(coordinator):
    case = received_case()
    begin_hold(case, coordinator, reason="PARTY_ASKED", days=9)
    screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES | {"SIGNED": "NO"},
        notes={"SIGNED": "The form bears no signature."},
        seen_version=None,
        by=coordinator,
        at=MONDAY,
    )

    offered = [claims.preview_next_case(user=coordinator, at=_at(days)) for days in (0, 8, 9)]
    assert offered == [None, None, case]


def test_ending_a_hold_early_removes_the_unused_days(complete, coordinator):
    row = begin_hold(complete, coordinator, days=9, starts_on=TODAY + timedelta(days=1), at=_at(1))
    ((held,), _) = list_moves(get_active_deadline(complete, "determination_regular"))

    holds.end_hold(
        hold_id=row.pk,
        ended_on=TODAY + timedelta(days=1),
        reason="A mistake.",
        by=coordinator,
        at=_at(2),
    )

    assert "by 9 days" in held
    ((unused,), _) = list_moves(get_active_deadline(complete, "determination_regular"))
    assert "by 0 days" in unused
    complete.refresh_from_db()
    assert complete.held_until == TODAY + timedelta(days=1)


def test_a_hold_of_one_deadline_leaves_the_case_in_its_list(complete, coordinator):
    row = begin_hold(complete, coordinator, deadline_kind="determination_regular")

    complete.refresh_from_db()
    assert complete.held_until is None
    assert row.holds == "Determination, regular"
    assert get_active_deadline(complete, "determination_regular").target_on


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"starts_on": TODAY + timedelta(days=5)}, "in the future"),
        ({"starts_on": TODAY - timedelta(days=50)}, "before the application was received"),
        ({"days": 0}, "after the first day"),
        ({"days": 11}, "at most 10 days"),
        ({"reason": "WEATHER"}, "Choose a reason"),
        ({"deadline_kind": "petition"}, "no active deadline"),
        # Satisfied when the records were complete.
        ({"deadline_kind": "records"}, "no active deadline"),
    ],
)
def test_impossible_holds_are_refused_with_a_sentence(complete, coordinator, changes, says):
    with pytest.raises(NotAllowed, match=says):
        begin_hold(complete, coordinator, at=_at(1), **changes)

    assert not complete.holds.exists()


def test_the_same_reason_cannot_hold_the_same_days_twice(complete, coordinator):
    begin_hold(complete, coordinator)

    with pytest.raises(NotAllowed, match="already"):
        begin_hold(complete, coordinator, starts_on=TODAY + timedelta(days=1), at=_at(1))


@pytest.mark.parametrize("role", [Role.INTAKE, Role.REVIEWER, Role.AUDITOR, Role.DIRECTOR])
def test_only_coordinators_and_supervisors_place_a_hold(complete, role):
    with pytest.raises(NotAllowed, match="coordinator or a supervisor"):
        begin_hold(complete, person(role))


def test_a_hold_that_was_over_by_plan_cannot_be_ended_again(complete, coordinator):
    row = begin_hold(complete, coordinator)

    with pytest.raises(NotAllowed, match="This hold ended on"):
        holds.end_hold(
            hold_id=row.pk,
            ended_on=TODAY + timedelta(days=4),
            reason="Late thought.",
            by=coordinator,
            at=_at(4),
        )


@pytest.mark.every_database
def test_the_database_refuses_a_hold_that_ends_before_it_begins(complete, coordinator):
    row = begin_hold(complete, coordinator)
    row.planned_end = row.starts_on

    with pytest.raises(IntegrityError), transaction.atomic():
        row.store(by=coordinator, at=MONDAY)
