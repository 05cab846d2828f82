"""Cases at the usual stages, stored once in each process and put back as rows.

To reach a stage by its services takes up to a second of queries. When a factory is called with the
same arguments as before, the rows that it makes are read, stored, and inserted from then on, with
one statement for each table.

Stored rows are used only where they are what the services would have made: on PostgreSQL, in the
transaction of one test, and as long as that test has written nothing that the services read but
users and other stored rows. Otherwise the factory works as usual. It also does where an argument is
a row, because the stored rows would name another test's row.

PostgreSQL gives no number of a sequence twice, so the numbers of stored rows stay free. When the
whole database is put back, ``keep_numbers_free`` moves the sequences on.
"""

import functools
import itertools
import json
from collections import Counter
from dataclasses import astuple, dataclass, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from django.apps import apps
from django.db import connection, transaction

PLAIN = (str, int, bool, type(None), date, datetime, Decimal, Enum)


@dataclass(frozen=True)
class Stage:
    """The rows of one stage, as statements that insert them."""

    model: type
    pk: int
    tables: frozenset[str]
    statements: str


class WrittenTables:
    """What the present test has written so far, as a wrapper of every query."""

    def __init__(self):
        self.names = set()  # tables, without those of restored stages
        self.stages = ()  # keys of the stages that were restored
        self.tables_of_stages = set()
        self.are_of_one_test = False
        self.base = ()  # stands for the rows that a module keeps for its tests

    def __call__(self, execute, sql, params, many, context):
        words = sql[:200].split('"', 2)
        if words[0].upper() in {"INSERT INTO ", "UPDATE ", "DELETE FROM "}:
            self.names.add(words[1])
        return execute(sql, params, many, context)

    def clear(self):
        self.names.clear()
        self.stages = self.base
        self.tables_of_stages.clear()


written = WrittenTables()
_stages = {}
_calls = Counter()
_first_numbers = itertools.count(1_000_000, 1_000_000)


def begin_test(*, keeps_to_itself, shared_rows):
    """Note from now on which tables are written to.

    :param keeps_to_itself: everything that the test can see was written by itself or its module.
    :param shared_rows: whether its module keeps rows for several tests. Stages that are stored on
        top of them are used as long as the module adds none.
    """
    if written not in connection.execute_wrappers:
        connection.execute_wrappers.append(written)
    if not shared_rows:
        written.base = ()
    elif written.names or written.stages != written.base or not written.base:
        written.base = (object(),)  # the module made rows since the last test ended
    written.clear()
    written.are_of_one_test = keeps_to_itself


def end_test():
    """Forget what the test wrote: it is rolled back."""
    written.clear()


def keep_numbers_free():
    """Move all sequences past the numbers of stored rows, in a database that was just made."""
    if connection.vendor == "postgresql" and _stages:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, %s) "
                "FROM pg_sequences WHERE schemaname = 'public'",
                [next(_first_numbers)],
            )


# The apps whose rows the way from an application to the notices writes and reads.
CASE_APPS = (
    "deadlines", "directory", "cases", "eligibility", "intake", "correspondence", "queues",
    "letters", "files", "guidelines",
)  # fmt: skip


def stored_stage(*apps_read):
    """Let a factory answer with stored rows where that comes to the same.

    :param apps_read: the apps whose rows the services behind the factory may read, besides users.
    """
    prefixes = tuple(f"{app}_" for app in apps_read)

    def decorate(make):
        @functools.wraps(make)
        def make_or_restore(*args, **changes):
            if not _is_usable(prefixes) or not _is_plain([args, changes]):
                return make(*args, **changes)
            key = (written.stages, make.__qualname__, repr((args, sorted(changes.items()))))
            if key not in _stages:
                _calls[key] += 1
                if _calls[key] == 1:  # it may be the only call
                    return make(*args, **changes)
                _stages[key] = _store_stage(lambda: make(*args, **changes))
            return _restore_stage(key)

        return make_or_restore

    return decorate


def _is_usable(prefixes):
    return (
        connection.vendor == "postgresql"
        and connection.in_atomic_block
        and written.are_of_one_test
        and not any(name.startswith(prefixes) for name in written.names)
    )


def _is_plain(value):
    """Whether an argument says the same in every test: words, numbers and days, but no rows."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if is_dataclass(value):
        return _is_plain(astuple(value))
    return isinstance(value, PLAIN)


def _restore_stage(key):
    stage = _stages[key]
    names = set(written.names)
    with connection.cursor() as cursor:
        cursor.execute(stage.statements)
    written.names = names
    written.stages = (*written.stages, key)
    written.tables_of_stages |= stage.tables
    return stage.model.objects.get(pk=stage.pk)


def _store_stage(make):
    """Do the work once, read the rows it made or changed, and undo it."""
    names, stages = written.names, written.stages
    of_stages, written.tables_of_stages = written.tables_of_stages, set()
    written.names = set()
    try:
        with transaction.atomic():
            before = _read_tables(_key_columns())
            made = make()
            touched = written.names | written.tables_of_stages
            tables = {table: key for table, key in _key_columns().items() if table in touched}
            after = _read_tables(tables)
            transaction.set_rollback(True)
    finally:
        written.names, written.stages, written.tables_of_stages = names, stages, of_stages
    statements = []
    for table, rows in after.items():
        old = before[table]
        if new := [row for key, row in rows.items() if key not in old]:
            statements.append(_insert_statement(table, new))
        if changed := [rows[key] for key in old if rows.get(key, old[key]) != old[key]]:
            statements.append(_update_statement(table, tables[table], changed))
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
    return f'INSERT INTO "{table}" SELECT * FROM {_rows_as_table(table, rows)}'


def _update_statement(table, key, rows):
    columns = ", ".join(f'"{name}" = new."{name}"' for name in json.loads(rows[0]) if name != key)
    return (
        f'UPDATE "{table}" old SET {columns} FROM {_rows_as_table(table, rows)} new '
        f'WHERE old."{key}" = new."{key}"'
    )


def _rows_as_table(table, rows):
    text = f"[{','.join(rows)}]".replace("'", "''")
    return f"json_populate_recordset(NULL::\"{table}\", '{text}')"
