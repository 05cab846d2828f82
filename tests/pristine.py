"""The test database as it stands after all migrations, kept so that it can be put back.

Tables that only grow refuse to be emptied, so a test that commits rows cannot clean up after
itself. Instead the whole database is replaced: on SQLite the file, on PostgreSQL a copy made from
a template.

Running all migrations takes most of a minute on a small machine, so the result is kept between
runs under a name that is a hash of every line of code that the migrations execute.
"""

import ast
import hashlib
import importlib.metadata
import os
import shutil
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


class Pristine:
    """The migrated database that test databases are copied from."""

    def __init__(self):
        self.is_file = connection.vendor == "sqlite"
        if self.is_file:
            self.name = connection.settings_dict["TEST"]["NAME"]
            self.template = str(KEPT / f"{key()}.sqlite3")
        else:
            self.name = connection.creation._get_test_db_name()
            self.template = f"imr_tests_{key()}"

    def set_up(self):
        """Make the test database and connect to it, migrating only if nothing is kept."""
        if self.is_kept():
            self._connect()
            if self.is_file:
                shutil.copyfile(self.template, f"{self.name}.pristine")
            self.restore()
            return
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connections.close_all()  # folds SQLite's journal into the file
        if self.is_file:
            KEPT.mkdir(parents=True, exist_ok=True)
            for old in KEPT.glob("*.sqlite3"):
                old.unlink(missing_ok=True)
            unfinished = f"{self.template}.{os.getpid()}"
            shutil.copyfile(self.name, unfinished)
            os.replace(unfinished, self.template)
            shutil.copyfile(self.name, f"{self.name}.pristine")
        else:
            self._copy(self.name, self.template)

    def restore(self):
        """Put the migrated state in place of the test database, whatever has happened to that."""
        connections.close_all()
        if self.is_file:
            for suffix in ("-wal", "-shm"):
                Path(self.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(f"{self.name}.pristine", self.name)
        else:
            self._copy(self.template, self.name)

    def copy_to(self, file):
        """Write the migrated state into a SQLite file of its own."""
        shutil.copyfile(f"{self.name}.pristine", file)

    def tear_down(self):
        connections.close_all()
        if self.is_file:
            for name in (self.name, f"{self.name}.pristine"):
                Path(name).unlink(missing_ok=True)
        else:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def is_kept(self):
        if self.is_file:
            return Path(self.template).is_file()
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.template])
            return cursor.fetchone() is not None

    def _connect(self):
        connections.close_all()
        settings.DATABASES["default"]["NAME"] = self.name
        connection.settings_dict["NAME"] = self.name

    def _copy(self, source, target):
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
