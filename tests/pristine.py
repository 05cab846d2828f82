"""The test database as it stood after all migrations, kept so that it can be put back.

Tables that only grow refuse to be emptied, so a test that commits rows cannot clean up after
itself. Instead the whole database is replaced: on SQLite the file, on PostgreSQL a copy made from
a template.
"""

import shutil
from pathlib import Path

from django.db import connection, connections


def _on_server():
    """A cursor on PostgreSQL's own maintenance database."""
    return connection._nodb_cursor()


def _quoted(name):
    return connection.ops.quote_name(name)


class Pristine:
    """A copy of the migrated test database."""

    def __init__(self):
        self.name = str(connection.settings_dict["NAME"])
        self.is_file = connection.vendor == "sqlite"
        self.copy = f"{self.name}.pristine" if self.is_file else f"{self.name}_pristine"

    def keep(self):
        """Make the copy. Closing the connections folds SQLite's journal into the file."""
        connections.close_all()
        if self.is_file:
            shutil.copyfile(self.name, self.copy)
            return
        with _on_server() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(self.copy)} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {_quoted(self.copy)} TEMPLATE {_quoted(self.name)}")

    def restore(self):
        """Put the copy in the place of the test database, whatever has happened to that."""
        connections.close_all()
        if self.is_file:
            for suffix in ("-wal", "-shm"):
                Path(self.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(self.copy, self.name)
            return
        with _on_server() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(self.name)} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {_quoted(self.name)} TEMPLATE {_quoted(self.copy)}")

    def discard(self):
        connections.close_all()
        if self.is_file:
            Path(self.copy).unlink(missing_ok=True)
            return
        with _on_server() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(self.copy)} WITH (FORCE)")
