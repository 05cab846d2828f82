"""The lifecycle of a letter: relay, worker, sweep. Every step may run twice."""

from datetime import timedelta
from pathlib import Path

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from letters import relay as relays
from letters import services, typesetting
from letters.models import URGENT_SECONDS, Heartbeat, Letter, LetterStep
from tests.factories import person

from . import factories as make

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]


class BrokerUnavailable(Exception):
    pass


@pytest.fixture
def wording():
    return make.wording()


@pytest.fixture
def letter(wording):
    return make.enqueue(wording)


def add_seconds(seconds):
    return make.NOW + timedelta(seconds=seconds)


def list_steps(letter):
    return [step.kind for step in letter.steps.order_by("pk")]


def render_letter(letter, *, at=make.NOW):
    return services.render_letter(letter_id=letter.pk, at=at, now=lambda: at)


def test_a_letter_is_published_rendered_and_filed(letter):
    sent_ids = []
    sent = services.publish_due_letters(
        send=sent_ids.extend, broker_error=BrokerUnavailable, at=make.NOW
    )
    rendered = render_letter(letter)

    assert (sent, sent_ids) == (1, [letter.pk])
    assert rendered.state == Letter.State.FILED
    assert rendered.sha256 == rendered.file.sha256
    assert (rendered.pages, rendered.attempts) == (2, 1)
    assert list_steps(letter) == ["QUEUED", "PUBLISHED", "CLAIMED", "RENDERED", "FILED"]


def test_a_letter_is_published_once_and_rendered_once(letter):
    sent_ids = []
    for _ in range(2):
        services.publish_due_letters(
            send=sent_ids.extend, broker_error=BrokerUnavailable, at=make.NOW
        )
    render_letter(letter)
    with pytest.raises(services.LetterTaken):
        render_letter(letter, at=add_seconds(1000))
    assert sent_ids == [letter.pk]
    assert list_steps(letter).count("FILED") == 1


def test_a_second_worker_does_not_render_a_letter_that_another_has_claimed(letter):
    assert Letter.objects.claim([letter.pk], at=make.NOW, lease_seconds=60)
    with pytest.raises(services.LetterTaken):
        render_letter(letter, at=add_seconds(59))
    assert render_letter(letter, at=add_seconds(61)).is_filed  # the lease of the first has expired


def test_a_worker_that_lost_its_lease_files_nothing(letter, monkeypatch):
    real = typesetting.typeset_words

    def typeset_slowly(*args):
        rendered = real(*args)
        # the lease expires while this worker is busy, and another worker claims the letter
        Letter.objects.claim([letter.pk], at=add_seconds(1000), lease_seconds=60)
        return rendered

    monkeypatch.setattr(typesetting, "typeset_words", typeset_slowly)
    with pytest.raises(services.LetterTaken, match="not waiting for this worker"):
        render_letter(letter)
    letter.refresh_from_db()
    assert letter.state == Letter.State.RENDERING
    assert "FILED" not in list_steps(letter)


def test_letters_stay_due_while_the_broker_is_unavailable(wording):
    # Two messages, because an urgent letter goes alone.
    one = make.enqueue(wording, reference="CM26-0000001", urgent=True)
    two = make.enqueue(wording, reference="CM26-0000002", at=add_seconds(1))
    sent_ids = []

    def fail_at_second(letter_ids):
        if sent_ids:
            raise BrokerUnavailable
        sent_ids.extend(letter_ids)

    with pytest.raises(BrokerUnavailable):
        services.publish_due_letters(
            send=fail_at_second, broker_error=BrokerUnavailable, at=add_seconds(2)
        )
    assert sent_ids == [one.pk]
    assert list(Letter.objects.due(at=add_seconds(2))) == [two]
    assert list_steps(two) == ["QUEUED"]


def test_an_issued_letter_keeps_its_bytes_when_its_layout_has_a_newer_version(wording, monkeypatch):
    monkeypatch.setattr(typesetting, "typeset_words", make.stand_in)
    files = typesetting.NEWEST_FILES | {"determination-today": "determination-today.1"}
    with monkeypatch.context() as earlier:
        earlier.setattr(typesetting, "NEWEST_FILES", files)
        letter = render_letter(make.enqueue(wording))
    letter.refresh_from_db()
    # Its layout has no file any more, so it could not be typeset again.
    assert letter.layout == "determination-today.1"
    assert services.is_in_layout(letter, "determination-today")
    content = services.load_letter_content(letter)
    assert services.files.hashlib.sha256(content).hexdigest() == letter.sha256
    later = make.enqueue(wording, version=2)
    assert later.layout == typesetting.NEWEST_FILES["determination-today"] != letter.layout


def test_text_that_cannot_be_typeset_fails_the_letter_at_once(letter, monkeypatch):
    def fail(*_):
        raise typesetting.TypesettingFailed("The letter cannot be typeset: no such sign.")

    monkeypatch.setattr(typesetting, "typeset_words", fail)
    rendered = render_letter(letter)
    assert rendered.is_failed
    assert rendered.failure == "The letter cannot be typeset: no such sign."
    assert rendered.who_must_act == "The author of the text, then a director"
    assert list_steps(letter) == ["QUEUED", "CLAIMED", "ATTEMPTED", "FAILED"]


def test_a_full_disk_is_retried_and_the_letter_fails_after_the_last_attempt(letter, monkeypatch):
    def fail_on_full_disk(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("files.services.WrittenFile.put_into_storage", fail_on_full_disk)
    at = make.NOW
    for attempt in (1, 2):
        rendered = render_letter(letter, at=at)
        assert (rendered.state, rendered.attempts) == (Letter.State.QUEUED, attempt)
        assert rendered.due_at > at
        assert services.claim_due_letters(at=at) == []
        at = rendered.due_at
        assert services.claim_due_letters(at=at) == [letter.pk]
    rendered = render_letter(letter, at=at)
    assert rendered.is_failed
    assert rendered.failure == "The file could not be stored: No space left on device."
    assert rendered.who_must_act == "An administrator"


def test_the_sweep_requeues_the_letters_of_a_stopped_worker(letter, settings):
    Letter.objects.claim([letter.pk], at=make.NOW, lease_seconds=settings.LETTER_LEASE_SECONDS)
    assert services.requeue_lost_letters(at=make.NOW) == services.SweepResult(requeued=0, failed=0)
    at = add_seconds(settings.LETTER_LEASE_SECONDS + 1)
    assert services.requeue_lost_letters(at=at) == services.SweepResult(requeued=1, failed=0)
    assert services.requeue_lost_letters(at=at) == services.SweepResult(requeued=0, failed=0)
    assert services.claim_due_letters(at=at) == [letter.pk]
    assert render_letter(letter, at=at).is_filed


def test_a_letter_that_stops_its_workers_fails_after_the_last_attempt(letter, settings):
    at = make.NOW
    for _ in range(settings.LETTER_MAX_ATTEMPTS):
        assert Letter.objects.claim([letter.pk], at=at, lease_seconds=10)
        at += timedelta(seconds=11)
        services.requeue_lost_letters(at=at)
    letter.refresh_from_db()
    assert letter.is_failed
    assert letter.failure == "The worker stopped 3 times before the letter was filed."
    assert list_steps(letter)[-2:] == ["ATTEMPTED", "FAILED"]


def test_a_lost_message_is_sent_again(letter, settings):
    services.claim_due_letters(at=make.NOW)
    assert services.requeue_lost_letters(at=add_seconds(1)).requeued == 0
    at = add_seconds(settings.LETTER_LEASE_SECONDS + 1)
    assert services.requeue_lost_letters(at=at).requeued == 1
    assert services.claim_due_letters(at=at) == [letter.pk]


def test_only_a_failed_letter_can_be_retried(letter):
    with pytest.raises(NotAllowed, match="has not failed"):
        services.retry_failed_letter(letter_id=letter.pk, by=person(Role.DIRECTOR), at=make.NOW)


def test_no_letter_is_published_twice_when_two_relays_take_turns(wording):
    composed = make.composed(wording)
    for number in range(40):
        reference = f"CM26-{number:07d}"
        document = make.determination(composed, case_number=reference)
        make.enqueue(wording, reference=reference, document=document)
    first, second = [], []
    while services.publish_due_letters(
        send=first.extend, broker_error=BrokerUnavailable, at=make.NOW, limit=7
    ):
        services.publish_due_letters(
            send=second.extend, broker_error=BrokerUnavailable, at=make.NOW, limit=7
        )
    assert len(first) + len(second) == len({*first, *second}) == 40
    assert LetterStep.objects.filter(kind="PUBLISHED").count() == 40


# --- The relay's loop --------------------------------------------------------------------------


def run_relay(relay, count):
    return [relay.run_once() for _ in range(count)]


@pytest.fixture(autouse=True)
def _keep_the_connection(monkeypatch):
    monkeypatch.setattr(relays, "close_old_connections", lambda: None)


def test_the_relay_waits_longer_each_time_while_the_broker_is_unavailable(letter):
    is_available = False
    sent_ids = []

    def send(letter_ids):
        if not is_available:
            raise relays.BrokerUnavailable
        sent_ids.extend(letter_ids)

    relay = relays.Relay(read_clock=lambda: make.NOW, wait=lambda _: True, interval=0.5, send=send)
    assert run_relay(relay, 8) == [1, 2, 4, 8, 16, 30, 30, 30]
    is_available = True
    assert run_relay(relay, 2) == [0, 0.5]
    assert sent_ids == [letter.pk]


def test_the_relay_records_a_heartbeat_and_sweeps(letter, settings):
    moment = [make.NOW]
    sent_ids = []
    relay = relays.Relay(
        read_clock=lambda: moment[0],
        read_monotonic=lambda: moment[0].timestamp(),
        wait=lambda _: True,
        send=sent_ids.extend,
    )
    relay.run_once()
    assert Heartbeat.objects.get(name="relay").beaten_at == make.NOW
    moment[0] = add_seconds(settings.LETTER_LEASE_SECONDS + 61)
    relay.run_once()
    assert Heartbeat.objects.get(name="relay").beaten_at == moment[0]
    assert sent_ids == [letter.pk, letter.pk]  # no worker took it, so it is sent again


def test_the_relay_stops_when_asked(letter):
    answers = iter([False, False, True])
    waits = []

    def wait(seconds):
        waits.append(seconds)
        return next(answers)

    relays.Relay(read_clock=lambda: make.NOW, wait=wait, send=lambda _: None).run()
    assert waits == [0, 0.5, 0.5]


def make_relay(moment, seconds, sent_ids):
    """A relay whose two clocks a test moves apart."""
    return relays.Relay(
        read_clock=lambda: moment[0],
        read_monotonic=lambda: seconds[0],
        wait=lambda _: True,
        send=sent_ids.extend,
    )


def test_a_clock_set_back_stops_neither_sweep_nor_heartbeat(letter, settings):
    moment, seconds, sent_ids = [make.NOW], [0.0], []
    relay = make_relay(moment, seconds, sent_ids)
    relay.run_once()
    moment[0] -= timedelta(hours=3)
    beats = 0
    for _ in range(20):
        moment[0] += timedelta(seconds=30)
        seconds[0] += 30
        relay.run_once()
        beats += Heartbeat.objects.get(name="relay").beaten_at == moment[0]
    assert beats == 20
    # Published in what is now the future, and sent again at the first sweep.
    assert len(sent_ids) > 1


@pytest.mark.parametrize("hours", [3, 24])
def test_leases_and_waits_from_before_the_clock_was_set_back_end(wording, hours):
    rendering, postponed, published = (
        make.enqueue(wording, reference=f"CM26-000000{number}") for number in (1, 2, 3)
    )
    later = make.NOW + timedelta(hours=hours)
    assert Letter.objects.claim([rendering.pk], at=later, lease_seconds=40)
    Letter.objects.filter(pk=postponed.pk).update(due_at=later)
    Letter.objects.filter(pk=published.pk).update(published_at=later)
    services.requeue_lost_letters(at=make.NOW)
    assert set(services.claim_due_letters(at=make.NOW)) == {
        rendering.pk,
        postponed.pk,
        published.pk,
    }


def test_the_shipped_settings_find_a_lost_letter_within_a_minute():
    """The lease, one sweep of the relay or the worker, and one round of the relay."""
    from imr_portal.celery import app as celery_app

    line = (ROOT / "imr_portal" / "settings.py").read_text()
    lease = int(line.split('read_number("LETTER_LEASE_SECONDS", ')[1].split(")")[0])
    sweep = celery_app.conf.beat_schedule["letters.sweep"]["schedule"]
    assert lease + max(sweep, relays.SWEEP_EVERY) + 0.5 <= 60
    assert URGENT_SECONDS + relays.SWEEP_EVERY + 0.5 <= 20


@pytest.mark.parametrize("urgent", [True, False])
@pytest.mark.parametrize("claimed", [True, False])
def test_a_lost_letter_is_sent_again_in_time(wording, settings, urgent, claimed):
    """A wiped broker, and a killed worker, with the shipped lease."""
    settings.LETTER_LEASE_SECONDS = 40
    letter = make.enqueue(wording, urgent=urgent)
    moment, seconds, sent = [make.NOW], [0.0], []
    relay = make_relay(moment, seconds, sent)
    relay.run_once()
    if claimed:
        assert Letter.objects.claim([letter.pk], at=moment[0], lease_seconds=40)
    while len(sent) < 2:
        moment[0] += timedelta(seconds=0.5)
        seconds[0] += 0.5
        relay.run_once()
    assert seconds[0] <= (20 if urgent else 60)


def test_a_slow_urgent_letter_gets_more_time_at_its_second_attempt(wording):
    letter = make.enqueue(wording, urgent=True)
    at = make.NOW
    leases = []
    for _ in range(2):
        assert Letter.objects.claim([letter.pk], at=at, lease_seconds=40)
        letter.refresh_from_db()
        leases.append((letter.lease_until - at).total_seconds())
        at = letter.lease_until + timedelta(seconds=1)
    assert leases == [URGENT_SECONDS, 40]
