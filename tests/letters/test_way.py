"""The way of a letter, step by step: relay, worker, reconciler. Every step may run twice."""

from datetime import timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from letters import relay as relays
from letters import services, typesetting
from letters.models import Heartbeat, Letter, LetterStep
from tests.factories import person

from . import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]


class BrokerIsAway(Exception):
    pass


@pytest.fixture
def wording():
    return make.wording()


@pytest.fixture
def letter(wording):
    return make.enqueue(wording)


def later(seconds):
    return make.NOW + timedelta(seconds=seconds)


def steps(letter):
    return [step.kind for step in letter.steps.order_by("pk")]


def render(letter, *, at=make.NOW):
    return services.render_letter(letter_id=letter.pk, at=at, now=lambda: at)


def test_from_queued_to_filed(letter):
    told = []
    sent = services.publish_due_letters(send=told.append, lost=BrokerIsAway, at=make.NOW)
    made = render(letter)

    assert (sent, told) == (1, [letter.pk])
    assert made.state == Letter.State.FILED
    assert made.sha256 == made.file.sha256
    assert (made.pages, made.attempts) == (1, 1)
    assert steps(letter) == ["QUEUED", "PUBLISHED", "CLAIMED", "RENDERED", "FILED"]


def test_a_letter_is_queued_once_and_rendered_once(letter):
    told = []
    for _ in range(2):
        services.publish_due_letters(send=told.append, lost=BrokerIsAway, at=make.NOW)
    render(letter)
    with pytest.raises(services.LetterTaken):
        render(letter, at=later(1000))
    assert told == [letter.pk]
    assert steps(letter).count("FILED") == 1


def test_a_second_worker_leaves_a_letter_that_another_holds(letter):
    assert Letter.objects.claim(letter.pk, at=make.NOW, lease_seconds=60)
    with pytest.raises(services.LetterTaken):
        render(letter, at=later(59))
    assert render(letter, at=later(61)).is_filed  # its lease has lapsed


def test_a_worker_that_lost_its_lease_files_nothing(letter, monkeypatch):
    real = typesetting.typeset_words

    def slow(*args):
        made = real(*args)
        # while this worker was busy its lease lapsed, and another began again
        Letter.objects.claim(letter.pk, at=later(1000), lease_seconds=60)
        return made

    monkeypatch.setattr(typesetting, "typeset_words", slow)
    with pytest.raises(services.LetterTaken, match="taken over"):
        render(letter)
    letter.refresh_from_db()
    assert letter.state == Letter.State.RENDERING
    assert "FILED" not in steps(letter)


def test_letters_stay_due_while_the_broker_is_away(wording):
    one = make.enqueue(wording, reference="CM26-0000001")
    two = make.enqueue(wording, reference="CM26-0000002", at=later(1))
    told = []

    def fails_at_second(letter_id):
        if told:
            raise BrokerIsAway
        told.append(letter_id)

    with pytest.raises(BrokerIsAway):
        services.publish_due_letters(send=fails_at_second, lost=BrokerIsAway, at=later(2))
    assert told == [one.pk]
    assert list(Letter.objects.due(at=later(2))) == [two]
    assert steps(two) == ["QUEUED"]


def test_words_that_cannot_be_typeset_fail_the_letter_at_once(letter, monkeypatch):
    def refuses(*_):
        raise typesetting.TypesettingFailed("The letter cannot be typeset: no such sign.")

    monkeypatch.setattr(typesetting, "typeset_words", refuses)
    made = render(letter)
    assert made.is_failed
    assert made.failure == "The letter cannot be typeset: no such sign."
    assert made.who_must_act == "The author of the text, then a director"
    assert steps(letter) == ["QUEUED", "CLAIMED", "ATTEMPTED", "FAILED"]


def test_a_full_disk_is_retried_and_the_letter_fails_in_the_end(letter, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("files.services.store_bytes", full)
    at = make.NOW
    for attempt in (1, 2):
        made = render(letter, at=at)
        assert (made.state, made.attempts) == (Letter.State.QUEUED, attempt)
        assert made.due_at > at
        assert services.claim_due_letters(at=at) == []
        at = made.due_at
        assert services.claim_due_letters(at=at) == [letter.pk]
    made = render(letter, at=at)
    assert made.is_failed
    assert made.failure == "The file could not be stored: No space left on device."
    assert made.who_must_act == "An administrator"


def test_the_sweep_queues_letters_of_a_dead_worker_again(letter, settings):
    Letter.objects.claim(letter.pk, at=make.NOW, lease_seconds=settings.LETTER_LEASE_SECONDS)
    assert services.requeue_lost_letters(at=make.NOW) == services.SweepResult(requeued=0, failed=0)
    at = later(settings.LETTER_LEASE_SECONDS + 1)
    assert services.requeue_lost_letters(at=at) == services.SweepResult(requeued=1, failed=0)
    assert services.requeue_lost_letters(at=at) == services.SweepResult(requeued=0, failed=0)
    assert services.claim_due_letters(at=at) == [letter.pk]
    assert render(letter, at=at).is_filed


def test_a_letter_that_kills_its_workers_fails_after_the_last_attempt(letter, settings):
    at = make.NOW
    for _ in range(settings.LETTER_MAX_ATTEMPTS):
        assert Letter.objects.claim(letter.pk, at=at, lease_seconds=10)
        at += timedelta(seconds=11)
        services.requeue_lost_letters(at=at)
    letter.refresh_from_db()
    assert letter.is_failed
    assert letter.failure == "The worker stopped 3 times before the letter was filed."
    assert steps(letter)[-2:] == ["ATTEMPTED", "FAILED"]


def test_a_message_that_got_lost_is_sent_again(letter, settings):
    services.claim_due_letters(at=make.NOW)
    assert services.requeue_lost_letters(at=later(1)).requeued == 0
    at = later(settings.LETTER_LEASE_SECONDS + 1)
    assert services.requeue_lost_letters(at=at).requeued == 1
    assert services.claim_due_letters(at=at) == [letter.pk]


def test_only_a_failed_letter_can_be_released(letter):
    with pytest.raises(NotAllowed, match="has not failed"):
        services.retry_failed_letter(letter_id=letter.pk, by=person(Role.DIRECTOR), at=make.NOW)


def test_two_relays_share_a_thousand_letters_without_overlap(wording):
    composed = make.composed(wording)
    for number in range(40):
        reference = f"CM26-{number:07d}"
        document = make.determination(composed, case_number=reference)
        make.enqueue(wording, reference=reference, document=document)
    first, second = [], []
    while services.publish_due_letters(send=first.append, lost=BrokerIsAway, at=make.NOW, limit=7):
        services.publish_due_letters(send=second.append, lost=BrokerIsAway, at=make.NOW, limit=7)
    assert len(first) + len(second) == len({*first, *second}) == 40
    assert LetterStep.objects.filter(kind="PUBLISHED").count() == 40


# --- The relay's loop --------------------------------------------------------------------------


def turns(relay, count):
    return [relay.turn() for _ in range(count)]


@pytest.fixture(autouse=True)
def _keep_the_connection(monkeypatch):
    monkeypatch.setattr(relays, "close_old_connections", lambda: None)


def test_the_relay_waits_longer_each_time_the_broker_is_away_and_recovers(letter):
    away = True
    told = []

    def send(letter_id):
        if away:
            raise relays.BrokerUnavailable
        told.append(letter_id)

    relay = relays.Relay(read_clock=lambda: make.NOW, wait=lambda _: True, interval=0.5, send=send)
    assert turns(relay, 8) == [1, 2, 4, 8, 16, 30, 30, 30]
    away = False
    assert turns(relay, 2) == [0, 0.5]
    assert told == [letter.pk]


def test_the_relay_shows_that_it_lives_and_sweeps_by_itself(letter, settings):
    moment = [make.NOW]
    told = []
    relay = relays.Relay(read_clock=lambda: moment[0], wait=lambda _: True, send=told.append)
    relay.turn()
    assert Heartbeat.objects.get(name="relay").beaten_at == make.NOW
    moment[0] = later(settings.LETTER_LEASE_SECONDS + 61)
    relay.turn()
    assert Heartbeat.objects.get(name="relay").beaten_at == moment[0]
    assert told == [letter.pk, letter.pk]  # no worker took it, so it is told again


def test_the_relay_stops_when_asked(letter):
    asked = iter([False, False, True])
    waits = []

    def wait(seconds):
        waits.append(seconds)
        return next(asked)

    relays.Relay(read_clock=lambda: make.NOW, wait=wait, send=lambda _: None).run()
    assert waits == [0, 0.5, 0.5]
