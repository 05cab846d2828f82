"""A view loads, checks the form, makes one call and answers. It writes nothing itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

WRITES = {
    "save", "create", "delete", "store", "bulk_store", "update_or_create", "get_or_create",
    "bulk_create", "bulk_update", "move_to",
}  # fmt: skip
PUBLISHES = {"delay", "apply_async", "delay_on_commit", "send_task", "on_commit"}
VIEWS = sorted(
    [*ROOT.glob("*/views*.py"), *ROOT.glob("*/views/*.py"), ROOT / "imr_portal" / "health.py"]
)


def forbidden(source):
    """What a module of views does that only a service may do."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in WRITES | PUBLISHES
        ):
            yield f"line {node.lineno}: .{node.func.attr}("
        if isinstance(node, ast.Attribute | ast.Name | ast.alias):
            name = getattr(node, "attr", None) or getattr(node, "id", None) or node.name
            if name == "atomic":
                yield f"line {node.lineno}: atomic"
        if isinstance(node, ast.ImportFrom) and node.module and "tasks" in node.module.split("."):
            yield f"line {node.lineno}: imports tasks"


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_views_write_nothing_and_never_speak_to_the_broker(path):
    assert not list(forbidden(path.read_text()))


@pytest.mark.parametrize(
    "planted",
    [
        "case.save()",
        "Case.objects.create(number=1)",
        "case.store(by=user, at=now)",
        "case.delete()",
        "with transaction.atomic():\n    pass",
        "from django.db.transaction import atomic",
        "render_letter.delay(letter_id=1)",
        "transaction.on_commit(later)",
        "from letters.tasks import render_letter",
    ],
)
def test_the_reader_of_views_finds_a_planted_one(planted):
    assert list(forbidden(planted))
