"""Calls to the sandboxed parser. All untrusted bytes are parsed through this module."""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

# Longer than the limit of CPU time, to stop a process that hangs without using any.
WALL_SECONDS = 30
SECONDS_FOR_PAGES = 40  # for trying all pages of one upload
PAGES_AT_ONCE = 50  # in one process, whose limits of time and memory are those of one page
PARSER_PATH = Path(__file__).with_name("sandboxed_parser.py")


class CannotRead(Exception):
    """The parser refused the file or crashed. ``code`` is a key of ``services.REFUSAL_REASONS``.

    ``can_retry``: a busy machine may be the cause, so that another try may succeed.
    """

    def __init__(self, code: str, *, can_retry: bool = False) -> None:
        self.code = code
        self.can_retry = can_retry
        super().__init__(code)


def ask_parser(operation: str, **question: Any) -> tuple[dict[str, Any], bytes]:
    """Start a parser process for one request; return its answer and the bytes that it sends.

    :param operation: the request: "inspect", "page" or "text".
    :param question: the arguments of that request.
    :raises CannotRead: the file was refused, or parsing it broke a limit.
    """
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        return _ask_in(folder, operation, question)


def find_unreadable_pages(*, path: str, media_type: str, pages: int) -> list[int]:
    """Try all pages after the first, which ``inspect`` tried; return those that cannot be shown.

    Stops after ``SECONDS_FOR_PAGES``. An unreadable page of a very large file that was not tried is
    noticed when someone opens it.
    """
    unreadable: list[int] = []
    end = time.monotonic() + SECONDS_FOR_PAGES
    page = 2
    while page <= pages and time.monotonic() < end:
        last = min(page + PAGES_AT_ONCE - 1, pages)
        begun, shown = _try_pages(path, media_type, page, last)
        # A process that ended before it began any page says nothing; try its first page.
        suspects = sorted(begun - shown) if begun else [page]
        for suspect in suspects:
            # Alone, because earlier pages may have used up the limits of the process.
            try:
                ask_parser("page", path=path, media_type=media_type, page=suspect, width=200)
            except CannotRead:
                unreadable.append(suspect)
        page = max(begun, default=page) + 1
    return unreadable


def _try_pages(path: str, media_type: str, first: int, last: int) -> tuple[set[int], set[int]]:
    """Return the pages that a parser process began and those it could show before it ended.

    The parser writes a line "7 begun" or "7 shown" to the file "progress", which is still there if
    the process is killed. Why it ended does not matter here.
    """
    found: dict[str, set[int]] = {"begun": set(), "shown": set()}
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        question = {"path": path, "media_type": media_type, "first": first, "last": last}
        with suppress(CannotRead):
            _ask_in(folder, "try_pages", question)
        progress = Path(folder, "progress")
        if progress.exists():
            for line in progress.read_text(encoding="ascii").splitlines():
                page, _, outcome = line.partition(" ")
                found[outcome].add(int(page))
    return found["begun"], found["shown"]


def _ask_in(folder: str, operation: str, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Run one request with this folder as its working directory."""
    try:
        done = subprocess.run(
            # -I: no user site packages, no PYTHON* variables, no current directory on the path.
            [sys.executable, "-I", str(PARSER_PATH)],
            input=json.dumps({"operation": operation, **question}).encode(),
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
        raise CannotRead("limits", can_retry=True) from error
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
