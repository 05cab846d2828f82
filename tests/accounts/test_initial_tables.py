"""First migrations create their tables without rendering the models of earlier ones again."""

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from accounts.initial_tables import InitialTables

ID = ("id", models.BigAutoField(primary_key=True))


class Editor:
    """A schema editor that notes the tables instead of creating them."""

    def __init__(self):
        self.created = []

    def create_model(self, model):
        self.created.append(model)


@pytest.fixture
def rendered(monkeypatch):
    """The names of the models that were rendered, in their order."""
    names = []
    original = ModelState.render

    def render(state, apps):
        names.append(state.name)
        return original(state, apps)

    monkeypatch.setattr(ModelState, "render", render)
    return names


def make_migration(app, *operations):
    class Initial(InitialTables):
        pass

    Initial.operations = list(operations)
    return Initial("0001_initial", app)


def make_state():
    state = ProjectState({("old", "parent"): ModelState("old", "Parent", [ID])})
    assert state.apps
    return state


def child(name, **options):
    field = models.ForeignKey("old.Parent", models.PROTECT)
    return migrations.CreateModel(name, [ID, ("parent", field)], **options)


def test_only_the_new_models_are_rendered_and_the_older_ones_know_them(rendered):
    state, editor = make_state(), Editor()
    rendered.clear()

    after = make_migration("new", child("One"), child("Two")).apply(state, editor)

    assert rendered == ["One", "Two"]
    assert [model._meta.db_table for model in editor.created] == ["new_one", "new_two"]
    parent = after.apps.get_model("old", "Parent")
    assert {relation.name for relation in parent._meta.related_objects} == {"one", "two"}


def test_a_state_that_an_earlier_change_left_incomplete_is_rendered_anew(rendered):
    state = make_state()
    state.is_delayed = True
    rendered.clear()

    after = make_migration("new", child("One")).apply(state, Editor())

    assert sorted(rendered) == ["One", "Parent"]
    assert not after.is_delayed


@pytest.mark.parametrize(
    "operation",
    [
        migrations.DeleteModel("Parent"),
        migrations.AddField("Parent", "more", models.TextField(default="")),
    ],
    ids=["a removed table", "a column of an older table"],
)
def test_anything_but_a_new_table_is_refused(operation):
    with pytest.raises(TypeError, match="belongs in a migration of its own"):
        make_migration("old", operation).apply(make_state(), Editor())


def test_no_other_package_changes_tables_once_most_models_are_rendered():
    """Each such change renders every model that points to the users."""
    loader = MigrationLoader(None)
    plan = [
        loader.graph.nodes[key]
        for leaf in loader.graph.leaf_nodes()
        for key in loader.graph.forwards_plan(leaf)
    ]
    names = list(dict.fromkeys(str(migration) for migration in plan))
    by_name = {str(migration): migration for migration in plan}
    late = [
        name
        for name in names[names.index("cases.0001_initial") :]
        if any(
            isinstance(operation, migrations.AlterField | migrations.AddField)
            for operation in by_name[name].operations
        )
        and not isinstance(by_name[name], InitialTables)
    ]
    assert late == []
