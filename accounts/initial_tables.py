"""A migration class that creates all tables of an app in one step.

Django renders the state of all related models again after each operation. Nearly every table here
points to the users, so an initial migration of 80 tables took most of a minute. A migration of this
class renders the state once, at the end, and creates the tables from it.
"""

from typing import Any

from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel, Migration

# ``create_model`` makes these together with their table.
_PART_OF_THE_TABLE = (AddConstraint, AddField, AddIndex)


class InitialTables(Migration):
    """A migration of new tables only. After ``makemigrations``, set it as the base class."""

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        """Create the tables.

        :raises TypeError: an operation does something other than create a table.
        """
        state = project_state.clone()
        state.__dict__.pop("apps", None)  # so that nothing is rendered before the last operation
        created = []
        for operation in self.operations:
            operation.state_forwards(self.app_label, state)
            if isinstance(operation, CreateModel):
                created.append(operation.name)
            elif not isinstance(operation, _PART_OF_THE_TABLE):
                raise TypeError(f"{operation} belongs in a migration of its own.")
        for name in created:
            schema_editor.create_model(state.apps.get_model(self.app_label, name))
        return state
