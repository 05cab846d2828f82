"""Rows of which a part is frozen: triggers that refuse to change it, and to remove the row.

Like ``accounts.append_only``, for tables whose rows may still move forward in other columns.
"""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation


class FreezeColumns(Operation):
    """Refuse changes of some columns for ever, of all columns once a row is final, and removal."""

    reversible = True
    elidable = False

    def __init__(self, table: str, columns: Sequence[str], final_when: str = "") -> None:
        """
        :param final_when: an SQL condition on ``OLD`` under which nothing may change any more.
        """
        self.table = table
        self.columns = list(columns)
        self.final_when = final_when

    def statements(self, vendor: str) -> list[str]:
        """The statements that freeze, safe to run again."""
        table = self.table
        message = f"{table}: what is frozen cannot be changed or removed."
        if vendor == "postgresql":
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
        """The statements that lift it, for migrations backward."""
        names = ["frozen", "never_emptied" if vendor == "postgresql" else "never_removed"]
        on = f' ON "{self.table}"' if vendor == "postgresql" else ""
        return [f'DROP TRIGGER IF EXISTS "{self.table}_{name}"{on}' for name in names]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Triggers are not part of Django's picture of the models."""

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
