"""Twenty claimants for one place, on committed rows: one wins, the others are told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from accounts.refusals import Refused
from accounts.roles import Role
from accounts.versions import Stale
from cases.models import Case
from deadlines.days import local_day
from reviewers.matching.candidates import evaluate_candidates
from reviewers.models import AttestationWording, License, Reviewer, ReviewerAssignment
from reviewers.services import assignment as assignments
from reviewers.services import credentialing, moving, wordings
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    PANEL_ENTERED,
    VERIFIED,
    fit_reviewer,
    offered_case,
    panel_seeds,
    rank_panel,
    ready_case,
    with_evidence,
)

pytestmark = pytest.mark.every_database

NOON = MONDAY + timedelta(hours=4)
CLAIMANTS = 20


def all_at_once(*acts):
    """Run each act in its own thread and connection; give what came back or what was refused."""
    together = Barrier(len(acts))

    def run(act):
        try:
            together.wait(timeout=30)
            return act()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def make_assign_call(case, reviewer, listed, by):
    return lambda: assignments.assign_reviewer(
        case_id=case.pk,
        reviewer_id=reviewer.pk,
        candidate_list_id=listed.pk,
        seen_version=case.version,
        override_code="OTHER",
        override_reason="First come",
        by=by,
        at=NOON,
    )


def test_one_of_twenty_coordinators_who_assign_the_same_case_wins(committed_db):
    case = ready_case()
    reviewers = [fit_reviewer() for _ in range(4)]
    coordinators = [person(Role.COORDINATOR) for _ in range(CLAIMANTS)]
    listed = rank_panel(case, by=coordinators[0])

    answers = all_at_once(
        *(
            make_assign_call(case, reviewers[n % len(reviewers)], listed, coordinator)
            for n, coordinator in enumerate(coordinators)
        )
    )

    won = [answer for answer in answers if isinstance(answer, ReviewerAssignment)]
    lost = [answer for answer in answers if isinstance(answer, assignments.AlreadyTaken)]
    assert (len(won), len(lost)) == (1, CLAIMANTS - 1)
    assert case.assignments.count() == 1
    assert case.events.filter(kind="REVIEWER_OFFERED").count() == 1
    assert f"{won[0].offered_by.name} has already offered" in str(lost[0])


def test_one_of_ten_coordinators_moves_a_case_and_the_others_see_who_did(committed_db):
    held = offered_case()
    others = [fit_reviewer() for _ in range(3)]
    version = Case.objects.get(pk=held.case_id).version
    coordinators = [person(Role.COORDINATOR) for _ in range(CLAIMANTS // 2)]

    answers = all_at_once(
        *(
            lambda to=others[n % 3].pk, by=coordinator: moving.execute_move_plan(
                reviewer_id=held.reviewer_id,
                choices=[(held.pk, version, to)],
                reason="On leave",
                by=by,
                at=NOON,
            )
            for n, coordinator in enumerate(coordinators)
        )
    )

    outcomes = [outcome for (outcome,) in answers]
    assert [one.is_done for one in outcomes].count(True) == 1
    live = held.case.assignments.get(state__in=ReviewerAssignment.LIVE)
    assert {one.sentence for one in outcomes if not one.is_done} == {
        f"{held.reviewer.code} no longer has the case: removed by {live.offered_by.name}."
    }
    assert held.case.assignments.count() == 2
    assert held.case.events.filter(kind="REVIEWER_REMOVED").count() == 1


def test_one_of_twenty_cases_gets_the_last_free_place_of_a_reviewer(committed_db):
    reviewer = fit_reviewer(capacity=1)
    coordinator = person(Role.COORDINATOR)
    cases = [ready_case() for _ in range(CLAIMANTS)]
    lists = [rank_panel(case, by=coordinator) for case in cases]

    answers = all_at_once(
        *(
            make_assign_call(case, reviewer, listed, coordinator)
            for case, listed in zip(cases, lists, strict=True)
        )
    )

    won = [answer for answer in answers if isinstance(answer, ReviewerAssignment)]
    assert len(won) == 1
    assert all(
        "Open cases: 1 of 1." in str(answer)
        for answer in answers
        if not isinstance(answer, ReviewerAssignment)
    )
    assert ReviewerAssignment.objects.filter(reviewer=reviewer).count() == 1


def test_reviewers_entered_at_the_same_time_get_different_codes(committed_db):
    keepers = [person(Role.CREDENTIALING) for _ in range(8)]

    all_at_once(
        *(
            lambda keeper=keeper: credentialing.create_reviewer(
                first_name="Ana", last_name="Keller", by=keeper, at=NOON
            )
            for keeper in keepers
        )
    )

    codes = sorted(Reviewer.objects.values_list("code", flat=True))
    assert codes == [f"R-{number:04d}" for number in range(1, 9)]


@pytest.mark.capability("MC-3")
def test_one_of_eight_directors_who_publish_a_wording_at_once_wins(committed_db):
    panel_seeds()
    directors = [person(Role.DIRECTOR) for _ in range(8)]

    answers = all_at_once(
        *(make_publish_call(n, by=director) for n, director in enumerate(directors))
    )

    assert sum(isinstance(answer, AttestationWording) for answer in answers) == 1
    assert sum(isinstance(answer, Stale) for answer in answers) == 7
    assert sorted(AttestationWording.objects.values_list("number", flat=True)) == [1, 2]


def make_publish_call(n, *, by):
    return lambda: wordings.publish_attestation_wording(
        text="Each answer below is true.",
        questions=[f"Question {n}?"],
        surname="Are you related to a party who bears your surname?",
        effective_from=local_day(NOON),
        reason="Shorter",
        seen_number=1,
        by=by,
        at=NOON,
    )


def record_contract(reviewer):
    credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=reviewer.pk,
            relation="UR_CONTRACT",
            organization_name="Some Insurer",
            valid_from=local_day(PANEL_ENTERED),
            by=None,
            at=PANEL_ENTERED,
            **VERIFIED,
        )
    )


def test_one_of_five_who_withdraw_the_same_license_at_once_wins(committed_db):
    """Without the lock, the others would meet the constraint of the database."""
    license_row = License.objects.filter(reviewer=fit_reviewer()).first()
    by = person(Role.CREDENTIALING)

    def withdraw():
        return credentialing.correct_fact(
            kind="license", fact_id=license_row.pk, changes={}, withdrawn=True, by=by, at=MONDAY
        )

    came = all_at_once(*[withdraw] * 5)

    assert len([one for one in came if isinstance(one, License)]) == 1
    assert len([one for one in came if "already corrected this row" in str(one)]) == 4


def test_what_another_process_records_shows_in_a_process_that_keeps_the_panel(committed_db):
    case, reviewer = ready_case(), fit_reviewer()
    assert evaluate_candidates(case, on=local_day(NOON), known_at=NOON)[0][0].is_eligible

    def act_elsewhere():
        try:
            record_contract(reviewer)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(act_elsewhere).result()

    (result,) = evaluate_candidates(case, on=local_day(NOON), known_at=NOON)[0]
    assert {one.requirement for one in result.refusals} == {"UR_CONTRACT"}


def test_two_writers_at_the_same_time_do_not_wait_for_each_other_and_both_show(committed_db):
    """On PostgreSQL the mark of the first writer is locked when the second one writes."""
    case, reviewers = ready_case(), [fit_reviewer(), fit_reviewer()]
    evaluate_candidates(case, on=local_day(NOON), known_at=NOON)

    def act_elsewhere():
        try:
            record_contract(reviewers[1])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                record_contract(reviewers[0])
                pool.submit(act_elsewhere).result(timeout=30)
        else:  # SQLite has one writer at a time
            record_contract(reviewers[0])
            pool.submit(act_elsewhere).result(timeout=30)

    results, _ = evaluate_candidates(case, on=local_day(NOON), known_at=NOON)
    assert [one.is_eligible for one in results] == [False, False]
