"""``script/server`` from outside: it starts everything, tells where, leaves nothing behind."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
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


def fetch(process, path, headers=()):
    request = urllib.request.Request(
        f"http://127.0.0.1:{process.port}{path}", headers=dict(headers)
    )
    try:
        return urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as answer:
        return answer


def assert_kept_for_good(process):
    """Every static file of the sign-in page is named by its hash, immutable and compressed."""
    page = fetch(process, "/people/login/").read().decode()
    names = re.findall(r'(?:href|src)="(/static/[^"#]+)"', page)
    assert len(names) >= 5
    for name in names:
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", name)
        answer = fetch(process, name, headers={"Accept-Encoding": "gzip"})
        assert "immutable" in answer.headers["Cache-Control"]
        is_font = name.endswith(".woff2")  # compressed in itself
        assert answer.headers["Content-Encoding"] == (None if is_font else "gzip")


def test_the_command_starts_everything_prints_the_address_and_stops_cleanly(server):
    first = server().says(TOLD, seconds=300)
    assert f"http://127.0.0.1:{first.port}/" in first.output
    assert "coordinator@demo.example" in first.output
    assert "First letter" in first.output
    ready = fetch(first, "/readyz").read().decode()
    assert '"broker": "ok"' in ready
    assert "Sign in" in fetch(first, "/").read().decode()
    assert_kept_for_good(first)
    children = first.children()
    assert len(children) == 4  # broker, worker, relay with scheduler, web

    first.send(signal.SIGINT)
    processes.wait_until(lambda: not first.running, what="it stops")
    assert first.exit_code == 0, first.output
    assert not any(processes.is_running(pid) for pid in children)

    # The scheduler ran in the relay: it has noted what it sent.
    assert any(path.stat().st_size for path in server.room.glob("scheduler*"))

    # A second start keeps the data.
    with sqlite3.connect(server.room / "portal.sqlite3") as database:
        (cases,) = database.execute("SELECT count(*) FROM cases_case").fetchone()
    second = server().says(TOLD, seconds=90)
    with sqlite3.connect(server.room / "portal.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM cases_case").fetchone() == (cases,)
    # A killed process is started again, by name.
    for name in (" worker ", " relay ", "gunicorn", "broker.sock"):
        killed = child_named(second, name)
        os.kill(killed, signal.SIGKILL)
        processes.wait_until(
            lambda name=name, killed=killed: child_named(second, name) not in {None, killed},
            what="it is started again",
        )
    assert "The worker has ended (code -9); starting it again" in second.output
    assert second.running

    # One that ends again and again takes the others with it.
    children = second.children()
    killed = set()

    def kill_again():
        worker = child_named(second, " worker ")
        if worker not in {None, *killed}:
            killed.add(worker)
            os.kill(worker, signal.SIGKILL)
        return not second.running

    processes.wait_until(kill_again, what="it gives up")
    assert second.exit_code == 1
    assert "The end of" in second.output
    assert not any(processes.is_running(pid) for pid in children)


def child_named(process, word):
    """The process id of the child with this word in its command line, if it runs."""
    for pid in process.children():
        with contextlib.suppress(OSError):
            if word in processes.command_line(pid):
                return pid
    return None


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


def test_a_missing_secret_key_is_one_sentence():
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"SECRET_KEY", "DEBUG", "DJANGO_SETTINGS_MODULE"}
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=processes.ROOT, env=env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Set SECRET_KEY in the environment. It has no default.\n"


def test_the_help_of_the_server_names_its_variables():
    done = subprocess.run(
        [processes.ROOT / "script" / "server", "--help"], capture_output=True, text=True, check=True
    )
    for name in ("PORT", "RESET", "VAR_DIR"):
        assert f"{name}=" in done.stdout
