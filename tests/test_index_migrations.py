"""Migrations after the first two build and remove indexes without blocking who saves.

On PostgreSQL, ``CREATE INDEX`` stops all writers of a table until it is done, which takes minutes
on a large one.
"""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from accounts.concurrent_indexes import AddIndexConcurrently, RemoveIndexConcurrently

# Tables are new in these, so nobody can be blocked.
FIRST = ("0001_", "0002_")
INDEX = models.Index(fields=["number"], name="thing_by_number")


def find_blocking_operations(migration):
    """The operations of a migration that would build or remove an index and block writers."""
    created = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, migrations.CreateModel)
    }
    for operation in migration.operations:
        if getattr(operation, "model_name_lower", "") in created:
            continue  # the table is empty
        if isinstance(operation, migrations.AddIndex | migrations.RemoveIndex):
            if not isinstance(operation, AddIndexConcurrently | RemoveIndexConcurrently):
                yield f"{operation.describe()}: use accounts.concurrent_indexes"
            elif migration.atomic:
                yield f"{operation.describe()}: the migration needs atomic = False"
        if isinstance(operation, migrations.AddField | migrations.AlterField):
            field = operation.field
            if field.db_index or field.unique:
                yield (
                    f"{operation.describe()}: it builds an index. Use db_index=False, and add an "
                    "index by accounts.concurrent_indexes"
                )


def test_migrations_of_ours_block_nobody():
    ours = {one.label for one in apps.get_app_configs() if (settings.BASE_DIR / one.label).is_dir()}
    blocking = {
        f"{app}.{name}": found
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in ours and not name.startswith(FIRST)
        if (found := list(find_blocking_operations(migration)))
    }
    assert blocking == {}


def make_migration(*operations, atomic=False):
    migration = migrations.Migration("0003_more", "cases")
    migration.operations, migration.atomic = list(operations), atomic
    return migration


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddIndex("thing", INDEX),
        migrations.RemoveIndex("thing", "thing_by_number"),
        migrations.AddField("thing", "number", models.IntegerField(db_index=True)),
        migrations.AlterField("thing", "number", models.IntegerField(unique=True)),
        migrations.AddField(
            "thing", "other", models.ForeignKey("cases.Case", on_delete=models.PROTECT)
        ),
    ],
    ids=lambda operation: f"{type(operation).__name__} {getattr(operation, 'name', '')}",
)
def test_an_operation_that_blocks_is_found(operation):
    assert list(find_blocking_operations(make_migration(operation)))


def test_concurrent_operations_need_a_migration_without_transaction():
    operations = (
        AddIndexConcurrently("thing", INDEX),
        RemoveIndexConcurrently("thing", "thing_by_number"),
    )
    assert list(find_blocking_operations(make_migration(*operations))) == []
    assert len(list(find_blocking_operations(make_migration(*operations, atomic=True)))) == 2


def test_an_index_of_a_new_table_blocks_nobody():
    migration = make_migration(
        migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddIndex("thing", INDEX),
    )
    assert list(find_blocking_operations(migration)) == []


@pytest.mark.every_database
def test_the_statements_are_concurrent_on_postgresql(django_db_setup, django_db_blocker):
    fields = [("id", models.BigAutoField(primary_key=True)), ("number", models.IntegerField())]
    before, after = ProjectState(), ProjectState()
    before.add_model(ModelState("cases", "Thing", fields))
    after.add_model(ModelState("cases", "Thing", fields, options={"indexes": [INDEX]}))
    add, remove = (
        AddIndexConcurrently("Thing", INDEX),
        RemoveIndexConcurrently("Thing", "thing_by_number"),
    )
    # Not entered, so that it opens no connection: it only collects statements.
    editor = connection.schema_editor(collect_sql=True, atomic=False)
    editor.deferred_sql = []
    # Outside of a transaction, where alone such an index may be built.
    with django_db_blocker.unblock():
        add.database_forwards("cases", editor, before, after)
        add.database_backwards("cases", editor, after, before)
        remove.database_forwards("cases", editor, after, before)
        remove.database_backwards("cases", editor, before, after)
    statements = [one for one in editor.collected_sql if "INDEX" in one]
    assert len(statements) == 4
    is_postgresql = connection.vendor == "postgresql"
    assert all(("CONCURRENTLY" in one) == is_postgresql for one in statements)
