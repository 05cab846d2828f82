"""The page about the architecture is true: every app in its order, every module with a sentence."""

import re

from django.conf import settings
from django.core.management import call_command

from imr_portal.management.commands import draw_architecture

from .test_architecture import ORDER

PAGE = (settings.BASE_DIR / draw_architecture.PAGE).read_text(encoding="utf-8")
APPS = [*ORDER, "imr_portal"]


def test_the_table_of_apps_has_the_order_of_imports():
    assert re.findall(r"^\| `(\w+)` \|", PAGE.partition("# The modules")[0], re.MULTILINE) == [
        *reversed(APPS)
    ]


def test_every_app_lists_its_modules_as_they_are():
    assert re.findall(r"<!-- drawn: (\w+) -->", PAGE) == [*reversed(APPS)]
    call_command("draw_architecture", "--check")


def test_every_module_has_a_description():
    silent = [
        f"{app}/{module}"
        for app in APPS
        for module, sentence in draw_architecture.modules_of(app)
        if not sentence
    ]
    assert not silent
