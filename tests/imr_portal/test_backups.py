"""The commands for backups and restores in ``docs/operations.md``, run as they are printed there.

A writer decides cases all the time. The database is killed while it writes and its disk is gone;
after the restore, every decision that the writer printed is there, and so are guards and roles.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.processes import ROOT, Process, wait_until
from tests.test_append_only import GUARDED

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = dict(re.findall(r"<!-- commands: ([\w-]+) -->\n```sh\n(.*?)```", PAGE, re.DOTALL))
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
BY_POSTGRES = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
NIGHT = "2026-11-30"


def test_the_page_has_the_commands_and_each_is_run():
    assert sorted(COMMANDS) == [
        "files-backup",
        "files-restore",
        "postgres-backup",
        "postgres-receiver",
        "postgres-restore",
        "postgres-slot",
        "postgres-synchronous",
        "sqlite-backup",
        "sqlite-restore",
    ]
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(source.count(f'"{name}"') >= 2 for name in COMMANDS), "a command is not run"


def environment(folder, **more):
    """The environment of the commands; ``python`` starts in the folder of the portal."""
    programs = folder / "programs"
    if not programs.exists():
        programs.mkdir()
        program = programs / "python"
        program.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" "$@"\n')
        program.chmod(0o755)
    path = [str(programs), *(str(one) for one in BINARIES[-1:]), os.environ["PATH"]]
    return {
        **os.environ,
        "PATH": os.pathsep.join(path),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "VAR_DIR": str(folder / "var"),
        "FILES_DIR": str(folder / "files"),
        "BACKUP": str(folder / "backup"),
        "NIGHT": NIGHT,
        **more,
    }


def run(name, env, *, as_user=()):
    """Run a block of commands of the page; every command has to succeed."""
    return sh(COMMANDS[name], env, as_user=as_user, name=name)


def sh(text, env, *, as_user=(), name=""):
    done = subprocess.run(
        [*as_user, "sh", "-eu", "-c", text],
        env=env,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{name or text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


MAKE_PEOPLE = """
from accounts.roles import Role
from accounts.services import create_user
from tests.factories import MONDAY
for role in (Role.INTAKE, Role.COORDINATOR):
    create_user(email=f"{'clerk' if role == Role.INTAKE else 'coordinator'}@example.org",
                name="Ada Clerk", password=None, roles=[role], by=None, at=MONDAY)
"""
LIST_DECIDED = """
from cases.models import Case
from eligibility.models import EligibilityDecision
decided = EligibilityDecision.objects.values_list("case__number", flat=True)
print("DECIDED", *decided)
print("HISTORY", Case.history.count())
"""


def prepare(env):
    sh("python manage.py migrate --verbosity 0", env)
    sh(f"python manage.py shell -v 0 -c '{_quoted(MAKE_PEOPLE)}'", env)


def _quoted(text):
    return text.replace("'", "'\\''")


def decided_cases(env):
    """The numbers of the decided cases that the database holds."""
    printed = sh(f"python manage.py shell -v 0 -c '{_quoted(LIST_DECIDED)}'", env)
    line = next(one for one in printed.splitlines() if one.startswith("DECIDED"))
    return set(line.split()[1:])


class Writer:
    """The process that decides cases, and what it has acknowledged."""

    def __init__(self, folder, env):
        argv = [sys.executable, "-m", "tests.imr_portal.backup_writer"]
        self.process = Process("writer", argv, folder=folder, env=env)

    def lines(self):
        found = [line.split() for line in self.process.output.splitlines(keepends=True)
                 if line.endswith("\n")]  # fmt: skip
        return [words for words in found if words and re.fullmatch(r"CM\d\d-\d{7}", words[0])]

    def acknowledged(self, *, until=None):
        """The numbers of the decided cases that were acknowledged, at most until a moment."""
        return {
            number
            for number, _, moment in self.lines()
            if until is None or datetime.fromisoformat(moment) <= until
        }

    def wait_for_more(self, count):
        wanted = len(self.lines()) + count

        def enough():
            assert self.process.running, self.process.output[-3000:]
            return len(self.lines()) >= wanted

        wait_until(enough, what=f"{count} more decisions", seconds=180)


def assert_files_are_whole(printed):
    assert "0 rows without a file" in printed, printed
    assert "0 hash differences" in printed, printed


def verify_files(env):
    """What ``verify_files`` says; it fails for files without a row, which the page allows."""
    done = subprocess.run(
        ["sh", "-c", "python manage.py verify_files"], env=env, cwd="/", capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.stdout


# --- SQLite ---------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.sqlite
def test_sqlite_loses_no_acknowledged_decision(tmp_path):
    env = environment(tmp_path)
    file = tmp_path / "portal.sqlite3"
    env |= {"DATABASE_URL": f"sqlite://{file}", "DATABASE_FILE": str(file)}
    prepare(env)
    writer = Writer(tmp_path, env)
    writer.process.start()
    try:
        writer.wait_for_more(10)
        before_backup = writer.acknowledged()
        run("sqlite-backup", env)
        run("files-backup", env)
        writer.wait_for_more(5)
    finally:
        writer.process.kill()
    acknowledged = writer.acknowledged()

    assert acknowledged - decided_cases(env) == set(), "lost by the kill"

    file.write_bytes(b"gone")
    shutil.rmtree(tmp_path / "files")
    run("sqlite-restore", env)
    run_but_for_extra_files("files-restore", env)

    restored = decided_cases(env)
    assert before_backup - restored == set(), "lost by the restore"
    assert_files_are_whole(verify_files(env))
    list_triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    triggers = sh(f'sqlite3 "$DATABASE_FILE" "{list_triggers}"', env).split()
    assert {f"{table}_no_{act}" for table in GUARDED for act in ("update", "delete")} <= set(
        triggers
    )
    refused = subprocess.run(
        ["sqlite3", str(file), "UPDATE cases_event SET sentence = 'x'"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "History only grows" in refused.stderr


def run_but_for_extra_files(name, env):
    """Run a block whose last command may list files without a row."""
    *commands, last = COMMANDS[name].strip().splitlines()
    assert last == "python manage.py verify_files"
    sh("\n".join(commands), env, name=name)
    assert_files_are_whole(verify_files(env))


# --- PostgreSQL -----------------------------------------------------------------------------------


class Server:
    """A durable PostgreSQL server on a socket of its own."""

    def __init__(self, folder, data):
        self.folder, self.data = folder, data
        self.socket = folder / "socket"

    def url(self, *, user="postgres"):
        return f"postgresql:///imr?host={self.socket}&user={user}"

    def start_first(self):
        sh(f'initdb -D "{self.data}" -U postgres -A trust -E UTF8 --locale=C.UTF-8 '
           f'>"{self.folder}/initdb.log"', self.env(), as_user=BY_POSTGRES)  # fmt: skip
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write(f"unix_socket_directories = '{self.socket}'\nlisten_addresses = ''\n")
        sh(f'pg_ctl -D "{self.data}" -w -l "{self.folder}/first.log" start', self.env(),
           as_user=BY_POSTGRES)  # fmt: skip

    def env(self):
        return {**os.environ, "PATH": f"{BINARIES[-1]}{os.pathsep}{os.environ['PATH']}"}

    def sql(self, text, *, user="postgres", database="imr", check=True):
        program = [f"{BINARIES[-1]}/psql", "-h", str(self.socket), "-U", user, "-d", database]
        done = subprocess.run(
            [*program, "-Atc", text], capture_output=True, text=True, check=False, timeout=60
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip() if check else done.stderr

    def kill(self):
        """End the server and its children as a power failure would."""
        lines = (self.data / "postmaster.pid").read_text().splitlines()
        pid, sockets = int(lines[0]), Path(lines[4])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        # A new machine has no lock of the old server, whose process may not be reaped yet.
        for left in sockets.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    def stop(self):
        program = [*BY_POSTGRES, f"{BINARIES[-1]}/pg_ctl", "-D", str(self.data)]
        subprocess.run(
            [*program, "-m", "immediate", "stop"], capture_output=True, check=False, cwd="/"
        )


@pytest.fixture
def folder(tmp_path_factory):
    """A folder with a short path for sockets, which PostgreSQL's own user may use."""
    path = Path(
        subprocess.check_output(["mktemp", "-d", "/tmp/imr-backup.XXXXXX"], text=True).strip()
    )
    for name in ("backup", "files", "socket", "var"):
        (path / name).mkdir()
    for one in (path, *path.iterdir()):
        one.chmod(0o777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.long
@pytest.mark.skipif(not BINARIES, reason="PostgreSQL's programs are not here")
def test_postgresql_loses_no_acknowledged_decision(folder):
    first = Server(folder, folder / "data")
    env = environment(folder, PGPRIMARY=f"host={folder / 'socket'} user=postgres dbname=postgres")
    env["DATABASE_URL"] = first.url()
    first.start_first()
    second = Server(folder, folder / "restored")
    third = Server(folder, folder / "restored-to-a-moment")
    receiver = writer = None
    try:
        first.sql("CREATE DATABASE imr", database="postgres")
        first.sql("CREATE ROLE imr_app LOGIN", database="postgres")
        prepare(env)
        sh("python manage.py grant_application_role imr_app", env)
        as_application = env | {"DATABASE_URL": first.url(user="imr_app")}
        run("postgres-slot", env, as_user=BY_POSTGRES)
        receiver = Process(
            "receiver",
            [*BY_POSTGRES, "sh", "-eu", "-c", COMMANDS["postgres-receiver"]],
            folder=folder,
            env=env,
        ).start()
        run("postgres-synchronous", env, as_user=BY_POSTGRES)
        wait_until(
            lambda: (
                first.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
                == "1"
            ),
            what="the receiver is synchronous",
        )
        writer = Writer(folder, as_application)
        writer.process.start()
        writer.wait_for_more(10)
        run("postgres-backup", env, as_user=BY_POSTGRES)
        run("files-backup", env)
        writer.wait_for_more(10)
        moment = datetime.fromisoformat(writer.lines()[-1][2]) + timedelta(milliseconds=1)
        writer.wait_for_more(10)

        first.kill()
        wait_until(lambda: not writer.process.running, what="the writer has lost the server")
        acknowledged = writer.acknowledged()
        receiver.stop()
        sh(f'rm -rf "{first.data}"', env)

        assert len(acknowledged) >= 30
        restore(second, env, "")
        assert acknowledged - decided_cases(env) == set(), "lost"
        assert_guarded(second)
        run_but_for_extra_files("files-restore", env)
        # The portal works on: its role decides further cases.
        after = Writer(folder / "var", as_application)
        after.process.start()
        after.wait_for_more(2)
        after.process.kill()
        second.stop()

        restore(third, env, moment.isoformat(sep=" "))
        to_the_moment = decided_cases(env)
        assert writer.acknowledged(until=moment) <= to_the_moment
        later = writer.acknowledged() - writer.acknowledged(until=moment)
        # The decision that was being committed at that moment may be there.
        assert len(later & to_the_moment) <= 1
        assert_guarded(third)
    finally:
        for process in (writer and writer.process, receiver):
            if process:
                process.kill()
        for server in (first, second, third):
            server.stop()


def restore(server, env, moment):
    run(
        "postgres-restore",
        env | {"PGDATA": str(server.data), "MOMENT": moment},
        as_user=BY_POSTGRES,
    )
    wait_until(
        lambda: server.sql("SELECT pg_is_in_recovery()") == "f", what="the restore has ended"
    )


def assert_guarded(server):
    """The triggers refuse the owner, and the role of the portal owns and deletes nothing."""
    triggers = set(server.sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal").split())
    wanted = {f"{table}_{end}" for table in GUARDED for end in ("only_grows", "never_emptied")}
    # PostgreSQL shortens names to 63 letters.
    assert {name[:63] for name in wanted} <= triggers
    assert server.sql("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'") == "0"
    refused = server.sql("UPDATE cases_event SET sentence = 'x'", check=False)
    assert "History only grows" in refused
    for statement in ("UPDATE cases_event SET sentence = 'x'", "DELETE FROM cases_case",
                      "ALTER TABLE cases_event DISABLE TRIGGER ALL"):  # fmt: skip
        denied = server.sql(statement, user="imr_app", check=False)
        assert "permission denied" in denied or "must be owner" in denied, denied
