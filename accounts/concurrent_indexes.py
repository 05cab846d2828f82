"""Migration operations that add and remove an index while the portal works.

On PostgreSQL an index is built ``CONCURRENTLY``: without it, nobody can save into the table until
the index is complete. SQLite has one writer, so the index is built in the usual way. A migration
with these operations needs ``atomic = False``; ``tests/test_index_migrations.py`` requires them.
"""

from typing import Any

from django.db import NotSupportedError
from django.db.migrations import AddIndex, RemoveIndex


class AddIndexConcurrently(AddIndex):
    """Add an index without blocking writers."""

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.add_index(model, self.index, **_concurrently(schema_editor))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.remove_index(model, self.index, **_concurrently(schema_editor))


class RemoveIndexConcurrently(RemoveIndex):
    """Remove an index without blocking writers."""

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            schema_editor.remove_index(model, index, **_concurrently(schema_editor))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            schema_editor.add_index(model, index, **_concurrently(schema_editor))


def _concurrently(schema_editor: Any) -> dict[str, bool]:
    """Return the argument for PostgreSQL; nothing for SQLite.

    :raises NotSupportedError: the migration runs in a transaction.
    """
    if schema_editor.connection.vendor != "postgresql":
        return {}
    if schema_editor.connection.in_atomic_block:
        raise NotSupportedError(
            "A migration that builds an index concurrently needs atomic = False."
        )
    return {"concurrently": True}
