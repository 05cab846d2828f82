"""Migration operation that keeps editions of one guideline from being in force on the same day.

PostgreSQL uses an exclusion constraint and SQLite uses triggers. SQLite drops its triggers when a
later migration rebuilds the table, so such a migration has to end with ``KeepEditionsApart`` again.
"""

from typing import Any

from django.db.migrations.operations.base import Operation

MESSAGE = "Another edition of this guideline is in force on one of these days."

_POSTGRESQL = [
    # The constraint compares an id with "=", which GiST can do only with this extension.
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "ALTER TABLE guidelines_edition DROP CONSTRAINT IF EXISTS edition_days_apart",
    "ALTER TABLE guidelines_edition ADD CONSTRAINT edition_days_apart EXCLUDE USING gist "
    # The range excludes its last day, as ``ends_before`` is the first day not in force.
    "(guideline_id WITH =, daterange(valid_from, ends_before, '[)') WITH &&)",
]

_SHARE_A_DAY = (
    "SELECT 1 FROM guidelines_edition AS other WHERE other.guideline_id = NEW.guideline_id "
    # Dates are text in SQLite, and this text sorts behind every real date.
    "AND other.valid_from < COALESCE(NEW.ends_before, '9999-12-31') "
    "AND NEW.valid_from < COALESCE(other.ends_before, '9999-12-31')"
)
_SQLITE = [
    # Dropped first, so that a later migration can run the operation again.
    "DROP TRIGGER IF EXISTS edition_days_apart_insert",
    "CREATE TRIGGER edition_days_apart_insert BEFORE INSERT ON guidelines_edition "
    f"WHEN EXISTS ({_SHARE_A_DAY}) BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    "DROP TRIGGER IF EXISTS edition_days_apart_update",
    "CREATE TRIGGER edition_days_apart_update BEFORE UPDATE ON guidelines_edition "
    f"WHEN EXISTS ({_SHARE_A_DAY} AND other.id <> NEW.id) "
    f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
]


class KeepEditionsApart(Operation):
    """Make the database refuse two editions of a guideline that are in force on the same day."""

    reversible = True
    elidable = False

    def statements(self, vendor: str) -> list[str]:
        """The statements that keep editions apart; ``accounts.guards`` compares them later."""
        return _POSTGRESQL if vendor == "postgresql" else _SQLITE

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Do nothing: Django's state of the models does not know this constraint."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.statements(schema_editor.connection.vendor):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            # The extension stays: something else may use it.
            schema_editor.execute(_POSTGRESQL[1])
            return
        for act in ("insert", "update"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS edition_days_apart_{act}")

    def describe(self) -> str:
        return "Keep the days of a guideline's editions apart"
