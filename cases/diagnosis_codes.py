"""Diagnosis codes with their official descriptions: ICD-10-CM of the year. No database access.

The codes are in ``data/icd-10-cm.tsv.gz``, which ``script/build_diagnosis_codes.py`` writes. It is
read at the first look-up and kept as text, which is searched in some milliseconds.
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data/icd-10-cm.tsv.gz"
_CODE = re.compile(r"([A-Z]\d[0-9A-Z])\.?([0-9A-Z]{0,4})")
MAX_FOUND = 8
_MOST_READ = 3000  # matching lines among which the shortest descriptions are chosen


@dataclass(frozen=True)
class DiagnosisCode:
    """A code that can be stated as a diagnosis: M54.12, Radiculopathy, cervical region."""

    code: str
    description: str

    def __str__(self) -> str:
        return f"{self.code} {self.description}"


@dataclass(frozen=True)
class DiagnosisReading:
    """How the keyed diagnoses were read.

    :ivar text: each code with its official description, “; ” between them.
    :ivar note: what to check or what was filled in; empty if nothing was.
    :ivar is_bad: the note names something to check.
    """

    text: str
    note: str = ""
    is_bad: bool = False


@dataclass(frozen=True)
class _CodeList:
    """The file: the first days of its editions, and its lines, also in small letters."""

    editions: tuple[str, ...]
    text: str
    folded: str


def find_diagnosis_codes(typed: str, *, on: date) -> list[DiagnosisCode]:
    """Find codes that begin with what was typed, or whose descriptions have all of its words.

    :param on: the day whose codes are meant, such as that of the UR decision.
    :returns: at most ``MAX_FOUND``; codes in their order, descriptions with the shortest first.
    """
    text = typed.strip()
    edition = _find_edition(on)
    if match := _CODE.fullmatch(text.upper()):
        lines = _read_lines_of_code(_write_code(*match.groups()))
        found = [code for line in lines if (code := _parse(line, edition))]
        return found[:MAX_FOUND]
    words = re.findall(r"[^\W_]+", text.casefold())
    if not words or len(max(words, key=len)) < 3:
        return []
    lines = _read_lines_with(words)
    codes = [code for line in lines if (code := _parse(line, edition))]
    return sorted(codes, key=lambda one: (len(one.description), one.code))[:MAX_FOUND]


def read_diagnoses(typed: str, *, on: date) -> DiagnosisReading:
    """Read keyed diagnoses with semicolons between them; codes get their official descriptions.

    What is no code stays as typed: forms also state diagnoses in words.

    :param on: the day whose codes are meant, such as that of the UR decision.
    """
    parts, notes = [], []
    for part in filter(None, (part.strip() for part in typed.split(";"))):
        first, _, rest = part.partition(" ")
        match = _CODE.fullmatch(first.upper().rstrip(",:"))
        if match is None:
            parts.append(part)
            continue
        code = _write_code(*match.groups())
        found = next((one for one in find_diagnosis_codes(code, on=on) if one.code == code), None)
        if found is None:
            notes.append(_describe_unknown(code, on))
            parts.append(part)
            continue
        if rest and rest.casefold() != found.description.casefold():
            notes.append(f"{code} is “{found.description}”.")
            parts.append(part)
        else:
            parts.append(str(found))
    return DiagnosisReading("; ".join(parts), " ".join(notes), bool(notes))


def split_last_diagnosis(typed: str) -> tuple[str, str]:
    """Split keyed diagnoses before the last of them: “M54.12 Radicul…; ” and “neck pain”."""
    before, semicolon, last = typed.rpartition(";")
    return f"{before.strip()}; " if semicolon else "", last.strip()


def _describe_unknown(code: str, on: date) -> str:
    year = int(_find_edition(on)[:4]) + 1  # a fiscal year is named by the year in which it ends
    if find_diagnosis_codes(code, on=on):
        return f"{code} is a group of ICD-10-CM {year}. Choose one of its codes."
    return f"{code} is not in ICD-10-CM {year}. Check it."


def _find_edition(on: date) -> str:
    """Return the first day of the edition in force on a day, or of the first one on file."""
    editions = _read_file().editions
    return max((one for one in editions if one <= on.isoformat()), default=editions[0])


def _write_code(category: str, rest: str) -> str:
    return f"{category}.{rest}" if rest else category


def _parse(line: str, edition: str) -> DiagnosisCode | None:
    """Return the code of a line; ``None`` if the edition does not have it."""
    code, description, *only = line.split("\t")
    return DiagnosisCode(code, description) if not only or edition in only[0] else None


def _read_lines_of_code(beginning: str) -> Iterator[str]:
    """Yield the lines whose code begins with a text. They stand together, in order."""
    text = _read_file().text
    start = text.find(f"\n{beginning}") + 1
    while start and text.startswith(beginning, start):
        end = text.index("\n", start)
        yield text[start:end]
        start = end + 1


def _read_lines_with(words: list[str]) -> Iterator[str]:
    """Yield lines that have words beginning with each of these, of many the first ones."""
    file = _read_file()
    longest = max(words, key=len)
    rest = [re.compile(rf"\b{re.escape(word)}") for word in words if word is not longest]
    at = count = 0
    # Not by a pattern, which would take half a second for the whole list.
    while count < _MOST_READ and (at := file.folded.find(longest, at)) >= 0:
        start = file.folded.rindex("\n", 0, at) + 1
        end = file.folded.index("\n", at)
        begins_word = not file.folded[at - 1].isalnum()
        if begins_word and all(word.search(file.folded, start, end) for word in rest):
            yield file.text[start:end]
            count += 1
            at = end
        else:
            at += len(longest)


@cache
def _read_file() -> _CodeList:
    head, text = gzip.decompress(_FILE.read_bytes()).decode().split("\n", 1)
    text = f"\n{text}"
    # lower() and not casefold(), which makes two letters of “ß”: places have to agree.
    return _CodeList(tuple(head.split("\t")[1:]), text, text.lower())
