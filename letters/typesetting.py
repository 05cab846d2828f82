"""Typesets frozen text as a tagged PDF (PDF/A-3a, PDF/UA-1) with Typst; always the same bytes.

A process that has used Typst must not fork, because the child would wait for threads that do not
exist in it. So this module compiles in its own process only in a worker's child, which never forks.
Web processes and commands start a subprocess for each letter::

    python -m letters.typesetting < job.json > letter.pdf

The text is passed as one JSON string in ``sys.inputs``, never as Typst source. This module imports
neither Django nor anything that reads settings.
"""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typst

HERE = Path(__file__).resolve().parent
LAYOUTS = HERE / "layouts"
FONTS = HERE / "fonts"
STANDARDS: list[Any] = ["a-3a", "ua-1"]
# Only previews and commands use a subprocess, and a person waits for them.
SECONDS_ALLOWED = 30


class TypesettingFailed(Exception):
    """This text cannot be typeset; another try will not help. The message is for staff."""


class TypesettingInterrupted(Exception):
    """The typesetting process stopped or took too long; another try may succeed."""


@dataclass(frozen=True)
class TypesetLetter:
    """A finished letter."""

    content: bytes
    pages: int


def typeset_words(words: Mapping[str, Any], layout: str, on: date) -> TypesetLetter:
    """Typeset text in a layout, in this process if that is safe, else in a subprocess.

    :param on: the date of the letter, written into the PDF's metadata.
    :raises TypesettingFailed: the text or the layout has an error.
    :raises TypesettingInterrupted: the subprocess stopped, or took too long.
    """
    engine = compile_in_process if _in_worker_child() else compile_in_subprocess
    return engine(words, layout, on)


def compile_in_process(words: Mapping[str, Any], layout: str, on: date) -> TypesetLetter:
    """Compile in this process, which must not fork afterward.

    :raises TypesettingFailed: the text or the layout has an error.
    """
    import pikepdf
    import typst

    main = LAYOUTS / f"{layout}.typ"
    # Files that begin with "_" are parts that other layouts include.
    if layout.startswith("_") or "/" in layout or not main.is_file():
        raise TypesettingFailed(f"There is no layout named {layout!r}.")
    try:
        content = typst.compile(
            str(main),
            root=str(LAYOUTS),
            font_paths=_load_fonts(),
            # Fonts of the machine would change the bytes from one server to another.
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"words": json.dumps(words, sort_keys=True, ensure_ascii=False)},
            pdf_standards=STANDARDS,
            # Noon UTC is the same day in Los Angeles. Without a timestamp the bytes would differ.
            timestamp=datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
        )
    except typst.TypstError as error:
        raise TypesettingFailed(f"The letter cannot be typeset: {error.message}") from error
    with _open_pdf(pikepdf, content) as pdf:
        return TypesetLetter(content, len(pdf.pages))


def compile_in_subprocess(words: Mapping[str, Any], layout: str, on: date) -> TypesetLetter:
    """Compile in a subprocess, so that the caller may fork later.

    :raises TypesettingFailed: the text or the layout has an error.
    :raises TypesettingInterrupted: the subprocess stopped, or took too long.
    """
    job = json.dumps({"words": words, "layout": layout, "on": on.isoformat()})
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module, no shell
            [sys.executable, "-m", "letters.typesetting"],
            input=job.encode(),
            capture_output=True,
            timeout=SECONDS_ALLOWED,
            cwd=HERE.parent,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TypesettingInterrupted(f"Typesetting took over {SECONDS_ALLOWED} seconds.") from error
    if done.returncode == _FAULT:
        raise TypesettingFailed(done.stderr.decode(errors="replace").strip())
    if done.returncode != 0:
        raise TypesettingInterrupted(f"The typesetting process ended with code {done.returncode}.")
    head, _, content = done.stdout.partition(b"\n")
    return TypesetLetter(content, json.loads(head)["pages"])


_FAULT = 65  # EX_DATAERR of sysexits.h: the text or the layout has an error


def main() -> int:
    """Read a job from standard input; write one line of JSON and the PDF to standard output."""
    job = json.load(sys.stdin.buffer)
    try:
        made = compile_in_process(job["words"], job["layout"], date.fromisoformat(job["on"]))
    except TypesettingFailed as error:
        sys.stderr.write(str(error))
        return _FAULT
    sys.stdout.buffer.write(json.dumps({"pages": made.pages}).encode() + b"\n" + made.content)
    return 0


def _in_worker_child() -> bool:
    """Whether this process is a pool child of a Celery worker, which never forks again."""
    billiard = sys.modules.get("billiard.process") or multiprocessing
    name: str = billiard.current_process().name
    return name.startswith("ForkPoolWorker")


@cache
def _load_fonts() -> "typst.Fonts":
    """Load the fonts once per process; loading them for every letter is four times slower."""
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
    )


def _open_pdf(pikepdf: Any, content: bytes) -> Any:
    import io

    return pikepdf.open(io.BytesIO(content))


if __name__ == "__main__":
    raise SystemExit(main())
