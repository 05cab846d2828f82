"""Two coordinators who act at the same second."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import Case
from eligibility.services import clear_cases, screening
from eligibility.services.ur_decision import DecisionReading, KeyedDecision
from tests.eligibility.test_clear_cases import clear_case
from tests.eligibility.test_decisions import LATER, two_duplicates_of_a_closed_lead
from tests.factories import SIX_YES, person, received_case
from tests.races import answers_after

pytestmark = pytest.mark.every_database


def decide(case, by, **answers):
    return screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES | answers,
        notes={},
        seen_version=case.version,
        by=by,
        at=LATER,
    )


def read_and_decide(case, by, outcome):
    return screening.read_and_decide(
        case_id=case.pk,
        keyed=KeyedDecision(DecisionReading(), {item.pk: outcome for item in case.items.all()}),
        difference_answers={},
        difference_notes={},
        answers=SIX_YES | {"NECESSITY": "READ"},
        notes={},
        seen_version=case.version,
        by=by,
        at=LATER,
    )


def accept_in_bulk(case, by):
    pairs = [(case.pk, case.version)]
    (row,) = clear_cases.accept_clear_cases(seen_versions=pairs, by=by, at=LATER)
    return row.refusal


@pytest.mark.postgres
def test_of_two_coordinators_who_decide_one_case_the_second_is_refused(committed_db):
    first, second = person(Role.COORDINATOR), person(Role.COORDINATOR)
    case = received_case()

    answers = answers_after(
        lambda: decide(case, first, TIMELY="UNKNOWN"),
        {"second": lambda: read_and_decide(case, second, "DENIED")},
    )

    assert isinstance(answers["second"], Stale)
    assert case.eligibility_decisions.get().decided_by == first
    assert case.items.get().ur_outcome == ""


@pytest.mark.postgres
def test_a_bulk_run_waits_for_a_single_decision_and_leaves_the_case_out(committed_db):
    first, second = person(Role.COORDINATOR), person(Role.COORDINATOR)
    case = clear_case(first)

    answers = answers_after(
        lambda: decide(case, first, TIMELY="UNKNOWN"),
        {"bulk": lambda: accept_in_bulk(case, second)},
    )

    assert "has changed since the list was shown" in answers["bulk"]
    assert case.eligibility_decisions.get().decided_by == first


@pytest.mark.postgres
def test_a_single_decision_waits_for_a_bulk_run_and_is_refused(committed_db):
    first, second = person(Role.COORDINATOR), person(Role.COORDINATOR)
    case = clear_case(first)

    answers = answers_after(
        lambda: accept_in_bulk(case, first),
        {"single": lambda: read_and_decide(case, second, "MODIFIED")},
    )

    assert "is in the “Eligible” stage" in str(answers["single"])
    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE
    assert case.eligibility_decisions.get().decided_by == first


def test_two_duplicates_of_a_closed_lead_reviewed_at_once_give_one_case_and_one_refusal(
    committed_db,
):
    coordinator = person(Role.COORDINATOR)
    cases = two_duplicates_of_a_closed_lead(coordinator)
    together = Barrier(2)

    def screen(case):
        try:
            together.wait(10)
            screening.screen_case_again(
                case_id=case.pk, reason="Lead closed.", by=coordinator, at=LATER
            )
        except NotAllowed as refusal:
            return str(refusal)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(2) as pool:
        text = sorted(pool.map(screen, cases))

    assert text[0] == ""
    assert "is open for the same UR decision" in text[1]
    assert Case.objects.filter(status=Status.SCREENING).count() == 1
