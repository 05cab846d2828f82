"""The nightly run is green on what the services store, and names each impossible state."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from cases.models import Case, Commitment, Hold, PartyRole
from cases.services import holds, restrictions
from deadlines.days import local_day
from eligibility.services import splitting
from intake.services.receiving import ItemOnForm
from jobs.failures import LeaseLost
from letters.models import Letter
from maintenance import derived
from maintenance.checks import CHECKS
from maintenance.models import Finding
from maintenance.services import nightly
from maintenance.tasks import run_nightly_checks
from tests.determinations.factories import REVIEWED, make_issued_case
from tests.factories import MONDAY, eligible_case, parties, person, received_case

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]

# Stored fields that look derived and are given, or are compared elsewhere; each with the reason.
GIVEN = {
    "jobs.ListExport.next_key": "the row with which the file continues; deleted after a day",
    "cases.Application.form_digest": "of the form as it was sent; the form is not stored",
    "files.StoredFile.is_repaired": "found when the file was received",
    "accounts.User.is_active": "set by an administrator; verify_history compares it with events",
    "accounts.User.is_demo": "given",
    "accounts.AccountVersion.ever_reviewer": "append-only; verify_history compares it",
    "accounts.AccountVersion.password_digest": "append-only; verify_history compares it",
    "cases.URDecision.is_concurrent": "read from the decision",
    "cases.DisputedItem.is_experimental": "read from the decision",
    "cases.DisputedItem.ur_outcome": "read from the decision",
    "cases.Commitment.due_on": "promised by a person",
    "cases.TreatmentCategory.is_active": "given",
    "complaints.CorrectiveAction.due_on": "set by a person",
    "determinations.Opinion.outcome": "chosen by a reviewer",
    "determinations.Review.times_submitted": "a counter; its versions are its history",
    "eligibility.InformationRequest.due_on": "computed once and stated in the letter",
    "files.StoredFile.sha256": "compared with the bytes by verify_files",
    "guidelines.DrugListEdition.is_complete": "given",
    "guidelines.Guideline.is_active": "given",
    "guidelines.ListedDrug.ingredient_normal": "the key of the row, typed by the import",
    "guidelines.Recommendation.is_active": "given",
    "guidelines.Source.is_mtus": "given",
    "intake.Scan.sha256": "compared with the bytes when the scan is read",
    "jobs.JobRun.outcome": "recorded",
    "letters.Letter.is_urgent": "the priority of the case when the letter was queued",
    "letters.Letter.due_at": "when the relay takes it",
    "letters.RenderedPreview.words_sha256": "the key of the row",
    "letters.WordingSet.content_sha256": "over the imported file; frozen by a trigger",
    "letters.WordingSet.is_sample": "given",
    "queues.SavedView.is_shared": "given",
    "queues.SavedView.queue": "given",
    "queues.CaseSkip.queue": "the list when it was skipped",
    "queues.WorkClaim.queue": "the list when it was claimed",
    "records.Dispatch.manifest_sha256": "append-only",
    "reviewers.CandidateList.digest": "append-only",
    "reviewers.Condition.is_active": "given",
    "reviewers.PayerBiasTest.is_monthly": "append-only",
    "reviewers.PayerBiasTest.is_steered": "append-only",
    "reviewers.ReviewerBar.barred_at": "append-only",
    "reviewers.ReviewerBar.barred_by": "append-only",
    "reviewers.ScopeLimit.is_active": "given",
    "reviewers.Specialty.is_active": "given",
    "reviewers.SpecialtyFit.is_active": "given",
}
LOOKS_DERIVED = re.compile(
    r"normal|sha256|^is_|^has_|^due_|^held_|^next_|^queue$|times_|outcome|barred|digest|^ever_|^how$"
)


def run_checks(at=MONDAY):
    nightly.run_checks(at=at)
    return {(one.code, one.table, one.column) for one in Finding.objects.open()}


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def staff():
    """Somebody for each role, so that every stage has a person who acts."""
    return {role: person(role) for role in Role}


def test_every_declared_field_exists():
    for name in [*derived.DERIVED, *GIVEN]:
        label, _, field = name.rpartition(".")
        assert apps.get_model(label)._meta.get_field(field)


def test_every_field_that_looks_derived_is_compared_or_has_a_reason():
    found = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if (settings.BASE_DIR / model._meta.app_label).is_dir()
        and not hasattr(model, "history_type")
        for field in model._meta.concrete_fields
        if LOOKS_DERIVED.search(field.name)
    }
    assert found - set(derived.DERIVED) - set(GIVEN) == set()
    assert not set(derived.DERIVED) & set(GIVEN)


@pytest.mark.capability("OP-1", "HI-6")
def test_the_run_finds_nothing_in_cases_that_the_services_left(staff):
    received_case()
    eligible_case()
    make_issued_case()
    split_and_merge(staff[Role.COORDINATOR])
    assert run_checks(REVIEWED) == set()


def split_and_merge(coordinator):
    """A case with an item in a case of its own, and one to which such an item has returned."""
    items = [ItemOnForm("Cervical injection"), ItemOnForm("Lumbar brace")]
    for is_merged in (False, True):
        case = eligible_case(items=items)
        new = splitting.split_case(
            case_id=case.pk,
            item_ids=[case.items.get(position=2).pk],
            reason="Not accepted.",
            by=coordinator,
            at=REVIEWED,
        )
        if is_merged:
            splitting.merge_split_case(case_id=new.pk, reason="Error.", by=coordinator, at=REVIEWED)


CHANGES = {
    "next_role": "UPDATE cases_case SET next_role = 'QA'",
    "queue": "UPDATE cases_case SET queue = 'qa'",
    "due_on": "UPDATE cases_case SET due_on = '2030-01-01'",
    "due_deadline_kind": "UPDATE cases_case SET due_deadline_kind = 'determination_regular'",
    "due_at": "UPDATE cases_case SET due_at = '2030-01-01T00:00:00+00:00'",
    "list_day": "UPDATE cases_case SET list_day = '2030-01-01'",
    "urgency": "UPDATE cases_case SET urgency = 0",
    "held_until": "UPDATE cases_case SET held_until = '2030-01-01'",
    "claim_number_normal": "UPDATE cases_case SET claim_number_normal = 'X'",
    "barred_staff": "UPDATE cases_case SET barred_staff = '[1]'",
    "party_list_version": "UPDATE cases_case SET party_list_version = 0",
    "reference_normal": "UPDATE cases_urdecision SET reference_normal = 'X'",
    "key": "DELETE FROM cases_casekey",
    "ever_reviewer": "UPDATE accounts_user SET ever_reviewer = NOT ever_reviewer",
    "normal": "UPDATE directory_personname SET normal = 'x'",
}


@pytest.mark.capability("HI-6", "defect 25")
@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_derived_value_is_named_with_its_row_and_column(staff, column):
    received_case()
    if column == "normal":
        from accounts.append_only import unguard_statements

        for statement in unguard_statements("directory_personname", connection.vendor):
            execute(statement)
    execute(CHANGES[column])
    assert column in {one for code, _, one in run_checks() if code == "derived_value"}


@pytest.mark.capability("HI-6", "defect 25")
@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("UPDATE cases_deadline SET target_on = '2030-01-01' WHERE replaced_at IS NULL", "due_on"),
    ],
)
def test_a_changed_calculation_of_a_deadline_is_named(staff, sql, column):
    received_case()
    execute(sql)
    assert ("derived_value", "cases_deadline", column) in run_checks()


@pytest.mark.capability("HI-6", "defect 25")
@pytest.mark.parametrize(
    ("sql", "table", "column"),
    [
        ("UPDATE cases_disputeditem SET outcome = {}", "cases_disputeditem", "outcome"),
        ("UPDATE determinations_decideditem SET outcome = {}", "determinations_decideditem",
         "outcome"),
        ("UPDATE determinations_decideditem SET how = 'MAJORITY'", "determinations_decideditem",
         "how"),
        ("UPDATE determinations_determination SET outcome = 'PARTIAL'",
         "determinations_determination", "outcome"),
    ],
)  # fmt: skip
def test_a_changed_outcome_is_named(staff, sql, table, column):
    case = make_issued_case()
    outcome = case.items.order_by("pk").first().outcome
    other = "'UPHELD'" if outcome == "OVERTURNED" else "'OVERTURNED'"
    execute(sql.format(other))
    assert ("derived_value", table, column) in run_checks(REVIEWED)


@pytest.mark.capability("OP-1", "defect 17")
def test_an_open_case_in_which_nobody_acts_is_named(staff):
    case = received_case()
    User.objects.filter(groups__name=case.next_role).update(is_active=False)
    assert ("no_next_step", "cases_case", "") in run_checks()


@pytest.mark.capability("OP-1", "defect 17")
@pytest.mark.parametrize(
    "status",
    ["REVIEWER_CHOSEN", "IN_REVIEW", "INFO_REQUESTED", "INFO_FOR_REVIEW", "QA", "APPROVED",
     "ISSUED", "CONSOLIDATED"],
)  # fmt: skip
def test_a_stage_without_the_row_it_is_about_is_named(staff, status):
    case = received_case()
    execute(f"UPDATE cases_case SET status = '{status}' WHERE id = {case.pk}")
    run_checks()
    assert Finding.objects.open().filter(code="no_next_step", reference=case.number).exists()


@pytest.mark.capability("OP-1")
def test_a_closed_case_with_a_pending_item_is_named(staff):
    case = received_case()
    execute(
        "UPDATE cases_case SET status = 'CLOSED', is_open = "
        f"{'false' if connection.vendor == 'postgresql' else 0}, "
        f"closed_at = received_at, next_role = '', queue = '' WHERE id = {case.pk}"
    )
    run_checks()
    (one,) = Finding.objects.open().filter(code="closed_with_work")
    assert (one.reference, one.sentence) == (
        case.number,
        "The case is closed, but a disputed item is pending.",
    )


@pytest.mark.capability("OP-1")
def test_a_hold_past_its_end_is_named(staff):
    case = received_case()
    Hold(
        case=case, round=1, reason=_reason_that_a_person_ends(), starts_on=local_day(MONDAY),
        planned_end=local_day(MONDAY) + timedelta(days=1), begun_at=MONDAY,
        begun_by=staff[Role.COORDINATOR],
    ).store(by=staff[Role.COORDINATOR], at=MONDAY)  # fmt: skip
    assert "hold_past_its_end" not in {code for code, _, _ in run_checks()}
    later = MONDAY + timedelta(days=2)
    assert ("hold_past_its_end", "cases_hold", "") in run_checks(later)


def _reason_that_a_person_ends():
    from cases.hold_reasons import HOLD_REASONS

    return next(code for code, reason in HOLD_REASONS.items() if reason.needs_an_end)


@pytest.mark.capability("OP-1")
def test_a_commitment_past_its_day_is_named_until_it_is_kept(staff):
    case = received_case()
    commitment = Commitment(
        case=case, party=case.parties.get(role=PartyRole.EMPLOYEE), description="Copy of the form",
        due_on=local_day(MONDAY), informed_on=local_day(MONDAY), letter_reference="Letter",
        why="Asked", recorded_at=MONDAY, recorded_by=staff[Role.COORDINATOR],
    ).store(by=None, at=MONDAY)  # fmt: skip
    tomorrow = MONDAY + timedelta(days=1)
    assert ("commitment_past_its_day", "cases_commitment", "") in run_checks(tomorrow)
    commitment.kept_on = local_day(MONDAY)
    commitment.store(by=None, at=tomorrow)
    assert run_checks(tomorrow) == set()
    assert Finding.objects.get().resolved_at == tomorrow


@pytest.mark.capability("OP-1")
def test_a_letter_that_no_worker_took_is_named(staff):
    make_issued_case()
    Letter.objects.filter(state=Letter.State.QUEUED).update(due_at=REVIEWED - timedelta(hours=1))
    if not Letter.objects.filter(state=Letter.State.QUEUED).exists():
        Letter.objects.update(
            state="QUEUED", file=None, filed_at=None, due_at=REVIEWED - timedelta(hours=1)
        )
    assert ("letter_stuck", "letters_letter", "") in run_checks(REVIEWED)


def test_a_finding_is_listed_once_and_resolved_when_it_is_gone(staff):
    case = received_case()
    execute("UPDATE cases_case SET queue = 'qa'")
    run_checks()
    run_checks(MONDAY + timedelta(hours=1))
    found = Finding.objects.get(column="queue", code="derived_value")
    assert (found.found_at, found.seen_at) == (MONDAY, MONDAY + timedelta(hours=1))
    execute(f"UPDATE cases_case SET queue = '{case.queue}'")
    assert run_checks(MONDAY + timedelta(hours=2)) == set()


def test_a_check_that_cannot_run_stops_no_other_and_fails_the_job(staff, monkeypatch):
    received_case()
    execute("UPDATE cases_case SET queue = 'qa'")

    def fail(at, tick):
        raise RuntimeError

    monkeypatch.setitem(CHECKS, "no_next_step", type(CHECKS["history"])("Broken check", "", fail))
    with pytest.raises(nightly.ChecksFailed, match="Broken check"):
        nightly.run_checks(at=MONDAY)
    assert Finding.objects.open().filter(column="queue").exists()


def test_the_page_is_green_after_a_run_or_lists_what_to_do(client, staff, set_clock):
    set_clock(MONDAY)
    case = received_case()
    client.force_login(staff[Role.SUPERVISOR])
    page = client.get(reverse("maintenance:findings")).content.decode()
    assert "No run has ended yet." in page
    assert "Everything is as it must be." not in page
    run_nightly_checks()
    page = client.get(reverse("maintenance:findings")).content.decode()
    assert "Everything is as it must be." in page
    execute("UPDATE cases_case SET due_on = '2030-01-01'")
    run_nightly_checks()
    page = client.get(reverse("maintenance:findings")).content.decode()
    assert "Everything is as it must be." not in page
    assert "Stored value differs from its sources" in page
    assert reverse("desk:explain", args=[case.number]) in page
    assert "repair_derived_fields" in page
    # An administrator repairs it by its number, and opens no case.
    client.force_login(staff[Role.ADMINISTRATOR])
    page = client.get(reverse("maintenance:findings")).content.decode()
    assert case.number in page
    assert reverse("desk:explain", args=[case.number]) not in page


@pytest.mark.capability("OP-1", "RC-9")
def test_a_row_that_differs_from_its_history_is_named_by_its_case(staff, client):
    case, hidden = received_case(), received_case(parties=parties(EMPLOYEE="Bo Other"))
    execute("UPDATE cases_case SET diagnosis = 'X'")
    restrictions.restrict_case(
        case_id=hidden.pk, ground="OTHER", reason="x", by=staff[Role.DIRECTOR], at=MONDAY
    )
    run_nightly_checks()
    found = Finding.objects.open().filter(code="history", column="diagnosis")
    assert set(found.values_list("row", "reference")) == {(str(case.pk), ""), (str(hidden.pk), "")}
    client.force_login(staff[Role.AUDITOR])
    page = client.get(reverse("maintenance:findings")).content.decode()
    # Everyone sees that something is wrong; the number is for those who find the case.
    for one in (case, hidden):
        assert f"cases_case, row {one.pk}, column diagnosis, since" in page
    assert case.number in page
    assert hidden.number not in page
    client.force_login(staff[Role.DIRECTOR])
    assert hidden.number in client.get(reverse("maintenance:findings")).content.decode()


def test_a_hold_leaves_nothing_to_find(staff):
    case = eligible_case()
    holds.begin_hold(
        case_id=case.pk, reason="OFFICE_CLOSED", starts_on=local_day(MONDAY),
        planned_end=local_day(MONDAY) + timedelta(days=3), by=staff[Role.COORDINATOR],
        at=MONDAY + timedelta(hours=6),  # after the case was found eligible
    )  # fmt: skip
    assert Case.objects.get(pk=case.pk).held_until
    assert run_checks(MONDAY + timedelta(hours=7)) == set()


def test_a_nightly_run_whose_job_was_taken_over_ends_without_findings(staff):
    def tick():
        raise LeaseLost("maintenance.run_nightly_checks")

    execute("UPDATE cases_case SET due_on = '2030-01-01'")
    with pytest.raises(LeaseLost):
        nightly.run_checks(at=MONDAY, tick=tick)
    assert not Finding.objects.exists()
