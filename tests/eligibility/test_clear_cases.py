"""Clear applications: listed with their evidence, selected, each accepted as a decision."""

import html
import re
from dataclasses import replace
from datetime import date

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.lifecycle import Status
from cases.services import restrictions
from eligibility.services import clear_cases, ur_decision
from tests.eligibility.test_decisions import LATER, THREE, record_reading
from tests.factories import application, person, received_case

pytestmark = pytest.mark.django_db
URL = reverse("eligibility:clear_cases")


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


@pytest.fixture
def desk(client, coordinator, set_clock):
    set_clock(LATER)
    client.force_login(coordinator)
    return client


def clear_case(by, *, items=None, **changes):
    """A case whose UR decision was read and agrees with the application."""
    case = received_case(items=items or THREE[:2], **changes)
    record_reading(case, by, outcomes=" ".join(["DENIED"] * case.items.count()))
    case.refresh_from_db()
    return case


def page_of(answer):
    return html.unescape(answer.content.decode())


def tick(*cases):
    return {"case": [f"{case.pk}:{case.version}" for case in cases]}


def listed(reader):
    return [row.case for row in clear_cases.list_clear_cases(reader=reader).rows]


def accept(by, *cases):
    pairs = [(case.pk, case.version) for case in cases]
    rows = clear_cases.accept_clear_cases(seen_versions=pairs, by=by, at=LATER)
    return {row.case.number: row.refusal for row in rows}


def test_a_clear_application_is_listed_with_its_evidence(desk, coordinator):
    case = clear_case(coordinator)
    unread = received_case(items=THREE)

    page = page_of(desk.get(URL))

    assert case.number in page
    assert unread.number not in page
    for evidence in (
        "Signed by the employee.",
        "is in time, with",
        "The UR decision is attached.",
        "All items in the UR decision: Denied",
        "The UR decision as read does not differ from the application.",
        "No other case about the same treatment found.",
        "Liability is not disputed.",
        "Marisol Quintanar",
    ):
        assert evidence in page
    assert not case.eligibility_decisions.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"signed_by": ""},
        {"signed_by": "REPRESENTATIVE"},
        {"ur_decision_attached": None},
        {"date_of_injury": None},
    ],
)
def test_an_application_with_a_fact_that_is_not_yes_is_not_listed(coordinator, changes):
    clear_case(coordinator, **changes)

    assert listed(coordinator) == []


@pytest.mark.parametrize("outcomes", ["DENIED APPROVED", "DENIED", ""])
def test_an_application_with_an_item_that_was_not_denied_is_not_listed(coordinator, outcomes):
    record_reading(received_case(items=THREE[:2]), coordinator, outcomes=outcomes)

    assert listed(coordinator) == []


def test_a_difference_keeps_an_application_from_the_list_even_if_it_was_answered(coordinator):
    case = received_case(items=THREE[:2])
    record_reading(case, coordinator, outcomes="DENIED DENIED", claim_number="06-1")
    (found,) = ur_decision.list_open_differences(case)
    ur_decision.answer_differences(
        case_id=case.pk, answers={found.key: "SAME"}, notes={}, by=coordinator, at=LATER
    )

    assert listed(coordinator) == []


def test_the_second_application_for_one_treatment_is_not_listed(coordinator):
    first = clear_case(coordinator, claim_number="77-100")
    another = replace(application().ur_decision, decided_on=date(2026, 2, 11))
    clear_case(coordinator, claim_number="77-100", ur_decision=another)

    assert listed(coordinator) == [first]


def test_selected_applications_are_each_found_eligible_by_that_person(desk, coordinator):
    first, second, left = (clear_case(coordinator, claim_number=f"77-{at}") for at in range(3))

    answer = desk.post(URL, tick(first, second))

    assert answer.status_code == 200
    assert "Found eligible: 2 cases" in page_of(answer)
    for case in (first, second):
        case.refresh_from_db()
        assert case.stage == Status.ELIGIBLE
        decision = case.eligibility_decisions.get()
        assert (decision.decided_by, decision.result) == (coordinator, "ELIGIBLE")
        assert decision.findings.count() == 6 + 2 * 2
        assert decision.history.count() == 1
        event = case.events.get(kind="FOUND_ELIGIBLE")
        assert event.by == coordinator
        assert event.why.startswith("Accepted in bulk")
        assert case.deadlines.filter(deadline_kind="noarfi").exists()
    left.refresh_from_db()
    assert left.stage == Status.SCREENING


def test_a_case_that_changed_since_the_page_was_shown_is_left_out_and_named(desk, coordinator):
    case, changed = (clear_case(coordinator, claim_number=f"77-{at}") for at in range(2))
    seen = tick(case, changed)
    record_reading(changed, person(Role.COORDINATOR), outcomes="DENIED MODIFIED")

    answer = desk.post(URL, seen)

    assert answer.status_code == 422
    page = page_of(answer)
    assert "Found eligible: 1 case; left out: 1" in page
    row = page[page.index(changed.number) :]
    assert "This case has changed since the list was shown." in row[:400]
    changed.refresh_from_db()
    assert changed.stage == Status.SCREENING
    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE


def test_a_case_of_the_first_run_is_left_out_of_the_second(coordinator):
    case = clear_case(coordinator)

    assert accept(coordinator, case) == {case.number: ""}
    assert "is in the “Eligible” stage" in accept(coordinator, case)[case.number]
    assert case.eligibility_decisions.count() == 1


def test_a_case_with_an_open_question_is_not_accepted_by_a_made_up_form(coordinator):
    case = received_case(items=THREE[:2])

    assert "Not every fact is proposed Yes" in accept(coordinator, case)[case.number]
    assert not case.eligibility_decisions.exists()


def test_nothing_selected_is_refused_in_words(desk, coordinator):
    clear_case(coordinator)

    for sent in ({}, {"case": ["", "x", "1", "1:", "²:3"]}):
        answer = desk.post(URL, sent)
        assert answer.status_code == 422
        assert "Select at least one application first." in page_of(answer)


def test_an_unknown_case_is_passed_over(desk):
    answer = desk.post(URL, {"case": ["999999:1"]})

    assert "None of the selected cases is on the list any more." in page_of(answer)


def test_a_restricted_case_is_neither_listed_nor_accepted_nor_named(desk, coordinator):
    case = clear_case(coordinator)
    restrictions.restrict_case(
        case_id=case.pk,
        ground="PUBLIC",
        reason="Known from the news.",
        cleared=[coordinator.pk],
        by=person(Role.DIRECTOR),
        at=LATER,
    )
    case.refresh_from_db()

    assert case.number not in page_of(desk.get(URL))
    assert case.number not in page_of(desk.post(URL, tick(case)))
    case.refresh_from_db()
    assert case.stage == Status.SCREENING


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_only_who_may_decide_sees_the_list_and_its_link(client, coordinator, set_clock, role):
    set_clock(LATER)
    case = clear_case(coordinator)
    client.force_login(person(role))

    assert client.get(URL).status_code == 403
    assert client.post(URL, tick(case)).status_code == 403
    assert URL not in client.get("/queues/eligibility/").content.decode()
    assert not case.eligibility_decisions.exists()


def test_the_queue_links_to_the_list(desk, coordinator):
    assert f'href="{URL}"' in desk.get("/queues/eligibility/").content.decode()


def test_someone_with_a_conflict_of_interest_does_not_get_the_case(coordinator):
    case = clear_case(coordinator)
    case.barred_staff = [coordinator.pk]
    case.store(by=coordinator, at=LATER, fields=["barred_staff"])

    assert listed(coordinator) == []
    assert "affiliation" in accept(coordinator, case)[case.number]


def test_a_long_list_goes_on_on_the_next_page(desk, coordinator, monkeypatch):
    monkeypatch.setattr(clear_cases, "MOST", 2)
    cases = [clear_case(coordinator, claim_number=f"77-{at}") for at in range(3)]

    page = desk.get(URL).content.decode()
    numbers = re.findall(r"CM26-\d{7}</a>", page)
    following = html.unescape(re.search(r'href="(\?[^"]*after=[^"]*)"', page)[1])
    later = desk.get(URL + following).content.decode()

    assert len(numbers) == 2
    assert [case.number in later for case in cases] == [False, False, True]
    assert desk.get(f"{URL}?after=nonsense").status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_list(
    desk, coordinator, django_assert_max_num_queries
):
    for at in range(3):
        clear_case(coordinator, claim_number=f"77-{at}")

    with django_assert_max_num_queries(26):
        desk.get(URL)
