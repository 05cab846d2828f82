"""The test database as it stands after all migrations, kept so that it can be put back.

Tables that only grow refuse to be emptied, so a test that commits rows cannot clean up after
itself. Instead the whole database is replaced: on SQLite the file, on PostgreSQL a copy made from
a template.

Running all migrations takes some seconds on a small machine. The result is kept in
``var/tests`` under a hash of every line of code that the migrations execute: the file itself for
SQLite, a dump for PostgreSQL. All parts of a run, and later runs, start from it.
"""

import ast
import contextlib
import fcntl
import gc
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import time
from pathlib import Path

from django.conf import settings
from django.db import connection, connections

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "var" / "tests"
APPS = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))


def code_of_migrations():
    """The migrations and every module of ours that they import, directly or not."""
    found = set()
    waiting = [path for app in APPS for path in (ROOT / app / "migrations").glob("*.py")]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting += [other for other in imported(path) if other not in found]
    return sorted(found)


def imported(path):
    """The files of ours that a file imports."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            names = [base, *([*base, alias.name] for alias in node.names)]
        else:
            continue
        for name in names:
            file = ROOT.joinpath(*name)
            candidates = [file.with_suffix(".py"), file / "__init__.py"] if name else []
            yield from (
                candidate
                for candidate in candidates
                if candidate.is_file() and name[0] in {*APPS, "imr_portal"}
            )


def key():
    """A name for this state of the migrations."""
    digest = hashlib.sha256()
    for package in ("django", "django-simple-history", "django-allauth"):
        digest.update(importlib.metadata.version(package).encode())
    digest.update(repr(settings.INSTALLED_APPS).encode())
    for path in code_of_migrations():
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def only_one_process():
    """Let one process at a time make what is kept; the others find it made."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def put_in_place(unfinished, kept):
    """Give a finished file its name, and remove those of earlier states of the migrations."""
    for old in KEPT.glob(f"*{kept.suffix}"):
        old.unlink(missing_ok=True)
    os.replace(unfinished, kept)


class PristineFile:
    """The migrated database on SQLite: a file that is copied."""

    def __init__(self):
        self.name = connection.settings_dict["TEST"]["NAME"]
        self.kept = KEPT / f"{key()}.sqlite3"

    def set_up(self):
        """Make the test database and connect to it, migrating only if nothing is kept."""
        with only_one_process():
            if not self.kept.is_file():
                connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
                connections.close_all()  # folds SQLite's journal into the file
                unfinished = f"{self.kept}.new"
                shutil.copyfile(self.name, unfinished)
                put_in_place(unfinished, self.kept)
            # A copy of our own: the kept file may be replaced while this run goes on.
            shutil.copyfile(self.kept, f"{self.name}.pristine")
        connect_to(self.name)
        self.restore()

    def restore(self):
        """Put the migrated state in place of the test database, whatever has happened to that."""
        connections.close_all()
        # SQLite deletes a journal by its name: whoever closes later would delete the next one.
        open_in = self._wait_until_closed()
        assert not open_in, f"the database is still open in {open_in}"
        for suffix in ("-wal", "-shm"):
            Path(self.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(f"{self.name}.pristine", self.name)

    def _wait_until_closed(self):
        """Give threads of a test a moment to close; return the processes that did not.

        The connection of a thread that has ended closes when it is collected.
        """
        for _ in range(50):
            if not (open_in := self._open_in()):
                return []
            gc.collect()
            time.sleep(0.1)
        return open_in

    def _open_in(self):
        """The processes that have the database open, as far as the system tells."""
        file, found = os.path.realpath(self.name), []
        for opened in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):  # a process that ended, or of someone else
                if os.readlink(opened) == file:
                    found.append(opened.parts[2])
        return found

    def copy_to(self, file):
        """Write the migrated state into a SQLite file of its own."""
        shutil.copyfile(f"{self.name}.pristine", file)

    def tear_down(self):
        connections.close_all()
        for name in (self.name, f"{self.name}.pristine"):
            Path(name).unlink(missing_ok=True)


class PristineTemplate:
    """The migrated database on PostgreSQL: a template on the server, loaded from a kept dump."""

    def __init__(self):
        process = os.environ.get("PYTEST_XDIST_WORKER", "")
        self.name = f"{connection.creation._get_test_db_name()}{process}"
        self.template = f"imr_tests_{key()}"
        with connection._nodb_cursor() as cursor:
            major = cursor.connection.info.server_version // 10000
        self.kept = KEPT / f"{key()}.postgres{major}"

    def set_up(self):
        """Make the test database and connect to it, migrating only if nothing is kept."""
        with only_one_process():
            if not self._template_is_there():
                self._load_dump() or self._migrate()
        connect_to(self.name)
        self.restore()

    def restore(self):
        """Put the migrated state in place of the test database, whatever has happened to that."""
        connections.close_all()
        self._copy(self.template, self.name)

    def tear_down(self):
        connections.close_all()
        self._drop(self.name)

    def _template_is_there(self):
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.template])
            return cursor.fetchone() is not None

    def _load_dump(self):
        """Load the kept dump into the template; ``False`` when there is none that loads."""
        if not self.kept.is_file():
            return False
        unfinished = f"{self.template}_new"
        self._drop(unfinished)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{unfinished}"')
        if self._program("pg_restore", "--dbname", unfinished, "--exit-on-error", self.kept):
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{self.template}"')
            return True
        self._drop(unfinished)
        return False

    def _migrate(self):
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        made = connection.settings_dict["NAME"]
        connections.close_all()
        unfinished = f"{self.kept}.new"
        if self._program("pg_dump", "--format", "custom", "--file", unfinished, made):
            put_in_place(unfinished, self.kept)
        self._copy(made, self.template)

    def _program(self, name, *words):
        """Run one of PostgreSQL's programs on this server; whether it was there and succeeded.

        Without it nothing is kept for the next run, which then migrates again.
        """
        row = connection.settings_dict
        options = {"host": row["HOST"], "port": row["PORT"], "username": row["USER"]}
        where = [f"--{option}={value}" for option, value in options.items() if value]
        path = os.pathsep.join([os.environ["PATH"], *map(str, installed_postgres())])
        program = shutil.which(name, path=path)
        if program is None:
            return False
        environment = {**os.environ, "PGPASSWORD": str(row["PASSWORD"])}
        ran = subprocess.run(
            [program, *where, *map(str, words)], env=environment, capture_output=True, check=False
        )
        return ran.returncode == 0

    def _drop(self, name):
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _copy(self, source, target):
        self._drop(target)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}" STRATEGY FILE_COPY')


def installed_postgres():
    """Where Debian keeps the programs of PostgreSQL, newest first."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(folders, key=lambda path: int(path.parent.name), reverse=True)


def connect_to(name):
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


def pristine():
    """What keeps the migrated state on the database of this run."""
    return PristineFile() if connection.vendor == "sqlite" else PristineTemplate()
