"""Outstanding records: whose they are, since when, who was reminded, and what the deadline says."""

import html
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from cases.models import Event, Party
from deadlines.calendars import Calendar
from records.outstanding import OutstandingFilter, list_outstanding, subtract_working_days
from records.services import reminders
from tests.factories import MONDAY, eligible_case, noticed_case, person
from tests.records.factories import add_record, case_with_records

pytestmark = pytest.mark.django_db

AT = MONDAY + timedelta(days=3)
THURSDAY = date(2026, 3, 5)


@pytest.fixture
def coordinator(client, set_clock):
    set_clock(AT)
    user = person(Role.COORDINATOR, name="Mina Petrov")
    client.force_login(user)
    return user


def get_administrator(case):
    return case.parties.get(role="CLAIMS_ADMINISTRATOR")


def log_reminder(
    case, by, *, party=None, way="CALL", spoke_to="J. Merriweather", outcome="Tomorrow.", at=AT
):
    return reminders.log_records_reminder(
        case_id=case.pk,
        party_id=(party or get_administrator(case)).pk,
        way=way,
        spoke_to=spoke_to,
        outcome=outcome,
        by=by,
        at=at,
    )


def read_row(case, reader, today=THURSDAY, **asked):
    (found,) = [
        row for row in list_outstanding(reader, today=today, **asked).rows if row.case.pk == case.pk
    ]
    return found


def test_a_call_is_recorded_with_the_person_and_the_answer_and_moves_no_deadline(coordinator):
    case = noticed_case()
    before = list(case.deadlines.order_by("pk").values())

    event = log_reminder(case, coordinator)

    assert (event.kind, event.by) == (Event.Kind.REMINDED, coordinator)
    assert event.sentence == "Called Pacific Comp Claims, spoke to J. Merriweather: Tomorrow."
    assert event.facts["party"] == get_administrator(case).pk
    assert list(case.deadlines.order_by("pk").values()) == before
    row = read_row(case, coordinator)
    assert (row.reminder.on, row.reminder.by) == (THURSDAY, "Mina Petrov")
    assert row.reminder.sentence == event.sentence


@pytest.mark.capability("RC-7")
def test_the_list_of_outstanding_records_shows_the_party_the_dates_and_the_next_step(coordinator):
    case = noticed_case()
    row = read_row(case, coordinator)
    assert (row.notice.party, row.days_since, row.received_count) == (get_administrator(case), 3, 0)
    assert row.deadline.deadline_kind == "records"
    assert row.reminder is None
    assert row.effect == "The case waits for the records until then."

    after = row.deadline.due_on + timedelta(days=1)
    late = read_row(case, coordinator, today=after, show=OutstandingFilter.LATE)
    assert late.effect == "1 day overdue. The case can continue with what is on file."
    assert list_outstanding(coordinator, today=THURSDAY, show=OutstandingFilter.LATE).rows == []


@pytest.mark.capability("RC-7")
def test_received_records_are_counted_and_a_complete_case_is_not_listed(coordinator):
    case = case_with_records()
    assert case.pk not in [
        row.case.pk for row in list_outstanding(coordinator, today=THURSDAY).rows
    ]
    waiting = noticed_case()
    add_record(waiting, by=coordinator, at=AT, sent_by="CLAIMS_ADMINISTRATOR")
    row = read_row(waiting, coordinator)
    assert row.received_count == 1
    assert row.effect == "Records received. Check whether the file is complete."
    assert row.remind_from is None


FIRST_DAY = date(2026, 3, 12)  # three working days before Tuesday 17 March: 12, 13, 16


def list_cases_to_remind(reader, today):
    return [
        row.case.pk
        for row in list_outstanding(reader, today=today, show=OutstandingFilter.REMIND).rows
    ]


@pytest.mark.capability("CK-7")
def test_a_reminder_is_due_three_working_days_before_the_due_date(coordinator):
    case = noticed_case()
    assert read_row(case, coordinator).deadline.due_on == date(2026, 3, 17)
    for day in range(3, 12):
        today = date(2026, 3, day)
        assert read_row(case, coordinator, today=today).remind_from is None
        assert list_cases_to_remind(coordinator, today) == []
    for day in (12, 13, 16, 17, 18, 30):  # also when no one looked on the first day
        today = date(2026, 3, day)
        assert read_row(case, coordinator, today=today).remind_from == FIRST_DAY
        assert list_cases_to_remind(coordinator, today) == [case.pk]


@pytest.mark.capability("CK-7")
def test_a_reminder_is_sent_once(coordinator):
    case, early = noticed_case(), noticed_case()
    log_reminder(early, coordinator, at=MONDAY + timedelta(days=3))
    assert list_cases_to_remind(coordinator, FIRST_DAY) == [
        case.pk,
        early.pk,
    ]  # it was too early

    log_reminder(case, coordinator, at=MONDAY + timedelta(days=10))

    assert list_cases_to_remind(coordinator, FIRST_DAY) == [early.pk]
    assert list_cases_to_remind(coordinator, date(2026, 3, 16)) == [early.pk]


@pytest.mark.capability("CK-7")
def test_no_one_is_reminded_after_an_answer(coordinator):
    case, other = noticed_case(), noticed_case()
    add_record(case, by=coordinator, at=AT, sent_by="CLAIMS_ADMINISTRATOR")
    add_record(other, by=coordinator, at=AT, sent_by="EMPLOYEE")  # not theirs to answer with
    assert list_cases_to_remind(coordinator, FIRST_DAY) == [other.pk]
    assert list_cases_to_remind(coordinator, date(2026, 3, 30)) == [other.pk]


def test_counting_working_days_backward_skips_weekends_and_holidays():
    calendar = Calendar("office", {date(2026, 3, 31): "Cesar Chavez Day"})
    assert subtract_working_days(calendar, date(2026, 4, 2), 3) == date(2026, 3, 27)
    assert subtract_working_days(calendar, date(2026, 3, 30), 1) == date(2026, 3, 27)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"outcome": " "}, "Enter the outcome"),
        ({"spoke_to": ""}, "Enter who answered"),
        ({"way": "PIGEON"}, "Choose how"),
    ],
)
def test_an_empty_reminder_is_refused(coordinator, changes, sentence):
    case = noticed_case()
    with pytest.raises(NotAllowed, match=sentence):
        log_reminder(case, coordinator, **changes)
    assert not case.events.filter(kind=Event.Kind.REMINDED).exists()
    assert log_reminder(case, coordinator, way="FAX", spoke_to="").sentence == (
        "Faxed Pacific Comp Claims: Tomorrow."
    )


@pytest.mark.capability("defect 12")
def test_a_party_of_another_case_is_not_reminded(client, coordinator):
    case, other = noticed_case(), noticed_case()
    with pytest.raises(NotAllowed, match="a party of this case"):
        log_reminder(case, coordinator, party=get_administrator(other))
    answer = client.post(
        reverse("records:remind", args=[case.number]),
        {"party": get_administrator(other).pk, "way": "FAX", "outcome": "Tomorrow."},
    )
    assert answer.status_code == 422
    assert not Event.objects.filter(kind=Event.Kind.REMINDED).exists()


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["records.log_reminder"]))
def test_other_roles_cannot_log_a_reminder(client, role):
    case, user = noticed_case(), person(role)
    with pytest.raises(NotAllowed, match="Your role"):
        log_reminder(case, user)
    client.force_login(user)
    for address in (reverse("records:outstanding"), reverse("records:remind", args=[case.number])):
        assert client.get(address).status_code in {403, 404}


def test_no_reminder_is_due_before_the_notice_or_after_the_records(coordinator):
    for case in (eligible_case(), case_with_records()):
        with pytest.raises(NotAllowed, match="To ask for outstanding records"):
            log_reminder(case, coordinator, party=get_administrator(case))


def test_the_page_logs_a_call_and_keeps_what_was_typed_when_it_refuses(client, coordinator):
    case = noticed_case()
    address = reverse("records:remind", args=[case.number])
    party = get_administrator(case)
    refused = client.post(
        address, {"party": party.pk, "way": "CALL", "outcome": "It is in the post."}
    )
    text = html.unescape(refused.content.decode())
    assert refused.status_code == 422
    assert "or “no one”" in text
    assert "It is in the post.</textarea>" in text

    done = client.post(
        address,
        {
            "party": party.pk,
            "way": "CALL",
            "spoke_to": "J. Merriweather",
            "outcome": "In the post.",
            "by": person(Role.AUDITOR).pk,
            "happened_at": "2001-01-01",
        },
    )
    assert done.status_code == 302
    event = case.events.get(kind=Event.Kind.REMINDED)
    assert (event.by, event.happened_at) == (coordinator, AT)
    text = html.unescape(client.get(address).content.decode())
    assert "Called Pacific Comp Claims, spoke to J. Merriweather: In the post." in text
    listed = html.unescape(client.get(reverse("records:outstanding")).content.decode())
    assert "Mina Petrov" in listed
    assert Party.objects.count() == case.parties.count()


def test_the_list_costs_the_same_for_many_cases_and_pages_by_key(client, coordinator, monkeypatch):
    def cost():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("records:outstanding")).status_code == 200
        return len(queries)

    cases = [noticed_case()]
    client.get(reverse("records:outstanding"))
    one = cost()
    cases += [noticed_case() for _ in range(3)]
    for case in cases:
        log_reminder(case, coordinator)
    assert cost() == one

    monkeypatch.setattr("records.outstanding.PAGE_SIZE", 3)
    first = list_outstanding(coordinator, today=THURSDAY)
    rest = list_outstanding(coordinator, today=THURSDAY, after=first.next_key)
    assert [row.case.pk for row in (*first.rows, *rest.rows)] == [case.pk for case in cases]
    assert rest.next_key == ""
    assert len(list_outstanding(coordinator, today=THURSDAY, show=OutstandingFilter.LATE).rows) == 0
    for key in ("x", "2026-03-02", "2026-99-01,1"):
        assert client.get(reverse("records:outstanding"), {"after": key}).status_code == 404


def test_an_empty_list_shows_a_sentence(client, coordinator):
    assert (
        "No records are outstanding." in client.get(reverse("records:outstanding")).content.decode()
    )
    assert (
        "No reminders are due today"
        in client.get(reverse("records:outstanding") + "?show=remind").content.decode()
    )
    assert (
        "No records are overdue"
        in client.get(reverse("records:outstanding") + "?show=late").content.decode()
    )
