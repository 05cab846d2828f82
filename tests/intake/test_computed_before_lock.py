"""An application is computed before the transaction; what changed meanwhile is checked in it.

SQLite lets one transaction write at a time, and all databases give out case numbers one after
another, so nobody else can save while something is computed inside the transaction.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
from django.db import OperationalError, connection, transaction

import cases.duplicates
import cases.services.case_deadlines
import cases.services.own_conflicts
from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.services import revoke_role
from cases.lifecycle import Status
from cases.models import Case, CaseNumberSeries, DuplicateProposal, OwnConflictResult
from cases.services import duplicates, own_conflicts
from cases.services.duplicates import read_application_facts
from deadlines.models import DeadlineRule
from directory.models import Person
from intake.services import receiving
from tests.cases.test_own_conflicts import record_member
from tests.factories import MONDAY, application, parties, person

CLAIM = "06-2213-00000001"


@pytest.fixture
def clerk(db):
    return person(Role.INTAKE)


def receive(clerk, form=None, **changes):
    form = form or application(**changes)
    return receiving.receive_application(application=form, by=clerk, at=MONDAY)


@contextmanager
def meanwhile(monkeypatch, act):
    """Run an act once, between the computation of the next application and its transaction."""
    real, acts = receiving._prepare, [act]

    def prepare(*args):
        prepared = real(*args)
        if acts:
            acts.pop()()
        return prepared

    with monkeypatch.context() as patched:
        patched.setattr(receiving, "_prepare", prepare)
        yield
    assert not acts


@pytest.mark.every_database
def test_comparing_computing_and_proposing_hold_no_transaction(clerk, monkeypatch):
    receive(clerk)
    record_member(name="Ruth Castellanos", kind="OFFICER")
    outside, seen = len(connection.savepoint_ids), []
    for module, name in (
        (cases.duplicates, "compare_applications"),
        (cases.services.case_deadlines, "compute_deadline"),
        (cases.services.own_conflicts, "find_own_conflicts"),
        (cases.formulary, "propose_for_application"),
    ):
        real = getattr(module, name)

        def watch(*args, real=real, name=name, **options):
            seen.append((name, len(connection.savepoint_ids) - outside))
            return real(*args, **options)

        monkeypatch.setattr(module, name, watch)

    receive(clerk)

    assert {name for name, _ in seen} == {
        "compare_applications",
        "compute_deadline",
        "find_own_conflicts",
        "propose_for_application",
    }
    assert {depth for _, depth in seen} == {0}


@pytest.mark.every_database
def test_others_can_save_while_an_application_is_compared(committed_db, monkeypatch):
    clerk = person(Role.INTAKE)
    receive(clerk)
    real, saved = duplicates.compare_with_cases, []

    def save_elsewhere():
        try:
            with transaction.atomic():
                if connection.vendor == "sqlite":
                    connection.cursor().execute("PRAGMA busy_timeout = 200")
                row = CaseNumberSeries.objects.select_for_update(nowait=True).first()
                row.save(update_fields=["last"])
            return True
        except OperationalError:
            return False
        finally:
            connection.close()

    def compare(**options):
        with ThreadPoolExecutor(1) as pool:
            saved.append(pool.submit(save_elsewhere).result())
        return real(**options)

    monkeypatch.setattr(duplicates, "compare_with_cases", compare)
    receive(clerk)

    assert saved == [True]


def test_the_form_is_compared_with_the_values_that_its_case_has(clerk):
    form = application(claim_number=" 06-2213 / a77 ")
    case = receive(clerk, form)
    assert receiving.build_facts(application=form) == read_application_facts(case)


def test_a_conflict_check_of_a_form_finds_what_a_check_of_its_case_finds(clerk):
    record_member(name="Ruth Castellanos", kind="OFFICER")
    record_member(name="Someone Else", kind="OWNER", share_percent=40)
    receive(clerk)  # the second form finds the same persons and companies on file
    for changed in (parties(), parties(EMPLOYEE_ATTORNEY="Marisol Quintanar")):
        case = receive(clerk, parties=changed)
        found = list(OwnConflictResult.objects.filter(case=case))
        assert {row.party_id for row in found if row.party_id} <= set(
            case.parties.values_list("pk", flat=True)
        )
        # A check that finds the same stores nothing.
        again = own_conflicts.check_own_conflicts(case=case, by=clerk, at=MONDAY)
        assert again == found
    assert OwnConflictResult.objects.filter(result="UNKNOWN").exists()


def test_a_look_alike_that_arrives_meanwhile_is_proposed(clerk, monkeypatch):
    first = []
    with meanwhile(monkeypatch, lambda: first.append(receive(clerk))):
        second = receive(clerk, ur_decision=replace(application().ur_decision, reference="UR-9"))
    assert [row.other for row in DuplicateProposal.objects.filter(case=second)] == first
    assert sorted(Case.objects.values_list("number", flat=True)) == [
        "CM26-0000001",
        "CM26-0000002",
    ]


def test_a_look_alike_that_is_corrected_meanwhile_is_compared_again(clerk, monkeypatch):
    other = receive(clerk)

    def correct():
        other.date_of_injury = date(2019, 9, 9)
        other.claim_number = other.claim_number_normal = "ANOTHER"
        other.store(by=clerk, at=MONDAY)

    with meanwhile(monkeypatch, correct):
        case = receive(clerk)
    # The two forms differed in their claim numbers alone.
    (proposal,) = DuplicateProposal.objects.filter(case=case)
    assert len(proposal.why["against"]) == 2


def test_the_same_ur_decision_that_is_entered_meanwhile_leads(clerk, monkeypatch):
    first = []
    enter = lambda: first.append(receive(clerk, claim_number=CLAIM))  # noqa: E731
    with meanwhile(monkeypatch, enter):
        second = receive(clerk, claim_number=CLAIM)
    assert second.stage == Status.DUPLICATE
    assert second.duplicate_of == first[0]


def test_the_same_form_that_is_saved_meanwhile_is_one_case(clerk, monkeypatch):
    form = application()
    with meanwhile(monkeypatch, lambda: receive(clerk, form)):
        receive(clerk, form)
    assert Case.objects.count() == 1


def test_a_person_who_is_stored_meanwhile_is_not_stored_twice(clerk, monkeypatch):
    record_member(name="Ruth Castellanos", kind="OFFICER")
    with meanwhile(monkeypatch, lambda: receive(clerk)):
        case = receive(clerk)
    assert Person.objects.exclude(roles=None).distinct().count() == 3
    found = list(OwnConflictResult.objects.filter(case=case))
    assert own_conflicts.check_own_conflicts(case=case, by=clerk, at=MONDAY) == found


def test_a_deadline_rule_that_changes_meanwhile_counts(clerk, monkeypatch):
    usual = receive(clerk)

    def replace_rule():
        rule = DeadlineRule.objects.get(deadline_kind="screening")
        rule.length += 1
        rule.store(by=clerk, at=MONDAY)

    with meanwhile(monkeypatch, replace_rule):
        case = receive(clerk)
    assert case.deadlines.get(deadline_kind="screening").due_on > usual.due_on
    assert case.due_on == case.deadlines.get(deadline_kind="screening").due_on


def test_the_proposal_of_the_drug_list_follows_the_decision_on_file(clerk, monkeypatch):
    other_day = replace(application().ur_decision, requested_on=date(2026, 2, 9))
    asked = []
    monkeypatch.setattr(receiving, "propose_for_case", lambda case: asked.append(case))
    enter = lambda: receive(clerk, claim_number=CLAIM, ur_decision=other_day)  # noqa: E731
    with meanwhile(monkeypatch, enter):
        case = receive(clerk, claim_number=CLAIM)
    assert asked == [case]


def test_a_clerk_who_loses_the_role_while_it_is_computed_stores_nothing(clerk, monkeypatch):
    def revoke():
        revoke_role(user_id=clerk.pk, role=Role.INTAKE, by=None, at=MONDAY)

    assert clerk.roles == {Role.INTAKE}
    with (
        meanwhile(monkeypatch, revoke),
        pytest.raises(NotAllowed, match="cannot enter applications"),
    ):
        receive(clerk)
    assert not Case.objects.exists()
