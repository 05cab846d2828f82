"""Applications keyed elsewhere: the checks of the form, refusals by row, a dry run, no repeats."""

import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.roles import Role
from cases.models import Case, Event, Party
from tests.factories import MONDAY, person
from tests.reviewers.factories import get_category

pytestmark = pytest.mark.django_db

ROW = {
    "received": "2026-02-27",
    "first_name": "Ada",
    "last_name": "Quill",
    "claim_number": "WC-1001",
    "ur_decided": "2026-02-10",
    "employer": "Harbor Cold Storage",
    "physician_last": "Okafor",
    "administrator": "Pacific Claims",
    "title": "Norco 10/325",
    "category": "Pharmaceuticals: Opioids",
    "quantity": "60",
}


@pytest.fixture
def clerk(set_clock):
    set_clock(MONDAY)
    get_category("Pharmaceuticals", "Opioids")
    return person(Role.INTAKE)


def import_file(path, clerk, *options):
    out, err = StringIO(), StringIO()
    try:
        call_command(
            "import_applications", str(path), "--by", clerk.email, *options, stdout=out, stderr=err
        )
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


def write_json(folder, *rows):
    path = folder / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_a_row_becomes_a_case_as_if_a_clerk_had_typed_it(tmp_path, clerk):
    out, err, code = import_file(write_json(tmp_path, ROW), clerk)

    case = Case.objects.get()
    assert (out, err, code) == (f"row 1: case {case.number} imported.\n", "", 0)
    assert (case.claim_number, str(case.received_on)) == ("WC-1001", "2026-02-27")
    assert case.application.entered_by == clerk
    item = case.items.get()
    assert (item.title, str(item.category), item.requested_quantity) == (
        "Norco 10/325", str(get_category("Pharmaceuticals", "Opioids")), 60
    )  # fmt: skip
    assert set(Party.objects.filter(case=case).values_list("role", flat=True)) == {
        "EMPLOYEE", "EMPLOYER", "REQUESTING_PHYSICIAN", "CLAIMS_ADMINISTRATOR",
    }  # fmt: skip
    assert case.events.filter(kind=Event.Kind.RECEIVED).exists()


def test_refused_rows_are_named_with_the_reason_and_stop_no_other(tmp_path, clerk):
    path = write_json(
        tmp_path,
        {**ROW, "last_name": "", "received": "2026-12-24"},
        {**ROW, "claim": "WC-1"},
        {**ROW, "quantity": "many"},
        "no object",
        {**ROW, "claim_number": "WC-2", "treatments": [{"title": "MRI"}, {"title": "Brace"}]},
        {**ROW, "treatments": [{"name": "MRI"}]},
    )

    out, err, code = import_file(path, clerk)

    assert code == 1
    assert "row 1: refused. " in err
    assert "last_name: Enter the employee’s last name." in err
    assert "received: This date is in the future. Check the stamp." in err
    assert "row 2: refused. Unknown column: claim." in err
    assert "Enter the quantity as a number, such as 12." in err
    assert "row 4: refused. Each row must be an object with named fields." in err
    assert "row 6: refused. Unknown field of a treatment: name." in err
    assert "5 of 6 rows refused." in err
    assert out.count("imported.") == 1
    assert [item.title for item in Case.objects.get().items.order_by("position")] == [
        "MRI", "Brace",
    ]  # fmt: skip


def test_the_same_row_again_adds_nothing(tmp_path, clerk):
    path = write_json(tmp_path, ROW)
    import_file(path, clerk)

    out, _, code = import_file(path, clerk)

    assert code == 0
    assert "already imported as case" in out
    assert Case.objects.count() == 1


def test_a_dry_run_names_the_refusals_and_stores_nothing(tmp_path, clerk):
    path = write_json(tmp_path, ROW, {**ROW, "employer": ""})

    out, err, code = import_file(path, clerk, "--dry-run")

    assert (out, code) == ("row 1: can be imported.\n", 1)
    assert "row 2: refused. employer: Enter the employer." in err
    assert not Case.objects.exists()


def test_a_table_is_read_by_its_header(tmp_path, clerk):
    path = tmp_path / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(ROW))
        writer.writeheader()
        writer.writerow(ROW)
        file.write("2026-02-27,too,short\n")

    out, err, code = import_file(path, clerk)

    assert code == 1
    assert "row 1: case " in out
    assert "row 2: refused. " in err


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("rows.json", "{}", "must hold a list"),
        ("rows.json", "[", "is not valid CSV or JSON"),
        ("absent.json", None, "cannot be read"),
    ],
)
def test_a_file_that_holds_no_rows_is_refused(tmp_path, clerk, name, text, sentence):
    path = tmp_path / name
    if text is not None:
        path.write_text(text, encoding="utf-8")

    _, err, code = import_file(path, clerk)

    assert code == 1
    assert sentence in err


def test_only_someone_who_may_enter_applications_imports_them(tmp_path, clerk):
    _, err, code = import_file(write_json(tmp_path, ROW), person(Role.REVIEWER))

    assert code == 1
    assert "Your role cannot enter applications." in err
    assert not Case.objects.exists()
