"""Add an edition of ICD-10-CM to ``cases/data/icd-10-cm.tsv.gz``.

``script/build_diagnosis_codes.py 2025-10-01`` takes the codes of the installed release of the
package simple-icd-10-cm (requirements-dev.txt), which ships the public list of the CDC, as those of
the fiscal year that begins on that day: each October 1. The list of April has the codes of the same
year with a few more, so it replaces that of October. Commit the file that it writes.

A line has a code, its official description and, unless the code is in every edition with this
description, the first days of the editions that have it. The first line lists all editions.
"""

import gzip
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "cases/data/icd-10-cm.tsv.gz"


def read_editions() -> tuple[list[str], dict[tuple[str, str], set[str]]]:
    """Read the file: its editions, and those that have each code with each description."""
    rows: dict[tuple[str, str], set[str]] = defaultdict(set)
    if not FILE.exists():
        return [], rows
    head, *lines = gzip.decompress(FILE.read_bytes()).decode().splitlines()
    editions = head.split("\t")[1:]
    for line in lines:
        code, description, *only = line.split("\t")
        rows[code, description] = set(only[0].split(",")) if only else set(editions)
    return editions, rows


def main(first_day: str) -> None:
    """Add the codes of the installed package, or replace them."""
    import simple_icd_10_cm as package  # type: ignore[import-untyped]

    first_day = date.fromisoformat(first_day).isoformat()
    editions, rows = read_editions()
    for having in rows.values():
        having.discard(first_day)
    for code in package.get_all_codes(with_dots=True):
        # Only complete codes: a category such as M54.1 is no diagnosis.
        if package.is_category_or_subcategory(code) and package.is_leaf(code):
            rows[code, package.get_description(code)].add(first_day)
    editions = sorted({*editions, first_day})
    lines = ["\t".join(("editions", *editions))]
    for (code, description), having in sorted(rows.items()):
        if having:
            only = [] if having == set(editions) else [",".join(sorted(having))]
            lines.append("\t".join((code, description, *only)))
    FILE.write_bytes(gzip.compress("\n".join([*lines, ""]).encode(), 9, mtime=0))
    sys.stdout.write(f"{len(lines) - 1:,} codes in {len(editions)} editions.\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
