"""Migration operations: load the shipped rules, and let the database refuse overlapping rows.

``load_default_rules`` fills empty tables. ``RefuseOverlap`` adds triggers that refuse two rows of
one rule or holiday that are in force on the same day.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.db.migrations.operations.base import Operation

from .calendars import Holiday
from .rules import Rule
from .shipped_rules import HOLIDAYS, RULES

LOADED = "Shipped with the portal; not yet compared with the text of the law."
OVERLAP = "Two rows of one rule would be in force on the same day."


def rule_fields(rule: Rule) -> dict[str, Any]:
    """Return the columns of a ``DeadlineRule`` row, without who confirmed it."""
    fields = asdict(rule)
    # Nobody has confirmed a shipped row.
    del fields["confirmed_by"], fields["confirmed_on"]
    return fields | {
        "kind": rule.kind.value,
        "roll": rule.roll.value,
        "calendar": str(rule.calendar),
        "length_by_method": dict(rule.length_by_method),
        "deemed_received": dict(rule.deemed_received),
    }


def holiday_fields(holiday: Holiday) -> dict[str, Any]:
    """Return the columns of a ``HolidayRule`` row, without who confirmed it."""
    fields = asdict(holiday)
    del fields["confirmed_by"], fields["confirmed_on"]
    return fields | {"calendar": str(holiday.calendar)}


def load_default_rules(apps: Any, schema_editor: Any = None) -> None:
    """Fill the tables of rules and holidays if they are empty, with a first version of each row.

    Use with ``migrations.RunPython(load_default_rules, migrations.RunPython.noop)``. Nobody calls a
    migration with a moment, so the clock is read here.
    """
    at = datetime.now(UTC)
    _load_rows(apps, "DeadlineRule", [rule_fields(rule) for rule in RULES], at)
    _load_rows(apps, "HolidayRule", [holiday_fields(holiday) for holiday in HOLIDAYS], at)


def _load_rows(apps: Any, name: str, rows: list[dict[str, Any]], at: datetime) -> None:
    model = apps.get_model("deadlines", name)
    # Rows that are already there may have been changed by people.
    if model.objects.exists():
        return
    # This migration must still run when a column has been added to the rows later.
    columns = {column.name for column in model._meta.get_fields()}
    made = model.objects.bulk_create(
        [model(version=1, **{key: row[key] for key in row if key in columns}) for row in rows]
    )
    # bulk_create writes no history. Without this, the rows would have no first version.
    history = apps.get_model("deadlines", f"Historical{name}")
    tracked = [column.attname for column in model._meta.concrete_fields]
    history.objects.bulk_create(
        [
            history(
                history_date=at,
                history_type="+",
                history_change_reason=LOADED,
                **{column: getattr(row, column) for column in tracked},
            )
            for row in made
        ]
    )


def overlap_statements(table: str, key: Sequence[str], vendor: str) -> list[str]:
    """Return the statements that make one table refuse overlaps. They can be run again."""
    same = " AND ".join(f'other."{column}" = NEW."{column}"' for column in key)
    # Table and columns come from our own migrations, never from outside.
    clash = (
        f'EXISTS (SELECT 1 FROM "{table}" other WHERE other.id <> NEW.id AND {same} '  # noqa: S608
        # An open end counts as the last possible day.
        "AND other.effective_from <= COALESCE(NEW.effective_to, '9999-12-31') "
        "AND COALESCE(other.effective_to, '9999-12-31') >= NEW.effective_from)"
    )
    if vendor == "postgresql":
        named = " || '/' || ".join(f'NEW."{column}"' for column in key)
        # The lock serializes writers of one rule, so that neither misses the other's row.
        return [
            f'CREATE OR REPLACE FUNCTION "{table}_refuse_overlap"() RETURNS trigger AS $$ BEGIN '
            f"PERFORM pg_advisory_xact_lock(hashtextextended('{table}/' || {named}, 0)); "
            f"IF {clash} THEN RAISE EXCEPTION USING ERRCODE = 'exclusion_violation', "
            f"MESSAGE = '{OVERLAP} ' || {named}; END IF; RETURN NEW; END $$ LANGUAGE plpgsql",
            f'DROP TRIGGER IF EXISTS "{table}_no_overlap" ON "{table}"',
            f'CREATE TRIGGER "{table}_no_overlap" AFTER INSERT OR UPDATE ON "{table}" '
            f'FOR EACH ROW EXECUTE FUNCTION "{table}_refuse_overlap"()',
        ]
    # In SQLite a trigger belongs to one event only, so there are two.
    return [
        statement
        for act in ("INSERT", "UPDATE")
        for statement in (
            f'DROP TRIGGER IF EXISTS "{table}_no_overlap_{act.lower()}"',
            f'CREATE TRIGGER "{table}_no_overlap_{act.lower()}" AFTER {act} ON "{table}" '
            f"WHEN {clash} BEGIN SELECT RAISE(ABORT, '{OVERLAP}'); END",
        )
    ]


def allow_overlap_statements(table: str, vendor: str) -> list[str]:
    """Return the statements that remove the triggers, for reversing the migration."""
    if vendor == "postgresql":
        return [
            f'DROP TRIGGER IF EXISTS "{table}_no_overlap" ON "{table}"',
            f'DROP FUNCTION IF EXISTS "{table}_refuse_overlap"()',
        ]
    return [f'DROP TRIGGER IF EXISTS "{table}_no_overlap_{act}"' for act in ("insert", "update")]


class RefuseOverlap(Operation):
    """Let the database refuse two rows with the same key on overlapping days.

    SQLite rebuilds a table when its columns change and drops its triggers silently, so a migration
    that alters such a table has to end with this operation.
    """

    reversible = True
    elidable = False

    def __init__(self, table: str, key: Sequence[str]) -> None:
        self.table, self.key = table, list(key)

    def statements(self, vendor: str) -> list[str]:
        """The statements that create the triggers; ``accounts.guards`` compares them later."""
        return overlap_statements(self.table, self.key, vendor)

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
        for statement in allow_overlap_statements(self.table, schema_editor.connection.vendor):
            schema_editor.execute(statement)

    def describe(self) -> str:
        return f"Refuse overlapping rows of {self.table}"
