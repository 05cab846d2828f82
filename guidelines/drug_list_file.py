"""Read the MTUS drug list from a CSV file with the columns that DWC publishes. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.refusals import Refused

from .formulary import Status, normalize_drug_text

# Beginnings of headings, folded to lower-case letters and digits, and the fields that they fill.
# DWC adds asterisks, and the guideline named beside "Reference in" changes.
_HEADINGS: tuple[tuple[str, str], ...] = (
    ("drug ingredient", "ingredient"),
    ("exempt", "status"),
    ("special fill", "special_fill"),
    ("peri", "perioperative_fill"),
    ("drug class", "drug_class"),
    ("reference", "reference"),
    ("dosage form", "dosage_form"),
    ("strength", "strength"),
    ("unique product identifier", "identifiers"),
    ("brand", "other_names"),
)
_REQUIRED = {"ingredient": "Drug ingredient", "status": "Exempt / Non-exempt"}
_STATUSES = {"exempt": Status.EXEMPT, "non exempt": Status.NON_EXEMPT}
_NO_FILL = {"", "no", "none", "n a", "na"}
_LONGEST = {
    "ingredient": 200, "special_fill": 40, "perioperative_fill": 40, "drug_class": 120,
    "reference": 300, "dosage_form": 120, "strength": 120, "other_names": 400,
}  # fmt: skip


@dataclass(frozen=True)
class FileRow:
    """One row of the file, with the number of its line."""

    line: int
    ingredient: str
    status: Status
    special_fill: str = ""
    perioperative_fill: str = ""
    drug_class: str = ""
    reference: str = ""
    dosage_form: str = ""
    strength: str = ""
    identifiers: str = ""
    other_names: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the drug across editions."""
        return (normalize_drug_text(self.ingredient), self.dosage_form, self.strength)


class BadDrugList(Refused):
    """The file cannot be read; ``problems`` has a sentence for each bad line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


def read_drug_list(content: bytes) -> list[FileRow]:
    """Read all rows of a file. Lines above the headings are passed over.

    :raises BadDrugList: it is not CSV in UTF-8, has no headings, or has bad rows. All bad rows are
        named with their lines.
    """
    if content.startswith(b"PK"):
        raise BadDrugList(["This is an Excel file. Save it as “CSV UTF-8” and import that file."])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDrugList(["The file is not UTF-8. Save it as “CSV UTF-8”."]) from error
    reader = csv.reader(io.StringIO(text, newline=""))
    columns: dict[int, str] = {}
    rows: list[FileRow] = []
    problems: list[str] = []
    first_lines: dict[tuple[str, str, str], int] = {}
    try:
        for cells in reader:
            if not columns:
                columns = _read_headings(cells)
                continue
            values = {name: _clean(cells[place]) for place, name in columns.items()
                      if place < len(cells)}  # fmt: skip
            if not any(values.values()):
                continue
            row = _read_row(values, reader.line_num, problems)
            if row is None:
                continue
            if row.key in first_lines:
                problems.append(
                    f"Line {row.line}: {row.ingredient} has the same dosage form and strength as "
                    f"line {first_lines[row.key]}."
                )
            first_lines.setdefault(row.key, row.line)
            rows.append(row)
    except csv.Error as error:
        raise BadDrugList([f"Line {reader.line_num}: not readable as CSV ({error})."]) from error
    missing = [label for name, label in _REQUIRED.items() if name not in columns.values()]
    if missing:
        raise BadDrugList([f"The file has no column “{label}”." for label in missing])
    if problems:
        raise BadDrugList(problems)
    if not rows:
        raise BadDrugList(["The file has no drugs."])
    return rows


def _read_headings(cells: Iterable[str]) -> dict[int, str]:
    """Return the field of each column; empty if this line is not the line of headings."""
    columns: dict[int, str] = {}
    for place, cell in enumerate(cells):
        heading = normalize_drug_text(cell)
        for beginning, name in _HEADINGS:
            if heading.startswith(beginning) and name not in columns.values():
                columns[place] = name
                break
    return columns if "ingredient" in columns.values() else {}


def _read_row(values: Mapping[str, str], line: int, problems: list[str]) -> FileRow | None:
    """Return one row; ``None`` if it is bad, with a sentence added to ``problems``."""
    found = len(problems)
    status = _STATUSES.get(normalize_drug_text(values.get("status", "")))
    if not normalize_drug_text(values.get("ingredient", "")):
        problems.append(f"Line {line}: the drug ingredient is missing.")
    if status is None:
        problems.append(
            f"Line {line}: “{values.get('status', '')}” is neither Exempt nor Non-exempt."
        )
    for name, longest in _LONGEST.items():
        if len(values.get(name, "")) > longest:
            label = name.replace("_", " ")
            problems.append(f"Line {line}: the {label} is longer than {longest} characters.")
    fills = {}
    for name in ("special_fill", "perioperative_fill"):
        fill = _read_fill(values.get(name, ""))
        fills[name] = fill
        # 8 CCR 9792.27.12 and 9792.27.13 speak of non-exempt drugs: an exempt one needs no fill.
        if fill and status is Status.EXEMPT:
            label = name.replace("_", " ")
            problems.append(f"Line {line}: an exempt drug has a {label} (“{fill}”).")
    if status is None or len(problems) > found:
        return None
    return FileRow(line=line, **{**values, **fills, "status": status})  # type: ignore[arg-type]


def _read_fill(text: str) -> str:
    """Return a limit as printed, such as “4 days”; empty if there is none."""
    if normalize_drug_text(text) in _NO_FILL:
        return ""
    return f"{text} days" if text.isdigit() else text


def _clean(cell: str) -> str:
    return re.sub(r"\s+", " ", cell).strip(" *")
