"""Triggers that mark changes of tables, for caches that every process has to know are current.

``WatchTables`` is a migration operation. SQLite rebuilds a table when its columns change and drops
its triggers silently, so every migration that alters a watched table has to end with
``WatchTables`` for it. ``accounts.guards`` compares the triggers in the database with these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.migrations.operations.base import Operation

_MARKS = "reviewers_changemark"


@dataclass(frozen=True)
class Watch:
    """A table whose changes count.

    :ivar when: count only rows that meet this condition, in SQL; ``NEW`` and ``OLD`` are the row.
    :ivar when_on_sqlite: the condition for SQLite, if it is another one.
    :ivar acts: the kinds of change.
    """

    table: str
    when: str = ""
    when_on_sqlite: str = ""
    acts: tuple[str, ...] = ("INSERT", "UPDATE", "DELETE")

    def list_statements(self, subject: str, vendor: str) -> list[str]:
        """Return the statements that create the triggers. They can be run again."""
        return [
            statement
            for act in self.acts
            for statement in (
                self._list_on_postgresql(subject, act)
                if vendor == "postgresql"
                else self._list_on_sqlite(subject, act)
            )
        ]

    def _list_on_postgresql(self, subject: str, act: str) -> list[str]:
        trigger = self._name_trigger(subject, act)
        drop = f'DROP TRIGGER IF EXISTS "{trigger}" ON "{self.table}"'
        create = f'CREATE TRIGGER "{trigger}" AFTER {act} ON "{self.table}" FOR EACH '
        if not self.when:
            # Once for a statement, whatever the number of its rows.
            return [drop, f"{create}STATEMENT EXECUTE FUNCTION mark_change_of_{subject}()"]
        # In a function, because the WHEN of a trigger may not look at other tables.
        function = (
            f"CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger AS $$ BEGIN "
            f"IF {self.when} THEN PERFORM replace_mark_of_{subject}(); END IF; "
            "RETURN NULL; END $$ LANGUAGE plpgsql"
        )
        return [function, drop, f"{create}ROW EXECUTE FUNCTION {trigger}()"]

    def _list_on_sqlite(self, subject: str, act: str) -> list[str]:
        trigger = self._name_trigger(subject, act)
        condition = self.when_on_sqlite or self.when
        when = f"WHEN {condition} " if condition else ""
        return [
            f'DROP TRIGGER IF EXISTS "{trigger}"',
            f'CREATE TRIGGER "{trigger}" AFTER {act} ON "{self.table}" FOR EACH ROW {when}'
            f"BEGIN UPDATE {_MARKS} SET token = hex(randomblob(16)) "
            f"WHERE subject = '{subject}'; END",
        ]

    def _name_trigger(self, subject: str, act: str) -> str:
        return f"{self.table}_{act.split()[0].lower()}_{subject}"


class WatchTables(Operation):
    """Mark every change of some tables under a subject."""

    reversible = True
    elidable = False

    def __init__(self, subject: str, watched: Sequence[Watch]) -> None:
        self.subject = subject
        self.watched = list(watched)

    def statements(self, vendor: str) -> list[str]:
        """The statements that create the triggers; ``accounts.guards`` compares them later."""
        triggers = [
            statement
            for watch in self.watched
            for statement in watch.list_statements(self.subject, vendor)
        ]
        if vendor != "postgresql":
            return triggers
        # A row that another transaction has changed is left to it: nobody waits, and two writers
        # that lock cases in different order cannot block each other here.
        replace = (
            f"CREATE OR REPLACE FUNCTION replace_mark_of_{self.subject}() RETURNS void AS "
            "$$ DECLARE mark bigint; BEGIN "
            f"SELECT id INTO mark FROM {_MARKS} WHERE subject = '{self.subject}' "
            "LIMIT 1 FOR UPDATE SKIP LOCKED; "
            f"IF mark IS NULL THEN INSERT INTO {_MARKS} (subject, token) "
            f"VALUES ('{self.subject}', gen_random_uuid()::text); "
            f"ELSE UPDATE {_MARKS} SET token = gen_random_uuid()::text WHERE id = mark; END IF; "
            "END $$ LANGUAGE plpgsql"
        )
        mark = (
            f"CREATE OR REPLACE FUNCTION mark_change_of_{self.subject}() RETURNS trigger AS "
            f"$$ BEGIN PERFORM replace_mark_of_{self.subject}(); RETURN NULL; END $$ "
            "LANGUAGE plpgsql"
        )
        return [replace, mark, *triggers]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Do nothing: triggers are not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.statements(schema_editor.connection.vendor):
            schema_editor.execute(statement)
        # SQLite's triggers change this row; without it nothing is kept.
        schema_editor.execute(
            f"INSERT INTO {_MARKS} (subject, token) SELECT '{self.subject}', 'new' "
            f"WHERE NOT EXISTS (SELECT 1 FROM {_MARKS} WHERE subject = '{self.subject}')"
        )

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        vendor = schema_editor.connection.vendor
        for watch in self.watched:
            for statement in watch.list_statements(self.subject, vendor):
                if statement.startswith("DROP"):
                    schema_editor.execute(statement)

    def describe(self) -> str:
        return f"Mark changes of {', '.join(watch.table for watch in self.watched)}"
