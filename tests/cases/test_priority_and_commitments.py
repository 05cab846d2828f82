"""More time, another priority, and dates that a party was told: who, when, by which letter."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import Case, Event, Priority
from cases.services import commitments, extensions, holds, priority
from deadlines.days import local_day
from tests.factories import MONDAY, noticed_case, person
from tests.records.factories import case_with_records

pytestmark = pytest.mark.django_db
TODAY = local_day(MONDAY)
CERTIFIED = {
    "certified_by": "Dana Oyelaran MD",
    "certified_on": TODAY,
    "support": "The report of 1 March: loss of motor function.",
    "why": "The physician certified it after the notice went out.",
}


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


@pytest.fixture
def complete():
    return Case.objects.get(pk=case_with_records().pk)


def get_active_deadline(case, deadline_kind):
    return case.deadlines.get(deadline_kind=deadline_kind, replaced_at__isnull=True)


def extend_determination(case, by, *, days=2, at=MONDAY + timedelta(days=2), **changes):
    facts = {
        "approved_by": "J. Alvarado",
        "approved_on": local_day(at),
        "letter_reference": "DWC-2026-118",
        "good_cause": "The reviewer fell ill.",
    }
    return extensions.extend_determination(
        case_id=case.pk, days=days, by=by, at=at, **facts | changes
    )


def test_an_approved_extension_moves_the_legal_date_and_names_who_approved_it(
    complete, coordinator
):
    before = get_active_deadline(complete, "determination_regular")

    extend_determination(complete, coordinator, days=2)

    after = get_active_deadline(complete, "determination_regular")
    assert after.due_on - before.due_on >= timedelta(days=2)
    assert any("adds 2 days" in step["sentence"] for step in after.legal_steps)
    complete.refresh_from_db()
    assert complete.due_on == after.due_on
    event = complete.events.get(kind=Event.Kind.EXTENDED)
    assert "J. Alvarado" in event.sentence
    assert "DWC-2026-118" in event.sentence


def test_extensions_are_counted_and_all_together_add_three_days(complete, coordinator):
    assert extensions.count_extension_days_left(case=complete) == 3
    extend_determination(complete, coordinator, days=2)
    assert extensions.count_extension_days_left(case=complete) == 1

    with pytest.raises(NotAllowed, match="at most 3 days. 2 days of them are used"):
        extend_determination(complete, coordinator, days=2)
    second = extend_determination(complete, coordinator, days=1)

    assert second.number == 2
    assert extensions.count_extension_days_left(case=complete) == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"approved_by": " "}, "who approved"),
        ({"letter_reference": ""}, "which letter"),
        ({"good_cause": ""}, "good cause"),
        ({"approved_on": date(2027, 1, 1)}, "in the future"),
        ({"approved_on": date(2026, 1, 1)}, "before the application was received"),
        ({"days": 0}, "how many days"),
    ],
)
def test_an_extension_without_its_approval_is_refused(complete, coordinator, changes, says):
    with pytest.raises(NotAllowed, match=says):
        extend_determination(complete, coordinator, **changes)

    assert not complete.extensions.exists()


def test_an_approval_after_the_last_day_moves_nothing_and_the_case_stays_valid(
    complete, coordinator
):
    with pytest.raises(NotAllowed, match="stays valid"):
        extend_determination(complete, coordinator, at=MONDAY + timedelta(days=60))


@pytest.mark.capability("CK-10")
def test_converting_to_expedited_before_the_records_arrive_counts_their_deadline_in_hours(
    coordinator,
):
    case = noticed_case()
    received_at = MONDAY + timedelta(hours=6)

    priority.change_priority(
        case_id=case.pk,
        new="EXPEDITED",
        notice_received_at=received_at,
        by=coordinator,
        at=MONDAY + timedelta(hours=7),
        **CERTIFIED,
    )

    case.refresh_from_db()
    assert case.priority == Priority.EXPEDITED
    assert get_active_deadline(case, "records_expedited").due_at == received_at + timedelta(
        hours=24
    )
    assert get_active_deadline(case, "own_papers_expedited").due_at == received_at + timedelta(
        hours=24
    )
    assert not case.deadlines.filter(deadline_kind="records", replaced_at__isnull=True).exists()
    assert case.due_deadline_kind == "records_expedited"
    change = case.priority_changes.get()
    assert (change.certified_by, change.certified_on) == ("Dana Oyelaran MD", TODAY)
    event = case.events.get(kind=Event.Kind.CONVERTED)
    assert "Dana Oyelaran MD" in event.sentence
    assert {row["deadline_kind"] for row in event.facts["moved"]} >= {
        "records",
        "records_expedited",
    }


@pytest.mark.capability("CK-10")
def test_converting_a_complete_file_gives_72_hours_and_converting_back_gives_30_days(
    complete, coordinator
):
    regular = get_active_deadline(complete, "determination_regular").due_on
    at = MONDAY + timedelta(days=3)
    whole = at - timedelta(hours=1)

    priority.change_priority(
        case_id=complete.pk,
        new="EXPEDITED",
        information_complete_at=whole,
        by=coordinator,
        at=at,
        **CERTIFIED,
    )
    assert get_active_deadline(complete, "determination_expedited").due_at == whole + timedelta(
        hours=72
    )
    assert get_active_deadline(complete, "notice_mark")

    priority.change_priority(
        case_id=complete.pk, new="REGULAR", why="Certification withdrawn.", by=coordinator, at=at
    )
    complete.refresh_from_db()
    assert (
        get_active_deadline(complete, "determination_regular").due_on == regular == complete.due_on
    )
    assert complete.priority_changes.count() == 2
    earlier = complete.deadlines.filter(deadline_kind="determination_expedited").get()
    assert earlier.replaced_at is not None
    assert earlier.steps


@pytest.mark.capability("CK-10")
def test_formulary_deadlines_count_working_days(complete, coordinator):
    priority.change_priority(
        case_id=complete.pk, new="FORMULARY", why="A drug of the list.", by=coordinator, at=MONDAY
    )

    days = (
        get_active_deadline(complete, "determination_formulary").due_on
        - complete.records_complete_on
    )
    assert timedelta(days=5) < days <= timedelta(days=9)


@pytest.mark.capability("CK-10")
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"certified_by": ""}, "Enter the physician"),
        ({"certified_on": None}, "date of the certification"),
        ({"support": " "}, "supports"),
        ({"why": ""}, "why the priority changes"),
        ({"new": "REGULAR"}, "different priority"),
        ({"notice_received_at": None}, "Enter the time"),
        ({"notice_received_at": MONDAY + timedelta(days=9)}, "in the future"),
    ],
)
def test_a_conversion_without_its_certificate_or_hour_changes_nothing(coordinator, changes, says):
    case = noticed_case()
    facts = {"new": "EXPEDITED", "notice_received_at": MONDAY + timedelta(hours=5), **CERTIFIED}

    with pytest.raises(NotAllowed, match=says):
        priority.change_priority(
            case_id=case.pk, by=coordinator, at=MONDAY + timedelta(hours=6), **facts | changes
        )

    case.refresh_from_db()
    assert case.priority == Priority.REGULAR
    assert get_active_deadline(case, "records")
    assert not case.priority_changes.exists()


def test_a_hold_that_does_not_fit_the_new_priority_ends_first(coordinator):
    case = noticed_case()
    holds.begin_hold(
        case_id=case.pk,
        reason="PARTY_ASKED",
        starts_on=TODAY,
        planned_end=TODAY + timedelta(days=5),
        by=coordinator,
        at=MONDAY + timedelta(hours=5),
    )

    with pytest.raises(NotAllowed, match="End it first"):
        priority.change_priority(
            case_id=case.pk,
            new="FORMULARY",
            why="A drug.",
            by=coordinator,
            at=MONDAY + timedelta(hours=6),
        )


def add_commitment(case, by, **changes):
    facts = {
        "party_id": case.parties.get(role="EMPLOYEE").pk,
        "description": "A copy of the file",
        "due_on": TODAY + timedelta(days=7),
        "informed_on": TODAY,
        "letter_reference": "Letter of 2 March",
        "why": "She asked by telephone.",
    }
    return commitments.add_commitment(case_id=case.pk, by=by, at=MONDAY, **facts | changes)


def move_commitment(commitment, by, *, days=7, at=MONDAY, **changes):
    facts = {
        "due_on": commitment.due_on + timedelta(days=days),
        "informed_on": local_day(at),
        "letter_reference": "Another letter",
        "why": "The copier broke.",
    }
    return commitments.move_commitment(commitment_id=commitment.pk, by=by, at=at, **facts | changes)


@pytest.mark.capability("CK-8")
def test_a_commitment_records_the_party_the_time_and_the_letter(coordinator):
    case = noticed_case()

    made = add_commitment(case, coordinator)

    assert made.party.role == "EMPLOYEE"
    assert (made.informed_on, made.letter_reference) == (TODAY, "Letter of 2 March")
    event = case.events.get(kind=Event.Kind.COMMITMENT)
    assert made.party.name in event.sentence
    assert event.facts["letter"] == "Letter of 2 March"


@pytest.mark.capability("CK-8")
def test_a_commitment_moves_at_most_twice_and_the_earlier_dates_are_kept(coordinator):
    case = noticed_case()
    first = add_commitment(case, coordinator)
    second = move_commitment(first, coordinator)
    third = move_commitment(second, coordinator)

    with pytest.raises(NotAllowed, match="moved 2 times, which is the limit"):
        move_commitment(third, coordinator)
    with pytest.raises(NotAllowed, match="Use the later one"):
        move_commitment(first, coordinator)

    assert [one.moved for one in case.commitments.order_by("pk")] == [0, 1, 2]
    assert third.replaces == second
    first.refresh_from_db()
    assert first.due_on == TODAY + timedelta(days=7)


@pytest.mark.capability("CK-8")
def test_a_kept_commitment_does_not_move(coordinator):
    case = noticed_case()
    made = add_commitment(case, coordinator)
    commitments.keep_commitment(commitment_id=made.pk, kept_on=TODAY, by=coordinator, at=MONDAY)

    with pytest.raises(NotAllowed, match="was kept on"):
        move_commitment(made, coordinator)


@pytest.mark.capability("CK-8")
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"letter_reference": ""}, "letter by which"),
        ({"description": ""}, "what was promised"),
        ({"party_id": 0}, "a party of this case"),
        ({"informed_on": TODAY + timedelta(days=1)}, "in the future"),
        ({"due_on": TODAY - timedelta(days=1)}, "before the day on which the party was informed"),
    ],
)
def test_an_incomplete_commitment_is_refused(coordinator, changes, says):
    case = noticed_case()

    with pytest.raises(NotAllowed, match=says):
        add_commitment(case, coordinator, **changes)

    assert not case.commitments.exists()


@pytest.mark.parametrize("role", [Role.INTAKE, Role.QA, Role.AUDITOR])
def test_other_roles_cannot_move_dates(complete, role):
    somebody = person(role)
    with pytest.raises(NotAllowed):
        extend_determination(complete, somebody)
    with pytest.raises(NotAllowed):
        add_commitment(complete, somebody)
    with pytest.raises(NotAllowed):
        priority.change_priority(
            case_id=complete.pk,
            new="FORMULARY",
            why="x",
            by=somebody,
            at=datetime(2026, 3, 3, tzinfo=UTC),
        )
