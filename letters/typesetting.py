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
import re
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

# The newest file of each layout. The row of a letter names the file that it was typeset with. A
# change that alters the bytes of a PDF makes a new file with the next number.
NEWEST_FILES = {
    "determination-today": "determination-today.2",
    "determination-2014": "determination-2014.2",
    "assignment-notice": "assignment-notice.2",
    "case-letter": "case-letter.2",
}

# Set before and after what the layout must not break at the end of a line. No font contains this
# character, so no text that is printed can.
MARK = "\u0002"
# The parts of a letter whose text runs over lines. Names, headings and days print as they are.
_RUNNING_TEXTS = frozenset(
    {
        *("how_made", "summary_lead_in", "summary", "decisions_lead_in", "documents_reviewed"),
        *("title", "claims_administrator_guideline", "guideline", "rationale", "notices"),
        *("license_states", "specialties", "opening", "closing", "deadline", "treatments"),
        *("records_lead_in", "records", "penalty", "how_to_send", "paragraphs", "points"),
    }
)
# Parts at the top that have the name of a running text, or hold data.
_NEVER_PREPARED = frozenset({"facts", "title"})
_EMPTY_LINES = re.compile(r"\n[ \t]*\n\s*")
_SPACES = re.compile(r" {2,}")
# A telephone number, or a word with a dash or slash in it.
_CANDIDATE = re.compile(r"\([0-9]{3}\) [0-9]{3}-[0-9]{4}|(?<!\S)[^\s/–-]*[/–-]\S+")
_TOGETHER = re.compile(r"[^\s/–-]{1,24}(?:[/–-][^\s/–-]{1,24}){1,5}")
# What is longer, such as a double name, may break, or it would not fit a narrow column.
_LONGEST_TOGETHER = 24


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


def find_layout_file(layout: str) -> str:
    """Return the name of the newest file of a layout; the name of a file is returned as it is."""
    return NEWEST_FILES.get(layout, layout)


def find_layout_name(file: str) -> str:
    """Return the layout of which this is a file: its name without the number of the version."""
    return file.partition(".")[0]


def compile_in_process(words: Mapping[str, Any], layout: str, on: date) -> TypesetLetter:
    """Compile in this process, which must not fork afterward.

    :raises TypesettingFailed: the text or the layout has an error.
    """
    import typst

    main = LAYOUTS / f"{find_layout_file(layout)}.typ"
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
            sys_inputs={"words": json.dumps(_prepare_words(words), sort_keys=True)},
            pdf_standards=STANDARDS,
            # Noon UTC is the same day in Los Angeles. Without a timestamp the bytes would differ.
            timestamp=datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
        )
    except typst.TypstError as error:
        raise TypesettingFailed(f"The letter cannot be typeset: {error.message}") from error
    return TypesetLetter(content, count_pages(content))


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
        result = compile_in_process(job["words"], job["layout"], date.fromisoformat(job["on"]))
    except TypesettingFailed as error:
        sys.stderr.write(str(error))
        return _FAULT
    sys.stdout.buffer.write(json.dumps({"pages": result.pages}).encode() + b"\n" + result.content)
    return 0


def _in_worker_child() -> bool:
    """Return whether this process is a pool child of a Celery worker, which never forks again."""
    billiard = sys.modules.get("billiard.process") or multiprocessing
    name: str = billiard.current_process().name
    return name.startswith("ForkPoolWorker")


def count_pages(content: bytes) -> int:
    """Return the number of pages of a PDF that Typst wrote.

    Typst writes the page tree first, before anything that a person typed. Opening the PDF with a
    library costs as much as storing the letter.
    """
    found = _PAGE_TREE.match(content)
    if found:
        return int(found[1])
    # Another version of Typst may write the tree elsewhere.
    import io

    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as pdf:
        return len(pdf.pages)


_PAGE_TREE = re.compile(rb"%PDF-1\.\d\n%[\x80-\xff]{4}\s+1 0 obj\s<</Type/Pages/Count (\d+)/Kids")


def _prepare_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the text as the layouts read it; see ``prepare_text``."""
    return {
        name: value if name in _NEVER_PREPARED else _prepare_part(name, value)
        for name, value in words.items()
    }


def _prepare_part(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return prepare_text(value) if name in _RUNNING_TEXTS else value
    if isinstance(value, Mapping):
        return {inner_name: _prepare_part(inner_name, inner) for inner_name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_prepare_part(name, inner) for inner in value]
    return value


def prepare_text(text: str) -> str:
    """Mark codes, doses, levels, days and telephone numbers, which stay whole at a line's end.

    Also removes what prints as nothing: spaces around a line, a second space, a second empty line.
    Done here because regular expressions in Typst cost more than the rest of the letter.
    """
    paragraphs = [part.strip() for part in _EMPTY_LINES.split(text.replace(MARK, ""))]
    plain = "\n\n".join(
        "\n".join(line.strip() for line in part.split("\n")) for part in paragraphs if part
    )
    return _CANDIDATE.sub(_mark_candidate, _SPACES.sub(" ", plain))


def _mark_candidate(found: re.Match[str]) -> str:
    text = found[0]
    # Only a telephone number contains a space.
    return f"{MARK}{text}{MARK}" if " " in text else _TOGETHER.sub(_mark_together, text)


def _mark_together(found: re.Match[str]) -> str:
    text = found[0]
    return text if len(text) > _LONGEST_TOGETHER else f"{MARK}{text}{MARK}"


@cache
def _load_fonts() -> "typst.Fonts":
    """Load the fonts once per process; loading them for every letter is four times slower."""
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
    )


if __name__ == "__main__":
    raise SystemExit(main())
