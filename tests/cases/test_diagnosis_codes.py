"""ICD-10-CM codes, offline: found by code or words, read with their descriptions, by year."""

import html
import json
import re
from datetime import date

import pytest

from accounts.roles import Role
from cases.diagnosis_codes import find_diagnosis_codes, read_diagnoses
from cases.models import Case
from tests.factories import MONDAY, person
from tests.intake.test_corrections import as_shown
from tests.intake.test_intake_page import make_form_data

TODAY = date(2026, 11, 30)
CERVICAL = "M54.12 Radiculopathy, cervical region"
KNEE = "M17.11 Unilateral primary osteoarthritis, right knee"


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("M5412", CERVICAL),
        ("m54.12", CERVICAL),
        ("M17.1", "M17.10 Unilateral primary osteoarthritis, unspecified knee"),
        ("radiculopathy cerv", CERVICAL),
        ("right knee osteoarthritis", KNEE),
        ("sezary lymph", None),  # the list writes Sézary
        ("Sézary lymph", "C84.16 Sézary disease, intrapelvic lymph nodes"),
        ("m", None),
        ("%", None),
        (";", None),
        ("\n", None),
    ],
)
def test_codes_are_found_by_their_beginning_or_by_words(typed, first):
    found = find_diagnosis_codes(typed, on=TODAY)
    assert len(found) <= 8
    assert (str(found[0]) if found else None) == first


@pytest.mark.parametrize(
    ("typed", "text", "note"),
    [
        ("M5412", CERVICAL, ""),
        ("m54.12; M1711", f"{CERVICAL}; {KNEE}", ""),
        (CERVICAL, CERVICAL, ""),
        ("neck pain", "neck pain", ""),
        ("M5412; neck pain;", f"{CERVICAL}; neck pain", ""),
        ("M54", "M54", "M54 is a group of ICD-10-CM 2026. Choose one of its codes."),
        ("Q99.99", "Q99.99", "Q99.99 is not in ICD-10-CM 2026. Check it."),
        ("M54.12 Low back", "M54.12 Low back", "M54.12 is “Radiculopathy, cervical region”."),
        ("", "", ""),
    ],
)
def test_keyed_codes_get_their_official_descriptions(typed, text, note):
    reading = read_diagnoses(typed, on=TODAY)
    assert (reading.text, reading.note, reading.is_bad) == (text, note, bool(note))


def test_the_codes_are_those_of_the_year_of_the_decision():
    """B88.0 was divided for the fiscal year that began on October 1, 2025."""
    assert read_diagnoses("B88.0", on=date(2025, 9, 30)).text == "B88.0 Other acariasis"
    assert read_diagnoses("B88.0", on=date(2025, 10, 1)).is_bad
    assert "ICD-10-CM 2025" in read_diagnoses("B88.01", on=date(2025, 9, 30)).note
    assert read_diagnoses("B88.01", on=date(2025, 10, 1)).text.endswith("by Demodex mites")
    # Before the first list on file, that one is used.
    assert read_diagnoses("M5412", on=date(2014, 1, 1)).text == CERVICAL


@pytest.mark.django_db
def test_the_form_offers_and_reads_codes_of_the_day_of_the_ur_decision(client, set_clock):
    set_clock(MONDAY)
    client.force_login(person(Role.INTAKE))

    def ask(address, diagnosis, **others):
        answer = client.post(address, {"diagnosis": diagnosis, "ur_decided": "2/12/26"} | others)
        return html.unescape(answer.content.decode())

    offered = ask("/intake/diagnoses/", f"{CERVICAL}; knee osteoarthritis right")
    fills = json.loads(re.search(r'data-fill="({.+?})"', offered).group(1))
    assert fills == {"diagnosis": f"{CERVICAL}; {KNEE}"}
    read = "/intake/diagnoses/read/"
    assert f'data-read="{CERVICAL}"' in ask(read, "M5412")
    assert "is a group" in ask(read, "B88.0")
    assert "is a group" not in ask(read, "B88.0", ur_decided="9/1/25")
    assert "echo bad" in ask(read, "Q99.99", ur_decided="half typed")
    page = client.get("/intake/new/").content.decode()
    assert re.search(r'<input[^>]+name="diagnosis"[^>]+hx-post="/intake/diagnoses/"', page)

    client.post("/intake/new/", make_form_data(diagnosis=f"{CERVICAL}; {KNEE}"))
    case = Case.objects.get()
    assert case.diagnosis == f"{CERVICAL}; {KNEE}"
    shown = as_shown(client, case)
    address = f"/cases/{case.number}/correct/"
    page = client.get(address).content.decode()
    field = re.search(r'<input[^>]+name="diagnosis"[^>]*>', page).group()
    assert 'data-reads="/intake/diagnoses/read/"' in field
    assert "hx-post" not in field  # this page has no list to choose from
    client.post(address, shown | {"diagnosis": KNEE})
    case.refresh_from_db()
    assert case.diagnosis == KNEE
