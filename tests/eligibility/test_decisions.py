"""Eligibility review by the services: proposals, decisions, questions and reversals."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import Case, CaseLink, Event
from cases.services import endings
from eligibility.answers import EligibilityResult
from eligibility.models import EligibilityFinding, InformationRequest
from eligibility.services import information, screening, ur_decision
from eligibility.services.findings import ItemAnswers
from eligibility.services.proposals import propose_eligibility
from eligibility.services.ur_decision import DecisionReading
from intake.services.receiving import ItemOnForm
from tests.factories import MONDAY, SIX_YES, application, person, received_case

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=3)
TOO_LATE = datetime(2026, 3, 24, 17, 0, tzinfo=UTC)  # five days after the last day to apply
THREE = [ItemOnForm("Cervical injection"), ItemOnForm("Lumbar brace"), ItemOnForm("Norco #60")]


def proposal_of(case):
    return propose_eligibility(case, reader=person(Role.COORDINATOR))


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


def decide_eligibility(case, by, *, notes=None, reasons=None, items=None, at=LATER, **answers):
    decision = screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES | answers,
        notes=notes or {},
        reasons=reasons,
        items=items,
        seen_version=None,
        by=by,
        at=at,
    )
    case.refresh_from_db()
    return decision


def record_reading(case, by, *, outcomes="", at=LATER, **fields):
    """The UR decision as a person reads it: the same as the application but for what is given."""
    same = {
        "employee": "Marisol Quintanar",
        "claim_number": case.claim_number,
        "date_of_injury": case.date_of_injury,
        "items": list(case.items.order_by("position").values_list("title", flat=True)),
    }
    words = outcomes.split()
    by_item = {get_item(case, at).pk: word for at, word in enumerate(words, start=1)}
    return ur_decision.record_ur_reading(
        case_id=case.pk, as_read=DecisionReading(**(same | fields)), outcomes=by_item, by=by, at=at
    )


def get_item(case, position):
    return case.items.get(position=position)


# --- Reasons and sentences ------------------------------------------------------------------------


@pytest.mark.capability("EL-1")
def test_each_ineligible_item_has_a_code_and_a_sentence_and_the_others_continue(coordinator):
    case = received_case(items=THREE)
    record_reading(case, coordinator, outcomes="DENIED APPROVED CONDITIONAL")
    out = {get_item(case, at).pk: ItemAnswers(necessity="NO") for at in (2, 3)}

    decision = decide_eligibility(case, coordinator, items=out)

    assert case.stage == Status.ELIGIBLE
    assert [get_item(case, at).ending for at in (1, 2, 3)] == [
        "PENDING",
        "INELIGIBLE",
        "INELIGIBLE",
    ]
    refusals = decision.refusals()
    assert [(one.item.position, one.reason_code) for one in refusals] == [
        (2, "I-NOTINUR"),
        (3, "I-CNC"),
    ]
    assert "approved this treatment" in refusals[0].letter_sentence
    assert get_item(case, 2).ended_because == refusals[0].letter_sentence
    assert all(one.source and one.facts_used and one.sentence for one in refusals)


@pytest.mark.capability("EL-1")
def test_the_case_is_ineligible_when_its_last_item_is(coordinator):
    case = received_case(items=THREE[:2])
    record_reading(case, coordinator, outcomes="APPROVED NOT_IN")

    decision = decide_eligibility(case, coordinator, NECESSITY="NO")

    assert case.stage == Status.INELIGIBLE
    assert {one.ending for one in case.items.all()} == {"INELIGIBLE"}
    assert [one.item.position for one in decision.refusals()] == [1, 2]


@pytest.mark.capability("EL-1")
def test_a_person_chooses_the_code_and_the_letter_prints_its_sentence(coordinator):
    case = received_case()

    decision = decide_eligibility(
        case,
        coordinator,
        SIGNED="NO",
        notes={"SIGNED": "Signed by a neighbor."},
        reasons={"SIGNED": "I-PARTY"},
    )

    (refusal,) = decision.refusals()
    assert (refusal.item, refusal.reason_code) == (None, "I-PARTY")
    assert "is not authorized to request" in refusal.letter_sentence
    assert get_item(case, 1).ended_because == refusal.letter_sentence


@pytest.mark.capability("EL-1")
def test_the_proposal_is_kept_beside_the_finding_with_the_reason_for_the_difference(coordinator):
    case = received_case()
    with pytest.raises(NotAllowed, match="your answer differs from the proposed one: signed"):
        decide_eligibility(case, coordinator, SIGNED="NO")
    assert not case.eligibility_decisions.exists()

    decision = decide_eligibility(case, coordinator, SIGNED="NO", notes={"SIGNED": "Another hand."})

    finding = decision.findings.get(fact="SIGNED")
    assert (finding.proposed, finding.answer, finding.note) == ("YES", "NO", "Another hand.")
    assert decision.why_different == "signed: Another hand."
    assert (decision.proposed, decision.result) == ("INCOMPLETE", "INELIGIBLE")


@pytest.mark.capability("EL-1")
def test_an_item_of_another_case_is_refused(coordinator):
    case, other = received_case(), received_case()
    with pytest.raises(NotAllowed, match="items of this case"):
        decide_eligibility(
            case, coordinator, items={get_item(other, 1).pk: ItemAnswers(necessity="NO")}
        )


# --- Late applications and waivers ----------------------------------------------------------------


@pytest.mark.capability("EL-2")
def test_a_waiver_needs_a_note_and_its_badge_shows_the_note(coordinator, client):
    case = received_case(at=TOO_LATE)
    at = TOO_LATE + timedelta(hours=1)
    assert proposal_of(case).answers["TIMELY"] == "NO"
    with pytest.raises(NotAllowed, match="received on time"):
        decide_eligibility(case, coordinator, at=at)

    decision = decide_eligibility(
        case, coordinator, notes={"TIMELY": "Office closed by fire."}, at=at
    )

    assert case.stage == Status.ELIGIBLE
    finding = decision.findings.get(fact="TIMELY")
    assert finding.waiver == "Office closed by fire."
    waived = case.events.get(kind=Event.Kind.WAIVED)
    assert waived.why == "Office closed by fire."
    assert "5 days late" in waived.sentence
    client.force_login(coordinator)
    page = client.get(reverse("eligibility:eligibility", args=[case.number])).content.decode()
    assert "Lateness waived" in page
    assert "Office closed by fire." in page


@pytest.mark.capability("EL-2", "defect 24")
def test_the_database_refuses_a_waiver_without_its_note(coordinator):
    names = {field.name for field in EligibilityFinding._meta.get_fields()}
    assert not {name for name in names if "waive" in name}
    case = received_case(at=TOO_LATE)
    decision = decide_eligibility(case, coordinator, TIMELY="NO", at=TOO_LATE)
    finding = decision.findings.get(fact="TIMELY")
    assert finding.waiver == ""
    finding.answer = "YES"
    with pytest.raises(DatabaseError), transaction.atomic():
        finding.store(by=coordinator, at=TOO_LATE)


@pytest.mark.capability("EL-2")
def test_the_letter_about_a_late_application_names_both_dates(coordinator):
    case = received_case(at=TOO_LATE)
    decision = decide_eligibility(case, coordinator, TIMELY="NO", at=TOO_LATE)
    (refusal,) = decision.refusals()
    assert "03/24/2026" in refusal.letter_sentence
    assert "03/19/2026" in refusal.letter_sentence


# --- Missing facts and questions ------------------------------------------------------------------


@pytest.mark.capability("EL-3")
def test_a_missing_fact_is_named_and_keeps_the_case_in_eligibility_review(coordinator):
    form = application()
    case = received_case(
        ur_decision=replace(form.ur_decision, service_method="", liability_disputed=None),
        ur_decision_attached=None,
    )
    proposal = proposal_of(case)
    assert {proposal.answers[fact] for fact in ("TIMELY", "UR_ATTACHED", "LIABILITY_CLEAR")} == {
        "UNKNOWN"
    }
    assert proposal.conclusion.result == "INCOMPLETE"
    assert all(one.missing for one in proposal.verdicts if one.answer == "UNKNOWN")

    decision = decide_eligibility(case, coordinator, **dict(proposal.answers))

    assert (decision.result, case.stage) == (EligibilityResult.INCOMPLETE, Status.SCREENING)
    assert not decision.findings.filter(answer="NO").exists()
    assert not decision.refusals()


@pytest.mark.capability("EL-3")
def test_a_question_to_a_party_waits_five_business_days_and_its_answer_returns_the_case(
    coordinator,
):
    case = received_case()
    employee = case.parties.get(role="EMPLOYEE")

    request = information.ask_information(
        case_id=case.pk,
        party_id=employee.pk,
        facts=["SIGNED"],
        question="Who signed the form?",
        received_on=date(2026, 3, 3),
        by=coordinator,
        at=LATER,
    )

    case.refresh_from_db()
    assert case.stage == Status.INFO_REQUESTED
    assert request.due_on == date(2026, 3, 10)
    assert (case.due_on, case.due_deadline_kind) == (date(2026, 3, 10), "eligibility_information")
    assert case.events.get(kind=Event.Kind.INFO_ASKED).why == "Who signed the form?"

    at = LATER + timedelta(days=2)
    information.record_party_answer(
        request_id=request.pk, answer="I did.", answered_on=date(2026, 3, 4), by=coordinator, at=at
    )

    case.refresh_from_db()
    request.refresh_from_db()
    assert (case.stage, case.due_deadline_kind) == (Status.SCREENING, "screening")
    assert (request.answer, request.answered_on) == ("I did.", date(2026, 3, 4))
    assert case.deadlines.get(deadline_kind="eligibility_information").met_at == at
    assert case.events.get(kind=Event.Kind.INFO_ANSWERED).why == "I did."
    with pytest.raises(NotAllowed):
        information.record_party_answer(
            request_id=request.pk, answer="No.", answered_on=date(2026, 3, 4), by=coordinator, at=at
        )


def ask_information(case, by, role, received_on, **changes):
    fields = {
        "party_id": case.parties.get(role=role).pk,
        "facts": ["SIGNED"],
        "question": "Who signed?",
    } | changes
    return information.ask_information(
        case_id=case.pk, received_on=received_on, by=by, at=LATER, **fields
    )


@pytest.mark.capability("EL-3")
def test_the_earlier_of_two_questions_counts_and_the_last_answer_returns_the_case(
    coordinator,
):
    case = received_case()
    late = ask_information(case, coordinator, "REQUESTING_PHYSICIAN", date(2026, 3, 5))
    early = ask_information(case, coordinator, "EMPLOYEE", date(2026, 3, 3))
    case.refresh_from_db()
    assert case.due_on == early.due_on < late.due_on

    for request, stage, due_on in (
        (early, Status.INFO_REQUESTED, late.due_on),
        (late, Status.SCREENING, None),
    ):
        information.record_party_answer(
            request_id=request.pk,
            answer="Yes.",
            answered_on=date(2026, 3, 5),
            by=coordinator,
            at=LATER + timedelta(days=3),
        )
        case.refresh_from_db()
        assert case.stage == stage
        assert due_on is None or case.due_on == due_on


@pytest.mark.capability("EL-3")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"facts": []}, "Choose the facts"),
        ({"facts": ["HANDWRITING"]}, "Choose the facts"),
        ({"question": " "}, "Enter the question"),
        ({"party_id": 0}, "Choose a party of this case"),
    ],
)
def test_an_incomplete_question_is_refused(coordinator, changes, sentence):
    case = received_case()
    with pytest.raises(NotAllowed, match=sentence):
        ask_information(case, coordinator, "EMPLOYEE", date(2026, 3, 3), **changes)
    assert not InformationRequest.objects.exists()


@pytest.mark.capability("EL-3")
def test_reviewing_eligibility_again_without_an_answer_closes_the_question(coordinator):
    case = received_case()
    request = ask_information(case, coordinator, "EMPLOYEE", date(2026, 3, 3))
    at = LATER + timedelta(days=9)

    screening.screen_case_again(case_id=case.pk, reason="No answer came.", by=coordinator, at=at)

    request.refresh_from_db()
    assert (request.closed_at, request.answered_on, request.answer) == (at, None, "")


# --- Ineligible because of another case -----------------------------------------------------------


@pytest.mark.capability("EL-4")
def test_an_item_that_is_ineligible_because_of_another_case_links_both_cases(coordinator, client):
    earlier = received_case(items=THREE[:1])
    case = received_case(items=THREE[:2])
    same = {
        get_item(case, 1).pk: ItemAnswers("", "NO", "I-PRIOR", "The same form.", earlier.number)
    }

    decision = decide_eligibility(case, coordinator, items=same)

    finding = decision.findings.get(fact="NOT_DECIDED", item__position=1)
    assert (finding.other_case, finding.reason_code) == (earlier, "I-PRIOR")
    link = CaseLink.objects.get(kind=CaseLink.Kind.PRIOR)
    assert (link.case, link.other) == (case, earlier)
    assert case.stage == Status.ELIGIBLE
    client.force_login(coordinator)
    for one, other in ((case, earlier), (earlier, case)):
        page = client.get(one.get_absolute_url()).content.decode()
        assert other.get_absolute_url() in page
        assert one.events.filter(kind=Event.Kind.LINKED, facts__other=other.number).exists()


@pytest.mark.capability("EL-4")
@pytest.mark.parametrize("number", ["CM99-0000001", "itself"])
def test_a_duplicate_must_name_a_different_existing_case(coordinator, number):
    case = received_case()
    named = case.number if number == "itself" else number
    fields = {get_item(case, 1).pk: ItemAnswers(not_decided="NO", note="x", other_case=named)}
    with pytest.raises(NotAllowed, match="its own duplicate|does not exist"):
        decide_eligibility(case, coordinator, items=fields)


@pytest.mark.capability("EL-4")
def test_a_possible_duplicate_under_the_same_claim_is_a_question_with_the_case_number(coordinator):
    claim = "06-4711"
    earlier = received_case(claim_number=claim, items=THREE[:1])
    form = application()
    another = replace(form.ur_decision, decided_on=date(2026, 2, 13), served_on=date(2026, 2, 13))
    case = received_case(claim_number=claim, items=THREE[:1], ur_decision=another)

    verdict = proposal_of(case).governing("NOT_DECIDED", 1)

    assert verdict.answer == "UNKNOWN"
    assert earlier.number in verdict.missing


# --- Reversal -------------------------------------------------------------------------------------


@pytest.mark.capability("EL-5")
def test_a_reversal_keeps_the_first_decision_and_restarts_the_eligibility_deadline(coordinator):
    case = received_case()
    first = decide_eligibility(case, coordinator, SIGNED="NO", notes={"SIGNED": "No ink."})
    before = list(first.findings.order_by("pk").values())
    at = LATER + timedelta(days=7)

    screening.screen_case_again(
        case_id=case.pk, reason="The WCAB reversed it.", by=coordinator, at=at
    )
    case.refresh_from_db()
    assert (case.stage, case.due_deadline_kind) == (Status.SCREENING, "screening")
    assert get_item(case, 1).ending == "PENDING"
    assert get_item(case, 1).history.filter(ending="INELIGIBLE").exists()
    running = case.deadlines.get(deadline_kind="screening", met_at=None, replaced_at=None)
    assert running.given == {"received": "2026-03-09"}

    decide_eligibility(case, coordinator, at=at)

    first.refresh_from_db()
    assert first.result == EligibilityResult.INELIGIBLE
    assert list(first.findings.order_by("pk").values()) == before
    assert [one.attempt for one in case.eligibility_decisions.order_by("attempt")] == [1, 2]
    assert case.due_deadline_kind == "noarfi"


@pytest.mark.capability("EL-5")
def test_a_closure_for_ineligibility_can_be_reversed(coordinator):
    case = received_case()
    decide_eligibility(case, coordinator, SIGNED="NO", notes={"SIGNED": "No ink."})
    endings.close_case(case_id=case.pk, reason="Done.", by=coordinator, at=LATER)

    screening.screen_case_again(case_id=case.pk, reason="Reversed.", by=coordinator, at=LATER)

    case.refresh_from_db()
    assert (case.stage, case.is_open, case.closed_at) == (Status.SCREENING, True, None)
    assert get_item(case, 1).ending == "PENDING"


@pytest.mark.capability("EL-5")
def test_a_withdrawn_case_is_not_reviewed_again(coordinator):
    case = received_case()
    endings.withdraw_case(case_id=case.pk, reason="A letter.", by=coordinator, at=LATER)
    endings.close_case(case_id=case.pk, reason="Done.", by=coordinator, at=LATER)
    with pytest.raises(NotAllowed, match="is in the “Closed” stage"):
        screening.screen_case_again(case_id=case.pk, reason="Please.", by=coordinator, at=LATER)


def two_duplicates_of_a_closed_lead(coordinator):
    lead, one, two = (received_case(claim_number="06-77") for _ in range(3))
    endings.withdraw_case(case_id=lead.pk, reason="A letter.", by=coordinator, at=LATER)
    endings.close_case(case_id=lead.pk, reason="Done.", by=coordinator, at=LATER)
    assert {one.duplicate_of_id, two.duplicate_of_id} == {lead.pk}
    return one, two


def test_a_lead_case_that_opens_between_check_and_write_is_named(coordinator, monkeypatch):
    """The race without luck: the look sees nothing, the database refuses the write."""
    one, two = two_duplicates_of_a_closed_lead(coordinator)
    screening.screen_case_again(case_id=one.pk, reason="Lead closed.", by=coordinator, at=LATER)
    real, looks = screening._why_not_the_open_case, []

    def blind_at_first(case):
        looks.append(case)
        return real(case) if len(looks) > 1 else ""

    monkeypatch.setattr(screening, "_why_not_the_open_case", blind_at_first)
    with pytest.raises(NotAllowed, match=f"Case {one.number} is open for the same UR decision"):
        screening.screen_case_again(case_id=two.pk, reason="Lead closed.", by=coordinator, at=LATER)

    two.refresh_from_db()
    assert two.stage == Status.DUPLICATE


# --- Disputed liability ---------------------------------------------------------------------------


def deferred_case(coordinator):
    form = application()
    disputed = replace(
        form.ur_decision, liability_disputed=True, liability_reason="The neck is not accepted."
    )
    case = received_case(ur_decision=disputed)
    assert proposal_of(case).answers["LIABILITY_CLEAR"] == "NO"
    decide_eligibility(case, coordinator, LIABILITY_CLEAR="NO")
    assert case.stage == Status.DEFERRED
    return case


@pytest.mark.capability("EL-6")
def test_a_liability_dispute_defers_the_case_and_its_resolution_reopens_it(coordinator):
    case = deferred_case(coordinator)
    deferral = case.eligibility_decisions.get()
    (reason,) = deferral.refusals()
    assert (reason.reason_code, get_item(case, 1).ending) == ("I-LIAB", "PENDING")
    assert {"name": "Reason", "value": "The neck is not accepted.", "source": "Application"} in (
        reason.facts_used
    )
    at = datetime(2026, 6, 1, 17, 0, tzinfo=UTC)

    information.resolve_liability(
        case_id=case.pk,
        notice_on=date(2026, 5, 28),
        method="mail_ca",
        how="Found compensable.",
        by=coordinator,
        at=at,
    )

    case = Case.objects.get(pk=case.pk)
    assert (case.stage, case.due_deadline_kind) == (Status.SCREENING, "screening")
    window = case.deadlines.get(deadline_kind="application_after_liability")
    assert window.due_on == date(2026, 7, 2)  # 30 days, and 5 for the mail
    assert case.events.filter(kind=Event.Kind.REOPENED, why="Found compensable.").exists()
    answers = proposal_of(case).answers
    assert (answers["LIABILITY_CLEAR"], answers["TIMELY"]) == ("YES", "YES")

    decide_eligibility(case, coordinator, at=at)
    assert case.stage == Status.ELIGIBLE
    window.refresh_from_db()
    assert window.met_at == at
    assert case.eligibility_decisions.order_by("attempt").first() == deferral


@pytest.mark.capability("EL-6")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"how": " "}, "Enter how the dispute was resolved"),
        ({"method": ""}, "Choose how the notice was served"),
        ({"notice_on": date(2026, 3, 9)}, "is in the future"),
        ({"notice_on": date(2026, 2, 1)}, "before the UR decision"),
    ],
)
def test_an_incomplete_resolution_is_refused(coordinator, changes, sentence):
    case = deferred_case(coordinator)
    facts = {"notice_on": MONDAY.date(), "method": "mail_ca", "how": "Accepted."} | changes
    with pytest.raises(NotAllowed, match=sentence):
        information.resolve_liability(case_id=case.pk, by=coordinator, at=LATER, **facts)
    case.refresh_from_db()
    assert case.stage == Status.DEFERRED


# --- Application against UR decision ----------------------------------------------------------


def test_an_open_difference_keeps_the_case_from_being_eligible(coordinator):
    case = received_case()
    (found,) = record_reading(case, coordinator, outcomes="DENIED", claim_number="06-9999")
    with pytest.raises(NotAllowed, match="one difference between the application and the UR"):
        decide_eligibility(case, coordinator)

    answer = {found.difference.key: "TYPING_ERROR"}
    ur_decision.answer_differences(
        case_id=case.pk, answers=answer, notes={}, by=coordinator, at=LATER
    )

    decide_eligibility(case, coordinator)
    assert case.stage == Status.ELIGIBLE
    row = case.difference_answers.get()
    assert (row.on_application, row.on_ur_decision) == (case.claim_number, "06-9999")


def test_a_decision_on_someone_else_is_not_the_one_that_had_to_be_attached(coordinator):
    case = received_case()
    (found,) = record_reading(case, coordinator, outcomes="DENIED", employee="Mario Quintero")
    ur_decision.answer_differences(
        case_id=case.pk,
        answers={found.difference.key: "DIFFERENT"},
        notes={found.difference.key: "Another person."},
        by=coordinator,
        at=LATER,
    )

    verdict = proposal_of(case).governing("UR_ATTACHED")
    assert (verdict.answer, verdict.code) == ("NO", "I-NOUR")


def test_an_item_that_really_is_not_in_the_decision_is_proposed_as_out(coordinator):
    case = received_case(items=THREE[:2])
    (found,) = record_reading(case, coordinator, items=[THREE[0].title])
    assert proposal_of(case).item_answers[2]["NECESSITY"] == "UNKNOWN"
    ur_decision.answer_differences(
        case_id=case.pk,
        answers={found.difference.key: "DIFFERENT"},
        notes={},
        by=coordinator,
        at=LATER,
    )
    assert proposal_of(case).item_answers[2]["NECESSITY"] == "NO"


def test_a_value_that_changes_opens_the_question_again(coordinator):
    case = received_case()
    (found,) = record_reading(case, coordinator, claim_number="06-9999")
    ur_decision.answer_differences(
        case_id=case.pk,
        answers={found.difference.key: "SAME"},
        notes={},
        by=coordinator,
        at=LATER,
    )
    assert ur_decision.list_open_differences(case) == []
    record_reading(case, coordinator, claim_number="06-8888")
    assert len(ur_decision.list_open_differences(case)) == 1


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [({"x" * 32: "SAME"}, "differences have changed"), ({}, "differences have changed")],
)
def test_only_listed_differences_can_be_answered(coordinator, answers, sentence):
    case = received_case()
    record_reading(case, coordinator, claim_number="06-9999")
    with pytest.raises(NotAllowed, match=sentence):
        ur_decision.answer_differences(
            case_id=case.pk, answers=answers, notes={}, by=coordinator, at=LATER
        )


def test_recording_a_ur_decision_from_a_stale_page_is_refused(coordinator):
    case = received_case()
    seen = case.version
    record_reading(case, coordinator)
    with pytest.raises(Stale):
        ur_decision.record_ur_reading(
            case_id=case.pk,
            as_read=DecisionReading(),
            outcomes={},
            seen_version=seen,
            by=coordinator,
            at=LATER,
        )


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_another_role_reads_asks_and_resolves_nothing(role):
    case, user = received_case(), person(role)
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        record_reading(case, user)
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        ask_information(case, user, "EMPLOYEE", date(2026, 3, 3))
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        information.resolve_liability(
            case_id=case.pk,
            notice_on=MONDAY.date(),
            method="mail_ca",
            how="x",
            by=user,
            at=LATER,
        )
