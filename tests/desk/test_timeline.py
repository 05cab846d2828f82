"""The timeline: sentences with who, why, from what to what; filters that survive in the address."""

import html
from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from accounts.services import write_access_entry
from cases.models import Event
from cases.services import notes, parties
from desk.access_log import AccessFilter, find_entries_of_case, list_visits
from desk.next_step import find_next_step
from desk.timeline import A_REVIEWER, PAGE, Filters, list_actors, load_timeline
from tests.determinations.factories import REVIEWED, make_issued_case
from tests.factories import MONDAY, person, received_case
from tests.records.factories import in_review

pytestmark = pytest.mark.django_db

NEXT_DAY = MONDAY + timedelta(days=1)


@pytest.fixture(scope="module")
def done(module_db):
    """A case whose determination is issued."""
    return make_issued_case()


def add_note(case, by, text="The adjuster called.", at=MONDAY):
    return notes.add_note(case_id=case.pk, text=text, by=by, at=at)


def open_timeline(client, case, **asked):
    answer = client.get(reverse("desk:timeline", args=[case.number]), asked)
    return answer.status_code, html.unescape(answer.content.decode())


def list_sentences(case, reader, **filters):
    return [one.sentence for one in load_timeline(case, reader, Filters(**filters)).entries]


# --- sentences and filters ------------------------------------------------------------------------


@pytest.mark.capability("HI-4")
def test_a_change_reads_from_what_to_what_by_whom_and_why(client):
    case, coordinator = received_case(), person(Role.COORDINATOR, name="Mina Petrov")
    attorney = case.parties.get(role="EMPLOYEE_ATTORNEY")
    details = {name: getattr(attorney, name) for name in parties.PartyDetails.__dataclass_fields__}
    parties.change_party_details(
        case_id=case.pk,
        party_id=attorney.pk,
        details=parties.PartyDetails(**details | {"phone": "916 555 0100"}),
        since=None,
        why="Their letter.",
        by=coordinator,
        at=NEXT_DAY,
    )
    client.force_login(person(Role.AUDITOR))

    _, page = open_timeline(client, case)

    assert "Injured worker’s attorney: Ruth Castellanos: phone corrected." in page
    assert "from nothing to “916 555 0100”" in page
    assert "Reason: Their letter." in page
    assert "Mina Petrov" in page


@pytest.mark.capability("HI-4")
def test_the_timeline_filters_by_kind_person_and_day_and_keeps_them_in_the_address(client):
    case = received_case()
    one, other = person(Role.INTAKE, name="Ada One"), person(Role.INTAKE, name="Ben Other")
    add_note(case, one, "First.", MONDAY)
    add_note(case, other, "Second.", NEXT_DAY)
    reader = person(Role.AUDITOR)

    assert list_sentences(case, reader, kind="NOTE") == ["Second.", "First."]
    assert list_sentences(case, reader, person=str(one.pk)) == ["First."]
    assert list_sentences(case, reader, first_day=date(2026, 3, 3)) == ["Second."]
    assert "Second." not in list_sentences(case, reader, last_day=date(2026, 3, 2))

    client.force_login(reader)
    asked = {"kind": "NOTE", "person": one.pk, "first_day": "3/2/2026", "last_day": "3/2/2026"}
    status, page = open_timeline(client, case, **asked)
    assert status == 200
    assert "First." in page
    assert "Second." not in page
    assert f'<option value="{one.pk}" selected>Ada One</option>' in page
    assert 'value="3/2/2026"' in page
    _, nothing = open_timeline(client, case, kind="ISSUED")
    assert "No event matches these filters" in nothing


def test_a_local_day_ends_at_midnight_in_los_angeles():
    case, clerk = received_case(), person(Role.INTAKE)
    late = MONDAY.replace(day=3, hour=7, minute=59)  # 23:59 on 2 March
    add_note(case, clerk, "Late.", late)
    add_note(case, clerk, "Later.", late + timedelta(minutes=1))
    assert list_sentences(case, clerk, kind="NOTE", last_day=date(2026, 3, 2)) == ["Late."]


@pytest.mark.parametrize("asked", [{"first_day": "soon"}, {"kind": "X"}, {"person": "x' or 1=1"}])
def test_an_unreadable_filter_is_ignored_with_a_sentence(client, asked):
    case = received_case()
    client.force_login(person(Role.AUDITOR))
    status, page = open_timeline(client, case, **asked)
    assert status == (200 if "person" in asked else 422)
    assert "Application received" in page


def test_a_period_that_ends_before_it_begins_is_refused_beside_the_field(client):
    case = received_case()
    client.force_login(person(Role.AUDITOR))
    status, page = open_timeline(client, case, first_day="3/5/2026", last_day="3/2/2026")
    assert status == 422
    assert 'id="id_last_day_error">The period ends before it begins.' in page
    assert 'value="3/2/2026"' in page


def test_a_long_timeline_is_paged_without_missing_or_repeated_events(client):
    case, clerk = received_case(), person(Role.INTAKE)
    for number in range(PAGE + 10):
        add_note(case, clerk, f"Note {number}.")  # all in the same second
    first = load_timeline(case, clerk)
    rest = load_timeline(case, clerk, before=first.older)
    results = [one.pk for one in (*first.entries, *rest.entries)]
    assert len(first.entries) == PAGE
    assert rest.older == ""
    assert results == list(case.events.order_by("-happened_at", "-pk").values_list("pk", flat=True))

    client.force_login(clerk)
    _, page = open_timeline(client, case, kind="NOTE")
    assert f"kind=NOTE&before={first.older}" in page
    other = received_case().events.get()
    for key in (str(other.pk), "x", "-1", "9" * 30):
        assert open_timeline(client, case, before=key)[0] == 404


# --- who may be known -----------------------------------------------------------------------------


@pytest.mark.capability("HI-4")
@pytest.mark.parametrize("role", sorted(PERMISSIONS["cases.view_case"]))
def test_the_filter_by_person_never_reveals_the_reviewer(client, done, role):
    reader, reviewer = person(role), done.assignments.get().reviewer.user
    offered = dict(list_actors(done, reader))

    by_id = list_sentences(done, reader, person=str(reviewer.pk))
    if reader.may("reviewers.view_identity"):
        assert offered[str(reviewer.pk)] == reviewer.name
        assert by_id
        return
    assert str(reviewer.pk) not in offered
    assert offered[A_REVIEWER] == "The reviewer"
    assert by_id == []
    assert list_sentences(done, reader, person=A_REVIEWER)
    client.force_login(reader)
    # Through the page an id that is not offered filters nothing, whoever it belongs to.
    result = open_timeline(client, done, person=reviewer.pk)[1]
    stranger = open_timeline(client, done, person=person(Role.QA).pk)[1]
    assert result.count("<li") == stranger.count("<li")
    assert reviewer.name not in result


@pytest.mark.capability("HI-2")
def test_the_auditor_sees_who_opened_a_case_and_who_was_refused(client, done):
    reviewer = done.assignments.get().reviewer.user
    auditor, clerk = person(Role.AUDITOR), person(Role.INTAKE, name="Ben Akande")
    client.force_login(clerk)
    client.get(done.get_absolute_url())
    document = done.documents.exclude(sent_by="APPLICATION").first()
    client.get(reverse("records:document", args=[document.pk]))
    write_access_entry(
        by=reviewer,
        subject="page",
        reference=f"{document.pk}/1",
        case_number=done.number,
        granted=True,
        at=REVIEWED,
    )
    other = received_case()
    client.get(other.get_absolute_url())

    client.force_login(auditor)
    page = html.unescape(
        client.get(reverse("desk:access_log", args=[done.number])).content.decode()
    )

    assert "<b>Ben Akande</b>" in page
    assert "<li>the case</li>" in page
    assert f"refused: document {document.number}, {document.title}" in page
    assert "<b>The reviewer</b>" in page
    assert f"page 1 of document {document.number}" in page
    assert reviewer.name not in page
    assert AccessLogEntry.objects.filter(reference=other.number).exists()
    rows = find_entries_of_case(other.number, AccessFilter(), auditor)
    visits, older = list_visits(rows, auditor)
    assert ([visit.who for visit in visits], older) == (["Ben Akande"], "")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.AUDITOR}))
def test_only_the_auditor_sees_who_opened_a_case(client, role):
    case = received_case()
    client.force_login(person(role))
    assert client.get(reverse("desk:access_log", args=[case.number])).status_code in {403, 404}


# --- notes ----------------------------------------------------------------------------------------


def test_a_note_is_corrected_by_a_second_one_and_both_stay(client, set_clock):
    set_clock(NEXT_DAY)
    case, clerk = received_case(), person(Role.INTAKE)
    first = add_note(case, clerk, "The adjuster called.")
    client.force_login(clerk)
    address = reverse("cases:correct_note", args=[case.number, first.pk])
    assert "The adjuster called." in client.get(address).content.decode()

    assert client.post(address, {"text": "The attorney called."}).status_code == 302

    first.refresh_from_db()
    second = case.events.order_by("pk").last()
    assert (first.sentence, second.sentence) == ("The adjuster called.", "The attorney called.")
    assert second.facts == {"corrects": first.pk}
    _, page = open_timeline(client, case)
    assert "<del>The adjuster called.</del>" in page
    assert client.post(address, {"text": "Again."}).status_code == 422
    with pytest.raises(NotAllowed, match="already corrected"):
        notes.correct_note(event_id=first.pk, text="Again.", by=clerk, at=NEXT_DAY)


def test_only_the_authors_own_notes_can_be_corrected(client):
    case, clerk, other = received_case(), person(Role.INTAKE), person(Role.COORDINATOR)
    first = add_note(case, clerk)
    with pytest.raises(NotAllowed, match="only your own notes"):
        notes.correct_note(event_id=first.pk, text="Other.", by=other, at=NEXT_DAY)
    with pytest.raises(NotAllowed, match="Nothing was changed"):
        notes.correct_note(event_id=first.pk, text=first.sentence, by=clerk, at=NEXT_DAY)
    client.force_login(other)
    received, elsewhere = case.events.get(kind=Event.Kind.RECEIVED), received_case()
    for number, pk in ((case.number, received.pk), (elsewhere.number, first.pk)):
        address = reverse("cases:correct_note", args=[number, pk])
        assert client.post(address, {"text": "x"}).status_code == 404
    assert case.events.count() == 2


# --- the next step --------------------------------------------------------------------------------


def test_the_next_step_says_that_the_reviewer_must_attest_again():
    assignment = in_review()
    case, coordinator = assignment.case, person(Role.COORDINATOR)
    assert "writes the review" in find_next_step(case, coordinator).sentence
    case.party_list_version += 1
    case.store(by=None, at=REVIEWED, fields=["party_list_version"])
    assert "attests again" in find_next_step(case, coordinator).sentence
