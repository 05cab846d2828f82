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


def find_forbidden_calls(source):
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
    assert not list(find_forbidden_calls(path.read_text()))


@pytest.mark.parametrize(
    "planted",
    [
        "case.save()",
        "Case.objects.create(number=1)",
        "case.store(by=user, at=now)",
        "case.delete()",
        "with transaction.atomic():\n    pass",
        "from django.db.transaction import atomic",
        "render_letters.delay(letter_ids=[1])",
        "transaction.on_commit(later)",
        "from letters.tasks import render_letters",
    ],
)
def test_the_reader_of_views_finds_a_planted_one(planted):
    assert list(find_forbidden_calls(planted))


# Where a refusal is not the status of the page: a picture that is not there, a part of a page, a
# redirect with a message, or an answer that another function gives.
ANSWER_OTHERWISE = {
    "cases/views/duplicates.py: _find_bar_end",
    "correspondence/views/case_letters.py: _preview_context",
    "correspondence/views/case_letters.py: show_preview_page",
    "correspondence/views/information.py: _send_question",
    "determinations/views/workspace.py: autosave_part",
    "determinations/views/workspace.py: leave_part",
    "determinations/views/workspace.py: open_case_file",
    "intake/views/application.py: _collect_files",
    "intake/views/application.py: show_scan_page",
    "cases/views/received_documents.py: serve_page_png",
    "cases/views/received_documents.py: show_page_text",
    "records/views.py: serve_page_png",
    "records/views.py: show_page_text",
    "reviewers/views/choosing.py: _render_assign_page",
    "reviewers/views/choosing.py: rank_reviewers",
}


def drops_the_status(function):
    """Whether a view tries an action and never says with which status it was refused."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    handed_on = {one.id for call in calls for one in call.args if isinstance(one, ast.Name)}
    source = ast.unparse(function)
    return any(
        f"{node.targets[0].id}.status" not in source
        and "render_refusal(" not in source
        and node.targets[0].id not in handed_on
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") in {"run_action", "try_action", "_rank_case"}
    )


def test_a_refused_action_gives_its_status_to_the_page():
    found = {
        f"{path.relative_to(ROOT)}: {function.name}"
        for path in VIEWS
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef) and drops_the_status(function)
    }
    assert found == ANSWER_OTHERWISE


def test_no_view_and_no_admin_page_swallows_a_refusal():
    paths = [*VIEWS, *ROOT.glob("*/admin.py")]
    caught = {
        f"{path.relative_to(ROOT)}, line {node.lineno}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) == "suppress"
        )
        or (
            isinstance(node, ast.ExceptHandler)
            and "NotAllowed" in ast.unparse(node.type or ast.Constant("NotAllowed"))
        )
    }
    assert not caught
