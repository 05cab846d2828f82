"""Repairs change only what the nightly run names, with a reason and a record, and list it first."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.roles import Role
from accounts.verification import verify_history
from cases.models import Case, CaseKey, Deadline
from letters.models import Letter, LetterStep
from maintenance.models import Finding, Repair
from maintenance.services import nightly
from maintenance.services.repairs import REPAIRS
from queues.models import WorkClaim
from tests.factories import MONDAY, person, received_case
from tests.letters import factories as letter_factories

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]

LATER = MONDAY + timedelta(hours=2)


@pytest.fixture
def staff(set_clock):
    set_clock(LATER)
    return {role: person(role) for role in Role}


def run(command, staff, *options, reason="Restored from a copy", role=Role.ADMINISTRATOR):
    out = StringIO()
    call_command(command, "--reason", reason, "--by", staff[role].email, *options, stdout=out)
    return out.getvalue()


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def count_findings():
    return nightly.run_checks(at=LATER)


@pytest.mark.capability("AD-5")
def test_a_derived_field_is_listed_first_and_repaired_when_applied(staff):
    case, other = received_case(), received_case()
    queue = case.queue
    execute(f"UPDATE cases_case SET queue = 'qa' WHERE id = {case.pk}")

    said = run("repair_derived_fields", staff)
    assert f"cases_case, row {case.pk}, queue" in said
    assert "1 row would be changed. Nothing was stored" in said
    assert Case.objects.get(pk=case.pk).queue == "qa"
    assert not Repair.objects.exists()

    said = run("repair_derived_fields", staff, "--apply")
    assert "1 row changed." in said
    case.refresh_from_db()
    assert case.queue == queue
    version = case.history.latest("history_id")
    assert (version.history_user, version.history_change_reason) == (
        staff[Role.ADMINISTRATOR],
        "Restored from a copy",
    )
    assert Case.objects.get(pk=other.pk).version == other.version
    record = Repair.objects.get()
    assert (record.command, record.reason) == ("repair_derived_fields", "Restored from a copy")
    assert record.changes == [["cases_case", str(case.pk), "queue"]]
    assert verify_history() == []
    assert count_findings() == 0
    assert "0 rows changed." in run("repair_derived_fields", staff, "--apply")


@pytest.mark.parametrize(
    ("command", "column", "wrong"),
    [("repair_derived_fields", "queue", "qa"), ("repair_due_dates", "due_on", "2030-01-01")],
)
def test_a_case_that_changes_after_the_comparison_is_left_to_the_next_run(
    staff, monkeypatch, command, column, wrong
):
    """The value that was found may be outdated when the lock is granted."""
    case = received_case()
    execute(f"UPDATE cases_case SET {column} = '{wrong}' WHERE id = {case.pk}")
    lock = type(Case.objects.all()).lock

    def change_and_lock(rows, pk, **options):
        changed = lock(rows, pk, **options)
        changed.store(by=staff[Role.INTAKE], at=LATER, why="Typed", fields=["claim_number"])
        return lock(rows, pk, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(Case.objects.all()), "lock", change_and_lock)
        assert "0 rows changed." in run(command, staff, "--apply")

    assert str(getattr(Case.objects.get(pk=case.pk), column)) == wrong
    assert not Repair.objects.exists()


def test_two_wrong_fields_of_one_case_are_repaired_in_one_run(staff):
    case = received_case()
    execute(f"UPDATE cases_case SET queue = 'qa', next_role = 'qa' WHERE id = {case.pk}")

    assert "2 rows changed." in run("repair_derived_fields", staff, "--apply")
    assert count_findings() == 0


@pytest.mark.capability("AD-5")
def test_missing_search_keys_are_stored_again(staff):
    case = received_case()
    keys = sorted(case.keys.values_list("key", flat=True))
    CaseKey.objects.all().delete()
    run("repair_derived_fields", staff, "--apply")
    assert sorted(case.keys.values_list("key", flat=True)) == keys
    assert count_findings() == 0


@pytest.mark.capability("AD-5")
def test_due_dates_are_recalculated(staff):
    case = received_case()
    due_on = case.due_on
    execute("UPDATE cases_case SET due_on = '2030-01-01'")
    execute("UPDATE cases_deadline SET due_on = '2030-01-01' WHERE replaced_at IS NULL")
    run("repair_due_dates", staff, "--apply")
    case.refresh_from_db()
    assert case.due_on == due_on
    assert Deadline.objects.get(case=case, replaced_at=None).due_on == due_on
    assert not Finding.objects.open().filter(code="derived_value").exists()


@pytest.mark.capability("AD-5")
def test_only_a_letter_that_no_worker_took_is_queued_again(staff):
    wording = letter_factories.wording()
    stuck = letter_factories.enqueue(wording, reference="CM26-0000001", at=MONDAY)
    fresh = letter_factories.enqueue(wording, reference="CM26-0000002", at=LATER)
    Letter.objects.update(published_at=MONDAY)
    assert "1 row changed." in run("requeue_letter", staff, "--apply")
    stuck.refresh_from_db()
    fresh.refresh_from_db()
    assert (stuck.published_at, fresh.published_at) == (None, MONDAY)
    step = stuck.steps.latest("pk")
    assert (step.kind, step.by) == (LetterStep.Kind.REQUEUED, staff[Role.ADMINISTRATOR])


@pytest.mark.capability("AD-5")
def test_a_claim_on_a_closed_case_is_released(staff):
    case = received_case()
    claim = WorkClaim.objects.create(
        case=case, by=staff[Role.INTAKE], queue="intake", claimed_at=MONDAY - timedelta(hours=5),
        until=MONDAY - timedelta(hours=1),
    )  # fmt: skip
    assert "0 rows changed." in run("close_orphan_claims", staff, "--apply")
    execute(
        "UPDATE cases_case SET status = 'CLOSED', closed_at = received_at, "
        f"is_open = {'false' if connection.vendor == 'postgresql' else 0}"
    )
    assert "1 row changed." in run("close_orphan_claims", staff, "--apply")
    claim.refresh_from_db()
    assert claim.released_at == claim.until


@pytest.mark.parametrize("command", REPAIRS)
def test_a_repair_needs_a_reason_and_an_administrator(staff, command):
    with pytest.raises(CommandError, match="Enter why"):
        run(command, staff, reason=" ")
    with pytest.raises(CommandError, match="An administrator runs repairs"):
        run(command, staff, role=Role.COORDINATOR)
    with pytest.raises(CommandError, match="Nobody signs in with"):
        call_command(command, "--reason", "x", "--by", "nobody@example.org")
    with pytest.raises(CommandError, match="reason"):
        call_command(command, "--by", staff[Role.ADMINISTRATOR].email)


def test_the_record_of_a_repair_cannot_be_changed(staff):
    received_case()
    execute("UPDATE cases_case SET queue = 'qa'")
    run("repair_derived_fields", staff, "--apply")
    with pytest.raises(DatabaseError), transaction.atomic():
        Repair.objects.update(reason="Another")
