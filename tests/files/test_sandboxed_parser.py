"""The sandboxed parser keeps to its limits and needs nothing of the portal."""

import json
import subprocess
import sys

import pytest

from files import parsing

from . import zoo


def test_the_parser_runs_alone_from_any_folder(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(zoo.make_pdf(4))
    question = {
        "operation": "inspect",
        "path": str(path),
        "media_type": "application/pdf",
        "max_pages": 10,
    }
    done = subprocess.run(
        [sys.executable, "-I", str(parsing.PARSER_PATH)],
        input=json.dumps(question).encode(),
        capture_output=True,
        cwd="/",
        env={},
        check=True,
    )

    assert json.loads(done.stdout) == {"pages": 4, "repaired": False, "bytes": 0}


def test_the_parser_cannot_take_more_memory_than_its_limit():
    code = (
        "import runpy, sys; parser = runpy.run_path(sys.argv[1]); parser['limit_resources']();"
        "bytearray(600 * 1024 * 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(parsing.PARSER_PATH)],
        capture_output=True,
        check=False,
    )

    assert b"MemoryError" in done.stderr


@pytest.mark.parametrize("body", ["raise SystemExit(3)", "import os; os.abort()", "print('no')"])
def test_a_parser_that_crashes_is_a_refusal(body, tmp_path, monkeypatch):
    dying = tmp_path / "parser.py"
    dying.write_text(body)
    monkeypatch.setattr(parsing, "PARSER_PATH", dying)

    with pytest.raises(parsing.CannotRead):
        parsing.ask_parser("inspect", path="x", media_type="application/pdf", max_pages=1)


def test_a_parser_that_never_ends_is_stopped(tmp_path, monkeypatch):
    slow = tmp_path / "parser.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(parsing, "PARSER_PATH", slow)
    monkeypatch.setattr(parsing, "WALL_SECONDS", 0.3)

    with pytest.raises(parsing.CannotRead) as refusal:
        parsing.ask_parser("inspect", path="x", media_type="application/pdf", max_pages=1)
    assert refusal.value.code == "limits"
