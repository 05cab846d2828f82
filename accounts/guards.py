"""Compare the triggers and constraints in the database with those that the migrations created.

A restore, a rebuilt table or an owner's command can remove or disable a guard without a trace in
the data. The catalog of the database shows it.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.db.migrations.loader import MigrationLoader

_TRIGGER = re.compile(r'CREATE TRIGGER "?(\w+)"? .*? ON "?(\w+)"?', re.DOTALL)
_EXECUTES = re.compile(r'EXECUTE FUNCTION "?(\w+)"?\(')
_FUNCTION = re.compile(r'CREATE OR REPLACE FUNCTION "?(\w+)"?\(\).*?\$\$(.*)\$\$', re.DOTALL)
_CONSTRAINT = re.compile(r"ALTER TABLE (\w+) ADD CONSTRAINT (\w+)")


def find_missing_guards(connection: Any) -> list[tuple[str, str]]:
    """List the guards that are missing, disabled or changed, as table and name, sorted.

    Only migrations that are applied count, so nothing is missing before the first ``migrate``.
    """
    statements = list(_list_guard_statements(connection))
    if not statements:
        return []
    if connection.vendor == "postgresql":
        return sorted(_find_missing_on_postgresql(connection, statements))
    return sorted(_find_missing_on_sqlite(connection, statements))


def _list_guard_statements(connection: Any) -> Iterator[str]:
    """List the statements of the guards of all applied migrations."""
    loader = MigrationLoader(connection)
    for key, migration in loader.disk_migrations.items():
        if key not in loader.applied_migrations:
            continue
        for operation in migration.operations:
            # Every operation that creates guards has this method.
            if hasattr(operation, "statements"):
                yield from operation.statements(connection.vendor)


def _find_missing_on_sqlite(connection: Any, statements: list[str]) -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        stored = {name: _join_words(sql) for name, sql in cursor.fetchall()}
    for statement in statements:
        if match := _TRIGGER.match(statement):
            name, table = match.groups()
            if stored.get(name) != _join_words(statement):
                yield table, name


def _find_missing_on_postgresql(
    connection: Any, statements: list[str]
) -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, tgname, proname, prosrc, tgtype FROM pg_trigger "
            "JOIN pg_class ON pg_class.oid = tgrelid "
            "JOIN pg_proc ON pg_proc.oid = tgfoid "
            "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
            # O and A: the trigger fires in ordinary sessions; D and R: it does not.
            "WHERE tgenabled IN ('O', 'A') AND nspname = current_schema()"
        )
        triggers = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT relname, conname FROM pg_constraint "
            "JOIN pg_class ON pg_class.oid = conrelid WHERE convalidated"
        )
        constraints = set(cursor.fetchall())
    functions = {}
    for statement in statements:
        if match := _FUNCTION.match(statement):
            functions[match[1]] = _join_words(match[2])
        elif match := _TRIGGER.match(statement):
            name, table = match.groups()
            function, source, kind = triggers.get((table, name), ("", "", 0))
            wanted = _EXECUTES.search(statement)
            if (
                not wanted
                or function != wanted[1]
                or _join_words(source) != functions[wanted[1]]
                or kind != _trigger_type(statement)
            ):
                yield table, name
        elif (match := _CONSTRAINT.match(statement)) and match.groups() not in constraints:
            yield match[1], match[2]


def _trigger_type(statement: str) -> int:
    """Build the bits of ``pg_trigger.tgtype`` that a statement creates."""
    bits = {
        "FOR EACH ROW": 1,
        "BEFORE": 2,
        "INSERT": 4,
        "DELETE": 8,
        "UPDATE": 16,
        "TRUNCATE": 32,
    }
    # The name of the table could contain one of these words.
    words = re.sub(r'"\w+"', "", statement)
    return sum(bit for word, bit in bits.items() if word in words)


def _join_words(text: str) -> str:
    """Return a text with single spaces, because databases keep line breaks differently."""
    return " ".join(text.split())
