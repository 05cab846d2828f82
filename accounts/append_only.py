"""Append-only tables: database triggers that refuse UPDATE, DELETE and TRUNCATE.

``GuardTables`` is a migration operation. SQLite rebuilds a table when its columns change and drops
its triggers silently, so every migration that alters a guarded table has to end with
``GuardTables`` for it; ``tests/test_append_only.py`` reads the catalog after all migrations and
fails if a guard is missing.
"""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation

MESSAGE = "History only grows: rows of this table cannot be changed or removed."


def guard_statements(table: str, vendor: str) -> list[str]:
    """Return the statements that make one table append-only. They can be run again."""
    if vendor == "postgresql":
        return [
            "CREATE OR REPLACE FUNCTION refuse_change_of_history() RETURNS trigger AS "
            f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$ LANGUAGE plpgsql",
            f'DROP TRIGGER IF EXISTS "{table}_only_grows" ON "{table}"',
            f'CREATE TRIGGER "{table}_only_grows" BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_history()",
            # TRUNCATE does not fire the triggers of rows, so it needs one of its own.
            f'DROP TRIGGER IF EXISTS "{table}_never_emptied" ON "{table}"',
            f'CREATE TRIGGER "{table}_never_emptied" BEFORE TRUNCATE ON "{table}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history()",
        ]
    return [
        statement
        for act in ("UPDATE", "DELETE")
        for statement in (
            f'DROP TRIGGER IF EXISTS "{table}_no_{act.lower()}"',
            f'CREATE TRIGGER "{table}_no_{act.lower()}" BEFORE {act} ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
        )
    ]


def unguard_statements(table: str, vendor: str) -> list[str]:
    """Return the statements that remove the guard, for reversing the migration."""
    if vendor == "postgresql":
        return [
            f'DROP TRIGGER IF EXISTS "{table}_only_grows" ON "{table}"',
            f'DROP TRIGGER IF EXISTS "{table}_never_emptied" ON "{table}"',
        ]
    return [f'DROP TRIGGER IF EXISTS "{table}_no_{act}"' for act in ("update", "delete")]


class GuardTables(Operation):
    """Make tables append-only."""

    reversible = True
    elidable = False

    def __init__(self, tables: Sequence[str]) -> None:
        self.tables = list(tables)

    def statements(self, vendor: str) -> list[str]:
        """The statements that create the guards; ``accounts.guards`` compares them later."""
        return [statement for table in self.tables for statement in guard_statements(table, vendor)]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Do nothing: triggers are not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.statements(schema_editor.connection.vendor):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for table in self.tables:
            for statement in unguard_statements(table, schema_editor.connection.vendor):
                schema_editor.execute(statement)

    def describe(self) -> str:
        return f"Make {', '.join(self.tables)} append-only"
