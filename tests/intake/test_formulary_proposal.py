"""The drug list proposes formulary; the clerk chooses the priority, and the event says both."""

import html
import re
from datetime import date

import pytest

from accounts.roles import Role
from cases.models import Case, Event, Priority
from cases.seeds import seed_categories
from cases.services import priority
from guidelines import services as guidelines
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from tests.factories import MONDAY, person, received_case
from tests.intake.test_intake_page import make_form_data, one_item

pytestmark = pytest.mark.django_db

NORCO = (
    "Hydrocodone bitartrate/Acetaminophen (written as “Norco”) is on the MTUS drug list, "
    "non-exempt, since Jan 1, 2018 (not confirmed)."
)


@pytest.fixture
def drug_list(db):
    seed_categories(by=None, at=MONDAY)
    return guidelines.seed_drug_list(by=None, at=MONDAY)


@pytest.fixture
def desk(client):
    client.force_login(person(Role.INTAKE))
    return client


def words(answer):
    """The text of a page without tags."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", text)


def norco(**changes):
    return make_form_data(**one_item(title="Norco 10/325 mg #60"), **changes)


def test_the_check_while_typing_replaces_the_proposal_beside_the_priority(desk, drug_list):
    answer = desk.post("/intake/check/", norco())

    assert f"Proposed as formulary: Yes. {NORCO}" in words(answer)
    assert re.search(r'id="formulary-proposal"[^>]*hx-swap-oob="true"', answer.content.decode())
    # Without scripts, the button "Check" shows the page with the proposal, in the same place.
    page = desk.post("/intake/new/", norco(more_rows="check"))
    assert f"Proposed as formulary: Yes. {NORCO}" in words(page)
    assert page.content.decode().count('id="formulary-proposal"') == 1
    assert 'value="REGULAR" selected' in page.content.decode()  # a proposal chooses nothing
    # A refused form shows it too.
    refused = desk.post("/intake/new/", norco(claim_number=""))
    assert refused.status_code == 422
    assert NORCO in words(refused)


def test_several_treatments_are_proposed_one_by_one(desk, drug_list):
    titles = ["Norco 10/325", "MRI of the lumbar spine", "Zolpidem 10 mg"]
    rows = {f"item_{name}": [""] * 3 for name in ("category", "quantity", "unit", "body_part")}

    shown = words(desk.post("/intake/check/", make_form_data(item_title=titles, **rows)))

    assert "Proposed as formulary: Unknown. 1 of 3 treatments names a drug" in shown
    assert f"Norco 10/325: Yes. {NORCO}" in shown
    assert "MRI of the lumbar spine: No. The treatment names no listed drug" in shown
    assert "Zolpidem 10 mg: Unknown. The treatment names no drug on the MTUS drug list" in shown


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        ({"requested_on": "12/20/17"}, "has no edition for Dec 20, 2017."),
        ({"ur_decided": "12/29/17"}, "has no edition for Dec 29, 2017."),
        ({"requested_on": "1/2/18"}, NORCO),
    ],
)
def test_the_day_of_the_request_chooses_the_edition(desk, drug_list, dates, sentence):
    assert sentence in words(desk.post("/intake/check/", norco(**dates)))


def test_without_a_list_or_a_treatment_the_page_says_so_or_nothing(desk):
    without_list = words(desk.post("/intake/check/", norco()))
    assert "The drug list on file has no edition for Feb 12, 2026." in without_list
    assert "Proposed" not in words(
        desk.post("/intake/check/", make_form_data(item_title=["", "", ""]))
    )


@pytest.mark.parametrize(
    ("chosen", "title", "noted"),
    [
        ("REGULAR", "Norco 10/325 mg", "Priority chosen: regular. Proposed from the drug list: "
         f"formulary. {NORCO}"),
        ("FORMULARY", "Norco 10/325 mg", ""),
        ("EXPEDITED", "Norco 10/325 mg", ""),
        ("FORMULARY", "MRI of the neck", "Priority chosen: formulary. Proposed from the drug list: "
         "not formulary. The treatment names no listed drug, and its category is not a "
         "medication."),
        ("FORMULARY", "Zolpidem", ""),  # nothing was proposed
    ],
)  # fmt: skip
def test_the_clerk_chooses_and_the_event_says_what_was_proposed(
    desk, drug_list, chosen, title, noted
):
    answer = desk.post("/intake/new/", make_form_data(priority=chosen, **one_item(title=title)))

    assert answer.status_code == 302
    case = Case.objects.get()
    assert case.priority == chosen
    event = case.events.get(kind=Event.Kind.RECEIVED)
    received = "Application received Mon, Mar 2, 2026 with 1 disputed item."
    assert event.sentence == f"{received} {noted}".strip()
    (treatment,) = event.facts["formulary_proposed"]["treatments"]
    assert treatment["title"] == title
    assert event.facts["formulary_proposed"]["answer"] == treatment["answer"]


def test_a_change_of_priority_shows_and_records_the_proposal(client, drug_list):
    coordinator = person(Role.COORDINATOR)
    case = received_case(items=[ItemOnForm(title="Soma 350 mg")], priority=Priority.FORMULARY)
    client.force_login(coordinator)

    page = words(client.get(f"/cases/{case.number}/priority/"))
    assert "Proposed as formulary: Yes. Carisoprodol (written as “Soma”)" in page

    priority.change_priority(
        case_id=case.pk, new="REGULAR", why="Given at the office.", by=coordinator, at=MONDAY
    )
    event = case.events.get(kind=Event.Kind.CONVERTED)
    assert "Priority chosen: regular. Proposed from the drug list: formulary." in event.sentence
    assert event.facts["formulary_proposed"]["treatments"][0]["status"] == "NON_EXEMPT"


def test_the_page_of_corrections_shows_the_proposal_of_the_stored_items(desk, drug_list):
    decision = URDecisionOnForm(decided_on=date(2026, 2, 12), requested_on=date(2026, 2, 6))
    case = received_case(items=[ItemOnForm(title="Naproxen 500")], ur_decision=decision)

    page = words(desk.get(f"/cases/{case.number}/correct/"))

    assert "Priority: Regular" in page
    assert "Change priority" not in page  # a coordinator changes it
    assert "Naproxen is on the MTUS drug list, exempt, since Jan 1, 2018 (not confirmed)." in page
