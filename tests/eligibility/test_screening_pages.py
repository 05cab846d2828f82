"""The pages of screening by HTTP: items, the UR decision as read, questions, liability."""

import html
from datetime import date

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.lifecycle import Status
from eligibility.services import ur_decision
from files.services import store_bytes
from records.services import documents
from tests.eligibility.test_decisions import (
    LATER,
    THREE,
    ask_information,
    deferred_case,
    get_item,
    record_reading,
)
from tests.factories import SIX_YES, paper, person, received_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


@pytest.fixture
def desk(client, coordinator, set_clock):
    set_clock(LATER)
    client.force_login(coordinator)
    return client


def page_of(answer):
    return html.unescape(answer.content.decode())


def build_url(name, case, *more):
    app = "correspondence" if "information" in name else "eligibility"
    return reverse(f"{app}:{name}", args=[case.number, *more])


def test_the_page_shows_the_proposal_with_its_facts_and_decides_nothing(desk, coordinator):
    case = received_case(items=THREE[:2])
    record_reading(case, coordinator, outcomes="DENIED APPROVED")

    page = page_of(desk.get(build_url("eligibility", case)))

    assert "Proposed: Eligible." in page
    assert "Item 2 is ineligible." in page
    assert "8 CCR 9792.10.3(a)(1)" in page
    assert "UR decision served" in page
    assert "02/12/2026" in page
    assert "The utilization review decision approved this treatment." in page
    assert not case.eligibility_decisions.exists()


def test_the_page_links_to_the_documents(desk):
    scan = store_bytes(content=b"%PDF-1.4 form", media_type="application/pdf", at=LATER, pages=2)
    case = received_case(papers=[paper(scan, "APPLICATION")])
    (document,) = documents.file_application_documents(case_id=case.pk, by=None, at=LATER)

    page = page_of(desk.get(build_url("eligibility", case)))

    where = reverse("records:document", args=[document.pk])
    assert f'href="{where}">Application, 2 pages<' in page


def test_the_page_decides_item_by_item_without_scripts(desk):
    case = received_case(items=THREE[:2])
    second = get_item(case, 2).pk
    sent = SIX_YES | {
        "version": str(case.version),
        f"necessity_{second}": "NO",
        f"reason_{second}": "I-CNC",
        f"note_{second}": "Page 3 asks for reports.",
    }

    answer = desk.post(build_url("eligibility", case), sent)

    case.refresh_from_db()
    assert (answer.status_code, case.stage) == (302, Status.ELIGIBLE)
    assert get_item(case, 2).ended_because.startswith("Utilization review did not decide")


def test_an_answer_against_the_rules_without_a_note_is_422_and_stays_typed(desk):
    case = received_case()
    sent = SIX_YES | {"SIGNED": "NO", "reason_SIGNED": "I-PARTY", "version": str(case.version)}

    answer = desk.post(build_url("eligibility", case), sent)

    assert answer.status_code == 422
    assert "Explain in the note why your answer differs" in page_of(answer)
    assert answer.context["form"]["SIGNED"].value() == "NO"
    assert not case.eligibility_decisions.exists()


def test_the_ur_decision_is_read_compared_and_answered_on_its_page(desk):
    case = received_case()
    one = get_item(case, 1)
    sent = {
        "version": str(case.version),
        "employee": "QUINTANAR, Marisol",
        "claim_number": "06-1",
        "date_of_injury": "2/11/24",
        "treatments": one.title,
        f"outcome_{one.pk}": "DENIED",
    }
    answer = desk.post(build_url("ur_decision", case), sent, follow=True)

    page = page_of(answer)
    assert "Claim number" in page
    (found,) = ur_decision.list_open_differences(case)
    answer = desk.post(build_url("answer_differences", case), {f"answer_{found.key}": ""})
    assert answer.status_code == 422
    answer = desk.post(
        build_url("answer_differences", case), {f"answer_{found.key}": "TYPING_ERROR"}
    )
    assert answer.url == build_url("eligibility", case)
    assert ur_decision.list_open_differences(case) == []


def test_a_reading_with_a_date_that_does_not_exist_keeps_what_was_typed(desk):
    case = received_case()
    sent = {"version": str(case.version), "date_of_injury": "2/30/2024", "employee": "Ann O’Brien"}
    answer = desk.post(build_url("ur_decision", case), sent)
    assert answer.status_code == 422
    assert "does not exist in the calendar" in page_of(answer)
    assert "Ann O’Brien" in page_of(answer)


def test_a_party_is_asked_and_the_answer_recorded_on_the_page(desk):
    case = received_case(ur_decision_attached=None)
    page = page_of(desk.get(build_url("information", case)))
    assert "Please state whether the UR decision is attached." in page
    party = case.parties.get(role="EMPLOYEE")
    sent = {
        "party": party.pk,
        "facts": ["UR_ATTACHED"],
        "question": "Is it attached?",
        "received_on": "t",
    }
    assert desk.post(build_url("information", case), sent).status_code == 302
    request = case.information_requests.get()
    where = build_url("answer_information", case, request.pk)
    refused = desk.post(where, {f"{request.pk}-answer": "Yes.", f"{request.pk}-answered_on": "-9"})
    assert refused.status_code == 422
    assert "between the date of the question and today" in page_of(refused)
    assert "Yes." in page_of(refused)
    desk.post(where, {f"{request.pk}-answer": "Yes.", f"{request.pk}-answered_on": "t"})
    case.refresh_from_db()
    assert case.stage == Status.SCREENING
    assert "Yes." in page_of(desk.get(build_url("information", case)))


def test_a_question_of_another_case_is_not_found(desk, coordinator):
    case, other = received_case(), received_case()
    request = ask_information(other, coordinator, "EMPLOYEE", date(2026, 3, 3))
    answer = desk.post(build_url("answer_information", case, request.pk), {"answer": "x"})
    assert answer.status_code == 404


def test_a_deferred_case_is_taken_up_again_on_its_page(desk, coordinator):
    case = deferred_case(coordinator)
    assert desk.post(build_url("resolve_liability", case), {"how": "x"}).status_code == 422
    sent = {"notice_on": "t", "method": "mail_ca", "how": "Accepted."}
    assert desk.post(build_url("resolve_liability", case), sent).status_code == 302
    case.refresh_from_db()
    assert case.stage == Status.SCREENING
