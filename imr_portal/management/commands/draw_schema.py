"""Write the diagrams and lists of tables in ``docs/schema.md`` from the models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models

from imr_portal.drawing import DrawCommand

PAGE = Path("docs", "schema.md")
APPS = [
    "accounts",
    "jobs",
    "notices",
    "files",
    "guidelines",
    "letters",
    "deadlines",
    "directory",
    "cases",
    "eligibility",
    "intake",
    "reviewers",
    "records",
    "determinations",
    "queues",
    "billing",
    "complaints",
    "maintenance",
]


class Command(DrawCommand):
    """``manage.py draw_schema [--check]``."""

    help = f"Regenerate the marked parts of {PAGE} from the models; --check only compares."
    page = PAGE

    def draw(self, name: str) -> str:
        return draw_app(name)


def tables_of(app: str) -> list[type[models.Model]]:
    """Return the concrete models of an app, without the tables of versions."""
    return [
        model
        for model in apps.get_app_config(app).get_models()
        if not hasattr(model, "history_id") and not model._meta.proxy
    ]


def draw_app(app: str) -> str:
    """Return the part of one app: its diagram, then a list of tables with their constraints."""
    return f"""
```mermaid
erDiagram
{chr(10).join(_draw_diagram(app))}
```

| table | what a row is | what the database guards |
|---|---|---|
{chr(10).join(_describe_table(model) for model in tables_of(app))}

"""


def _draw_diagram(app: str) -> Iterator[str]:
    linked = set()
    conflicts = []
    for model in tables_of(app):
        for field in model._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey) or _is_not_drawn(field):
                continue
            one = "|o" if field.null else "||"
            many = "o|" if field.one_to_one else "o{"
            parent = field.related_model.__name__
            conflicts.append(f"    {parent} {one}--{many} {model.__name__} : {field.name}")
            linked |= {parent, model.__name__}
    yield from conflicts
    for model in tables_of(app):
        if model.__name__ not in linked:
            yield f"    {model.__name__}"


def _is_not_drawn(field: models.ForeignKey[Any, Any]) -> bool:
    """Return whether a foreign key to the actor or a corrected row is left out of the diagram."""
    to_user = field.related_model._meta.label == settings.AUTH_USER_MODEL
    return field.name == "corrects" or (to_user and field.remote_field.hidden)


def _describe_table(model: type[models.Model]) -> str:
    return f"| {model.__name__} | {_first_sentence(model)} | {_list_guards(model)} |"


def _first_sentence(model: type[models.Model]) -> str:
    sentence = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    return sentence.replace("|", "\\|").replace("``", "`")


def _list_guards(model: type[models.Model]) -> str:
    unique = [
        f"one per `{field.name}`"
        for field in model._meta.concrete_fields
        if field.unique and not field.primary_key
    ]
    named = [f"`{constraint.name}`" for constraint in model._meta.constraints]
    return ", ".join([*unique, *named]) or "–"
