"""The indexes of the names of people and organizations, as a migration operation.

On PostgreSQL they are indexes of trigrams (groups of three letters), by which any part of a name is
found. SQLite compares each name instead; demonstrations and tests have few.
"""

from typing import Any

from django.db.migrations.operations.base import Operation

TABLES = ("directory_personname", "directory_organizationname")


class IndexDirectoryNames(Operation):
    """Index the folded names of people and organizations for searches by any part of a name."""

    reversible = True
    elidable = False

    def statements(self, vendor: str) -> list[str]:
        """Return the statements that create the indexes."""
        if vendor != "postgresql":
            return []
        return [
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            *(
                f"CREATE INDEX {table}_letters ON {table} USING gin (normal gin_trgm_ops) "
                "WITH (fastupdate = off)"
                for table in TABLES
            ),
        ]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Do nothing: the indexes are not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.statements(schema_editor.connection.vendor):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for table in TABLES:
                schema_editor.execute(f"DROP INDEX {table}_letters")

    def describe(self) -> str:
        return "Index the names of people and organizations"
