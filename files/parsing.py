"""Asking the limited child about a file. Every read of a stranger's bytes goes through here."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

WALL_SECONDS = 30
CHILD = Path(__file__).with_name("sandboxed_parser.py")


class CannotRead(Exception):
    """The child refused the file, or died over it. ``code`` is a key of ``services.WHY``."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def ask(act: str, **question: Any) -> tuple[dict[str, Any], bytes]:
    """Start a child, put one question, return what it says and the bytes that it hands over.

    :raises CannotRead: the file is refused, or reading it broke a limit.
    """
    with tempfile.TemporaryDirectory(prefix="reading-") as room:
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(CHILD)],
                input=json.dumps({"act": act, **question}).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=room,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": room, "HOME": room},
                timeout=WALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CannotRead("limits") from error
    line, _, body = done.stdout.partition(b"\n")
    if done.returncode != 0 or not line:
        raise CannotRead("limits" if done.returncode < 0 else "damaged")
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise CannotRead("damaged") from error
    if "refused" in said:
        raise CannotRead(said["refused"])
    if said["bytes"] != len(body):
        raise CannotRead("limits")
    return said, body
