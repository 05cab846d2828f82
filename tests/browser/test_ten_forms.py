"""Ten varied paper forms, keyed scan by scan with the keyboard alone; every key is counted."""

import re
import sys
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from accounts.roles import Role
from cases.models import Application, Case
from cases.services.parties import PartyOnForm
from deadlines.days import local_day
from intake.services import batches
from tests.factories import batch_of, parties, received_case
from tests.records.factories import make_upload, pdf_bytes

SECONDS_A_KEY, SECONDS_A_FIELD = 0.20, 1.2  # the keystroke-level model of the goal
MOST_KEYS, MOST_SECONDS = 200, 90
MOST_KEYS_OF_NEW = 520

# What the papers say, in the order of the page. A name that is not here is passed over; `>` means
# that the party is known and is taken from the list after these letters.
AT_THE_END = {
    "signed_by": "e",
    "signed_on": "-4",
    "consent_on": "-4",
    "ur_attached": "y",
    "copy_certified": "y",
    "served_on": "-9",
    "service_method": "m",
}
COMPLETE = {
    "first_name": "Marisol",
    "last_name": "Quintanar",
    "employee_address": "12 Elm St\nLodi CA 95240",
    "employee_phone": "2095550107",
    "date_of_birth": "031468",
    "claim_number": "06221388140",
    "date_of_injury": "021124",
    "ur_decided": "-9",
    "employer": ">har",
    "attorney": ">cas",
    "physician_last": ">oye",
    "administrator": ">pac",
    "administrator_contact": "R Diaz",
    "diagnosis": "M54.12",
    "items_on_form": "2",
    "items": ["Cervical ESI C3-4", "Norco 10/325"],
    **AT_THE_END,
}


# All parties are new. Cities and states are not typed: they follow from the ZIP codes.
NEW = {
    "first_name": "María José",
    "last_name": "Núñez-Ibáñez",
    "employee_address": "4817 North Pershing Avenue\n95207",
    "employee_phone": "2095550107",
    "date_of_birth": "031479",
    "claim_number": "004420251188301",
    "date_of_injury": "010525-050626",
    "ur_decided": "-9",
    "employer": "Valle Verde Packing Company",
    "employer_address": "1200 Harbor Street Suite 4\n95203",
    "attorney": "Linda Kowalczyk",
    "attorney_firm": "Kowalczyk & Prado LLP",
    "attorney_address": "555 Capitol Mall Suite 1200\n95814",
    "attorney_phone": "9165550190",
    "attorney_fax": "9165550191",
    "physician_last": "Bergström",
    "physician_first": "Annika",
    "physician_specialty": "Orthopedic Surgery",
    "physician_group": "Delta Spine Associates",
    "physician_address": "900 Spine Avenue\n95350",
    "physician_phone": "2095550177",
    "physician_fax": "2095550178",
    "administrator": "Sierra Indemnity TPA",
    "administrator_contact": "Grace Tan",
    "administrator_address": "PO Box 40122\n95841",
    "administrator_phone": "9165550133",
    "administrator_fax": "9165550134",
    "diagnosis": "M17.11",
    "items_on_form": "1",
    "items": ["MRI of the right knee without contrast"],
    **AT_THE_END,
    "requested_on": "-13",
}


def form(**changes):
    """The complete paper with changes; ``None`` takes a field away."""
    return {name: text for name, text in (COMPLETE | changes).items() if text is not None}


TEN = {
    "complete": form(),
    "apostrophe": form(first_name="Siobhan", last_name="O'Brien", claim_number="07A1"),
    "hyphen": form(first_name="Anne-Marie", last_name="Smith-Jones", claim_number="07-B2"),
    "two surnames": form(last_name="Garcia Lopez de la Cruz", claim_number="07C3"),
    "accents": form(first_name="José", last_name="Núñez Ibáñez", claim_number="07D4"),
    "no attorney, new employer": form(attorney=None, employer="Zorro Mills", claim_number="07E5"),
    "expedited": form(ur_type="e", priority="e", claim_number="07F6"),
    "twelve items": form(
        items_on_form="12", items=[f"MRI part {n}" for n in range(1, 13)], claim_number="07G7"
    ),
    "not signed": form(signed_by=None, signed_on=None, consent_on=None, claim_number="07H8"),
    "by fax, nothing attached": form(ur_attached=None, claim_number="07J9"),
}


class Keys:
    """A keyboard that counts."""

    def __init__(self, page):
        self.page, self.count, self.fields = page, 0, 0

    def press(self, key):
        self.page.keyboard.press(key)
        self.count += 1

    def type(self, text):
        for sign in text:
            if sign == "\n":
                self.press("Enter")
            else:
                self.page.keyboard.type(sign)
                self.count += 1

    def at(self):
        """The name of the field that has the focus, and its id."""
        return self.page.evaluate(
            "[document.activeElement.name || document.activeElement.tagName,"
            " document.activeElement.id]"
        )

    def leave(self):
        """On to the next field. Also from an address that ends with its ZIP code, or is empty."""
        self.press("Enter")


def key_in(page, paper, keys):
    """Key one paper from the top; the focus tells what is asked next."""
    papers = dict(paper)
    items = list(papers.pop("items"))
    while papers or items:
        name, place = keys.at()
        assert keys.count < 800, f"stuck at {name} with {list(papers)} {items}"
        if name == "item_title" and items:
            keys.type(items.pop(0))
            keys.fields += 1
            if items:
                keys.press("F9")
                continue
        elif name in papers:
            text = papers.pop(name)
            keys.fields += 1
            if text.startswith(">"):
                keys.type(text[1:])
                expect(page.locator(f"#known-{name} [data-fill]").first).to_be_visible()
                keys.press("ArrowDown")
                keys.press("Enter")
                expect(page.locator(f"#known-{name} [data-fill]")).to_have_count(0)
                continue
            keys.type(text)
        assert name != "next", f"the form ended before {list(papers)} {items}"
        if papers or items:
            keys.leave()


def make_parties_known(work):
    """Receive an earlier case whose parties then are known."""
    firm = PartyOnForm
    known = [
        firm(
            one.role,
            one.name,
            first=one.first,
            last=one.last,
            date_of_birth=one.date_of_birth,
            address=one.address,
            phone="9165550144",
            fax="9165550145",
            specialty="Pain Management" if one.role == "REQUESTING_PHYSICIAN" else "",
            contact="Castellanos & Wye" if one.role == "EMPLOYEE_ATTORNEY" else "",
        )
        for one in parties()
    ]
    received_case(
        at=work.now - timedelta(days=1),
        by=work.people[Role.INTAKE],
        parties=known,
        claim_number="99-12345",
        printed={"diagnosis": COMPLETE["diagnosis"]},
    )


@pytest.fixture(scope="module")
def at_work(work):
    """Earlier cases that make the parties known, and a batch of ten scans."""
    day, clerk = local_day(work.now), work.people[Role.INTAKE]
    make_parties_known(work)
    scans = [make_upload(f"{name}.pdf", pdf_bytes(text=name)) for name in TEN]
    batch_of(*scans, by=clerk, at=work.now, channel="FAX", received_on=day - timedelta(days=1))
    return work


@pytest.mark.long
def test_ten_varied_forms_are_keyed_without_a_mouse(at_work, visit):
    clerk = at_work.people[Role.INTAKE]
    page = visit(clerk, "/intake/batches/")
    page.keyboard.press("n")
    counts = {}
    for number, (name, paper) in enumerate(TEN.items(), start=1):
        expect(page.locator("h1 + p")).to_contain_text(f"scan {number}")
        expect(page.locator("#id_first_name")).to_be_focused()
        expect(page.locator(".scan img")).to_be_visible()
        keys = Keys(page)
        if "ur_type" in paper:  # it stands above the name, where a clerk goes back to
            for _ in range(3):
                keys.press("Shift+Tab")
        key_in(page, paper, keys)
        keys.press("Control+Enter")
        expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
        counts[name] = (keys.count, keys.fields)

    for name, (keys, fields) in counts.items():
        seconds = keys * SECONDS_A_KEY + fields * SECONDS_A_FIELD
        sys.stdout.write(f"{name}: {keys} keys, {fields} fields, {seconds:.0f} s by the model\n")
    keys, fields = counts["complete"]
    assert keys <= MOST_KEYS
    assert keys * SECONDS_A_KEY + fields * SECONDS_A_FIELD <= MOST_SECONDS
    as_keyed(clerk)


def as_keyed(clerk):
    """The cases say what the papers said."""
    rows = Application.objects.filter(entered_by=clerk, channel="FAX").order_by("pk")
    cases = dict(zip(TEN, (row.cases.get() for row in rows), strict=True))
    names = {name: case.parties.get(role="EMPLOYEE").name for name, case in cases.items()}
    assert names["apostrophe"] == "Siobhan O'Brien"
    assert names["hyphen"] == "Anne-Marie Smith-Jones"
    assert names["two surnames"] == "Marisol Garcia Lopez de la Cruz"
    assert names["accents"] == "José Núñez Ibáñez"
    complete = cases["complete"]
    administrator = complete.parties.get(role="CLAIMS_ADMINISTRATOR")
    assert administrator.fax == "9165550145"
    assert administrator.contact == "R Diaz"
    assert complete.parties.get(role="EMPLOYEE_ATTORNEY").contact == "Castellanos & Wye"
    assert complete.parties.get(role="REQUESTING_PHYSICIAN").specialty == "Pain Management"
    assert complete.parties.get(role="EMPLOYEE").address == "12 Elm St\nLodi CA 95240"
    items = list(complete.items.order_by("position").values_list("title", "category__name"))
    assert items == [("Cervical ESI C3-4", "Injection"), ("Norco 10/325", "Opioids")]
    assert complete.application.signed_by == "EMPLOYEE"
    assert complete.application.copy_certified is True
    assert complete.ur_decision.service_method == "mail_ca"
    assert complete.application.channel == "FAX"
    assert complete.application.papers.count() == 1
    assert not cases["no attorney, new employer"].parties.filter(role="EMPLOYEE_ATTORNEY").exists()
    new = cases["no attorney, new employer"].parties.get(role="EMPLOYER")
    assert new.name == "Zorro Mills"
    assert cases["expedited"].priority == "EXPEDITED"
    assert cases["expedited"].ur_decision.ur_type == "EXPEDITED"
    assert cases["twelve items"].items.count() == 12
    assert cases["not signed"].application.signed_by == ""
    assert cases["by fax, nothing attached"].application.ur_decision_attached is None
    assert Case.objects.filter(duplicate_of__isnull=False).count() == 0
    assert batches.claim_next_scan(by=clerk, at=complete.application.entered_at) is None


def test_keys_of_the_intake_page(at_work, visit):
    page = visit(at_work.people[Role.INTAKE], "/intake/new/")
    page.locator("#id_diagnosis").focus()
    page.keyboard.press("F4")
    expect(page.locator("#id_diagnosis")).to_have_value(re.compile("^M54.12"))
    page.locator("#id_claim_number").fill("99-12345")
    page.locator("#id_ur_decided").fill("-9")
    page.keyboard.press("Tab")
    expect(page.locator("#check")).to_contain_text("Possible duplicate")
    page.keyboard.press("F2")
    expect(page.locator("#check details table")).to_be_visible()
    expect(page.locator("#check")).to_contain_text("Cervical epidural")
    rows = page.locator("[data-item]").count()
    page.keyboard.press("F9")
    page.keyboard.type("MRI")
    expect(page.locator("[data-item]")).to_have_count(rows + 1)
    expect(page.locator("[data-save-state]")).to_contain_text("Saved")
    page.goto("/intake/")
    page.get_by_role("link", name="Unnamed form").first.click()
    expect(page.locator("#id_diagnosis")).to_have_value(re.compile("^M54.12"))


def test_enter_takes_a_known_party_only_after_an_arrow_key(at_work, visit):
    page = visit(at_work.people[Role.INTAKE], "/intake/new/")
    administrator, address = page.locator("#id_administrator"), "#id_administrator_address"
    administrator.focus()
    page.keyboard.type("Pacific")
    expect(page.locator("#known-administrator [data-fill]").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(administrator).to_have_value("Pacific")
    assert page.input_value(address) == ""

    administrator.fill("Pacif")
    expect(page.locator("#known-administrator [data-fill]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.input_value(address)
    page.locator("#known-administrator").get_by_role("button", name="Undo").click()
    expect(administrator).to_have_value("Pacif")
    assert page.input_value(address) == ""


def test_a_reload_shows_the_form_that_was_being_typed(at_work, visit):
    page = visit(at_work.people[Role.INTAKE], "/intake/new/")
    page.locator("#id_last_name").fill("Achterberg")
    page.locator("#id_ur_decided").fill("-3")
    page.keyboard.press("Tab")
    expect(page.locator("#id_ur_decided")).not_to_have_value("-3")
    expect(page.locator("[data-save-state]")).to_contain_text("Saved")
    page.reload()
    expect(page.locator("#id_last_name")).to_have_value("Achterberg")

    page.goto("/intake/new/")
    expect(page.locator("#id_last_name")).to_have_value("")
    page.get_by_role("link", name="Continue it").click()
    expect(page.locator("#id_last_name")).to_have_value("Achterberg")


@pytest.mark.long
def test_an_application_whose_parties_are_all_new_takes_few_keys(at_work, visit):
    page = visit(at_work.people[Role.INTAKE], "/intake/new/")
    expect(page.locator("#id_first_name")).to_be_focused()
    keys = Keys(page)
    key_in(page, NEW, keys)
    expect(page.locator("#id_administrator_address")).to_have_value(
        "PO Box 40122\nSacramento CA 95841"
    )
    keys.press("Control+Enter")
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()

    typed = sum(len(text) for name, text in NEW.items() if name != "items") + len(NEW["items"][0])
    sys.stdout.write(f"new parties: {keys.count} keys, {typed} of them typed\n")
    assert keys.count <= MOST_KEYS_OF_NEW
    case = Case.objects.get(claim_number=NEW["claim_number"])
    assert {party.role: party.address for party in case.parties.all() if party.address} == {
        "EMPLOYEE": "4817 N Pershing Ave\nStockton CA 95207",
        "EMPLOYER": "1200 Harbor St Ste 4\nStockton CA 95203",
        "EMPLOYEE_ATTORNEY": "555 Capitol Mall Ste 1200\nSacramento CA 95814",
        "REQUESTING_PHYSICIAN": "900 Spine Ave\nModesto CA 95350",
        "CLAIMS_ADMINISTRATOR": "PO Box 40122\nSacramento CA 95841",
    }
    assert case.injury_printed == "CT 01/05/2025 – 05/06/2026"
