"""The clock is read at the edge and passed in: in views, tasks, commands and middleware."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Modules at the edge, by the end of their path. Each answers a request, a message or a person.
EDGE = ("views.py", "views_matching.py",
        "tasks.py", "middleware.py", "context_processors.py", "health.py", "admin.py",
        "checks.py")  # fmt: skip
EDGE_FOLDERS = {"views", "management", "migrations", "templatetags"}
BESIDE_THE_EDGE = {
    # Migrations call them, and a migration is an edge.
    "billing/migration_operations.py",
    # allauth calls them without a moment.
    "accounts/adapter.py",
    "accounts/sign_in_log.py",
    # The database dates the key of a saved form.
    "accounts/models.py",
    # Commands call it.
    "maintenance/repairing.py",
    "deadlines/migration_operations.py",
    "determinations/shipped_rule_texts.py",
}
MODULES = sorted(
    path
    for app in [*ROOT.glob("*/apps.py"), ROOT / "imr_portal/settings.py"]
    for path in app.parent.rglob("*.py")
    if path.name not in EDGE
    and not EDGE_FOLDERS & set(path.relative_to(ROOT).parts)
    and str(path.relative_to(ROOT)) not in BESIDE_THE_EDGE
)


def find_clock_readings(source):
    """Where a module asks what time or day it is."""
    tree = ast.parse(source)
    given = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            last = name.rpartition(".")[2]
            if last in {"now", "utcnow", "today"} and name not in given:
                yield f"line {node.lineno}: {name}()"
            if last == "localdate" and not node.args:
                yield f"line {node.lineno}: {name}()"
            if last == "localtime" and not node.args:
                yield f"line {node.lineno}: {name}()"
            if name == "time.time":
                yield f"line {node.lineno}: {name}()"
        if isinstance(node, ast.keyword) and node.arg in {"auto_now", "auto_now_add"}:
            yield f"line {node.value.lineno}: {node.arg}"
        if isinstance(node, ast.Call) and any(
            ast.unparse(keyword.value).endswith(("timezone.now", "date.today", "datetime.now"))
            for keyword in node.keywords
        ):
            yield f"line {node.lineno}: a deadline as a default"
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).endswith(
            ("functions.Now", "Now")
        ):
            yield f"line {node.lineno}: the database's deadline"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_below_the_edge_reads_the_clock(path):
    assert not list(find_clock_readings(path.read_text()))


@pytest.mark.parametrize(
    "planted",
    [
        "at = timezone.now()",
        "on = timezone.localdate()",
        "on = date.today()",
        "at = datetime.now(UTC)",
        "at = models.DateTimeField(default=timezone.now)",
        "at = models.DateTimeField(auto_now_add=True)",
        "seconds = time.time()",
    ],
)
def test_the_reader_of_clocks_finds_a_planted_one(planted):
    assert list(find_clock_readings(planted))


def test_the_reader_of_clocks_lets_a_given_moment_pass():
    assert not list(
        find_clock_readings("on = timezone.localdate(at)\nlocal = timezone.localtime(at)")
    )
    assert not list(find_clock_readings("def render(*, now):\n    return now()"))
