"""Deciding eligibility: six yes, a no, an unknown, and who may say so when."""

from datetime import timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import Event
from eligibility.answers import EligibilityResult
from eligibility.services import screening
from tests.factories import MONDAY, SIX_YES, person, received_case

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=1)


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


def decide_eligibility(case, by, *, seen_version=None, notes=None, at=LATER, **answers):
    return screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES | answers,
        notes=notes or dict.fromkeys(answers, "Read on the paper."),
        seen_version=seen_version,
        by=by,
        at=at,
    )


def test_six_yes_make_a_case_eligible_and_start_the_deadline_of_the_notice(coordinator):
    case = received_case()

    decision = decide_eligibility(case, coordinator)

    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE
    assert decision.result == EligibilityResult.ELIGIBLE
    assert (decision.attempt, decision.decided_by, decision.decided_at) == (1, coordinator, LATER)
    assert set(decision.findings.values_list("answer", flat=True)) == {"YES"}
    assert decision.findings.filter(item=None).count() == 6
    assert decision.findings.exclude(item=None).count() == 2
    assert case.deadlines.get(deadline_kind="screening").met_at == LATER
    notice = case.deadlines.get(deadline_kind="noarfi")
    assert (case.due_on, case.due_deadline_kind) == (notice.due_on, "noarfi")
    event = case.events.latest("pk")
    assert (event.kind, event.by) == (Event.Kind.FOUND_ELIGIBLE, coordinator)


def test_the_timeline_says_which_fact_each_note_is_about(coordinator):
    case = received_case()
    notes = {"UR_ATTACHED": "UR decision, pages 1-3", "LIABILITY_CLEAR": "Letter of 11/25."}

    decide_eligibility(case, coordinator, notes=notes)

    assert case.events.latest("pk").why == (
        "UR decision attached: UR decision, pages 1-3. No liability dispute: Letter of 11/25."
    )


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        ("SIGNED", "I-UNSIGNED"),
        ("TIMELY", "I-LATE"),
        ("UR_ATTACHED", "I-NOUR"),
        ("NECESSITY", "I-NOTINUR"),
        ("NOT_DECIDED", "I-PRIOR"),
    ],
)
def test_a_no_makes_a_case_ineligible_with_its_code(coordinator, fact, code):
    case = received_case()

    decision = decide_eligibility(case, coordinator, notes={fact: "Page 2."}, **{fact: "NO"})

    case.refresh_from_db()
    assert case.stage == Status.INELIGIBLE
    for finding in decision.findings.filter(fact=fact):
        assert (finding.answer, finding.reason_code, finding.note) == ("NO", code, "Page 2.")
    assert case.events.latest("pk").why.endswith(": Page 2.")
    assert not case.deadlines.filter(deadline_kind="noarfi").exists()


def test_a_liability_dispute_alone_defers(coordinator):
    case = received_case()

    decide_eligibility(case, coordinator, LIABILITY_CLEAR="NO")

    case.refresh_from_db()
    assert case.stage == Status.DEFERRED


@pytest.mark.parametrize("answer", ["UNKNOWN", "", "PERHAPS"])
def test_an_unknown_keeps_the_case_in_screening_and_is_never_a_no(coordinator, answer):
    case = received_case()

    decision = decide_eligibility(case, coordinator, TIMELY=answer)

    case.refresh_from_db()
    assert case.stage == Status.SCREENING
    assert decision.result == EligibilityResult.INCOMPLETE
    finding = decision.findings.get(fact="TIMELY")
    assert (finding.answer, finding.reason_code) == ("UNKNOWN", "")
    assert case.deadlines.get(deadline_kind="screening").met_at is None
    assert case.events.latest("pk").kind == Event.Kind.SCREENED


def test_a_case_may_be_decided_again_and_every_finding_is_kept(coordinator):
    case = received_case()
    decide_eligibility(case, coordinator, TIMELY="UNKNOWN")
    decide_eligibility(case, coordinator, SIGNED="NO")
    screening.screen_case_again(case_id=case.pk, reason="Signed now.", by=coordinator, at=LATER)
    decide_eligibility(case, coordinator)

    results = case.eligibility_decisions.order_by("attempt").values_list("attempt", "result")
    assert list(results) == [(1, "INCOMPLETE"), (2, "INELIGIBLE"), (3, "ELIGIBLE")]


def test_a_case_that_someone_else_changed_is_not_decided(coordinator):
    case = received_case()
    seen = case.version
    decide_eligibility(case, person(Role.COORDINATOR), SIGNED="NO")

    case.refresh_from_db()
    screening.screen_case_again(case_id=case.pk, reason="Look again.", by=coordinator, at=LATER)
    with pytest.raises(Stale, match="Someone else changed this"):
        decide_eligibility(case, coordinator, seen_version=seen)

    case.refresh_from_db()
    assert case.stage == Status.SCREENING
    assert case.eligibility_decisions.count() == 1


def test_a_finding_that_kept_the_case_in_screening_is_seen_by_the_next_coordinator(coordinator):
    """The case row itself does not move, and still the second page is told."""
    case = received_case()
    seen = case.version
    decide_eligibility(case, person(Role.COORDINATOR), seen_version=seen, TIMELY="UNKNOWN")

    with pytest.raises(Stale):
        decide_eligibility(case, coordinator, seen_version=seen)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_another_role_decides_nothing(role):
    case = received_case()

    with pytest.raises(NotAllowed, match="Your role does not let you decide"):
        decide_eligibility(case, person(role))

    assert not case.eligibility_decisions.exists()


def test_a_case_past_screening_is_not_decided_again(coordinator):
    case = received_case()
    decide_eligibility(case, coordinator)

    with pytest.raises(NotAllowed, match="is in the “Eligible” stage"):
        decide_eligibility(case, coordinator)

    assert case.eligibility_decisions.count() == 1


def test_a_possible_duplicate_is_reviewed_only_after_it_is_resolved(coordinator):
    lead = received_case(claim_number="06-2213-1")
    case = received_case(claim_number="06-2213-1")
    assert case.duplicate_of == lead

    with pytest.raises(NotAllowed, match="First compare the two applications"):
        decide_eligibility(case, coordinator)
