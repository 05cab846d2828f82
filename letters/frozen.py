"""Database triggers that forbid changing certain columns and deleting rows.

Like ``accounts.append_only``, but for tables in which other columns may still change.
"""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation


class FreezeColumns(Operation):
    """Forbid changes to some columns, all changes to final rows, and all deletions."""

    reversible = True
    elidable = False

    def __init__(self, table: str, columns: Sequence[str], final_when: str = "") -> None:
        """
        :param columns: the columns that can never change.
        :param final_when: an SQL condition on ``OLD``; rows that meet it cannot change at all.
        """
        self.table = table
        self.columns = list(columns)
        self.final_when = final_when

    def statements(self, vendor: str) -> list[str]:
        """Return the SQL statements that create the triggers; safe to run again."""
        table = self.table
        message = f"{table}: frozen data cannot be changed or deleted."
        if vendor == "postgresql":
            # "IS DISTINCT FROM" and not "<>", which is unknown and so false if one side is NULL.
            changed = [f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in self.columns]
            if self.final_when:
                changed.append(f"({self.final_when} AND OLD IS DISTINCT FROM NEW)")
            return [
                f"CREATE OR REPLACE FUNCTION {table}_frozen() RETURNS trigger AS $$ BEGIN "
                f"IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION '{message}'; END IF; "
                f"IF {' OR '.join(changed)} THEN RAISE EXCEPTION '{message}'; END IF; "
                "RETURN NEW; END $$ LANGUAGE plpgsql",
                f'DROP TRIGGER IF EXISTS "{table}_frozen" ON "{table}"',
                f'CREATE TRIGGER "{table}_frozen" BEFORE UPDATE OR DELETE ON "{table}" '
                f"FOR EACH ROW EXECUTE FUNCTION {table}_frozen()",
                f'DROP TRIGGER IF EXISTS "{table}_never_emptied" ON "{table}"',
                f'CREATE TRIGGER "{table}_never_emptied" BEFORE TRUNCATE ON "{table}" '
                f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_frozen()",
            ]
        changed = [f'OLD."{name}" IS NOT NEW."{name}"' for name in self.columns]
        if self.final_when:
            changed.append(f"({self.final_when})")
        return [
            f'DROP TRIGGER IF EXISTS "{table}_frozen"',
            f'CREATE TRIGGER "{table}_frozen" BEFORE UPDATE ON "{table}" '
            f"WHEN {' OR '.join(changed)} BEGIN SELECT RAISE(ABORT, '{message}'); END",
            f'DROP TRIGGER IF EXISTS "{table}_never_removed"',
            f'CREATE TRIGGER "{table}_never_removed" BEFORE DELETE ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
        ]

    def undoing(self, vendor: str) -> list[str]:
        """Return the SQL statements that drop the triggers, for backward migrations."""
        names = ["frozen", "never_emptied" if vendor == "postgresql" else "never_removed"]
        on = f' ON "{self.table}"' if vendor == "postgresql" else ""
        return [f'DROP TRIGGER IF EXISTS "{self.table}_{name}"{on}' for name in names]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: triggers are not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.statements(schema_editor.connection.vendor):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.undoing(schema_editor.connection.vendor):
            schema_editor.execute(statement)

    def describe(self) -> str:
        return f"Freeze {', '.join(self.columns)} of {self.table}"
