"""Draw the pictures and lists of tables in ``docs/schema.md`` from the models."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import models

PAGE = Path("docs", "schema.md")
ROOMS = [
    "accounts",
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
]
_MARKED = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end of drawn -->)", re.DOTALL)


class Command(BaseCommand):
    """``manage.py draw_schema [--check]``."""

    help = f"Redraw the marked parts of {PAGE} from the models; --check only compares."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / PAGE
        old = page.read_text(encoding="utf-8")
        new = redraw(old)
        if not check:
            page.write_text(new, encoding="utf-8")
            self.stdout.write(f"{PAGE} drawn.")
        elif new != old:
            raise CommandError(f"{PAGE} is stale. Run manage.py draw_schema.")
        else:
            self.stdout.write(f"{PAGE} is current.")


def redraw(page: str) -> str:
    """The page with its marked parts as the models have them now."""
    return _MARKED.sub(lambda found: f"{found[1]}{draw(found[2])}{found[3]}", page)


def tables_of(room: str) -> list[type[models.Model]]:
    """The concrete models of an app, without the tables that keep their versions."""
    return [
        model
        for model in apps.get_app_config(room).get_models()
        if not hasattr(model, "history_id") and not model._meta.proxy
    ]


def draw(room: str) -> str:
    """One app: its picture, then its tables with what each is and what guards it."""
    return f"""
```mermaid
erDiagram
{chr(10).join(_picture(room))}
```

| table | what a row is | what the database guards |
|---|---|---|
{chr(10).join(_row(model) for model in tables_of(room))}

"""


def _picture(room: str) -> Iterator[str]:
    linked = set()
    ties = []
    for model in tables_of(room):
        for field in model._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey) or _is_not_drawn(field):
                continue
            one = "|o" if field.null else "||"
            many = "o|" if field.one_to_one else "o{"
            parent = field.related_model.__name__
            ties.append(f"    {parent} {one}--{many} {model.__name__} : {field.name}")
            linked |= {parent, model.__name__}
    yield from ties
    for model in tables_of(room):
        if model.__name__ not in linked:
            yield f"    {model.__name__}"


def _is_not_drawn(field: models.ForeignKey[Any, Any]) -> bool:
    """Ties that say which user did something, or which row a correction corrects, clutter."""
    to_user = field.related_model._meta.label == settings.AUTH_USER_MODEL
    return field.name == "corrects" or (to_user and field.remote_field.hidden)


def _row(model: type[models.Model]) -> str:
    return f"| {model.__name__} | {_first_sentence(model)} | {_guards(model)} |"


def _first_sentence(model: type[models.Model]) -> str:
    words = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    return words.replace("|", "\\|").replace("``", "`")


def _guards(model: type[models.Model]) -> str:
    unique = [
        f"one per `{field.name}`"
        for field in model._meta.concrete_fields
        if field.unique and not field.primary_key
    ]
    named = [f"`{constraint.name}`" for constraint in model._meta.constraints]
    return ", ".join([*unique, *named]) or "–"
