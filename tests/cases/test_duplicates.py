"""Applications that look alike: compared, proposed with reasons, resolved by a person."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.refusals import NotAllowed
from accounts.roles import Role
from bench.duplicates import labeled_pairs, measure_matcher
from cases.duplicates import (
    ApplicationFacts,
    Band,
    build_duplicate_keys,
    classify_names,
    compare_applications,
    measure_item_overlap,
)
from cases.models import Case, CaseKey, CaseLink, DuplicateProposal, Event
from cases.services import duplicates
from eligibility.services import screening
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from maintenance.states import find_cases_without_next_step
from tests.factories import MONDAY, SIX_YES, parties, person, received_case

LATER = MONDAY + timedelta(hours=1)
FACTS = ApplicationFacts(
    employee="Marisol Quintanar",
    born=date(1968, 3, 14),
    claim="06-2213-00417",
    injured=date(2024, 2, 11),
    ur_decided=date(2026, 2, 12),
    physician="Dana Oyelaran",
    items=("Cervical epidural steroid injection at C3-4",),
)


def change_facts(**changes):
    from dataclasses import replace

    return replace(FACTS, **changes)


# --- the pure comparison ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "possible_duplicate"),
    [
        ("Marisol Quintanar", "QUINTANAR, MARISOL", "SAME"),
        ("Ana Núñez-García", "Garcia Nunez Ana", "SAME"),
        ("Seán O'Brien", "SEAN OBRIEN", "SAME"),
        ("Marisol J. Quintanar", "Marisol Quintanar", "SAME"),
        ("Ana Núñez García", "Ana Núñez", "CLOSE"),
        ("Marisol Quintanar", "Marisol Quintanr", "CLOSE"),
        ("Rob Mason", "Robert Mason", "CLOSE"),
        ("D. Oyelaran", "Dana Oyelaran, M.D.", "CLOSE"),
        ("E. Oyelaran", "Dana Oyelaran", "DIFFERENT"),
        ("Marisol Quintanar", "Pedro Quintanar", "DIFFERENT"),
        ("Marisol Quintanar", "", "DIFFERENT"),
        ("Quintanar", "Marisol Quintanar", "DIFFERENT"),
    ],
)
def test_names_of_employees_are_compared_in_any_order(one, other, possible_duplicate):
    assert classify_names(one, other) == possible_duplicate
    assert classify_names(other, one) == possible_duplicate


@pytest.mark.capability("IN-1")
@pytest.mark.parametrize(
    ("other", "band"),
    [
        (FACTS, Band.SAME),
        (change_facts(claim="06-2213-0417"), Band.LIKELY),
        (change_facts(employee="Marisol Quintanr", claim="06-2213-00471"), Band.LIKELY),
        (change_facts(born=None, claim=""), Band.LIKELY),
        (change_facts(employee="Pedro Quintanar", born=date(1970, 1, 1)), Band.NO),
        (change_facts(ur_decided=date(2026, 2, 21), items=("Lumbar MRI",)), Band.NO),
        (change_facts(born=date(1971, 9, 2)), Band.NO),
        (ApplicationFacts(), Band.NO),
    ],
)
def test_each_pair_gets_the_rating_that_a_careful_clerk_would_give(other, band):
    assert compare_applications(FACTS, other).band == band
    assert compare_applications(other, FACTS).band == band


def test_reasons_for_and_against_a_duplicate_are_given_in_sentences():
    possible_duplicate = compare_applications(FACTS, change_facts(physician="Ruth Castellanos"))
    assert "The claim number is the same." in possible_duplicate.evidence_for
    assert possible_duplicate.evidence_against == ("The requesting physician differs.",)


def test_the_same_treatment_under_another_decision_is_a_repeat_and_not_a_duplicate():
    possible_duplicate = compare_applications(FACTS, change_facts(ur_decided=date(2025, 6, 1)))
    assert (possible_duplicate.band, possible_duplicate.is_repeat) == (Band.NO, True)


texts = st.text("aábcd -'", max_size=12)
days = st.one_of(st.none(), st.dates(date(2024, 1, 1), date(2024, 1, 5)))
applications = st.builds(
    ApplicationFacts, employee=texts, born=days, claim=st.text("012", max_size=8), injured=days,
    ur_decided=days, ur_reference=st.text("01", max_size=3), physician=texts,
    items=st.lists(texts, max_size=2).map(tuple),
)  # fmt: skip


@given(one=applications, other=applications)
@example(one=ApplicationFacts(claim="00000"), other=ApplicationFacts(claim="000000"))
def test_the_order_of_two_applications_changes_nothing(one, other):
    assert compare_applications(one, other) == compare_applications(other, one)
    assert classify_names(one.employee, other.employee) == classify_names(
        other.employee, one.employee
    )
    assert 0 <= measure_item_overlap(one.items, other.items) <= 1


@given(one=applications, other=applications)
def test_two_applications_that_are_certainly_the_same_share_a_key(one, other):
    if compare_applications(one, other).band == Band.SAME and len(one.claim) > 1:
        assert build_duplicate_keys(one) & build_duplicate_keys(other)


@pytest.mark.capability("IN-1")
def test_precision_and_recall_on_labeled_pairs_stay_above_the_minimum():
    result = measure_matcher(labeled_pairs(count=120, seed=11))
    assert result.recall >= 0.95
    assert result.precision >= 0.9


# --- proposals ----------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


def receive_repeated_application(**changes):
    """The same employee writes once more, a little differently."""
    fields = {
        "claim_number": "06-2213-00417",
        "ur_decision": URDecisionOnForm(
            decided_on=date(2026, 2, 12), decided_printed="02/12/2026", reference="UR-2"
        ),
    } | changes
    return received_case(**fields)


@pytest.mark.capability("IN-1")
def test_a_second_form_with_a_typing_error_is_stored_and_proposed_with_reasons():
    first = received_case(claim_number="06-2213-00417")
    second = receive_repeated_application(claim_number="06-2213-0417")

    proposal = DuplicateProposal.objects.get()
    assert (proposal.case, proposal.other) == (second, first)
    assert proposal.band == Band.LIKELY
    assert "The claim number differs in one place." in proposal.why["for"]
    assert second.status == "SCREENING"  # nothing moves by itself


def test_a_pair_is_proposed_once_and_its_answer_is_kept():
    received_case(claim_number="06-2213-00417")
    second = receive_repeated_application()
    coordinator = person(Role.COORDINATOR)
    proposal = DuplicateProposal.objects.get()
    duplicates.resolve_duplicate(
        proposal_id=proposal.pk, answer="DIFFERENT", reason="Two decisions", by=coordinator,
        at=LATER,
    )  # fmt: skip

    assert duplicates.search_duplicates_again(case_id=second.pk, by=coordinator, at=LATER) == []
    assert DuplicateProposal.objects.get().answer == "DIFFERENT"


def test_a_resolved_duplicate_links_both_cases_and_is_proposed_as_ineligible():
    first = received_case(claim_number="06-2213-00417")
    second = receive_repeated_application()
    coordinator = person(Role.COORDINATOR)
    duplicates.resolve_duplicate(
        proposal_id=DuplicateProposal.objects.get().pk, answer="DUPLICATE", reason="Same letter",
        item_ids=[second.items.get().pk], by=coordinator, at=LATER,
    )  # fmt: skip

    link = CaseLink.objects.get()
    assert (link.case, link.other, link.kind) == (second, first, "DUPLICATE")
    for case, other in ((first, second), (second, first)):
        event = case.events.get(kind=Event.Kind.DUPLICATE_SETTLED)
        assert other.number in event.sentence
        assert event.why == "Same letter"
    assert second.items.get().ending == "PENDING"
    decision = screening.decide_eligibility(
        case_id=second.pk, answers=SIX_YES | {"NOT_DECIDED": "NO"}, notes={}, seen_version=None,
        by=coordinator, at=LATER,
    )  # fmt: skip
    finding = decision.findings.get(fact="NOT_DECIDED", item=second.items.get())
    assert (finding.reason_code, finding.other_case) == ("I-DUP", first)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"answer": "TWIN"}, "Choose how the two cases"),
        ({"reason": " "}, "Enter how you know"),
        ({"item_ids": []}, "Select the items"),
        ({"item_ids": [0]}, "Choose items of this case"),
        ({"by": Role.INTAKE}, "Your role"),
    ],
)
def test_an_incomplete_answer_is_refused_with_what_to_do(changes, sentence):
    received_case(claim_number="06-2213-00417")
    second = receive_repeated_application()
    fields = {
        "answer": "DUPLICATE", "reason": "Same letter", "item_ids": [second.items.get().pk],
        "by": person(changes.pop("by", Role.COORDINATOR)),
    } | changes  # fmt: skip

    with pytest.raises(NotAllowed, match=sentence):
        duplicates.resolve_duplicate(
            proposal_id=DuplicateProposal.objects.get().pk, at=LATER, **fields
        )
    assert not CaseLink.objects.exists()


def test_a_pair_is_resolved_only_once():
    received_case(claim_number="06-2213-00417")
    receive_repeated_application()
    fields = {
        "proposal_id": DuplicateProposal.objects.get().pk, "answer": "DIFFERENT",
        "reason": "Two", "by": person(Role.COORDINATOR), "at": LATER,
    }  # fmt: skip
    duplicates.resolve_duplicate(**fields)
    with pytest.raises(NotAllowed, match="already resolved this"):
        duplicates.resolve_duplicate(**fields)


def test_another_person_with_the_same_employer_and_day_is_not_proposed():
    received_case(claim_number="06-2213-00417")
    receive_repeated_application(
        claim_number="06-9981-55123", parties=parties(EMPLOYEE="Pedro Quintanar")
    )

    assert not DuplicateProposal.objects.exists()


def test_finding_possible_duplicates_costs_the_same_for_any_number_of_cases(
    django_assert_max_num_queries,
):
    case = received_case(claim_number="06-2213-00417")
    for number in range(4):
        received_case(claim_number=f"06-77{number}3-5512{number}", parties=parties(EMPLOYEE="A B"))
    facts = duplicates.read_application_facts(
        Case.objects.select_related("ur_decision").get(pk=case.pk)
    )
    with django_assert_max_num_queries(6):
        duplicates.find_similar_cases(facts=facts, excluded_case=case)


def test_candidates_are_found_by_index():
    received_case(claim_number="06-2213-00417")
    rows = (
        CaseKey.objects.filter(key__in=build_duplicate_keys(FACTS))
        .order_by("-case_id")
        .values_list("case_id")
    )
    plan = rows.explain()
    if connection.vendor == "sqlite":
        assert "USING COVERING INDEX case_by_key" in plan
    else:
        assert "case_by_key" in plan or "Seq Scan" in plan  # a tiny table is read whole


def test_the_pages_compare_resolve_and_list_possible_duplicates(client):
    first = received_case(claim_number="06-2213-00417")
    second = receive_repeated_application()
    proposal = DuplicateProposal.objects.get()
    client.force_login(person(Role.COORDINATOR))

    listed = client.get("/duplicates/").content.decode()
    assert second.number in listed
    assert "The claim number is the same." in listed
    address = f"/cases/{second.number}/related/{proposal.pk}/"
    page = client.get(address).content.decode()
    assert first.number in page
    assert "Marisol Quintanar" in page
    refused = client.post(address, {"answer": "DUPLICATE", "reason": "Same letter"})
    assert refused.status_code == 422
    assert "Select the items" in refused.content.decode()
    assert "Same letter" in refused.content.decode()
    client.post(
        address,
        {"answer": "PRIOR", "reason": "Asked in May", "items": [second.items.get().pk]},
    )
    assert CaseLink.objects.get().kind == "PRIOR"
    assert "Asked in May" in client.get(f"/cases/{second.number}/related/").content.decode()
    assert second.number not in client.get("/duplicates/").content.decode()
    stranger = client.get(f"/cases/{first.number}/related/{proposal.pk}/")
    assert stranger.status_code == 404


def test_an_earlier_decision_is_shown_with_the_twelve_months_and_decides_nothing(client):
    from tests.determinations.factories import (
        make_approved_case,
        make_issued_case,
        make_submitted_case,
    )

    first = make_issued_case(make_approved_case(make_submitted_case()))
    second = received_case(
        received_at=MONDAY + timedelta(days=100), at=MONDAY + timedelta(days=101),
        items=[ItemOnForm(title=first.items.get().title)],
    )  # fmt: skip
    found = duplicates.find_earlier_decisions(second.items.get())
    assert [one.case for one in found] == [first]
    client.force_login(person(Role.COORDINATOR))
    page = client.get(f"/cases/{second.number}/related/").content.decode()
    assert "in effect through" in page
    assert "Feb 12, 2027" in page
    assert second.items.get().ending == "PENDING"


# --- A possible duplicate that intake has linked -------------------------------------------------


def receive_same_decision():
    """Two applications about one UR decision; the second waits as a possible duplicate."""
    lead = received_case(claim_number="06-2213-00417")
    return lead, received_case(claim_number="06-2213-00417")


def test_a_case_about_the_same_ur_decision_is_listed_and_named_on_both_related_pages(client):
    lead, case = receive_same_decision()
    client.force_login(person(Role.COORDINATOR))
    proposal = DuplicateProposal.objects.get()
    compare = f"/cases/{case.number}/related/{proposal.pk}/"

    assert (proposal.case, proposal.other) == (case, lead)
    for address in ("/duplicates/", f"/cases/{case.number}/related/"):
        assert compare in client.get(address).content.decode()
    assert compare in client.get(f"/cases/{lead.number}/related/").content.decode()
    assert f"/cases/{case.number}/related/" in client.get(f"/cases/{case.number}/").content.decode()
    page = client.get(f"/cases/{case.number}/eligibility/").content.decode()
    assert "First compare the two applications on the “Related” tab." in page
    assert re.search(r"<button[^>]*data-main-action disabled", page)


def test_the_same_application_twice_is_closed(client):
    lead, case = receive_same_decision()
    proposal = DuplicateProposal.objects.get()
    client.force_login(person(Role.COORDINATOR))
    sent = {"answer": "DUPLICATE", "reason": "Faxed twice.", "items": [case.items.get().pk]}

    answered = client.post(f"/cases/{case.number}/related/{proposal.pk}/", sent)

    assert answered.status_code == 302
    case.refresh_from_db()
    lead.refresh_from_db()
    assert (case.status, lead.status) == ("CLOSED", "SCREENING")
    assert case.items.get().ending == "INELIGIBLE"
    assert "Faxed twice." in client.get(f"/cases/{case.number}/related/").content.decode()


@pytest.mark.parametrize("answer", ["DIFFERENT", "PRIOR"])
def test_another_application_returns_to_screening_with_its_own_ur_decision(client, answer):
    lead, case = receive_same_decision()
    proposal = DuplicateProposal.objects.get()
    client.force_login(person(Role.COORDINATOR))
    sent = {"answer": answer, "reason": "Two decisions of one day."}
    sent |= {"items": [case.items.get().pk]} if answer == "PRIOR" else {}

    client.post(f"/cases/{case.number}/related/{proposal.pk}/", sent)

    case.refresh_from_db()
    assert (case.status, case.duplicate_of) == ("SCREENING", None)
    assert case.ur_decision_id != lead.ur_decision_id
    assert case.ur_decision.running_number == 2
    assert case.ur_decision.different_because == "Two decisions of one day."
    assert not CaseLink.objects.filter(kind="DUPLICATE", ended_at=None).exists()
    assert case.deadlines.filter(deadline_kind="screening", met_at=None).exists()
    assert list(find_cases_without_next_step(LATER, lambda: None)) == []


def test_a_possible_duplicate_with_nothing_to_resolve_is_found_at_night():
    lead, case = receive_same_decision()
    person(Role.COORDINATOR)
    assert list(find_cases_without_next_step(LATER, lambda: None)) == []
    duplicates.resolve_duplicate(
        proposal_id=DuplicateProposal.objects.get().pk, answer="DIFFERENT", reason="Two",
        by=person(Role.COORDINATOR), at=LATER,
    )  # fmt: skip

    (found,) = find_cases_without_next_step(LATER, lambda: None)
    assert found.reference == case.number
    assert "no comparison is open" in found.sentence
