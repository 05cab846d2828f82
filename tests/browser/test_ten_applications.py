"""Ten mixed applications, from the batch of scans to a reviewer, with the keyboard alone."""

import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.roles import Role
from cases.models import Application
from deadlines.days import local_day
from tests.factories import batch_of
from tests.letters.factories import file_without_typesetting
from tests.records.factories import add_record, make_upload, pdf_bytes

from .test_by_keyboard import press_keys
from .test_ten_forms import Keys, key_in, make_parties_known

SHORT = {
    "first_name": "Marisol",
    "last_name": "Quintanar",
    "date_of_birth": "031468",
    "claim_number": "07-1001",
    "date_of_injury": "021124",
    "ur_decided": "-9",
    "employer": ">har",
    "physician_last": ">oye",
    "administrator": ">pac",
    "items": ["Cervical epidural steroid injection at C3-4"],
    "signed_by": "e",
    "signed_on": "-4",
    "ur_attached": "y",
    "served_on": "-9",
    "service_method": "m",
    "liability_disputed": "n",
}


def paper(**changes):
    """The short paper with changes; ``None`` takes a field away."""
    return {name: text for name, text in (SHORT | changes).items() if text is not None}


TEN = {
    "standard": paper(),
    "expedited": paper(last_name="Brandt", claim_number="07-1002", ur_type="e", priority="e"),
    "three items": paper(
        last_name="Castro",
        claim_number="07-1003",
        items=["Lumbar epidural injection", "Facet injection L4-5", "Trigger point injection"],
    ),
    "new parties": paper(
        last_name="Dunne",
        claim_number="07-1004",
        employer="Zorro Mills",
        physician_last="Vance",
        administrator="Sierra Indemnity",
        administrator_address="PO Box 7\n95841",
    ),
    "cumulative": paper(last_name="Egan", claim_number="07-1005", date_of_injury="010520-031224"),
    "same decision again": paper(items=["Cervical injection"]),
    "not signed": paper(last_name="Flores", claim_number="07-1007", signed_by=None, signed_on=None),
    "no UR decision": paper(last_name="Gale", claim_number="07-1008", ur_attached="n"),
    "liability disputed": paper(last_name="Hale", claim_number="07-1009", liability_disputed="y"),
    "same worker, another decision": paper(
        claim_number="07-1001", ur_decided="-8", served_on="-8", items=["Shoulder injection"]
    ),
}


@pytest.fixture(scope="module")
def batch(work):
    """A batch of ten scans, and earlier cases that make some parties known."""
    clerk = work.people[Role.INTAKE]
    make_parties_known(work)
    scans = [make_upload(f"{name}.pdf", pdf_bytes(text=name)) for name in TEN]
    day = local_day(work.now) - timedelta(days=1)
    batch_of(*scans, by=clerk, at=work.now, channel="FAX", received_on=day)
    return work


def open_from_queue(page, case, key, slug):
    """Open a case from its list: go to the list, down to its row, and in."""
    press_keys(page, "g", key)
    page.wait_for_url(f"**/queues/{slug}/")
    rows = page.locator("tbody [data-open]").all_inner_texts()
    press_keys(page, *["j"] * (rows.index(case.number) + 1), "Enter")
    page.wait_for_url(f"**/cases/{case.number}/")


def take_next_step(page, case, step):
    """Press the key of the next step of a case, until its page is there."""
    press_keys(page, ".")
    page.wait_for_url(f"**/cases/{case.number}/{step}/")


def key_batch(page):
    page.keyboard.press("n")
    for number, one in enumerate(TEN.values(), start=1):
        expect(page.locator("h1 + p")).to_contain_text(f"scan {number}")
        expect(page.locator("#id_first_name")).to_be_focused()
        keys = Keys(page)
        if "ur_type" in one:  # it stands above the name, where a clerk goes back to
            for _ in range(3):
                keys.press("Shift+Tab")
        key_in(page, one, keys)
        keys.press("Control+Enter")
        expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()


def decide(page, case):
    """All items as denied by UR, and the rest as proposed."""
    open_from_queue(page, case, "e", "eligibility")
    take_next_step(page, case, "eligibility")
    press_keys(page, "u", "d", "Control+Enter")
    page.wait_for_url(f"**/cases/{case.number}/")


def make_notices(page, case):
    open_from_queue(page, case, "o", "notices")
    take_next_step(page, case, "notices")
    press_keys(page, "Control+Enter")
    expect(page.locator(".letter .state").first).to_be_visible()


def type_time(page, case):
    """Go to the field of the time, which expedited cases have: their days are hours."""
    for _ in range(80 if case.priority == "EXPEDITED" else 0):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "received_time":
            page.keyboard.type(f"{timezone.localtime():%H:%M}")
            return


def send_notices(page, case):
    open_from_queue(page, case, "o", "notices")
    take_next_step(page, case, "notices")
    type_time(page, case)
    press_keys(page, "Control+Enter")
    expect(page.locator(".heading .tag").first).to_have_text("Awaiting records")


def complete_records(page, case):
    open_from_queue(page, case, "w", "records")
    take_next_step(page, case, "records")
    press_keys(page, "c", "Tab", "Space")
    type_time(page, case)
    press_keys(page, "Enter")
    expect(page.locator(".heading .tag").first).to_have_text("Ready to assign")


@pytest.mark.long
def test_ten_mixed_applications_go_from_the_batch_to_a_reviewer_by_keyboard(batch, visit):
    begun = time.monotonic()
    coordinator = batch.people[Role.COORDINATOR]
    key_batch(visit(batch.people[Role.INTAKE], "/intake/batches/"))
    sys.stdout.write(f"keyed after {time.monotonic() - begun:.0f} s\n")
    rows = Application.objects.filter(channel="FAX").order_by("pk")
    cases = dict(zip(TEN, (row.cases.get() for row in rows), strict=True))
    assert cases["same decision again"].duplicate_of == cases["standard"]

    page = visit(coordinator)
    for name, case in cases.items():
        if name != "same decision again":
            decide(page, case)
    for case in cases.values():
        case.refresh_from_db()
    assert {name: case.status for name, case in cases.items() if case.status != "ELIGIBLE"} == {
        "same decision again": "DUPLICATE",
        "not signed": "INELIGIBLE",
        "no UR decision": "INELIGIBLE",
        "liability disputed": "DEFERRED",
    }
    eligible = [case for case in cases.values() if case.status == "ELIGIBLE"]
    for case in eligible:
        make_notices(page, case)
    file_without_typesetting(at=timezone.now())  # what the workers do
    for case in eligible:
        send_notices(page, case)
    today = local_day(timezone.now())
    for case in eligible:  # the files themselves are chosen in a dialog of the system
        add_record(case, by=coordinator, at=timezone.now(), title="Report", received_on=today)
        complete_records(page, case)
    press_keys(page, "g", "a")
    page.wait_for_url("**/reviewers/batch-assignment/")
    press_keys(page, "Control+Enter")
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    sys.stdout.write(f"assigned after {time.monotonic() - begun:.0f} s\n")

    for case in eligible:
        case.refresh_from_db()
    assert {case.status for case in eligible} == {"REVIEWER_CHOSEN"}
    assert cases["expedited"].priority == "EXPEDITED"
    assert cases["three items"].items.count() == 3
    assert cases["cumulative"].injury_printed == "CT 01/05/2020 – 03/12/2024"
    party = cases["new parties"].parties.get(role="CLAIMS_ADMINISTRATOR")
    assert (party.name, party.address) == ("Sierra Indemnity", "PO Box 7\nSacramento CA 95841")
