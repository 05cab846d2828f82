"""Real processes: a broker, a relay and a worker that are killed, wiped or unavailable."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.db import connections
from django.utils import timezone

from letters import services
from letters.models import Heartbeat, Letter, LetterStep
from tests import processes
from tests.processes import DidNotHappen, wait_until

from . import factories as make

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("committed_db")]


@pytest.fixture
def wording():
    return make.wording()


def now():
    return timezone.now()


def queue_letters(wording, count=1, *, size=1):
    """Letters that are due; a large size takes the worker a while."""
    composed = make.composed(wording)
    letters = []
    for number in range(count):
        reference = f"CM26-{number:07d}"
        document = make.determination(
            composed,
            case_number=reference,
            summary="\n\n".join(["Two injections at C3-C4 gave short relief. " * 12] * size),
        )
        letters.append(make.enqueue(wording, reference=reference, document=document, at=now()))
    return letters


def all_filed(letters):
    ids = [letter.pk for letter in letters]
    return Letter.objects.filter(pk__in=ids, state="FILED").count() == len(ids)


def wait_until_filed(letters):
    """Wait for all of them; on failure say how far each one got."""
    try:
        wait_until(lambda: all_filed(letters), what="all letters are filed", seconds=90)
    except DidNotHappen as error:
        way = [
            f"{letter}: {step.kind} {step.happened_at:%H:%M:%S} {step.detail}"
            for letter in letters
            for step in letter.steps.order_by("pk")
        ]
        raise DidNotHappen("\n".join([str(error), *way])) from None


def assert_each_filed_once(letters):
    for letter in letters:
        letter.refresh_from_db()
        assert letter.is_filed
        assert letter.steps.filter(kind=LetterStep.Kind.FILED).count() == 1
        assert services.files.read_bytes(letter.file).startswith(b"%PDF-")


def test_relay_and_worker_file_letters(wording, relay, worker):
    letters = queue_letters(wording, 3)
    wait_until_filed(letters)
    assert_each_filed_once(letters)
    assert relay.stop(seconds=10) == 0
    assert "Relay stopped." in relay.output


def test_a_message_contains_an_id_and_no_text(wording, broker, relay):
    (letter,) = queue_letters(wording)
    with broker.client() as client:
        message = wait_until(lambda: client.lrange("imr", 0, -1), what="a message waits")[0]
        keys = client.keys("*")
    assert str(letter.pk).encode() in message
    for canary in (b"Maria", b"injection", b"PROOF", b"CM26"):
        assert canary not in message
    assert not any(b"CM26" in key for key in keys)


@pytest.mark.every_database
def test_killed_while_rendering_the_letter_is_still_filed_exactly_once(wording, relay, worker):
    (letter,) = queue_letters(wording, size=300)
    wait_until(
        lambda: Letter.objects.filter(pk=letter.pk, state="RENDERING").exists(),
        what="the worker has taken the letter",
        every=0.005,
    )
    worker.kill()
    letter.refresh_from_db()
    assert letter.state == Letter.State.RENDERING

    worker.start()
    wait_until_filed([letter])
    assert_each_filed_once([letter])
    assert letter.attempts > 1


def test_a_killed_pool_child_loses_nothing(wording, relay, worker):
    (letter,) = queue_letters(wording, size=300)
    wait_until(
        lambda: Letter.objects.filter(pk=letter.pk, state="RENDERING").exists(),
        what="the worker has taken the letter",
        every=0.005,
    )
    for child in worker.children():
        os.kill(child, signal.SIGKILL)
    wait_until_filed([letter])
    assert_each_filed_once([letter])


def test_letters_wait_while_the_broker_is_unavailable_and_are_filed_later(
    wording, broker, relay, worker
):
    broker.kill()
    began = time.monotonic()
    letters = queue_letters(wording, 2)
    assert time.monotonic() - began < 5  # writing a letter asks nothing of the broker
    wait_until(lambda: "relay_broker_unavailable" in relay.output, what="the relay notices")
    assert Letter.objects.filter(state="QUEUED").count() == 2

    broker.start()
    wait_until_filed(letters)
    assert_each_filed_once(letters)


def test_a_wiped_broker_loses_no_letter(wording, broker, relay):
    letters = queue_letters(wording, 5)
    with broker.client() as client:
        wait_until(lambda: client.llen("imr") == 5, what="five messages wait")
    broker.flush()

    worker = processes.worker(relay.log.parent, relay.env).start()
    try:
        wait_until_filed(letters)
    finally:
        worker.stop(seconds=15)
    assert_each_filed_once(letters)


def test_the_worker_shows_that_it_works(wording, worker, process_env, broker):
    subprocess.run(
        [sys.executable, "-m", "celery", "-A", "imr_portal", "call", "letters.heartbeat"],
        env=process_env,
        cwd=make.ROOT,
        check=True,
        capture_output=True,
    )
    wait_until(lambda: Heartbeat.objects.filter(name="worker").exists(), what="the heart beats")


@pytest.fixture(autouse=True)
def _close_connections():
    yield
    connections.close_all()
