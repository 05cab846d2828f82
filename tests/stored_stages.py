"""Cases at the usual stages, stored once in each process and put back as rows.

To reach a stage by its services takes up to a second of queries. The first bare call of a factory
in a process does that work in a savepoint, reads the rows it made, and rolls them back. That call
and later ones insert the stored rows, with one statement for each table.

Stored rows are used only where they are what the services would have made: on PostgreSQL, in the
transaction of one test, and as long as that test has written nothing that the services read.
Otherwise the factory works as usual. A call with arguments always does.

PostgreSQL gives no number of a sequence twice, so the numbers of stored rows stay free. When the
whole database is put back, ``keep_numbers_free`` moves the sequences on.
"""

import functools
import itertools
from dataclasses import dataclass

from django.apps import apps
from django.db import connection, transaction


@dataclass(frozen=True)
class Stage:
    """The rows of one stage, as statements that insert them."""

    model: type
    pk: int
    tables: frozenset[str]
    statements: str


class WrittenTables:
    """The tables that the present test has written to, as a wrapper of every query."""

    def __init__(self):
        self.names = set()
        self.are_of_one_test = False

    def __call__(self, execute, sql, params, many, context):
        words = sql[:200].split('"', 2)
        if words[0].upper() in {"INSERT INTO ", "UPDATE ", "DELETE FROM "}:
            self.names.add(words[1])
        return execute(sql, params, many, context)


written = WrittenTables()
_stages = {}
_first_numbers = itertools.count(1_000_000, 1_000_000)


def begin_test(*, in_own_transaction):
    """Forget what the test before wrote, and note from now on which tables are written to.

    ``in_own_transaction``: everything that the test can see was written by itself.
    """
    if written not in connection.execute_wrappers:
        connection.execute_wrappers.append(written)
    written.names.clear()
    written.are_of_one_test = in_own_transaction


def keep_numbers_free():
    """Move all sequences past the numbers of stored rows, in a database that was just made."""
    if connection.vendor == "postgresql" and _stages:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, %s) "
                "FROM pg_sequences WHERE schemaname = 'public'",
                [next(_first_numbers)],
            )


def stored_stage(*apps_read):
    """Let a bare call of a factory answer with stored rows where that comes to the same.

    :param apps_read: the apps whose rows the services behind the factory may read, besides users.
    """
    prefixes = tuple(f"{app}_" for app in apps_read)

    def decorate(make):
        @functools.wraps(make)
        def make_or_restore(*args, **changes):
            if args or changes or not _is_usable(prefixes):
                return make(*args, **changes)
            if make not in _stages:
                _stages[make] = _store_stage(make)
            return _restore_stage(_stages[make])

        return make_or_restore

    return decorate


def _is_usable(prefixes):
    return (
        connection.vendor == "postgresql"
        and connection.in_atomic_block
        and written.are_of_one_test
        and not any(name.startswith(prefixes) for name in written.names)
    )


def _restore_stage(stage):
    with connection.cursor() as cursor:
        cursor.execute(stage.statements)
    written.names |= stage.tables
    return stage.model.objects.get(pk=stage.pk)


def _store_stage(make):
    """Do the work once, read the rows it made, and undo it."""
    names, written.names = written.names, set()
    try:
        with transaction.atomic():
            before = _read_tables(_key_columns())
            made = make()
            tables = {table: key for table, key in _key_columns().items() if table in written.names}
            after = _read_tables(tables)
            transaction.set_rollback(True)
    finally:
        written.names = names
    statements = []
    for table, rows in after.items():
        old = before[table]
        changed = [key for key, row in old.items() if rows.get(key) != row]
        assert not changed, f"{make.__name__} changes rows of {table} that were there before"
        if new := [row for key, row in rows.items() if key not in old]:
            statements.append(_insert_statement(table, new))
    return Stage(type(made), made.pk, frozenset(tables), ";".join(statements))


def _key_columns():
    """Every table of a model, with the column of its key."""
    return {
        model._meta.db_table: model._meta.pk.column
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def _read_tables(tables):
    """All rows of these tables, as text by key."""
    parts = [
        f'SELECT \'{table}\', one."{key}"::text, row_to_json(one)::text FROM "{table}" one'
        for table, key in tables.items()
    ]
    found = {table: {} for table in tables}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        for table, key, row in cursor.fetchall():
            found[table][key] = row
    return found


def _insert_statement(table, rows):
    text = f"[{','.join(rows)}]".replace("'", "''")
    return (
        f'INSERT INTO "{table}" SELECT * FROM json_populate_recordset(NULL::"{table}", \'{text}\')'
    )
