"""Notes on the timeline."""

import html

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from cases.models import Event
from cases.services import notes
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db

WRITERS = PERMISSIONS["cases.add_note"]


def url(case):
    return reverse("cases:note", args=[case.number])


@pytest.mark.parametrize("role", sorted(WRITERS))
def test_every_role_that_works_on_cases_may_write_a_note(role):
    case, writer = received_case(), person(role)

    notes.add_note(case_id=case.pk, text="  The adjuster called.  ", by=writer, at=MONDAY)

    event = case.events.latest("pk")
    assert (event.kind, event.sentence) == (Event.Kind.NOTE, "The adjuster called.")
    assert (event.by, event.happened_at) == (writer, MONDAY)


@pytest.mark.parametrize("role", sorted(set(Role) - WRITERS))
def test_other_roles_cannot_write_notes(role):
    case = received_case()

    with pytest.raises(NotAllowed, match="does not let you write notes"):
        notes.add_note(case_id=case.pk, text="Hello.", by=person(role), at=MONDAY)

    assert not case.events.filter(kind=Event.Kind.NOTE).exists()


def test_an_empty_note_is_refused():
    case = received_case()

    with pytest.raises(NotAllowed, match="Enter the note."):
        notes.add_note(case_id=case.pk, text=" \n", by=person(Role.INTAKE), at=MONDAY)


def test_a_note_is_on_the_timeline_as_it_was_typed(client):
    case = received_case()
    client.force_login(person(Role.INTAKE, name="Rosa Okafor"))

    answer = client.post(url(case), {"text": "<script>alert(1)</script> {{ x }}"})
    page = client.get(answer.url).content.decode()

    assert "<script>alert(1)</script>" not in page
    assert "<script>alert(1)</script> {{ x }}" in html.unescape(page)
    assert "Rosa Okafor" in page


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Enter the note."),
        ("\u200b\u0000", "Enter the note."),
        ("word " * 801, "Shorten it to 4000."),
        ("word " * 200_000, "1,000,000 characters long"),
    ],
)
def test_a_note_that_cannot_be_stored_is_shown_again_as_typed(client, text, sentence):
    case = received_case()
    client.force_login(person(Role.INTAKE))

    answer = client.post(url(case), {"text": text})

    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert sentence in page
    assert text.replace("\0", "\ufffd") in page or text in page
    assert not case.events.filter(kind=Event.Kind.NOTE).exists()


@pytest.mark.parametrize("text", ["Called 📞, will send the form", "مرحبا ⚕", "王先生来电"])
def test_a_note_may_have_signs_that_no_letter_prints(client, text):
    case = received_case()
    client.force_login(person(Role.INTAKE))

    page = client.post(url(case), {"text": text}, follow=True).content.decode()

    assert case.events.get(kind=Event.Kind.NOTE).sentence == text
    assert text in page


def test_a_refused_note_is_reported_on_the_page(client, monkeypatch):
    case = received_case()
    client.force_login(person(Role.COORDINATOR))

    def refused(**_):
        raise NotAllowed("Your role does not let you write notes.")

    monkeypatch.setattr(notes, "add_note", refused)

    answer = client.post(reverse("cases:note", args=[case.number]), {"text": "Called."})

    assert answer.status_code == 422
    assert "Your role does not let you write notes." in answer.content.decode()
    assert "Called." in answer.content.decode()
