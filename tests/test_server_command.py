"""``script/server`` from outside: it starts everything, tells where, leaves nothing behind."""

import os
import signal
import sqlite3
import sys
import urllib.error
import urllib.request

import pytest

from . import processes

pytestmark = [pytest.mark.faults, pytest.mark.sqlite]
TOLD = "Ctrl-C stops everything"


@pytest.fixture
def server(tmp_path, django_db_setup, django_db_blocker):
    """Start the demonstration in a folder of its own, as often as a test asks for it."""
    room = tmp_path / "a folder with spaces"
    room.mkdir()
    django_db_setup.copy_to(room / "portal.sqlite3")  # saves the migrating
    running = []

    def start(**changes):
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "DJANGO_SETTINGS_MODULE"}
            and not name.startswith(("SECURE_", "SECOND_", "LETTER_", "CELERY_", "CACHE_"))
        }
        env |= {"VAR_DIR": str(room), "PORT": str(processes.free_port()), **changes}
        process = processes.Process(
            f"server-{len(running)}",
            [sys.executable, processes.ROOT / "script" / "run_demo.py"],
            folder=tmp_path,
            env=env,
        )
        process.port = env["PORT"]
        running.append(process)
        return process.start()

    start.room = room
    yield start
    for process in running:
        process.stop(seconds=30)


def fetch(process, path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{process.port}{path}", timeout=20)
    except urllib.error.HTTPError as answer:
        return answer


def test_the_command_starts_everything_prints_the_address_and_stops_cleanly(server):
    first = server().says(TOLD, seconds=300)
    assert f"http://127.0.0.1:{first.port}/" in first.output
    assert "coordinator@demo.example" in first.output
    assert "First letter" in first.output
    ready = fetch(first, "/readyz").read().decode()
    assert '"broker": "ok"' in ready
    assert "Sign in" in fetch(first, "/").read().decode()
    children = first.children()
    assert len(children) == 5  # broker, worker, relay, scheduler, web

    first.send(signal.SIGINT)
    processes.wait_until(lambda: not first.running, what="it stops")
    assert first.exit_code == 0, first.output
    assert not any(processes.is_running(pid) for pid in children)

    # A second start keeps the data; a process that dies takes the others with it, by name.
    with sqlite3.connect(server.room / "portal.sqlite3") as database:
        (cases,) = database.execute("SELECT count(*) FROM cases_case").fetchone()
    second = server().says(TOLD, seconds=90)
    with sqlite3.connect(server.room / "portal.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM cases_case").fetchone() == (cases,)
    children = second.children()
    worker = next(pid for pid in children if " worker " in processes.command_line(pid))
    os.kill(worker, signal.SIGKILL)

    processes.wait_until(lambda: not second.running, what="it gives up")
    assert second.exit_code == 1
    assert "The worker has ended" in second.output
    assert not any(processes.is_running(pid) for pid in children)


def test_a_port_in_use_is_reported_at_once(server):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = server(PORT=str(taken.getsockname()[1]))
        processes.wait_until(lambda: not process.running, what="it gives up", seconds=30)

    assert process.exit_code == 1
    assert "cannot be used" in process.output
    assert "PORT=8001" in process.output


def test_a_database_of_earlier_migrations_is_kept_aside_and_a_new_one_made(server):
    old = server.room / "portal.sqlite3"
    with sqlite3.connect(old) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('cases', '0002_gone', '')"
        )
        database.execute("CREATE TABLE only_in_the_old_one (id integer)")
    (server.room / "files").mkdir()
    (server.room / "files" / "a file").write_text("kept")

    process = server().says("It was moved to", seconds=60)

    (kept,) = server.room.glob("earlier-*")
    with sqlite3.connect(kept / "portal.sqlite3") as database:
        database.execute("SELECT * FROM only_in_the_old_one")
    assert (kept / "files" / "a file").read_text() == "kept"
    process.says(TOLD, seconds=300)
    assert b"only_in_the_old_one" not in old.read_bytes()


def test_a_named_database_of_earlier_migrations_is_left_alone(server):
    old = server.room / "portal.sqlite3"
    with sqlite3.connect(old) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('cases', '0002_gone', '')"
        )

    process = server(DATABASE_URL=f"sqlite:///{old}")
    processes.wait_until(lambda: not process.running, what="it gives up", seconds=60)

    assert process.exit_code == 1
    assert "Set DATABASE_URL to an empty database" in process.output
    assert not list(server.room.glob("earlier-*"))
