"""Postal addresses: city and state from the ZIP code, and the form of Publication 28."""

import re

import pytest

from accounts.roles import Role
from cases.places import read_state
from cases.postal_addresses import read_postal_address
from cases.zip_codes import find_zip_code
from tests.factories import MONDAY, person, received_case
from tests.intake.test_intake_page import make_form_data


def read(typed):
    return read_postal_address(typed, find_zip=find_zip_code)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("2210 Alder St\n95841", "2210 Alder St\nSacramento CA 95841"),
        ("2210 Alder St 95841", "2210 Alder St\nSacramento CA 95841"),
        ("12 Elm St\nLodi 95240", "12 Elm St\nLodi CA 95240"),
        ("PO Box 40122\n95841 1234", "PO Box 40122\nSacramento CA 95841-1234"),
    ],
)
def test_a_zip_code_fills_city_and_state(typed, text):
    address = read(typed)
    assert (address.text, address.is_bad) == (text, False)
    assert "from the ZIP code." in address.note
    assert "Typed" not in address.note
    assert read_state(address.text) == "CA"


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (
            "2210 ALDER STREET APARTMENT 4B\nSACRAMENTO CA 95841",
            "2210 Alder St Apt 4B\nSacramento CA 95841",
        ),
        (
            "4817 north pershing avenue, suite 200\nstockton, california 95207",
            "4817 N Pershing Ave Ste 200\nStockton CA 95207",
        ),
        ("p.o. box 40122\nSacramento CA 95841", "PO Box 40122\nSacramento CA 95841"),
        ("1200 4TH ST NW\nWASHINGTON DC 20001", "1200 4th St NW\nWashington DC 20001"),
        ("100 North Street\nStockton CA 95207", "100 North St\nStockton CA 95207"),
        ("1 O'NEIL PARKWAY\nLA JOLLA CA 92037", "1 O'Neil Pkwy\nLa Jolla CA 92037"),
        ("c/o Jane Roe\n12 Elm Street\nLodi CA 95240", "c/o Jane Roe\n12 Elm St\nLodi CA 95240"),
    ],
)
def test_an_address_is_brought_to_postal_form_and_what_was_typed_is_shown(typed, text):
    address = read(typed)
    assert (address.text, address.is_bad) == (text, False)
    assert f"Typed: “{' / '.join(typed.splitlines())}”" in address.note
    again = read(address.text)
    assert (again.text, again.note) == (text, "")


@pytest.mark.parametrize(
    "typed", ["", "No fixed abode", "Hauptstr. 1\n10115 Berlin", "12 Elm St\nLodi CA 95240"]
)
def test_other_addresses_stay_as_they_are(typed):
    assert read(typed).text == typed
    assert not read(typed).is_bad


@pytest.mark.parametrize(
    ("typed", "text", "note"),
    [
        ("77 Oak Ave\nStockton CA 99999", None, "ZIP code 99999 is not in the list."),
        ("77 Oak Ave\n99999", None, "ZIP code 99999 is not in the list."),
        ("1 Elm St\nFresno CA 95207", None, "ZIP code 95207 is Stockton CA. Check the city."),
        ("1 Elm St\nStockton NV 95207", None, "ZIP code 95207 is Stockton CA. Check the city."),
        ("Calle 12 No. 5\nBogota 11001", None, "ZIP code 11001 is Floral Park NY."),
    ],
)
def test_a_zip_code_that_does_not_fit_is_kept_with_a_hint(typed, text, note):
    address = read(typed)
    assert address.text == (text or typed)
    assert address.is_bad
    assert note in address.note


@pytest.mark.django_db
def test_the_page_reads_an_address_when_its_field_is_left(client, set_clock):
    set_clock(MONDAY)
    client.force_login(person(Role.INTAKE))
    answer = client.post(
        "/addresses/",
        {"employee_address": "2210 Alder <St>\r\n95841"},
        headers={"HX-Trigger-Name": "employee_address"},
    )
    assert answer.content.decode() == (
        '<span class="echo" data-read="2210 Alder &lt;St&gt;\nSacramento CA 95841">'
        "Sacramento CA, from the ZIP code.</span>"
    )

    # Without scripts the button fills it in; what is sent then is stored as it was shown.
    sent = make_form_data(employee_address="2210 Alder Street\n95841")
    page = client.post("/intake/new/", sent | {"more_rows": "known"}).content.decode()
    assert re.search(r">\s*2210 Alder St\nSacramento CA 95841</textarea>", page)


@pytest.mark.django_db
def test_a_party_has_the_same_field(client):
    client.force_login(person(Role.COORDINATOR))
    case = received_case()
    page = client.get(f"/cases/{case.number}/parties/add/").content.decode()
    assert re.search(r'<textarea[^>]+name="address"[^>]+data-reads="/addresses/"', page)
