"""Import applications that were keyed elsewhere, with the checks of the intake form."""

import csv
import json
import re
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from accounts.counting import count_noun
from accounts.models import User
from accounts.refusals import Refused
from cases.category_tree import list_categories
from intake.forms.application import ROW_FIELDS, IntakeForm
from intake.services.bulk_receiving import ReceiveResult, receive_many_applications
from intake.services.receiving import ApplicationOnForm

# Received together. While they are stored, nobody else can save an application.
ROWS_AT_ONCE = 100
MAX_FILE_BYTES = 50_000_000
# One treatment may stand in the row itself, as in a CSV file; more are a list under this key.
TREATMENTS = "treatments"
# The columns of a treatment, and the fields of the form; a new treatment has no id yet.
_TREATMENT_COLUMNS = {name.removeprefix("item_"): name for name in ROW_FIELDS if name != "item_id"}


class Command(BaseCommand):
    """``manage.py import_applications FILE --by EMAIL [--dry-run]``."""

    help = (
        "Import applications from a CSV file with a header, or from a JSON list of objects. The "
        "columns are the fields of the intake form, such as last_name, claim_number and received; "
        "a treatment is title, category, quantity, unit and body_part, in JSON also a list under "
        f"“{TREATMENTS}”. Each row gets the checks of the form. A row that is refused is named "
        "with the reason and stops no other; the exit status is then 1. A row that was imported "
        "before adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--by", dest="email", required=True, metavar="EMAIL", help="who enters them"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything, store nothing"
        )

    def handle(self, *args: Any, file: Path, email: str, dry_run: bool, **options: Any) -> None:
        at = timezone.now()
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody can sign in as {email}.")
        rows = _read_rows(file)
        reader = _RowReader(at)
        refused = 0
        for first in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[first : first + ROWS_AT_ONCE]
            results = _import_rows(some, reader, by=user, at=at, dry_run=dry_run)
            for number, result in enumerate(results, start=first + 1):
                if result.case is None:
                    refused += 1
                    self.stderr.write(f"row {number}: refused. {result.refusal}")
                else:
                    self.stdout.write(f"row {number}: {_describe(result, dry_run=dry_run)}")
        if refused:
            raise CommandError(
                f"{refused} of {count_noun(len(rows), 'row')} refused.", returncode=1
            )


def _read_rows(file: Path) -> list[Any]:
    """Read the rows of a file.

    :raises CommandError: the file cannot be read, or is neither a table nor a list.
    """
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise CommandError(f"{file} is larger than {MAX_FILE_BYTES // 10**6} MB. Divide it.")
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".csv":
            return list(csv.DictReader(text.splitlines(keepends=True)))
        rows = json.loads(text)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, csv.Error) as error:
        raise CommandError(f"{file} is not valid CSV or JSON in UTF-8: {error}.") from error
    if not isinstance(rows, list):
        raise CommandError(f"{file} must hold a list of objects.")
    return rows


def _import_rows(
    rows: Sequence[Any], reader: "_RowReader", *, by: User, at: datetime, dry_run: bool
) -> list[ReceiveResult]:
    """Import some rows and return what became of each, in their order."""
    results: dict[int, ReceiveResult] = {}
    applications: dict[int, ApplicationOnForm] = {}
    for place, row in enumerate(rows):
        try:
            applications[place] = reader.read(row)
        except Refused as refusal:
            results[place] = ReceiveResult(None, refusal)
    if applications:
        with transaction.atomic() if dry_run else nullcontext():
            received = receive_many_applications(
                applications=list(applications.values()), by=by, at=at
            )
            if dry_run:
                transaction.set_rollback(True)
        results |= zip(applications, received, strict=True)
    return [results[place] for place in range(len(rows))]


def _describe(result: ReceiveResult, *, dry_run: bool) -> str:
    assert result.case is not None  # noqa: S101 - refused rows are described by their refusal
    if result.was_known:
        return f"already imported as case {result.case.number}, unchanged."
    return "can be imported." if dry_run else f"case {result.case.number} imported."


class _RowReader:
    """Reads rows as applications, with the checks of the intake form."""

    def __init__(self, at: datetime) -> None:
        self._today = timezone.localdate(at)
        self._categories = list_categories()
        # The names of treatment categories, such as “Pharmaceuticals: Opioids”.
        self._keys = {
            (f"{one.parent.name}: {one.name}" if one.parent else one.name).casefold(): str(one.pk)
            for one in self._categories
        }

    def read(self, row: Any) -> ApplicationOnForm:
        """Read one row.

        :raises Refused: the row does not pass a check; the message names each field.
        """
        form = self._build_form(row)
        if not form.is_valid():
            raise Refused(" ".join(_list_errors(form)))
        return form.application()

    def _build_form(self, row: Any) -> IntakeForm:
        """Fill in the intake form from a row.

        :raises Refused: the row is no object, or has a column that the form does not know.
        """
        if not isinstance(row, Mapping):
            raise Refused("Each row must be an object with named fields.")
        fields = set(IntakeForm.base_fields) - {"key"}
        known = fields | {*_TREATMENT_COLUMNS, TREATMENTS}
        # csv.DictReader files the surplus values of a row under None.
        if unknown := sorted(
            str(name or "more values than columns") for name in row.keys() - known
        ):
            raise Refused(f"Unknown column: {', '.join(unknown)}.")
        data = QueryDict(mutable=True)
        for name in fields:
            # A column that is not there has the value that the empty form shows.
            data[name] = _write_value(row.get(name, IntakeForm.base_fields[name].initial))
        # The same row again has the same key and adds nothing, as a form that is sent twice.
        content = json.dumps(row, sort_keys=True, default=str)
        data["key"] = str(uuid5(NAMESPACE_URL, f"urn:imr-portal:application:{content}"))
        for treatment in _list_treatments(row):
            for column, name in _TREATMENT_COLUMNS.items():
                value = _write_value(treatment.get(column))
                if column == "category":
                    value = self._keys.get(value.casefold(), value)
                data.appendlist(name, value)
        return IntakeForm(data, today=self._today, categories=self._categories)


def _list_treatments(row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the treatments of a row: those listed, else the one in the row itself.

    :raises Refused: the list holds something else than objects.
    """
    listed = row.get(TREATMENTS)
    if listed is None:
        return [{column: row.get(column) for column in _TREATMENT_COLUMNS}]
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise Refused(f"{TREATMENTS} must be a list of objects.")
    for one in listed:
        if unknown := sorted(one.keys() - _TREATMENT_COLUMNS.keys()):
            raise Refused(f"Unknown field of a treatment: {', '.join(unknown)}.")
    return listed


def _write_value(value: Any) -> str:
    """Write a value as it would be typed: days as month/day/year."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value).strip()
    # Files mostly hold days in the order of ISO 8601, which the form does not take.
    if match := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text):
        year, month, day = match.groups()
        return f"{month}/{day}/{year}"
    return text


def _list_errors(form: IntakeForm) -> Iterable[str]:
    """Yield each error with the column that it is about."""
    for name, errors in form.errors.items():
        for error in errors:
            yield f"{name}: {error}" if name != NON_FIELD_ERRORS else str(error)
    for number, row in enumerate(form.rows, start=1):
        if row.error:
            yield f"treatment {number}: {row.error}"
