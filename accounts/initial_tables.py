"""A migration class that creates all tables of an app in one step.

Django renders a model of the state again whenever a model that points to it is added, and all of
them after each operation of some kinds. Nearly every table here points to the users, so an initial
migration of 80 tables took most of a minute. A migration of this class renders only the models
that it adds, once, and creates their tables.
"""

from typing import Any

from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel, Migration

# ``create_model`` makes these together with their table.
_PART_OF_THE_TABLE = (AddConstraint, AddField, AddIndex)


class InitialTables(Migration):
    """A migration of new tables only. After ``makemigrations``, set it as the base class."""

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        """Create the tables. As in Django, the given state is changed and returned.

        :raises TypeError: an operation does something other than create a table or complete one
            that this migration creates.
        """
        # Django renders nothing while the state has no registry of rendered models.
        apps = project_state.__dict__.pop("apps", None)
        created = []
        for operation in self.operations:
            operation.state_forwards(self.app_label, project_state)
            if isinstance(operation, CreateModel):
                created.append(operation.name_lower)
            elif not (
                isinstance(operation, _PART_OF_THE_TABLE) and operation.model_name_lower in created
            ):
                raise TypeError(f"{operation} belongs in a migration of its own.")
        if apps is None or project_state.is_delayed:
            # An earlier migration left models that do not know all their relations. The next
            # access to ``apps`` renders all models again, so none of those is left.
            project_state.is_delayed = False
        else:
            project_state.apps = apps
            # Models rendered before need no second rendering: the new ones add their reverse
            # relations to them.
            apps.render_multiple([project_state.models[self.app_label, name] for name in created])
        for name in created:
            schema_editor.create_model(project_state.apps.get_model(self.app_label, name))
        return project_state
