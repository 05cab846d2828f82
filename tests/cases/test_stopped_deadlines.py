"""A case that has ended or waits for a person has no running deadline."""

from datetime import timedelta

import pytest

from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case
from cases.services import endings
from desk.templatetags.page_tags import show_due
from eligibility.services import screening
from tests.factories import (
    MONDAY,
    SIX_YES,
    URDecisionOnForm,
    noticed_case,
    person,
    received_case,
)

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(days=9)
LATER_DAY = LATER.date()


def list_active_deadlines(case):
    return case.deadlines.filter(met_at__isnull=True, replaced_at__isnull=True)


def decide_eligibility(case, **answers):
    screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES | answers,
        notes=dict.fromkeys(answers, "Read on the paper."),
        seen_version=None,
        by=person(Role.COORDINATOR),
        at=LATER,
    )
    return Case.objects.get(pk=case.pk)


@pytest.mark.parametrize("act", [endings.withdraw_case, endings.close_case])
def test_an_ended_case_has_no_running_deadline_and_no_due_date(act):
    coordinator = person(Role.COORDINATOR)
    case = noticed_case(coordinator=coordinator)
    assert list_active_deadlines(case).exists()
    endings.withdraw_case(case_id=case.pk, reason="Taken back", by=coordinator, at=LATER)
    if act is endings.close_case:
        endings.close_case(case_id=case.pk, reason="Done", by=coordinator, at=LATER)

    case = Case.objects.get(pk=case.pk)

    assert not list_active_deadlines(case).exists()
    assert case.deadlines.filter(deadline_kind="records", replaced_at=LATER).count() == 1
    assert (case.due_on, case.due_deadline_kind) == (LATER_DAY, "")
    assert show_due(case, LATER_DAY + timedelta(days=30))["when"] == "No due date"


@pytest.mark.parametrize(
    ("answers", "status"),
    [({"SIGNED": "NO"}, Status.INELIGIBLE), ({"LIABILITY_CLEAR": "NO"}, Status.DEFERRED)],
)
def test_a_case_that_waits_for_a_person_has_no_eligibility_deadline(answers, status):
    case = decide_eligibility(received_case(), **answers)

    assert case.stage == status
    assert (case.due_on, case.due_deadline_kind) == (LATER_DAY, "")


def test_reviewing_eligibility_again_restarts_its_deadline():
    case = decide_eligibility(received_case(), SIGNED="NO")
    screening.screen_case_again(
        case_id=case.pk, reason="Signature came", by=person(Role.COORDINATOR), at=LATER
    )

    assert Case.objects.get(pk=case.pk).due_deadline_kind == "screening"


def test_a_possible_duplicate_has_the_same_due_date_as_any_application():
    decision = URDecisionOnForm(decided_on=(MONDAY - timedelta(days=20)).date(), reference="UR 7")
    first = received_case(claim_number="55-1", ur_decision=decision)
    second = received_case(claim_number="55-1", ur_decision=decision)

    assert second.stage == Status.DUPLICATE
    assert (second.due_on, second.due_deadline_kind) == (first.due_on, "screening")
