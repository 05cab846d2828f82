"""Complaints: recorded, answered, followed by corrective actions, and who reads them."""

import html
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from accounts.refusals import BadFact, NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.services import restrictions
from complaints import services
from complaints.models import Complaint, CorrectiveAction
from complaints.overview import load_trend
from complaints.services import ComplaintValues
from complaints.trend import count_in_time
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db

TODAY = MONDAY.date()
TYPED = {
    "received_on": "3/2/2026",
    "channel": "PHONE",
    "party_kind": "EMPLOYEE",
    "party_name": "José O’Neil-Núñez",
    "category": "TIMELINESS",
    "case_number": "",
    "text": "The letter came late.\nNobody called back.",
    "answer_due_on": "",
}


@pytest.fixture(autouse=True)
def clock(set_clock):
    set_clock(MONDAY)


@pytest.fixture
def clerk():
    return person(Role.INTAKE, name="Rosa Okafor")


@pytest.fixture
def director():
    return person(Role.DIRECTOR, name="Dana Oyelaran")


def record(by, *, at=MONDAY, **changes):
    values = {
        "received_on": TODAY, "channel": "MAIL", "party_kind": "EMPLOYEE",
        "party_name": "Ines Worker", "category": "CONDUCT", "text": "The clerk hung up.",
    }  # fmt: skip
    return services.record_complaint(values=ComplaintValues(**values | changes), by=by, at=at)


def answer(complaint, by, *, on=TODAY, at=MONDAY):
    return services.answer_complaint(
        complaint_id=complaint.pk, answer="We apologized.", answered_on=on, seen_version=None,
        by=by, at=at,
    )  # fmt: skip


def add_action(complaint, by, *, due_on=TODAY + timedelta(days=7), responsible=None, at=MONDAY):
    return services.add_corrective_action(
        complaint_id=complaint.pk, description="Train the phone desk",
        responsible_id=(responsible or by).pk, due_on=due_on, by=by, at=at,
    )  # fmt: skip


def finish(action, by, *, at=MONDAY):
    return services.complete_corrective_action(
        action_id=action.pk, done_on=at.date(), note="All four were trained.", by=by, at=at
    )


def state_of(complaint):
    return Complaint.objects.with_state().get(pk=complaint.pk).state


def page_of(client, who, address):
    client.force_login(who)
    answered = client.get(address)
    return html.unescape(answered.content.decode()) if answered.status_code == 200 else None


# --- Recording ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["INTAKE", "SUPERVISOR", "COORDINATOR", "QA", "DIRECTOR",
                                  "MAILROOM"])  # fmt: skip
def test_whoever_speaks_with_parties_records_a_complaint_with_its_limit(client, role):
    someone, case = person(Role(role)), received_case()
    client.force_login(someone)
    address = reverse("complaints:record")
    assert (
        f'href="{address}?case={case.number}"'
        in client.get(case.get_absolute_url()).content.decode()
    )

    sent = client.post(address, TYPED | {"case_number": case.number.lower()})

    complaint = Complaint.objects.get()
    assert sent.url == complaint.get_absolute_url()
    assert (complaint.case, complaint.recorded_by) == (case, someone)
    assert complaint.answer_due_on == date(2026, 4, 1)
    assert complaint.text == "The letter came late.\nNobody called back."
    version = complaint.history.get()
    assert (version.history_user, version.history_date) == (someone, MONDAY)
    assert "José O’Neil-Núñez" in page_of(client, someone, sent.url)


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"answer_due_on": "4/2/2026"}, "answer_due_on", "Apr 1, 2026, which is 30 days after it."),
        ({"answer_due_on": "3/1/2026"}, "answer_due_on", "Enter a day between the day of receipt"),
        ({"received_on": "3/3/2026"}, "received_on", "The day of receipt is in the future."),
        ({"received_on": "soon"}, "received_on", ""),
        ({"case_number": "CM26-9999999"}, "case_number", "There is no case with this number."),
        ({"party_name": ""}, "party_name", "Enter who complained, or choose “Gave no name”."),
        ({"category": "X"}, "category", ""),
        ({"text": "x" * 4001}, "text", "Shorten it to 4000."),
        ({"text": "null \0 character"}, "text", "characters that cannot be stored"),
    ],
)
def test_bad_input_is_refused_beside_its_field_and_kept(client, clerk, typed, field, sentence):
    client.force_login(clerk)

    sent = client.post(reverse("complaints:record"), TYPED | typed)

    page = html.unescape(sent.content.decode())
    assert sent.status_code == 422
    assert sentence in page
    assert f'id="id_{field}_error"' in page
    assert "Nobody called back." in page or field == "text"
    assert not Complaint.objects.exists()


def test_an_earlier_limit_and_a_party_without_a_name_are_recorded(client, clerk):
    client.force_login(clerk)
    typed = {"answer_due_on": "3/9/2026", "party_kind": "NOT_NAMED", "text": "مرحبا 👋 \u202eabc"}

    client.post(reverse("complaints:record"), TYPED | typed)

    complaint = Complaint.objects.get()
    assert complaint.answer_due_on == date(2026, 3, 9)
    assert (complaint.party_name, complaint.party) == ("", "Gave no name")
    assert complaint.text == "مرحبا 👋 \u202eabc"


def test_the_limit_is_configured(settings, clerk):
    settings.COMPLAINT_ANSWER_DAYS = 10

    assert record(clerk).answer_due_on == date(2026, 3, 12)


def test_the_same_form_sent_again_records_no_second_complaint(client, clerk):
    client.force_login(clerk)
    key = {"form_key": "6a1d3c34-1f61-4c6e-9a53-0d5b0a4b3f10"}

    for _ in range(2):
        client.post(reverse("complaints:record"), TYPED | key)

    assert Complaint.objects.count() == 1


def test_a_role_without_parties_records_none(clerk):
    with pytest.raises(NotAllowed, match="Your role may not record complaints"):
        record(person(Role.CREDENTIALING))
    with pytest.raises(NotAllowed, match="Your role may not record complaints"):
        record(person(Role.AUDITOR))


# --- Changing, answering, corrective actions ------------------------------------------------------


def test_a_change_keeps_the_earlier_version_and_shows_what_changed(client, clerk, director):
    complaint = record(clerk)
    client.force_login(clerk)
    address = reverse("complaints:change", args=[complaint.pk])

    sent = client.post(address, TYPED | {"version": 1, "text": "The clerk hung up.",
                                         "party_name": "Ines Worker"})  # fmt: skip

    assert sent.url == complaint.get_absolute_url()
    assert complaint.history.count() == 2
    page = page_of(client, director, sent.url)
    assert "Category: “Conduct” → “Timeliness”" in page
    assert "Received by: “Mail” → “Phone”" in page

    client.force_login(clerk)
    stale = client.post(address, TYPED | {"version": 1})
    assert stale.status_code == 409
    assert "Nobody called back." in stale.content.decode()


def test_the_state_follows_from_the_answer_and_the_corrective_actions(clerk, director):
    complaint = record(clerk)
    assert state_of(complaint) == "OPEN"
    action = add_action(complaint, director)
    finish(add_action(complaint, director), director)
    assert state_of(complaint) == "OPEN"

    answer(complaint, director)
    assert state_of(complaint) == "ANSWERED"

    finish(action, director)
    assert state_of(complaint) == "CLOSED"
    assert [one.history_change_reason for one in action.history.order_by("history_id")] == [
        "Added", "Done",
    ]  # fmt: skip

    add_action(complaint, director)
    assert state_of(complaint) == "ANSWERED"


def test_answers_and_actions_are_kept_from_the_page(client, clerk):
    supervisor = person(Role.SUPERVISOR, name="Lee Marsh")
    complaint = record(clerk)
    client.force_login(supervisor)
    at = [complaint.pk]

    client.post(reverse("complaints:add_action", args=at), {
        "description": "Call back within a day", "responsible": clerk.pk, "due_on": "3/9/2026",
    })  # fmt: skip
    action = CorrectiveAction.objects.get()
    client.post(reverse("complaints:answer", args=at), {
        "answer": "We called you.", "answered_on": "3/2/2026", "version": 1,
    })  # fmt: skip
    client.post(reverse("complaints:complete_action", args=[*at, action.pk]), {
        "note": "Done for all.", "done_on": "3/2/2026",
    })  # fmt: skip

    complaint.refresh_from_db()
    assert (complaint.answer, complaint.answered_by) == ("We called you.", supervisor)
    assert state_of(complaint) == "CLOSED"
    page = page_of(client, clerk, complaint.get_absolute_url())
    assert "We called you." in page
    assert "Responsible: Rosa Okafor" in page
    assert "Done for all." in page
    assert "Save answer" not in page  # the clerk reads it, and does not answer


@pytest.mark.parametrize(
    ("route", "typed", "sentence"),
    [
        ("answer", {"answer": "", "answered_on": "3/2/2026"}, "Enter the answer."),
        ("answer", {"answer": "Typed", "answered_on": "3/1/2026"}, "Mar 2, 2026. Check both"),
        ("answer", {"answer": "Typed", "answered_on": "3/3/2026"}, "in the future"),
        ("add_action", {"description": "Typed", "responsible": "", "due_on": "3/9/2026"},
         "Choose who is responsible."),
        ("add_action", {"description": "Typed", "responsible": "999999", "due_on": "3/9/2026"},
         "Choose who is responsible."),
        ("complete_action", {"note": "Typed", "done_on": "2/2/2026"}, "Mar 2, 2026. Check both"),
        ("complete_action", {"note": "", "done_on": "3/2/2026"}, "Enter what was done."),
    ],
)  # fmt: skip
def test_a_refused_answer_or_action_keeps_what_was_typed(
    client, clerk, director, route, typed, sentence
):
    complaint = record(clerk)
    ids = [complaint.pk]
    if route == "complete_action":
        ids.append(add_action(complaint, director).pk)
    client.force_login(director)

    sent = client.post(reverse(f"complaints:{route}", args=ids), typed | {"version": 1})

    page = html.unescape(sent.content.decode())
    assert sent.status_code == 422
    assert sentence in page
    assert "Typed" in page or "Typed" not in typed.values()
    assert state_of(complaint) == "OPEN"


def test_of_two_answers_the_second_is_stale_and_of_two_completions_refused(clerk, director):
    complaint = record(clerk)
    action = add_action(complaint, director)
    answer(complaint, director)
    with pytest.raises(Stale):
        services.answer_complaint(
            complaint_id=complaint.pk, answer="Another.", answered_on=TODAY, seen_version=1,
            by=director, at=MONDAY,
        )  # fmt: skip
    finish(action, director)
    with pytest.raises(NotAllowed, match="done already"):
        finish(action, director)
    assert Complaint.objects.get().answer == "We apologized."


@pytest.mark.parametrize("role", ["INTAKE", "COORDINATOR", "MAILROOM", "QA"])
def test_only_the_director_and_supervisors_answer_and_keep_actions(role):
    someone = person(Role(role))
    complaint = record(someone)
    with pytest.raises(NotAllowed, match="Only the medical director or a supervisor answers"):
        answer(complaint, someone)
    with pytest.raises(NotAllowed, match="keeps corrective actions"):
        add_action(complaint, someone)


def test_after_the_answer_the_recorder_changes_nothing(clerk, director):
    complaint = answer(record(clerk), director)
    values = ComplaintValues(TODAY, "MAIL", "OTHER", "X", "OTHER", "Another text")
    with pytest.raises(NotAllowed, match="was answered"):
        services.change_complaint(
            complaint_id=complaint.pk, values=values, seen_version=None, by=clerk, at=MONDAY
        )
    with pytest.raises(BadFact, match="after the day of the answer"):
        services.change_complaint(
            complaint_id=complaint.pk,
            values=ComplaintValues(TODAY + timedelta(days=1), "MAIL", "OTHER", "X", "OTHER", "T"),
            seen_version=None, by=director, at=MONDAY + timedelta(days=2),
        )  # fmt: skip


# --- Who reads them -------------------------------------------------------------------------------


def test_director_and_auditor_read_all_and_others_what_they_recorded(client, clerk, director):
    complaint = record(clerk)
    addresses = [complaint.get_absolute_url(), reverse("complaints:list")]

    for reader in (clerk, director, person(Role.AUDITOR), person(Role.SUPERVISOR)):
        assert all("Ines Worker" in page_of(client, reader, one) for one in addresses)
    for reader in (person(Role.INTAKE), person(Role.COORDINATOR), person(Role.QA)):
        assert page_of(client, reader, addresses[0]) is None
        assert "Ines Worker" not in page_of(client, reader, addresses[1])


def test_a_complaint_stands_on_its_case_for_those_who_may_read_it(client, clerk, director):
    case = received_case()
    complaint = record(clerk, case_number=case.number)
    words = f'href="{complaint.get_absolute_url()}"'

    assert words in page_of(client, director, case.get_absolute_url())
    assert words in page_of(client, clerk, case.get_absolute_url())
    assert words not in page_of(client, person(Role.COORDINATOR), case.get_absolute_url())
    assert words not in page_of(client, person(Role.CREDENTIALING), case.get_absolute_url())


def test_a_complaint_about_a_restricted_case_is_hidden_everywhere(client, clerk, director):
    case = received_case()
    complaint = record(clerk, case_number=case.number, answer_due_on=TODAY)
    add_action(complaint, director, due_on=TODAY)
    restrictions.restrict_case(
        case_id=case.pk, ground="PUBLIC", reason="A mayor", related=[], by=director, at=MONDAY
    )
    auditor, other = person(Role.AUDITOR), person(Role.DIRECTOR)

    for reader in (clerk, auditor, other):
        assert page_of(client, reader, complaint.get_absolute_url()) is None
        assert "Ines Worker" not in page_of(client, reader, reverse("complaints:list"))
    assert load_trend(other, today=TODAY).total == 0
    assert load_trend(director, today=TODAY).total == 1
    with pytest.raises(NotAllowed, match="no clearance"):
        answer(complaint, other)
    with pytest.raises(BadFact, match="no case with this number"):
        record(clerk, case_number=case.number)


def test_a_reviewer_is_neither_offered_as_responsible_nor_named_to_an_auditor(client, clerk):
    # Someone who reviewed before is known to the director, and not to an auditor.
    former = person(Role.COORDINATOR, Role.REVIEWER, name="Qvx Reviewer")
    director = person(Role.DIRECTOR)
    complaint = record(former)
    add_action(complaint, director, responsible=former)

    assert "Qvx Reviewer" in page_of(client, director, complaint.get_absolute_url())
    page = page_of(client, person(Role.AUDITOR), complaint.get_absolute_url())
    assert "Qvx Reviewer" not in page
    assert "The reviewer" in page
    supervisor = person(Role.SUPERVISOR)
    assert "Qvx Reviewer" not in page_of(client, supervisor, complaint.get_absolute_url())
    with pytest.raises(BadFact, match="Choose who is responsible"):
        add_action(complaint, supervisor, responsible=former)


# --- The list, My day, the trend ------------------------------------------------------------------


@pytest.fixture
def log(clerk, director):
    """Four complaints, received two months ago or today: overdue, open, answered late, closed."""
    january = datetime(2026, 1, 5, 17, tzinfo=UTC)
    on = january.date()
    late = record(clerk, at=january, received_on=on, text="Late", category="TIMELINESS")
    record(clerk, at=january, received_on=on, text="Overdue", party_name="Olga Overdue")
    record(clerk, text="Open", party_name="Opal Open")
    closed = record(clerk, text="Closed", party_name="Clive Closed")
    answer(late, director)
    answer(closed, director)
    return late


def test_the_list_has_open_ones_first_by_limit_and_filters(client, director, log):
    address = reverse("complaints:list")
    page = page_of(client, director, address)
    places = [page.index(name) for name in ("Olga Overdue", "Opal Open", "Clive Closed")]
    assert places == sorted(places)
    assert page.count("tag over") == 1

    assert "Opal Open" not in page_of(client, director, f"{address}?state=CLOSED")
    assert "Clive Closed" in page_of(client, director, f"{address}?state=CLOSED")
    assert "Opal Open" not in page_of(client, director, f"{address}?category=TIMELINESS")
    january = page_of(client, director, f"{address}?first_day=1/1/2026&last_day=1/31/2026")
    assert "Olga Overdue" in january
    assert "Opal Open" not in january
    client.force_login(director)
    assert client.get(f"{address}?first_day=soon").status_code == 422


def test_the_trend_counts_months_by_category_and_answers_within_the_limit(client, director, log):
    trend = load_trend(director, today=TODAY)

    assert [(month.first, month.total) for month in trend.months if month.total] == [
        (date(2026, 1, 1), 2), (date(2026, 3, 1), 2),
    ]  # fmt: skip
    assert len(trend.months) == 12
    lanes = {lane.label: lane.counts for lane in trend.lanes}
    assert lanes["Timeliness"] == [0] * 9 + [1, 0, 0]
    assert lanes["Conduct"] == [0] * 9 + [1, 0, 2]
    # One closed in time; one answered late and one overdue; the open one is not due yet.
    assert (trend.answers.in_time, trend.answers.due, trend.answers.percent) == (1, 3, 33)
    page = page_of(client, director, reverse("complaints:list"))
    assert 'aria-label="Conduct: 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2"' in page
    assert "1 of 3 answers within the limit (33%)" in page


def test_an_answer_on_the_last_day_is_in_time_and_no_share_is_stated_of_none():
    on = date(2026, 3, 2)
    assert count_in_time([(on, "X", on, on)], today=on).percent == 100
    assert count_in_time([(on, "X", on, None)], today=on).due == 0


def test_overdue_answers_and_actions_stand_on_the_day_of_the_director(client, clerk, director, log):
    add_action(log, director, due_on=TODAY, responsible=clerk)
    page = page_of(client, director, "/")
    assert "Olga Overdue" in page
    assert "Train the phone desk" not in page  # due today, not yet overdue

    assert "Olga Overdue" not in page_of(client, clerk, "/")


def test_an_action_past_its_day_stands_on_the_day_of_the_director(
    client, clerk, director, log, set_clock
):
    action = add_action(log, director, due_on=TODAY, responsible=clerk)
    tomorrow = MONDAY + timedelta(days=1)
    set_clock(tomorrow)
    assert "Train the phone desk" in page_of(client, director, "/")

    finish(action, director, at=tomorrow)
    assert "Train the phone desk" not in page_of(client, director, "/")
