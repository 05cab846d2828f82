"""History and events only grow, and it is the database that says so.

Read from the catalog after all migrations, because SQLite drops a table's triggers without a
word when a later migration rebuilds the table.
"""

import datetime
import uuid

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.loader import MigrationLoader

from accounts.append_only import MESSAGE, GuardTables
from accounts.versions import Versioned

pytestmark = pytest.mark.every_database

# Tables besides the historical ones whose rows are acts or proofs. What a migration has ever
# guarded is added below, so a guard cannot get lost without being taken out here in words.
EVENTS = {
    "accounts_accountevent",
    "accounts_accesslogentry",
    "accounts_signinevent",
    "accounts_historycount",
    "accounts_accountversion",
    "cases_event",
    "cases_organizationmember",
    "cases_ownconflictresult",
    "cases_memberaffiliation",
    "letters_letterfact",
    "letters_letterstep",
    "records_dispatch",
    "reviewers_candidatelist",
    "reviewers_conflictresult",
    "reviewers_payerbiasnote",
    "reviewers_payerbiastest",
}
NO_LONGER_GUARDED = set()


def historical_tables():
    return {model._meta.db_table for model in apps.get_models() if hasattr(model, "history_type")}


def ever_guarded():
    migrations = MigrationLoader(None).disk_migrations.values()
    return {
        table
        for migration in migrations
        for operation in migration.operations
        if isinstance(operation, GuardTables)
        for table in operation.tables
    }


GUARDED = sorted((historical_tables() | EVENTS | ever_guarded()) - NO_LONGER_GUARDED)


def list_triggers():
    """The triggers of each table that are there, by what they stand against."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT event_object_table, event_manipulation FROM information_schema.triggers "
                "WHERE action_timing = 'BEFORE' AND trigger_name LIKE '%_only_grows' "
                "UNION SELECT relname, 'TRUNCATE' FROM pg_trigger JOIN pg_class "
                "ON pg_class.oid = tgrelid WHERE tgname LIKE '%_never_emptied' "
                "AND tgenabled IN ('O', 'A')"
            )
            rows = cursor.fetchall()
        else:
            cursor.execute("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
            rows = [
                (table, act)
                for table, statement in cursor.fetchall()
                for act in ("UPDATE", "DELETE")
                if f"BEFORE {act} ON" in statement and "RAISE(ABORT" in statement
            ]
    found = {}
    for table, act in rows:
        found.setdefault(table, set()).add(act)
    return found


@pytest.mark.django_db
def test_every_table_of_history_and_events_is_guarded_after_all_migrations():
    found = list_triggers()
    acts = {"UPDATE", "DELETE"} | ({"TRUNCATE"} if connection.vendor == "postgresql" else set())

    assert {table: acts - found.get(table, set()) for table in GUARDED} == {
        table: set() for table in GUARDED
    }


def test_every_tracked_model_has_a_historical_table():
    tracked = {
        model
        for model in apps.get_models()
        if issubclass(model, Versioned) and not hasattr(model, "instance_type")
    }
    kept = {model.instance_type for model in apps.get_models() if hasattr(model, "history_type")}
    assert tracked
    assert tracked == kept


def a_row(table):
    """Put one row into a table with no regard for what it means; return its key's column."""
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    if connection.vendor == "postgresql":
        drop_check_constraints(model)
    row = model()
    for field in model._meta.concrete_fields:
        if field.primary_key and isinstance(field, models.AutoField):
            continue
        if field.null:
            continue
        value = field.get_default() if field.has_default() else None
        if value in (None, ""):
            value = stand_in(field)
        setattr(row, field.attname, value)
    models.Model.save_base(row, raw=True, force_insert=True)
    return model._meta.pk.column


def stand_in(field):
    """Any value that the column takes."""
    if isinstance(field, models.ForeignKey):
        return stand_in(field.target_field)
    kinds = [
        (models.UUIDField, uuid.uuid4()),
        (models.DateTimeField, datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)),
        (models.DateField, datetime.date(2026, 3, 2)),
        (models.BooleanField, True),
        (models.JSONField, {}),
        (models.DecimalField, 1),
        (models.IntegerField, 1),
        (models.AutoField, 1),
    ]
    for kind, value in kinds:
        if isinstance(field, kind):
            return value
    choices = [value for value, _ in field.flatchoices]
    return choices[0] if choices else "x"


def list_forbidden_statements(table, key):
    """The ways to change a row that must all be refused on this database."""
    yield f'UPDATE "{table}" SET "{key}" = "{key}"'
    yield f'DELETE FROM "{table}"'
    if connection.vendor == "postgresql":
        yield (
            f'INSERT INTO "{table}" SELECT * FROM "{table}" '
            f'ON CONFLICT ("{key}") DO UPDATE SET "{key}" = EXCLUDED."{key}"'
        )
    else:
        yield f'INSERT OR REPLACE INTO "{table}" SELECT * FROM "{table}"'
        yield f'REPLACE INTO "{table}" SELECT * FROM "{table}"'


@pytest.fixture
def unchecked(db):
    """Rows that mean nothing may be written, for as long as this test's transaction lasts."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA defer_foreign_keys = ON")  # ends with the transaction
            cursor.execute("PRAGMA ignore_check_constraints = ON")
    yield
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA ignore_check_constraints = OFF")
    transaction.set_rollback(True)


def drop_check_constraints(model):
    """PostgreSQL has no switch for them; the transaction's end brings them back."""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            with connection.cursor() as cursor:
                cursor.execute(
                    f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{constraint.name}"'
                )


@pytest.mark.parametrize("table", GUARDED)
def test_the_database_refuses_every_change_of_what_was_written(unchecked, table):
    if connection.vendor == "postgresql":  # which refuses anyway once a row waits for its checks
        with pytest.raises(DatabaseError, match=MESSAGE), transaction.atomic():
            connection.cursor().execute(f'TRUNCATE "{table}" CASCADE')
    key = a_row(table)

    for statement in list_forbidden_statements(table, key):
        with pytest.raises(DatabaseError, match=MESSAGE), transaction.atomic():
            connection.cursor().execute(statement)

    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        assert cursor.fetchone()[0] >= 1
