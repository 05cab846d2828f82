"""The judges of ``script/bench faults`` find each fault that they look for."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.roles import Role
from bench.fault_clients import Clerk, Office, list_client_bars
from bench.fault_letters import Storm, note_losses
from bench.fault_verdicts import Bar, LostLetter, judge_clients, judge_letters
from cases.models import Case, Event
from files.models import StoredFile
from letters.models import Letter, LetterStep
from tests.factories import person
from tests.journeys.visitors import Answer
from tests.letters import factories as make

pytestmark = pytest.mark.django_db
LATER = make.NOW + timedelta(seconds=30)


# --- Letters --------------------------------------------------------------------------------------


@pytest.fixture
def letters():
    """Three letters, two of them filed; the second one is urgent and is still queued."""
    wording = make.wording()
    made = []
    for number, urgent in enumerate([False, True, True]):
        reference = f"CM26-000000{number}"
        composed = make.composed(wording)
        document = make.determination(composed, case_number=reference, title=f"Of {reference}")
        made.append(make.enqueue(wording, reference=reference, document=document, urgent=urgent))
    for letter in (made[0], made[2]):
        make.file_letter(letter, at=LATER)
    return made


def judge(letters, losses=(), *, queued_too=None):
    queued = {letter.pk: letter.reference for letter in letters} | (queued_too or {})
    return judge_letters(queued=queued, losses=losses, last_fault=make.NOW)


def lose(letter, seconds):
    return LostLetter(letter.pk, "worker", make.NOW + timedelta(seconds=seconds), ())


def test_filed_letters_are_in_order_and_a_queued_one_is_stuck(letters):
    verdict = judge(letters)

    assert verdict.stuck == ["CM26-0000001"]
    assert (verdict.lost, verdict.doubled, verdict.wrong) == ([], [], [])
    assert verdict.drain_seconds == 30


def test_a_letter_without_row_is_lost(letters):
    assert judge(letters, queued_too={uuid4(): "CM26-0000009"}).lost == ["CM26-0000009"]


@pytest.mark.parametrize("content", [None, b"%PDF-1.7 another"], ids=["missing", "changed"])
def test_a_letter_without_its_file_is_lost(letters, content):
    path = Path(default_storage.path(Letter.objects.get(pk=letters[0].pk).file.path))
    kept = path.read_bytes()
    try:
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        assert judge(letters).lost == ["CM26-0000000"]
    finally:
        path.write_bytes(kept)


def test_a_letter_that_was_recorded_twice_is_doubled(letters):
    LetterStep.objects.create(
        letter=letters[0], kind=LetterStep.Kind.RENDERED, happened_at=LATER, detail="again"
    )

    assert judge(letters).doubled == ["CM26-0000000"]


def test_a_letter_that_was_issued_twice_is_doubled(letters):
    make.enqueue(make.wording(), reference="CM26-0000000", version=2)

    assert judge(letters).doubled == ["CM26-0000000"]


def test_a_second_pdf_of_a_letter_is_doubled(letters):
    StoredFile.objects.create(
        sha256="0" * 64, size=1, media_type="application/pdf", state="CLEAN", stored_at=LATER
    )

    assert judge(letters).doubled == ["0" * 64]


def test_a_letter_with_the_pdf_of_another_one_is_wrong_and_doubled(letters):
    other = Letter.objects.get(pk=letters[0].pk)
    fields = {"file": other.file, "sha256": other.sha256, "pages": other.pages}
    Letter.objects.filter(pk=letters[1].pk).update(state="FILED", filed_at=LATER, **fields)
    for kind in (LetterStep.Kind.RENDERED, LetterStep.Kind.FILED):
        LetterStep.objects.create(letter=letters[1], kind=kind, happened_at=LATER)

    verdict = judge(letters)

    assert verdict.wrong == ["CM26-0000001"]
    assert verdict.doubled == [other.sha256]


def test_the_longest_wait_is_from_the_last_loss_of_a_letter(letters):
    losses = [lose(letters[0], 2), lose(letters[0], 10), lose(letters[2], 5), lose(letters[1], 0)]

    verdict = judge(letters, losses)

    assert [wait.seconds for wait in verdict.waits] == [25, 20]
    assert verdict.find_longest_wait(urgent=False) == 20
    assert verdict.find_longest_wait(urgent=True) == 25


def test_a_letter_that_has_not_moved_is_not_lost_again(letters):
    letter, storm = letters[1], Storm()
    Letter.objects.filter(pk=letter.pk).update(published_at=make.NOW)
    Letter.objects.claim([letter.pk], at=make.NOW, lease_seconds=40)
    first, second = make.NOW + timedelta(seconds=1), make.NOW + timedelta(seconds=2)

    assert note_losses(storm, None, "worker's child", first)
    assert note_losses(storm, None, "worker's child", second) == []
    assert [loss.at for loss in storm.losses] == [first]

    Letter.objects.filter(pk=letter.pk).update(attempts=2)
    assert note_losses(storm, None, "worker's child", second)


# --- Clients --------------------------------------------------------------------------------------


class Browser:
    """Django's client in place of a person before a real server."""

    def __init__(self, client):
        self.client = client

    def get(self, path):
        answer = self.client.get(path)
        return Answer(answer.status_code, answer.text, answer.headers.get("Location", ""), 0)

    def post(self, path, **fields):
        body = urlencode(fields, doseq=True)
        answer = self.client.post(path, body, content_type="application/x-www-form-urlencoded")
        return Answer(answer.status_code, answer.text, answer.headers.get("Location", ""), 0)


class BrokenBrowser:
    """Answers every form with a status and a text."""

    def __init__(self, status, text):
        self.answer = Answer(status, text, "", 0)

    def post(self, path, **fields):
        if not self.answer.status:
            raise ConnectionResetError
        return self.answer


@pytest.fixture
def office():
    return Office(until=float("inf"))


@pytest.fixture
def sent(client, office):
    """The forms of one clerk who entered an application, corrected it and wrote a note."""
    client.force_login(person(Role.INTAKE))
    clerk = Clerk(office, Browser(client), "1")
    number = clerk.enter_application()
    clerk.correct_case(number)
    clerk.write_note(number)
    assert [(form.kind, form.status) for form in office.sent] == [
        ("intake", 302),
        ("correction", 302),
        ("note", 302),
    ]
    return office.sent


def test_what_was_acknowledged_and_stored_is_in_order(sent, office):
    verdict = judge_clients(sent)

    assert all(bar.is_met for bar in list_client_bars(office, verdict))
    assert office.pages == {200: 3}


@pytest.mark.parametrize("place", [0, 1, 2], ids=["intake", "correction", "note"])
def test_an_acknowledged_form_that_is_not_stored_is_lost(sent, place):
    name = {"intake": "last_name", "correction": "diagnosis", "note": "text"}[sent[place].kind]
    typed = {**sent[place].typed, name: "Typed and not stored"}
    sent[place] = replace(sent[place], typed=typed)

    lost = judge_clients(sent).lost

    assert {form.kind for form in lost} == {sent[place].kind}


def test_a_case_that_does_not_exist_is_lost(sent):
    sent[0] = replace(sent[0], case="CM26-9999999")

    assert judge_clients(sent).lost == [sent[0]]


def test_a_correction_that_was_overwritten_is_lost(sent):
    case = Case.objects.get(number=sent[1].case)
    case.diagnosis = "Another"
    case.store(by=None, at=timezone.now(), fields=["diagnosis"])

    assert judge_clients(sent).lost == [sent[1]]


def test_a_note_that_is_stored_twice_is_doubled(sent):
    note = Event.objects.get(kind=Event.Kind.NOTE)
    note.pk = None
    note.save(force_insert=True)

    assert judge_clients(sent).doubled == [sent[2]]


def test_a_form_that_was_stored_although_it_was_refused_is_found(sent):
    sent[2] = replace(sent[2], status=503)

    assert judge_clients(sent).stored_unsaid == [sent[2]]


@pytest.mark.parametrize(
    ("status", "text", "found"),
    [
        (503, "Not saved.", "untyped"),
        (422, "Enter the note.", "untyped"),
        (0, "", "untyped"),
        (500, "A note &amp; more", "errors"),
        (503, "Not saved. A note &amp; more", "busy"),
    ],
)
def test_a_refusal_is_found_by_what_its_answer_shows(office, status, text, found):
    clerk = Clerk(office, BrokenBrowser(status, text), "1")

    clerk.save("note", "CM26-0000001", "/note/", {"text": "A note & more"}, {})

    assert len(office.sent) == (3 if status == 503 else 1)
    assert getattr(judge_clients(office.sent), found) == office.sent


def test_a_missed_bar_says_so():
    assert str(Bar("letters.lost", 1, 0)) == "BAR letters.lost 1 0 missed"
    assert str(Bar("letters.kills", 100, 100, at_least=True)) == "BAR letters.kills 100 100 ok"
    assert not Bar("letters.kills", 99, 100, at_least=True).is_met
