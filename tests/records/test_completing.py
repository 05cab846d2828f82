"""The end of the waiting for records: what it needs, what it starts, and how it is undone."""

from datetime import date, time, timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.lifecycle import CannotMove, Status
from cases.models import Case, Event, Priority
from deadlines.days import local_day
from intake.services.receiving import URDecisionOnForm
from records.policies import CompletionBasis
from records.services import documents
from tests.factories import MONDAY, noticed_case, person

from .factories import add_record

TODAY = local_day(MONDAY)
AFTER = MONDAY + timedelta(hours=6)
LONG_AFTER = MONDAY + timedelta(days=40)

pytestmark = pytest.mark.django_db


def mark_complete(case, *, basis=CompletionBasis.COMPLETE, at=AFTER, seen=None, by=None, **changes):
    return documents.mark_records_complete(
        case_id=case.pk,
        received_on=changes.pop("received_on", TODAY),
        basis=basis,
        seen_version=seen,
        by=by or person(Role.COORDINATOR),
        at=at,
        **changes,
    )


def with_record(**changes):
    case = noticed_case(**changes)
    add_record(case)
    return case


@pytest.fixture(scope="module")
def on_file_made(module_db):
    return with_record()


@pytest.fixture
def on_file(on_file_made):
    """A case past its notices with one record."""
    return Case.objects.get(pk=on_file_made.pk)


def test_a_complete_file_moves_the_case_and_starts_the_deadline_of_the_determination(on_file):
    case = mark_complete(on_file)

    case.refresh_from_db()
    assert case.stage == Status.RECORDS_COMPLETE
    assert case.records_complete_on == TODAY == date(2026, 3, 2)
    deadline_kind = case.deadlines.get(deadline_kind="determination_regular")
    assert deadline_kind.given == {"records_complete": "2026-03-02"}
    assert deadline_kind.due_on == date(2026, 4, 1)
    assert (case.due_on, case.due_deadline_kind) == (date(2026, 4, 1), "determination_regular")


def test_the_duty_of_the_records_is_met(on_file):
    case = mark_complete(on_file)
    assert case.deadlines.get(deadline_kind="records").met_at == AFTER


def test_the_timeline_shows_what_was_on_file(on_file):
    add_record(on_file, pages=3)
    mark_complete(on_file)
    event = on_file.events.get(kind=Event.Kind.RECORDS_COMPLETE)
    assert event.sentence == (
        "Records complete, last received Mon, Mar 2, 2026: 2 documents, 4 pages."
    )
    assert event.facts["basis"] == "COMPLETE"


def test_a_formulary_case_gets_its_own_deadline():
    in_time = URDecisionOnForm(
        decided_on=date(2026, 2, 20),
        served_on=date(2026, 2, 20),
        service_method="mail_ca",
        requested_on=date(2026, 2, 17),
        liability_disputed=False,
    )
    case = mark_complete(with_record(priority=Priority.FORMULARY, ur_decision=in_time))
    assert case.deadlines.filter(deadline_kind="determination_formulary").exists()


def test_an_expedited_case_counts_in_hours_and_needs_the_hour():
    case = with_record(priority=Priority.EXPEDITED)
    with pytest.raises(NotAllowed, match="Enter the time"):
        mark_complete(case)

    mark_complete(case, received_time=time(8, 30))

    deadline_kind = case.deadlines.get(deadline_kind="determination_expedited")
    assert deadline_kind.given == {"information_complete": "2026-03-02T08:30"}
    assert deadline_kind.due_at is not None


def test_ur_documents_alone_are_never_complete(awaiting):
    add_record(awaiting, kind="UR_DECISION")
    add_record(awaiting, kind="APPLICATION")

    for basis, at in (
        (CompletionBasis.COMPLETE, AFTER),
        (CompletionBasis.WHAT_IS_ON_FILE, LONG_AFTER),
    ):
        with pytest.raises(NotAllowed, match=r"9792\.10\.6\(b\)\(2\)"):
            mark_complete(awaiting, basis=basis, at=at)

    awaiting.refresh_from_db()
    assert awaiting.stage == Status.NOTICE_SENT
    assert awaiting.records_complete_on is None


def test_nothing_on_file_is_never_complete(awaiting):
    with pytest.raises(NotAllowed, match="Only the application and the UR decision"):
        mark_complete(awaiting)


def test_a_case_continues_with_the_records_on_file_only_after_their_due_date(on_file):
    due = on_file.deadlines.get(deadline_kind="records").due_on
    on_the_day = MONDAY + (due - TODAY)

    with pytest.raises(NotAllowed, match="You can continue with what is on file after that day"):
        mark_complete(on_file, basis=CompletionBasis.WHAT_IS_ON_FILE, at=on_the_day)

    mark_complete(on_file, basis=CompletionBasis.WHAT_IS_ON_FILE, at=on_the_day + timedelta(days=1))


def test_the_deadline_then_starts_with_the_act_and_not_with_a_stated_day(on_file):
    case = mark_complete(
        on_file, basis=CompletionBasis.WHAT_IS_ON_FILE, at=LONG_AFTER, received_on=TODAY
    )
    assert case.records_complete_on == local_day(LONG_AFTER)
    assert "not received in full" in case.events.get(kind=Event.Kind.RECORDS_COMPLETE).sentence


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (TODAY + timedelta(days=1), "is in the future"),
        (TODAY - timedelta(days=1), "cannot be complete before"),
        (None, "Enter the date"),
    ],
)
def test_a_day_that_cannot_be_is_refused(day, sentence, on_file):
    with pytest.raises(NotAllowed, match=sentence):
        mark_complete(on_file, received_on=day)


def test_an_unknown_basis_is_refused(on_file):
    with pytest.raises(NotAllowed, match="Choose whether"):
        mark_complete(on_file, basis="PERHAPS")


def test_a_stale_page_is_refused(on_file):
    with pytest.raises(Stale):
        mark_complete(on_file, seen=on_file.version - 1)


def test_the_second_of_two_coordinators_is_refused(on_file):
    mark_complete(on_file)
    with pytest.raises((NotAllowed, CannotMove), match="is in the “Ready to assign” stage"):
        mark_complete(on_file)
    assert on_file.events.filter(kind=Event.Kind.RECORDS_COMPLETE).count() == 1


@pytest.mark.parametrize("role", [Role.INTAKE, Role.QA, Role.DIRECTOR, Role.MAILROOM])
def test_only_a_coordinator_marks_the_records_complete(role, on_file):
    with pytest.raises(NotAllowed, match="Your role"):
        mark_complete(on_file, by=person(role))


def test_reopening_waits_for_records_again_and_stops_the_deadline(complete_file):
    records_due = complete_file.deadlines.get(deadline_kind="records").due_on

    documents.reopen_records(
        case_id=complete_file.pk,
        reason="The operative report is missing.",
        seen_version=complete_file.version,
        by=person(Role.COORDINATOR),
        at=AFTER,
    )

    complete_file.refresh_from_db()
    assert complete_file.stage == Status.NOTICE_SENT
    assert complete_file.records_complete_on is None
    assert complete_file.deadlines.get(deadline_kind="determination_regular").replaced_at == AFTER
    assert complete_file.due_on == records_due
    assert complete_file.events.latest("pk").why == "The operative report is missing."


def test_a_file_completed_again_starts_a_new_deadline_and_keeps_the_old_calculation(complete_file):
    documents.reopen_records(
        case_id=complete_file.pk,
        reason="Pages.",
        seen_version=None,
        by=person(Role.COORDINATOR),
        at=AFTER,
    )
    mark_complete(
        complete_file, received_on=TODAY + timedelta(days=3), at=AFTER + timedelta(days=3)
    )

    deadline_kinds = complete_file.deadlines.filter(deadline_kind="determination_regular").order_by(
        "pk"
    )
    assert [deadline_kind.replaced_at is None for deadline_kind in deadline_kinds] == [False, True]


def test_reopening_needs_a_reason(complete_file):
    with pytest.raises(NotAllowed, match="Enter what is missing"):
        documents.reopen_records(
            case_id=complete_file.pk,
            reason=" ",
            seen_version=None,
            by=person(Role.COORDINATOR),
            at=AFTER,
        )
