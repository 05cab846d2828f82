"""Rows as lines of CSV that a spreadsheet opens as text; every list is exported by these."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# Excel reads a file as UTF-8 only if it begins with this sign.
MARK = "\ufeff"
# A spreadsheet runs a cell that begins with one of these.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that returns what is written to it."""

    def write(self, value: str) -> str:
        return value


def write_csv_lines(
    rows: Iterable[Iterable[Any]], *, headings: Sequence[str] = ()
) -> Iterator[str]:
    """Yield rows as lines of CSV, after the mark and the headings if there are any.

    A value that a spreadsheet would run as a formula gets an apostrophe in front. ``None`` is an
    empty cell.
    """
    writer = csv.writer(_Echo())
    if headings:
        yield MARK + writer.writerow(headings)
    for row in rows:
        yield writer.writerow(_as_cell(value) for value in row)


def _as_cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
