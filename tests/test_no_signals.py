"""Nothing of ours happens behind a caller's back: no signal receivers, no triggers in saving."""

import ast
import weakref
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = sorted(path.parent for path in [*ROOT.glob("*/apps.py"), ROOT / "imr_portal/settings.py"])
SIGNALS = {
    "django.dispatch",
    "django.db.models.signals",
    "django.core.signals",
    "django.contrib.auth.signals",
    "celery.signals",
    "simple_history.signals",
    "allauth.account.signals",
}


# What allauth does with second factors is heard by one class; allauth has no other hook for it.
ALLOWED = {"accounts/sign_in_log.py"}


def find_receivers(source):
    """Where a module listens to a signal, or imports what it would take."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        else:
            names = set()
        if names & SIGNALS:
            yield f"line {node.lineno} imports signals"
        if isinstance(node, ast.Name) and node.id == "receiver":
            yield f"line {node.lineno} uses receiver"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "connect"
            and "signal" in ast.unparse(node.func).lower()
        ):
            yield f"line {node.lineno} connects to a signal"


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_no_signal_receivers_of_ours(app):
    found = [
        f"{path.relative_to(ROOT)} {where}"
        for path in sorted(app.rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ALLOWED
        for where in find_receivers(path.read_text())
    ]
    assert not found


@pytest.mark.parametrize(
    "planted",
    [
        "from django.dispatch import receiver",
        "from django.db.models import signals\nsignals.post_save.connect(later)",
        "from django.db.models.signals import post_save",
        "import celery.signals",
    ],
)
def test_the_reader_of_signals_finds_a_planted_one(planted):
    assert list(find_receivers(planted))


def test_no_receiver_of_ours_is_connected_at_run_time():
    from django.db.models import signals

    ours = {path.name for path in APPS}
    homes = set()
    for name in ("pre_init", "post_init", "pre_save", "post_save", "pre_delete", "post_delete",
                 "m2m_changed", "pre_migrate", "post_migrate"):  # fmt: skip
        for entry in getattr(signals, name).receivers:
            listener = entry[1]() if isinstance(entry[1], weakref.ReferenceType) else entry[1]
            owner = getattr(listener, "__module__", None) or type(listener).__module__
            homes.add(owner.split(".")[0])

    assert not homes & ours
