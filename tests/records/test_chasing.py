"""Chasing records: who owes them, since when, who was asked, and what the deadline says."""

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
from records.chase import OutstandingFilter, list_outstanding, subtract_working_days
from records.services import chasing
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


def administrator(case):
    return case.parties.get(role="CLAIMS_ADMINISTRATOR")


def log(case, by, *, party=None, way="CALL", spoke_to="J. Merriweather", said="Tomorrow.", at=AT):
    return chasing.log_records_contact(
        case_id=case.pk,
        party_id=(party or administrator(case)).pk,
        way=way,
        spoke_to=spoke_to,
        said=said,
        by=by,
        at=at,
    )


def row_of(case, reader, today=THURSDAY, **asked):
    (found,) = [
        row for row in list_outstanding(reader, today=today, **asked).rows if row.case.pk == case.pk
    ]
    return found


def test_a_call_is_recorded_with_the_person_and_the_answer_and_moves_no_deadline(coordinator):
    case = noticed_case()
    before = list(case.deadlines.order_by("pk").values())

    event = log(case, coordinator)

    assert (event.kind, event.by) == (Event.Kind.CHASED, coordinator)
    assert event.sentence == "Called Pacific Comp Claims, spoke to J. Merriweather: Tomorrow."
    assert event.facts["party"] == administrator(case).pk
    assert list(case.deadlines.order_by("pk").values()) == before
    row = row_of(case, coordinator)
    assert (row.contact.on, row.contact.by) == (THURSDAY, "Mina Petrov")
    assert row.contact.sentence == event.sentence


@pytest.mark.capability("RC-7")
def test_the_list_of_outstanding_records_shows_the_party_the_dates_and_the_next_step(coordinator):
    case = noticed_case()
    row = row_of(case, coordinator)
    assert (row.notice.party, row.days_since, row.came) == (administrator(case), 3, 0)
    assert row.deadline.deadline_kind == "records"
    assert row.contact is None
    assert row.effect == "The case waits for the records until then."

    after = row.deadline.due_on + timedelta(days=1)
    late = row_of(case, coordinator, today=after, show=OutstandingFilter.LATE)
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
    row = row_of(waiting, coordinator)
    assert row.came == 1
    assert row.effect == "Records came. Check whether the file is complete."
    assert row.remind_from is None


FIRST_DAY = date(2026, 3, 12)  # three working days before Tuesday 17 March: 12, 13, 16


def to_remind(reader, today):
    return [
        row.case.pk
        for row in list_outstanding(reader, today=today, show=OutstandingFilter.REMIND).rows
    ]


@pytest.mark.capability("CK-7")
def test_a_reminder_is_due_three_working_days_before_the_due_date(coordinator):
    case = noticed_case()
    assert row_of(case, coordinator).deadline.due_on == date(2026, 3, 17)
    for day in range(3, 12):
        today = date(2026, 3, day)
        assert row_of(case, coordinator, today=today).remind_from is None
        assert to_remind(coordinator, today) == []
    for day in (12, 13, 16, 17, 18, 30):  # also when no one looked on the first day
        today = date(2026, 3, day)
        assert row_of(case, coordinator, today=today).remind_from == FIRST_DAY
        assert to_remind(coordinator, today) == [case.pk]


@pytest.mark.capability("CK-7")
def test_a_reminder_is_sent_once(coordinator):
    case, early = noticed_case(), noticed_case()
    log(early, coordinator, at=MONDAY + timedelta(days=3))
    assert to_remind(coordinator, FIRST_DAY) == [case.pk, early.pk]  # a call before is none

    log(case, coordinator, at=MONDAY + timedelta(days=10))

    assert to_remind(coordinator, FIRST_DAY) == [early.pk]
    assert to_remind(coordinator, date(2026, 3, 16)) == [early.pk]


@pytest.mark.capability("CK-7")
def test_no_one_is_reminded_after_an_answer(coordinator):
    case, other = noticed_case(), noticed_case()
    add_record(case, by=coordinator, at=AT, sent_by="CLAIMS_ADMINISTRATOR")
    add_record(other, by=coordinator, at=AT, sent_by="EMPLOYEE")  # not theirs to answer with
    assert to_remind(coordinator, FIRST_DAY) == [other.pk]
    assert to_remind(coordinator, date(2026, 3, 30)) == [other.pk]


def test_counting_working_days_backward_skips_weekends_and_holidays():
    calendar = Calendar("office", {date(2026, 3, 31): "Cesar Chavez Day"})
    assert subtract_working_days(calendar, date(2026, 4, 2), 3) == date(2026, 3, 27)
    assert subtract_working_days(calendar, date(2026, 3, 30), 1) == date(2026, 3, 27)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"said": " "}, "Enter the outcome"),
        ({"spoke_to": ""}, "Enter who answered"),
        ({"way": "PIGEON"}, "Choose how"),
    ],
)
def test_an_empty_record_of_a_contact_is_refused(coordinator, changes, sentence):
    case = noticed_case()
    with pytest.raises(NotAllowed, match=sentence):
        log(case, coordinator, **changes)
    assert not case.events.filter(kind=Event.Kind.CHASED).exists()
    assert log(case, coordinator, way="FAX", spoke_to="").sentence == (
        "Faxed Pacific Comp Claims: Tomorrow."
    )


@pytest.mark.capability("defect 12")
def test_a_party_of_another_case_is_not_asked(client, coordinator):
    case, other = noticed_case(), noticed_case()
    with pytest.raises(NotAllowed, match="a party of this case"):
        log(case, coordinator, party=administrator(other))
    answer = client.post(
        reverse("records:contact", args=[case.number]),
        {"party": administrator(other).pk, "way": "FAX", "said": "Tomorrow."},
    )
    assert answer.status_code == 422
    assert not Event.objects.filter(kind=Event.Kind.CHASED).exists()


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["records.chase"]))
def test_other_roles_cannot_record_a_contact(client, role):
    case, user = noticed_case(), person(role)
    with pytest.raises(NotAllowed, match="Your role"):
        log(case, user)
    client.force_login(user)
    for address in (reverse("records:chase"), reverse("records:contact", args=[case.number])):
        assert client.get(address).status_code in {403, 404}


def test_no_reminder_is_due_before_the_notice_or_after_the_records(coordinator):
    for case in (eligible_case(), case_with_records()):
        with pytest.raises(NotAllowed, match="To ask for outstanding records"):
            log(case, coordinator, party=administrator(case))


def test_the_page_logs_a_call_and_keeps_what_was_typed_when_it_refuses(client, coordinator):
    case = noticed_case()
    address = reverse("records:contact", args=[case.number])
    party = administrator(case)
    refused = client.post(address, {"party": party.pk, "way": "CALL", "said": "It is in the post."})
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
            "said": "In the post.",
            "by": person(Role.AUDITOR).pk,
            "happened_at": "2001-01-01",
        },
    )
    assert done.status_code == 302
    event = case.events.get(kind=Event.Kind.CHASED)
    assert (event.by, event.happened_at) == (coordinator, AT)
    text = html.unescape(client.get(address).content.decode())
    assert "Called Pacific Comp Claims, spoke to J. Merriweather: In the post." in text
    listed = html.unescape(client.get(reverse("records:chase")).content.decode())
    assert "Mina Petrov" in listed
    assert Party.objects.count() == case.parties.count()


def test_the_list_costs_the_same_for_many_cases_and_pages_by_key(client, coordinator, monkeypatch):
    def cost():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("records:chase")).status_code == 200
        return len(queries)

    cases = [noticed_case()]
    client.get(reverse("records:chase"))
    one = cost()
    cases += [noticed_case() for _ in range(3)]
    for case in cases:
        log(case, coordinator)
    assert cost() == one

    monkeypatch.setattr("records.chase.PAGE_SIZE", 3)
    first = list_outstanding(coordinator, today=THURSDAY)
    rest = list_outstanding(coordinator, today=THURSDAY, after=first.next_key)
    assert [row.case.pk for row in (*first.rows, *rest.rows)] == [case.pk for case in cases]
    assert rest.next_key == ""
    assert len(list_outstanding(coordinator, today=THURSDAY, show=OutstandingFilter.LATE).rows) == 0
    for key in ("x", "2026-03-02", "2026-99-01,1"):
        assert client.get(reverse("records:chase"), {"after": key}).status_code == 404


def test_an_empty_list_shows_a_sentence(client, coordinator):
    assert "No records are outstanding." in client.get(reverse("records:chase")).content.decode()
    assert (
        "No reminders are due today"
        in client.get(reverse("records:chase") + "?show=remind").content.decode()
    )
    assert (
        "No records are overdue"
        in client.get(reverse("records:chase") + "?show=late").content.decode()
    )
