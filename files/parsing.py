"""Calls to the sandboxed parser. All untrusted bytes are parsed through this module."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# Above the limit of CPU time, for a process that waits and uses none.
WALL_SECONDS = 30
PARSER_PATH = Path(__file__).with_name("sandboxed_parser.py")


class CannotRead(Exception):
    """The parser refused the file or crashed. ``code`` is a key of ``services.REFUSAL_REASONS``."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def ask_parser(act: str, **question: Any) -> tuple[dict[str, Any], bytes]:
    """Start a parser process for one request; return its answer and the bytes that it sends.

    :param act: the request: "inspect", "page" or "text".
    :param question: the arguments of that request.
    :raises CannotRead: the file was refused, or parsing it broke a limit.
    """
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        try:
            done = subprocess.run(
                # -I: no user site packages, no PYTHON* variables, no current directory on the path.
                [sys.executable, "-I", str(PARSER_PATH)],
                input=json.dumps({"act": act, **question}).encode(),
                stdout=subprocess.PIPE,
                # Messages of the libraries may quote the document, which must not reach a log.
                stderr=subprocess.DEVNULL,
                cwd=folder,
                # None of the portal's settings and secrets reach the process.
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": folder, "HOME": folder},
                timeout=WALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CannotRead("limits") from error
    # A negative return code means that a signal killed the process: it broke a resource limit.
    line, _, body = done.stdout.partition(b"\n")
    if done.returncode != 0 or not line:
        raise CannotRead("limits" if done.returncode < 0 else "damaged")
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise CannotRead("damaged") from error
    if "refused" in answer:
        raise CannotRead(answer["refused"])
    if answer["bytes"] != len(body):  # the process died while it was writing
        raise CannotRead("limits")
    return answer, body
