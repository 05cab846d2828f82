"""The panel that is kept between cases answers as one that is read again, at every change."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from accounts.services import set_active
from intake.services.receiving import ItemOnForm
from reviewers.matching.candidates import evaluate_candidates
from reviewers.matching.panel_snapshot import get_panel_snapshot
from reviewers.models import Reviewer
from reviewers.services import credentialing
from reviewers.services import planning as plans
from reviewers.services import rules as rule_services
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    PANEL_ENTERED,
    VERIFIED,
    category,
    fit_reviewer,
    offered_case,
    panel_seeds,
    ready_case,
    with_evidence,
)
from tests.reviewers.naive import naively_ranked

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
NOON = MONDAY + timedelta(hours=4)

# Of sixty reviewers in turn: what is on file otherwise.
KINDS = [
    {},
    {"license": {"state": "Nevada"}},
    {"hours": None},
    {"law": None, "certification": None},
    {"license": {"kind": "DC"}, "certification": None},
    {"certification": {"specialty": "Registered Nurse"}},
    {"certification": {"specialty": "Neurological Surgery"}},
    {"license": {"standing": "RESTRICTED", "valid_from": date(2026, 2, 1), "valid_to": None}},
    {"first_name": "Dana", "last_name": "Oyelaran"},
    {"sign_in": False},
]


def conflict_to(reviewer, organization, relation="EMPLOYMENT", **more):
    credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=reviewer.pk,
            relation=relation,
            organization_name=organization,
            valid_from=date(2024, 1, 1),
            by=None,
            at=PANEL_ENTERED,
            **VERIFIED | more,
        )
    )


def a_panel(size):
    panel_seeds()
    drugs = category("Pharmaceuticals", "Opioids")
    for number in range(size):
        reviewer = fit_reviewer(capacity=1 + number % 4, **KINDS[number % len(KINDS)])
        if number % 7 == 0:
            conflict_to(reviewer, "Harbor Cold Storage")
        if number % 11 == 0:
            conflict_to(reviewer, "No one of this case")
        if number % 13 == 0:
            conflict_to(reviewer, "Some Insurer", relation="UR_CONTRACT")
        if number % 17 == 0:
            conflict_to(
                reviewer,
                "Harbor Cold Storage",
                relation="OWNERSHIP",
                share_percent=Decimal("0.5"),
            )
        if number % 9 == 0:
            rule_services.limit_offers(
                reviewer_id=reviewer.pk,
                subjects=[drugs.pk] if number % 2 else [],
                days_off=[0] if number % 4 == 0 else [],
                reason="Asked",
                by=None,
                at=PANEL_ENTERED,
            )
    return drugs


@pytest.mark.capability("MC-1")
@pytest.mark.parametrize("size", [len(KINDS), pytest.param(60, marks=pytest.mark.long)])
def test_the_ranking_equals_that_of_a_simple_loop_over_all_reviewers(size):
    drugs = a_panel(size)
    held = offered_case(reviewer=Reviewer.objects.order_by("pk")[1])
    assert held.reviewer_id
    cases = [
        ready_case(),
        ready_case(items=[ItemOnForm(title="Norco", category_id=drugs.pk)]),
        ready_case(items=[ItemOnForm(title="Drops", body_part="Eye")]),
    ]

    for case in cases:
        verdicts, _ = evaluate_candidates(case, on=DAY, known_at=NOON)
        assert verdicts == naively_ranked(case, on=DAY, known_at=NOON)
        assert len(verdicts) == size
    assert (
        0
        < sum(one.is_eligible for one in evaluate_candidates(cases[0], on=DAY, known_at=NOON)[0])
        < size
    )


def test_the_facts_of_the_panel_are_read_once_for_many_cases():
    fit_reviewer()
    first = get_panel_snapshot(on=DAY, known_at=NOON)

    with CaptureQueriesContext(connection) as asked:
        again = get_panel_snapshot(on=DAY, known_at=NOON + timedelta(minutes=1))

    assert again is first
    assert len(asked) == 1


CHANGES = {
    "a leave is entered": (
        lambda reviewer: credentialing.add_leave(
            **with_evidence(
                reviewer_id=reviewer.pk,
                valid_from=DAY,
                valid_to=DAY,
                by=None,
                at=NOON,
                **VERIFIED,
            )
        ),
        {"LEAVE"},
    ),
    "a license is corrected": (
        lambda reviewer: credentialing.correct_fact(
            kind="license",
            fact_id=reviewer.licenses.get().pk,
            changes={"valid_to": date(2026, 3, 1)},
            by=None,
            at=NOON,
        ),
        {"LICENSE", "SPECIALTY"},
    ),
    "a contract for utilization review is entered": (
        lambda reviewer: conflict_to(reviewer, "Some Insurer", relation="UR_CONTRACT"),
        {"UR_CONTRACT"},
    ),
    "an affiliation to the employer is entered": (
        lambda reviewer: conflict_to(reviewer, "Harbor Cold Storage"),
        {"CONFLICT"},
    ),
    "the reviewer is suspended": (
        lambda reviewer: credentialing.set_reviewer_status(
            reviewer_id=reviewer.pk, status="SUSPENDED", reason="Asked to", by=None, at=NOON
        ),
        {"STATUS"},
    ),
    "the sign-in is withdrawn": (
        lambda reviewer: set_active(user_id=reviewer.user_id, active=False, by=None, at=NOON),
        {"SIGN_IN"},
    ),
    "the weekday becomes a day off": (
        lambda reviewer: rule_services.limit_offers(
            reviewer_id=reviewer.pk, subjects=None, days_off=[0], reason="Asked", by=None, at=NOON
        ),
        {"DAY_OFF"},
    ),
    "another case is given to them": (
        lambda reviewer: offered_case(reviewer=reviewer),
        {"WORKLOAD"},
    ),
}


@pytest.mark.parametrize(("change", "requirements"), CHANGES.values(), ids=list(CHANGES))
def test_a_change_shows_at_once_although_the_panel_is_cached(change, requirements):
    case, reviewer = ready_case(), fit_reviewer(capacity=1)

    def refused():
        (verdict,) = evaluate_candidates(case, on=DAY, known_at=NOON)[0]
        return {reason.requirement for reason in verdict.refusals}

    assert refused() == set()
    change(reviewer)
    assert refused() == requirements


def test_a_rolled_back_change_does_not_stay_in_the_cache():
    case, reviewer = ready_case(), fit_reviewer()

    def on_leave(day, at):
        credentialing.add_leave(
            **with_evidence(
                reviewer_id=reviewer.pk, valid_from=day, valid_to=day, by=None, at=at, **VERIFIED
            )
        )

    with transaction.atomic():
        on_leave(DAY, NOON)
        assert not evaluate_candidates(case, on=DAY, known_at=NOON)[0][0].is_eligible
        transaction.set_rollback(True)
    on_leave(DAY + timedelta(days=1), NOON - timedelta(seconds=1))

    assert evaluate_candidates(case, on=DAY, known_at=NOON)[0][0].is_eligible


def test_a_question_about_an_earlier_moment_ignores_later_facts():
    case, reviewer = ready_case(), fit_reviewer()
    CHANGES["a leave is entered"][0](reviewer)

    now = evaluate_candidates(case, on=DAY, known_at=NOON)[0][0]
    before = evaluate_candidates(case, on=DAY, known_at=NOON - timedelta(seconds=1))[0][0]

    assert (now.is_eligible, before.is_eligible) == (False, True)


@pytest.mark.capability("MC-7")
def test_a_plan_reads_the_panel_once_whatever_the_number_of_cases():
    coordinator = person(Role.COORDINATOR)
    assert coordinator.roles
    fit_reviewer()
    queries = []
    for more in (1, 1, 2):
        for _ in range(more):
            ready_case()
        with CaptureQueriesContext(connection) as asked:
            plans.build_plan(by=coordinator, at=NOON)
        queries.append(sum('"reviewers_license"' in one["sql"] for one in asked.captured_queries))

    # the first reads the facts; each asks once whether anything changed
    assert queries == [2, 1, 1]
