"""The page about the schema is true: every table, constraint and service that it names exists."""

import importlib
import re

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command

from imr_portal.management.commands import draw_schema

PAGE = (settings.BASE_DIR / draw_schema.PAGE).read_text(encoding="utf-8")
STORIES, TABLES = PAGE.split("\n# The tables\n")
MODELS = {
    model.__name__: model for room in draw_schema.APPS for model in draw_schema.tables_of(room)
}
CODE = set(re.findall(r"`([^`\n]+)`", STORIES))


def test_every_app_with_tables_of_ours_is_drawn():
    ours = {
        config.label
        for config in apps.get_app_configs()
        if (settings.BASE_DIR / config.label).is_dir() and list(config.get_models())
    }
    assert ours == set(draw_schema.APPS)
    assert re.findall(r"<!-- drawn: (\w+) -->", TABLES) == draw_schema.APPS


def test_the_drawn_parts_are_current():
    call_command("draw_schema", "--check")


def test_an_outdated_document_is_reported_and_drawing_it_again_fixes_it(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    page = tmp_path / draw_schema.PAGE
    page.parent.mkdir()
    page.write_text(PAGE.replace("CaseNumberSeries", "CaseNumbers"), encoding="utf-8")

    with pytest.raises(CommandError, match="stale"):
        call_command("draw_schema", "--check")
    call_command("draw_schema")
    call_command("draw_schema", "--check")


def test_every_concrete_model_has_its_place_in_a_story():
    # About the people who work here, not about cases.
    in_no_story = {
        "User",
        "AccountVersion",
        "AccountEvent",
        "AccountRequest",
        "SignInEvent",
        "HistoryCount",
    }
    assert set(MODELS) - CODE == in_no_story


def test_every_model_that_a_story_names_exists():
    named = {word.partition(".")[0] for word in CODE if re.match(r"[A-Z][a-z]+[A-Za-z]*", word)}
    assert named - set(MODELS) - {"Historical…"} == set()


def test_every_column_and_constraint_that_a_story_names_exists():
    known = {
        name
        for model in MODELS.values()
        for name in (
            *(field.name for field in model._meta.get_fields()),
            *(constraint.name for constraint in model._meta.constraints),
        )
    }
    named = {word for word in CODE if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", word)}
    assert named - known - {"bulk_store"} == set()
    for word in CODE:
        if found := re.fullmatch(r"([A-Z][A-Za-z]+)\.([a-z_]+)", word):
            MODELS[found[1]]._meta.get_field(found[2])


def test_every_service_that_a_story_names_can_be_called():
    for path in sorted(word for word in CODE if re.fullmatch(r"[a-z]+(\.[a-z_]+){2,}", word)):
        module, _, name = path.rpartition(".")
        if module.partition(".")[0] in draw_schema.APPS:
            assert callable(getattr(importlib.import_module(module), name)), path


def test_every_section_has_its_guards_and_what_is_built():
    stories = re.split(r"\n## \d+\. ", STORIES)[1:]
    assert len(stories) >= 13
    for story in stories:
        title = story.splitlines()[0]
        for part in ("**Guards.**", "**Built today.**", "**Later.**"):
            assert part in story, f"{title} lacks {part}"
