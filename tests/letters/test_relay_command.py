"""``manage.py relay --schedule``: relay and scheduler share a process, and its end."""

import os
import signal
import threading

import pytest
from celery import beat
from django.core.management import CommandError, call_command

from letters.relay import Relay


@pytest.fixture(autouse=True)
def signals(settings, monkeypatch):
    """Put back what the command does with signals. The rounds of the relay are not tested here."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(Relay, "run_once", lambda relay: relay.interval)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_if_the_scheduler_ends_the_whole_process_fails_so_that_both_are_started_again(
    monkeypatch, tmp_path
):
    def fail(service):
        raise OSError("its file cannot be written")

    monkeypatch.setattr(beat.Service, "start", fail)

    with pytest.raises(CommandError, match="The scheduler has ended"):
        call_command("relay", schedule=str(tmp_path / "scheduler"), interval=0.05)


def test_a_relay_that_is_asked_to_stop_stops_the_scheduler_too(monkeypatch, tmp_path, capsys):
    running = threading.Event()

    def run(service):
        running.set()
        service._is_shutdown.wait(20)

    monkeypatch.setattr(beat.Service, "start", run)

    def ask():
        running.wait(20)
        os.kill(os.getpid(), signal.SIGTERM)

    asking = threading.Thread(target=ask)
    asking.start()
    call_command("relay", schedule=str(tmp_path / "scheduler"), interval=0.05)
    asking.join()

    assert "Relay stopped." in capsys.readouterr().out
    assert not [thread for thread in threading.enumerate() if thread.name == "scheduler"]
