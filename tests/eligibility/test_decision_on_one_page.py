"""The eligibility page by HTTP: the UR decision is read and the case decided in one form."""

import html
import re

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.lifecycle import Status
from eligibility.models import URReading
from eligibility.services import ur_decision
from files.services import store_bytes
from records.services import documents
from tests.eligibility.test_decisions import LATER, THREE, get_item, record_reading
from tests.factories import SIX_YES, paper, person, received_case

pytestmark = pytest.mark.django_db
NOTHING_PRINTED = {
    "employee": "",
    "claim_number": "",
    "date_of_injury": "",
    "treatments": "",
    "rfa_time": "",
    "rfa_method": "",
    "is_concurrent": "",
}


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


@pytest.fixture
def desk(client, coordinator, set_clock):
    set_clock(LATER)
    client.force_login(coordinator)
    return client


def url(case):
    return reverse("eligibility:eligibility", args=[case.number])


def page_of(answer):
    return html.unescape(answer.content.decode())


def make_form_data(case, **changes):
    """The form as a browser sends it: fact 4 is left to the UR decision."""
    blank = {f"outcome_{item.pk}": item.ur_outcome for item in case.items.all()}
    return (
        SIX_YES
        | NOTHING_PRINTED
        | blank
        | {"NECESSITY": "READ", "version": str(case.version), "outcome_of_all": ""}
        | changes
    )


def test_what_the_ur_decision_says_answers_fact_4_for_each_item(desk):
    case = received_case(items=THREE)
    keyed = {f"outcome_{get_item(case, at).pk}": "DENIED" for at in (1, 2)}
    keyed[f"outcome_{get_item(case, 3).pk}"] = "APPROVED"

    desk.post(url(case), make_form_data(case, **keyed))

    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE
    outcomes = list(case.items.order_by("position").values_list("ur_outcome", "ending"))
    assert outcomes == [("DENIED", "PENDING"), ("DENIED", "PENDING"), ("APPROVED", "INELIGIBLE")]
    findings = case.eligibility_decisions.get().findings.filter(fact="NECESSITY")
    answers = dict(findings.values_list("item__position", "answer"))
    assert answers == {None: "YES", 1: "YES", 2: "YES", 3: "NO"}
    assert case.events.get(kind="FOUND_ELIGIBLE").facts["answers"]["NECESSITY"] == "YES"


def test_one_choice_gives_all_items_their_outcome_without_scripts(desk):
    case = received_case(items=THREE)

    desk.post(url(case), make_form_data(case, outcome_of_all="MODIFIED"))

    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE
    assert set(case.items.values_list("ur_outcome", flat=True)) == {"MODIFIED"}


def test_an_item_keeps_its_own_outcome_beside_the_one_for_all(desk):
    case = received_case(items=THREE[:2])
    own = {f"outcome_{get_item(case, 2).pk}": "CONDITIONAL"}

    desk.post(url(case), make_form_data(case, outcome_of_all="DENIED", **own))

    assert get_item(case, 1).ur_outcome == "DENIED"
    assert get_item(case, 2).ur_outcome == "CONDITIONAL"
    assert get_item(case, 2).ended_because.startswith("Utilization review did not decide")


def test_without_an_entry_from_the_ur_decision_fact_4_stays_unknown(desk):
    case = received_case(items=THREE[:2])

    desk.post(url(case), make_form_data(case))

    case.refresh_from_db()
    assert case.stage == Status.SCREENING
    assert case.eligibility_decisions.get().result == "INCOMPLETE"


def test_a_difference_found_with_the_decision_keeps_the_reading_and_everything_typed(desk):
    case = received_case()
    keyed = {"outcome_of_all": "DENIED", "claim_number": "06-1", "note_SIGNED": "Page 1."}

    refused = desk.post(url(case), make_form_data(case, **keyed))

    assert refused.status_code == 422
    page = page_of(refused)
    assert "First answer one difference between the application and the UR decision." in page
    assert "Differences from the UR decision" in page
    assert "Page 1." in page
    assert URReading.objects.get(case=case).claim_number == "06-1"
    case.refresh_from_db()
    assert case.stage == Status.SCREENING
    assert f'name="version" value="{case.version}"' in page

    (found,) = ur_decision.list_open_differences(case)
    answer = {f"answer_{found.key}": "TYPING_ERROR", f"note_{found.key}": "Two digits are cut."}
    decided = desk.post(url(case), make_form_data(case, **keyed, **answer))

    assert decided.status_code == 302
    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE
    assert case.difference_answers.get().note == "Two digits are cut."
    # The same reading sent again is not read again.
    assert case.events.filter(sentence__startswith="UR decision read:").count() == 1


def test_a_form_without_the_ur_decision_changes_nothing_of_it(desk, coordinator):
    case = received_case(items=THREE[:2])
    record_reading(case, coordinator, outcomes="DENIED MODIFIED")
    case.refresh_from_db()

    desk.post(url(case), SIX_YES | {"NECESSITY": "READ", "version": str(case.version)})

    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE
    assert [item.ur_outcome for item in case.items.order_by("position")] == ["DENIED", "MODIFIED"]
    assert URReading.objects.get(case=case).claim_number == case.claim_number


def test_a_second_coordinator_is_told_of_the_first_and_nothing_of_hers_is_stored(desk):
    case = received_case()
    sent = make_form_data(case, outcome_of_all="DENIED", employee="Ann O’Brien")
    ur_decision.record_ur_reading(
        case_id=case.pk,
        as_read=ur_decision.DecisionReading(),
        outcomes={get_item(case, 1).pk: "MODIFIED"},
        by=person(Role.COORDINATOR),
        at=LATER,
    )

    answer = desk.post(url(case), sent)

    assert answer.status_code == 409
    assert "Someone else changed this after you opened it" in page_of(answer)
    assert "Ann O’Brien" in page_of(answer)
    assert get_item(case, 1).ur_outcome == "MODIFIED"
    assert not case.eligibility_decisions.exists()


def test_one_other_case_is_the_reason_for_all_items(desk):
    first = received_case(items=THREE)
    case = received_case(items=THREE, claim_number="77-1")
    sent = make_form_data(
        case,
        outcome_of_all="DENIED",
        NOT_DECIDED="NO",
        reason_NOT_DECIDED="I-DUP",
        other_NOT_DECIDED=first.number.lower(),
        note_NOT_DECIDED="The same form, sent twice.",
    )

    desk.post(url(case), sent)

    case.refresh_from_db()
    assert case.stage == Status.INELIGIBLE
    findings = case.eligibility_decisions.get().findings.filter(fact="NOT_DECIDED")
    assert set(findings.exclude(item=None).values_list("other_case", flat=True)) == {first.pk}


def test_a_case_number_that_does_not_exist_is_named_beside_its_field(desk):
    case = received_case()
    sent = make_form_data(
        case,
        outcome_of_all="DENIED",
        NOT_DECIDED="NO",
        other_NOT_DECIDED="CM26-9",
        note_NOT_DECIDED="See there.",
    )

    answer = desk.post(url(case), sent)

    assert answer.status_code == 422
    assert "Case CM26-9 does not exist." in str(answer.context["form"].errors["other_NOT_DECIDED"])
    assert 'href="#id_other_NOT_DECIDED"' in answer.content.decode()


def test_errors_lead_to_the_note_of_the_fact_or_item_and_to_the_first_answer(desk, coordinator):
    case = received_case(items=THREE[:2])
    record_reading(case, coordinator, outcomes="DENIED DENIED")
    case.refresh_from_db()
    second = get_item(case, 2).pk
    sent = make_form_data(case, SIGNED="NO", **{f"necessity_{second}": "NO"})
    del sent["TIMELY"]

    page = desk.post(url(case), sent).content.decode()
    assert '<a href="#id_TIMELY_0">Received on time: ' in page

    answer = desk.post(url(case), sent | {"TIMELY": "YES"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert '<a href="#id_note_SIGNED">Note on fact 1: Explain in the note' in page
    assert f'<a href="#id_note_{second}">Note on item 2: Explain in the note' in page
    for field in ("note_SIGNED", f"note_{second}"):
        assert re.search(rf'id="id_{field}"', page)
    assert not case.eligibility_decisions.exists()


def test_the_scans_stand_beside_the_form(desk):
    files = [
        (store_bytes(content=content, media_type="application/pdf", at=LATER, pages=pages), kind)
        for content, kind, pages in (
            (b"%PDF-1.4 ur", "UR_DECISION", 3),
            (b"%PDF-1.4 form", "APPLICATION", 2),
        )
    ]
    case = received_case(papers=[paper(file, kind) for file, kind in files])

    before = desk.get(url(case)).content.decode()
    assert "The documents of the application are not in the records yet." in before
    back = {"back": url(case)}
    assert desk.post(reverse("records:take_in", args=[case.number]), back).url == url(case)

    page = desk.get(url(case)).content.decode()
    pictures = re.findall(r'<img[^>]*src="/records/(\d+)/pages/(\d+).png"', page)
    by_kind = {row.kind: str(row.pk) for row in documents.list_documents(case)}
    form, decision = by_kind["APPLICATION"], by_kind["UR_DECISION"]
    assert pictures == [(form, "1"), (form, "2"), *((decision, at) for at in "123")]


def test_reasons_are_in_the_page_and_shown_with_a_no_by_style_alone(desk):
    case = received_case(items=THREE[:2])

    page = desk.get(url(case)).content.decode()

    assert page.count("if-no") == 5 + 2  # five choices of facts, two items
    assert "A reason counts only if the answer is No." in page
