"""Import of the drug list: what is added, changed and ended, and bad lines by their numbers."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from guidelines import services
from guidelines.drug_list import drug_list_on_file
from guidelines.formulary import Answer, propose_formulary
from guidelines.models import DrugListEdition, ListedDrug
from tests.factories import MONDAY, person

pytestmark = pytest.mark.django_db

FIRST, SECOND = date(2018, 1, 1), date(2020, 11, 1)
HEAD = (
    "MTUS Drug List v.1,,,,,,,,\n"
    "Drug Ingredient,Reference in ACOEM Guidelines,Exempt / Non-Exempt*,Special Fill**,"
    "Peri-Op***,Drug Class,Dosage Form,Strength,Unique Product Identifier(s)\n"
)
V1 = HEAD + (
    "Ibuprofen,Low Back,Exempt,,,NSAIDs,Tablet,400 mg,197805\n"
    "Tramadol HCl,Opioids,Non-Exempt,4 days,4,Opioids,Tablet,,835603\n"
    "Carisoprodol,Low Back,Non-Exempt,No,,Muscle relaxants,,,\n"
)
# Tramadol loses its special fill, carisoprodol is taken off, and duloxetine is new.
V2 = HEAD + (
    "Ibuprofen,Low Back,Exempt,,,NSAIDs,Tablet,400 mg,197805\n"
    "Tramadol HCl,Opioids,Non-Exempt,,4 days,Opioids,Tablet,,835603\n"
    "Duloxetine,Depressive Disorders,Exempt,,,Antidepressants,,,\n"
)


@pytest.fixture
def file(tmp_path):
    def write(text, name="list.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def run(path, starts, label, capsys, **options):
    call_command("import_drug_list", path, starts=starts, label=label, **options)
    return capsys.readouterr().out.splitlines()


def versions():
    return ListedDrug.history.count(), DrugListEdition.history.count()


def test_an_edition_adds_changes_and_ends_rows_and_says_which(file, capsys):
    first = run(file(V1), "2018-01-01", "v.1", capsys)
    assert first[0] == "Added: Ibuprofen, Tablet, 400 mg (exempt)"
    assert first[-1] == "3 added, 0 changed, 0 ended, 0 with other brand names, 0 unchanged."

    assert run(file(V2), "2020-11-01", "v.7", capsys) == [
        "Added: Duloxetine (exempt)",
        "Changed: Tramadol HCl, Tablet: special fill from “4 days” to “”",
        "Ended: Carisoprodol (non-exempt)",
        "Edition: MTUS drug list v.7 from Nov 1, 2020",
        "1 added, 1 changed, 1 ended, 0 with other brand names, 1 unchanged.",
    ]
    before, after = drug_list_on_file(date(2020, 10, 31)), drug_list_on_file(SECOND)
    assert {row.ingredient for row in before.rows} == {"Ibuprofen", "Tramadol HCl", "Carisoprodol"}
    assert {row.ingredient for row in after.rows} == {"Ibuprofen", "Tramadol HCl", "Duloxetine"}
    assert propose_formulary("tramadol", before, before.valid_from).reason.endswith(
        "Special fill: 4 days. Perioperative fill: 4 days."
    )
    # Only the fill changed, so the status counts from the first edition.
    assert propose_formulary("tramadol", after, SECOND).reason == (
        "Tramadol HCl is on the MTUS drug list, non-exempt, since Jan 1, 2018 (not confirmed). "
        "Perioperative fill: 4 days."
    )
    assert propose_formulary("Soma or carisoprodol", after, SECOND).answer == Answer.NO
    assert drug_list_on_file(date(2017, 12, 31)) is None
    assert not ListedDrug.objects.filter(confirmed_on__isnull=False).exists()


def test_the_same_file_twice_changes_nothing(file, capsys):
    run(file(V1), "2018-01-01", "v.1", capsys)
    run(file(V2), "2020-11-01", "v.7", capsys)
    stored = versions()

    again = run(file(V2), "2020-11-01", "v.7", capsys)

    assert again == ["0 added, 0 changed, 0 ended, 0 with other brand names, 3 unchanged."]
    assert versions() == stored


def test_a_dry_run_prints_the_changes_and_saves_nothing(file, capsys):
    printed = run(file(V1), "2018-01-01", "v.1", capsys, dry_run=True)

    assert "Added: Carisoprodol (non-exempt)" in printed
    assert printed[-1] == "Dry run: nothing was saved."
    assert versions() == (0, 0)


def test_an_edition_is_corrected_on_its_own_day(file, capsys):
    run(file(V1), "2018-01-01", "v.1", capsys)
    without = V1.replace("Carisoprodol,Low Back,Non-Exempt,No,,Muscle relaxants,,,\n", "")
    corrected = without.replace("Ibuprofen,Low Back,Exempt", "Ibuprofen,Low Back,Non-Exempt")

    printed = run(file(corrected), "2018-01-01", "v.1", capsys)

    assert printed[-1] == "0 added, 1 changed, 1 ended, 0 with other brand names, 1 unchanged."
    assert ListedDrug.objects.count() == 3
    assert {row.ingredient for row in drug_list_on_file(FIRST).rows} == {
        "Ibuprofen", "Tramadol HCl",
    }  # fmt: skip
    # A row that was ended by mistake comes back as the same row.
    run(file(V1), "2018-01-01", "v.1", capsys)
    assert ListedDrug.objects.count() == len(drug_list_on_file(FIRST).rows) == 3


def test_an_incomplete_file_ends_no_row_and_new_rows_keep_brand_names(file, capsys):
    services.seed_drug_list(by=None, at=MONDAY)
    part = "Drug ingredient,Exempt / Non-exempt\nCarisoprodol,Exempt\n"

    printed = run(file(part), "2021-01-01", "part", capsys, incomplete=True)

    assert printed[-1].startswith("0 added, 1 changed, 0 ended")
    proposal = propose_formulary("Soma", drug_list_on_file(date(2021, 1, 1)), date(2021, 1, 1))
    assert "exempt, since Jan 1, 2021" in proposal.reason
    assert "Ibuprofen" in {row.ingredient for row in drug_list_on_file(date(2021, 1, 1)).rows}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            HEAD + "Ibuprofen,,Maybe,,,,,,\n,,Exempt,,,NSAIDs,,,\nNaproxen,,Exempt,4 days,,,,,\n",
            [
                "Line 3: “Maybe” is neither Exempt nor Non-exempt.",
                "Line 4: the drug ingredient is missing.",
                "Line 5: an exempt drug has a special fill (“4 days”).",
            ],
        ),
        (
            HEAD + "Ibuprofen,,Exempt,,,,,,\nIBUPROFEN,,Exempt,,,,,,\n",
            ["Line 4: IBUPROFEN has the same dosage form and strength as line 3."],
        ),
        (HEAD, ["The file has no drugs."]),
        ("Drug ingredient,Class\nIbuprofen,NSAID\n",
         ["The file has no column “Exempt / Non-exempt”."]),
        ("PK\x03\x04", ["This is an Excel file."]),
        ("nothing\n", ["The file has no column “Drug ingredient”."]),
    ],
)  # fmt: skip
def test_bad_files_are_named_line_by_line_and_nothing_is_saved(file, text, said):
    good = V1.removeprefix(HEAD)
    whole = text + good if text.startswith(HEAD) and text != HEAD else text

    with pytest.raises(CommandError) as refused:
        call_command("import_drug_list", file(whole), starts="2018-01-01", label="v.1")

    assert all(sentence in str(refused.value) for sentence in said)
    assert "Nothing was imported." in str(refused.value)
    assert versions() == (0, 0)


def test_editions_are_imported_in_order_and_by_guideline_administrators(file, capsys):
    run(file(V2), "2020-11-01", "v.7", capsys)
    values = {"content": V1.encode(), "label": "v.1", "at": MONDAY}

    with pytest.raises(NotAllowed, match="in the order"):
        services.import_drug_list(**values, starts_on=FIRST, by=None)
    with pytest.raises(NotAllowed, match="guideline administrator"):
        services.import_drug_list(**values, starts_on=MONDAY.date(), by=person(Role.INTAKE))
    with pytest.raises(CommandError, match=r"as in 2020-11-01"):
        run(file(V1), "11/01/2020", "v.1", capsys)


def test_the_shipped_list_is_unconfirmed_incomplete_and_never_added_to_another(file, capsys):
    services.seed_drug_list(by=None, at=MONDAY)
    shipped = drug_list_on_file(FIRST)

    assert not shipped.is_complete
    assert not shipped.is_confirmed
    assert not any(row.is_confirmed or row.special_fill for row in shipped.rows)
    assert propose_formulary("Norco 10/325 mg #60", shipped, FIRST).answer == Answer.YES
    stored = versions()
    services.seed_drug_list(by=None, at=MONDAY)
    assert versions() == stored
    # The whole list of the same day takes its place.
    printed = run(file(V1), "2018-01-01", "v.1", capsys)
    assert any(line.startswith("Ended: Naproxen sodium") for line in printed)
    assert len(drug_list_on_file(FIRST).rows) == 3


def test_a_row_is_confirmed_once_in_a_name_and_a_change_removes_it(client, keeper, file, capsys):
    run(file(V1), "2018-01-01", "v.1", capsys)
    row = ListedDrug.objects.get(ingredient="Ibuprofen")
    client.force_login(keeper)
    action = {"action": "confirm", "_selected_action": [row.pk]}
    url = reverse("admin:guidelines_listeddrug_changelist")

    page = client.post(url, action, follow=True).content.decode()
    assert "1 row confirmed in your name." in page
    assert "was confirmed by Gwen Keeper" in client.post(url, action, follow=True).content.decode()
    with pytest.raises(NotAllowed, match="guideline administrator"):
        services.confirm_drug_list_row(row=row, on=FIRST, by=person(Role.DIRECTOR), at=MONDAY)
    row.refresh_from_db()
    assert row.confirmed_by == keeper
    row.special_fill = "7 days"
    row.store(by=keeper, at=MONDAY)
    row.refresh_from_db()
    assert row.confirmed_on is None


def test_two_rows_of_a_drug_never_share_a_day(file, capsys):
    run(file(V1), "2018-01-01", "v.1", capsys)
    row = ListedDrug(
        ingredient="CARISOPRODOL", status="EXEMPT", valid_from=date(2017, 1, 1), source="A page"
    )

    with pytest.raises(ValidationError, match="Another row of CARISOPRODOL"):
        row.store(by=None, at=MONDAY)
    row.ends_before = FIRST
    row.store(by=None, at=MONDAY)
