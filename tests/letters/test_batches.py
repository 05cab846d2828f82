"""Twenty letters in a message: one transaction claims them, one files them, each exactly once."""

import os
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letters import services, typesetting
from letters.models import Letter, LetterStep

from . import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]


@pytest.fixture
def wording():
    return make.wording()


@pytest.fixture
def letters(wording, monkeypatch):
    """Twenty queued letters, typeset at no cost."""
    monkeypatch.setattr(typesetting, "typeset_words", make.stand_in)
    return queue_letters(wording, 20)


def queue_letters(wording, count, **changes):
    composed = make.composed(wording)
    return [
        make.enqueue(
            wording,
            reference=f"CM26-{number:07d}",
            document=make.determination(composed, case_number=f"CM26-{number:07d}"),
            **changes,
        )
        for number in range(1, count + 1)
    ]


def render_letters(letters, *, at=make.NOW, now=None):
    return services.render_letters(
        letter_ids=[letter.pk for letter in letters], at=at, now=now or (lambda: at)
    )


def count_states():
    return {
        state: Letter.objects.filter(state=state).count()
        for state in Letter.State.values
        if Letter.objects.filter(state=state).exists()
    }


def list_messages(at=make.NOW):
    """The messages that a relay sends, as lists of ids."""
    messages = []
    services.publish_due_letters(send=messages.append, broker_error=OSError, at=at)
    return messages


def test_a_batch_takes_two_transactions_and_six_statements(letters):
    with CaptureQueriesContext(connection) as captured:
        settled = render_letters(letters)
    statements = [query["sql"] for query in captured.captured_queries]
    around = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    assert len([one for one in statements if not one.startswith(around)]) <= 6
    # Inside the transaction of the test, each transaction is a savepoint.
    assert len([one for one in statements if one.startswith("SAVEPOINT")]) <= 2
    assert len(settled) == 20
    assert count_states() == {"FILED": 20}


def test_one_letter_takes_no_more_statements_than_twenty(letters):
    with CaptureQueriesContext(connection) as captured:
        render_letters(letters[:1])
    around = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    assert len([q for q in captured.captured_queries if not q["sql"].startswith(around)]) <= 6


def test_every_letter_of_a_batch_has_its_own_file_pages_and_steps(letters):
    render_letters(letters)
    for letter in letters:
        letter.refresh_from_db()
        content = services.files.read_bytes(letter.file)
        assert letter.reference.encode() in content
        assert (letter.sha256, letter.pages) == (letter.file.sha256, letter.file.pages)
        assert (letter.attempts, letter.lease_until, letter.failure) == (1, None, "")
        kinds = [step.kind for step in letter.steps.order_by("pk")]
        assert kinds == ["QUEUED", "CLAIMED", "RENDERED", "FILED"]
    assert len({letter.sha256 for letter in letters}) == 20


def test_a_batch_that_is_rendered_twice_files_each_letter_once(letters):
    assert len(render_letters(letters)) == 20
    assert render_letters(letters, at=make.NOW + timedelta(seconds=1000)) == []
    assert LetterStep.objects.filter(kind="FILED").count() == 20


def test_a_letter_of_a_batch_that_fails_holds_back_none_of_the_others(letters, monkeypatch):
    def fail_for_one(words, layout, on):
        if words["case_number"] == "CM26-0000007":
            raise typesetting.TypesettingFailed("No such sign.")
        return make.stand_in(words, layout, on)

    monkeypatch.setattr(typesetting, "typeset_words", fail_for_one)
    assert len(render_letters(letters)) == 20
    assert count_states() == {"FILED": 19, "FAILED": 1}
    assert Letter.objects.get(state="FAILED").failure == "No such sign."


def test_a_letter_that_raises_an_unknown_error_holds_back_none_of_the_others(
    letters, settings, monkeypatch
):
    """The library may raise anything; the letter then fails alone, after its three attempts."""

    def raise_for_one(words, layout, on):
        if words["case_number"] == "CM26-0000007":
            raise ZeroDivisionError
        return make.stand_in(words, layout, on)

    monkeypatch.setattr(typesetting, "typeset_words", raise_for_one)
    with pytest.raises(ZeroDivisionError):
        render_letters(letters)
    assert count_states() == {"FILED": 6, "RENDERING": 1, "QUEUED": 13}
    at = make.NOW
    for _ in range(settings.LETTER_MAX_ATTEMPTS + 1):
        for message in list_messages(at):
            try:
                services.render_letters(letter_ids=message, at=at, now=lambda at=at: at)
            except ZeroDivisionError:
                assert len(message) == 1
        at += timedelta(seconds=settings.LETTER_LEASE_SECONDS + 1)
        services.requeue_lost_letters(at=at)
    assert count_states() == {"FILED": 19, "FAILED": 1}
    failed = Letter.objects.get(state="FAILED")
    assert failed.reference == "CM26-0000007"
    assert failed.failure == "The worker stopped 3 times before the letter was filed."


def test_letters_of_a_batch_that_was_lost_are_sent_alone(letters, settings):
    """One of them may have killed its worker; the nineteen others must not fail with it."""
    assert [len(message) for message in list_messages()] == [20]
    Letter.objects.claim([one.pk for one in letters], at=make.NOW, lease_seconds=10)
    at = make.NOW + timedelta(seconds=11)
    assert services.requeue_lost_letters(at=at).requeued == 20
    assert [len(message) for message in list_messages(at)] == [1] * 20


def test_an_urgent_letter_is_alone_in_its_message_and_the_others_are_not(letters, wording):
    document = make.determination(make.composed(wording), case_number="CM26-0000099")
    urgent = make.enqueue(wording, reference="CM26-0000099", document=document, urgent=True)
    messages = list_messages()
    assert [urgent.pk] in messages
    assert sorted(map(len, messages)) == [1, 20]


def test_forty_one_letters_go_in_three_messages(wording, monkeypatch):
    queue_letters(wording, 41)
    assert [len(message) for message in list_messages()] == [20, 20, 1]
    assert LetterStep.objects.filter(kind="PUBLISHED").count() == 41


def test_a_letter_that_is_taken_back_in_between_is_not_filed_and_the_others_are(
    letters, monkeypatch
):
    """Someone queues it again, or another worker claims it, while the batch is typeset."""
    returned, taken, failed = letters[2], letters[5], letters[8]

    def interfere(words, layout, on):
        if words["case_number"] == letters[-1].reference:
            services.requeue_stuck_letter(
                letter_id=returned.pk, why="Lost", by=make.director(), at=make.NOW
            )
            later = make.NOW + timedelta(seconds=1000)
            assert Letter.objects.claim([taken.pk], at=later, lease_seconds=40)
            Letter.objects.filter(pk=failed.pk).update(
                state="FAILED", failure="Stopped.", who_must_act="An administrator"
            )
        return make.stand_in(words, layout, on)

    monkeypatch.setattr(typesetting, "typeset_words", interfere)
    settled = render_letters(letters)
    assert {one.pk for one in letters} - {one.pk for one in settled} == {
        returned.pk,
        taken.pk,
        failed.pk,
    }
    assert count_states() == {"FILED": 17, "QUEUED": 1, "RENDERING": 1, "FAILED": 1}
    for letter in (returned, taken, failed):
        assert not letter.steps.filter(kind__in=["FILED", "RENDERED"]).exists()


def test_a_worker_that_has_no_time_left_returns_the_rest_without_an_attempt(letters, settings):
    moments = iter(range(0, 1000, settings.LETTER_LEASE_SECONDS // 5))

    def now():
        return make.NOW + timedelta(seconds=next(moments))

    settled = render_letters(letters, now=now)
    assert 1 <= len(settled) < 20
    assert count_states() == {"FILED": len(settled), "QUEUED": 20 - len(settled)}
    returned = Letter.objects.filter(state="QUEUED")
    assert {one.attempts for one in returned} == {0}
    # At once and together, since none of them has stopped a worker.
    at = make.NOW + timedelta(seconds=1000)
    (message,) = list_messages(at)
    assert len(services.render_letters(letter_ids=message, at=at, now=lambda: at)) == len(message)
    assert count_states() == {"FILED": 20}


def test_a_full_disk_in_the_middle_of_a_batch_files_those_that_were_stored(letters, monkeypatch):
    real = services.files.WrittenFile.put_into_storage
    stored = []

    def fill_disk(**handed):
        if len(stored) == 12:
            raise OSError(28, "No space left on device")
        stored.append(real(**handed))
        return stored[-1]

    monkeypatch.setattr(services.files.WrittenFile, "put_into_storage", fill_disk)
    assert len(render_letters(letters)) == 20
    assert count_states() == {"FILED": 12, "QUEUED": 8}
    waiting = Letter.objects.filter(state="QUEUED").first()
    assert waiting.failure == "The file could not be stored: No space left on device."
    assert waiting.due_at > make.NOW


def test_a_file_with_the_bytes_of_an_earlier_one_is_stored_once(letters, monkeypatch):
    """A worker that was killed before it filed has left the file, with or without its row."""
    first = make.stand_in(letters[0].words, letters[0].layout, letters[0].dated_on)
    second = make.stand_in(letters[1].words, letters[1].layout, letters[1].dated_on)
    services.files.WrittenFile.put_into_storage(
        content=first.content, media_type="application/pdf", pages=1
    )
    services.files.store_bytes(
        content=second.content, media_type="application/pdf", pages=None, at=make.NOW
    )
    render_letters(letters)
    assert count_states() == {"FILED": 20}


def test_bytes_that_were_refused_as_an_upload_fail_their_letter_alone(letters):
    made = make.stand_in(letters[3].words, letters[3].layout, letters[3].dated_on)
    file = services.files.store_bytes(
        content=made.content, media_type="application/pdf", at=make.NOW
    )
    file.state, file.refusal = "REFUSED", "The virus scanner refuses this file."
    file.save()
    render_letters(letters)
    assert count_states() == {"FILED": 19, "FAILED": 1}
    assert Letter.objects.get(state="FAILED").failure == "The virus scanner refuses this file."


def test_a_letter_is_synced_to_the_disk_once_and_so_is_its_folder(letters, monkeypatch):
    synced = []
    real = os.fsync

    def note(handle):
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    made = make.stand_in(letters[0].words, letters[0].layout, letters[0].dated_on)
    # Its folder exists already, as nearly all do once the portal has some ten thousand files.
    digest = services.files.hashlib.sha256(made.content).hexdigest()
    path = services.files.StoredFile(sha256=digest).path
    folder = services.files.Path(services.files.default_storage.path(path)).parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / digest).unlink(missing_ok=True)  # another test may have stored the same bytes
    monkeypatch.setattr(os, "fsync", note)
    render_letters(letters[:1])
    assert len(synced) == 2
    assert synced[1] == str(folder)
    assert "incoming" in synced[0]
