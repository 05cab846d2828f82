"""Files of reviewers: whole, verified again in time, and what happens the day something lapses."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.refusals import NotAllowed
from accounts.roles import Role
from reviewers.models import FileProof, License, ReportedChange, Reviewer
from reviewers.profiles import load_profile
from reviewers.services import assignment as assignments
from reviewers.services import credentialing
from reviewers.verification import add_years, list_missing_facts, list_verifications
from reviewers.worklist import build_worklist
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    PANEL_ENTERED,
    VERIFIED,
    accepted_case,
    fit_reviewer,
    offered_case,
    rank_panel,
    ready_case,
    sign_attestation,
    with_evidence,
)

pytestmark = pytest.mark.django_db

PACIFIC = ZoneInfo("America/Los_Angeles")
NOON = MONDAY + timedelta(hours=4)
TODAY = date(2026, 3, 2)


def load_reviewer_profile(reviewer, on=TODAY, known_at=NOON):
    return load_profile(reviewer, on=on, known_at=known_at)


def list_refusing_requirements(case, reviewer, at=NOON):
    """The requirements that refuse a reviewer on a stored list."""
    listed = rank_panel(case, by=person(Role.COORDINATOR), at=at)
    place = listed.find_candidate(reviewer.pk)
    return {reason["requirement"] for reason in place.reasons if not reason["holds"]}


def refuses_to_assign(case, reviewer, at=NOON):
    coordinator = person(Role.COORDINATOR)
    listed = rank_panel(case, by=coordinator, at=at)
    with pytest.raises(NotAllowed) as refusal:
        assignments.assign_reviewer(
            case_id=case.pk, reviewer_id=reviewer.pk, candidate_list_id=listed.pk,
            seen_version=None, override_reason="Asked for", by=coordinator, at=at,
        )  # fmt: skip
    return str(refusal.value)


# --- verification -------------------------------------------------------------------------------


@pytest.mark.capability("AC-2")
def test_each_verification_is_valid_for_three_years_and_is_listed_with_its_due_date():
    reviewer = fit_reviewer(license={"verified_on": date(2023, 3, 2)})

    first = list_verifications(load_reviewer_profile(reviewer))[0]
    assert first.name == "The license in California"
    assert first.due_on == TODAY
    assert (
        list_refusing_requirements(ready_case(), reviewer) == set()
    )  # on the day itself it still holds
    result = build_worklist(on=TODAY, known_at=NOON, reader=person(Role.DIRECTOR)).due
    assert [(line.verification.due_on, line.is_overdue) for line in result] == [(TODAY, False)]


@pytest.mark.capability("AC-2", "AC-7")
@pytest.mark.parametrize("part", ["license", "certification", "start", "sanctions"])
def test_an_expired_verification_stops_every_assignment(part):
    reviewer = fit_reviewer(**{part: {"verified_on": date(2023, 3, 1)}})
    case = ready_case()

    assert list_refusing_requirements(case, reviewer) == {"VERIFICATION"}
    assert "more than 3 years ago" in refuses_to_assign(case, reviewer)


@pytest.mark.capability("AC-3")
def test_each_check_keeps_source_date_person_and_result():
    row = License.objects.get(reviewer=fit_reviewer())

    assert (row.source, row.verified_by) == (VERIFIED["source"], VERIFIED["verified_by"])
    assert row.verified_on == VERIFIED["verified_on"]
    assert row.get_standing_display() == "Active, unrestricted"
    assert row.recorded_at == PANEL_ENTERED


def test_verifying_again_restores_the_reviewer_at_once():
    reviewer = fit_reviewer(license={"verified_on": date(2022, 1, 1)})
    case = ready_case()
    assert list_refusing_requirements(case, reviewer) == {"VERIFICATION"}
    credentialing.correct_fact(
        kind="license", fact_id=License.objects.get(reviewer=reviewer).pk,
        changes={"verified_on": TODAY}, by=None, at=NOON,
    )  # fmt: skip

    assert list_refusing_requirements(case, reviewer, at=NOON + timedelta(minutes=1)) == set()


def test_a_reviewer_without_a_sanctions_check_is_offered_no_case():
    reviewer = fit_reviewer(sanctions=None)

    assert "No sanction check" in refuses_to_assign(ready_case(), reviewer)


@pytest.mark.capability("AC-4")
def test_a_sanction_suspends_the_reviewer_immediately_and_opens_a_task():
    assignment = accepted_case()
    reviewer = assignment.reviewer
    credentialing.add_sanction_check(**with_evidence(
        reviewer_id=reviewer.pk, register="OIG", found=True, valid_from=TODAY,
        by=person(Role.CREDENTIALING), at=NOON, **VERIFIED | {"verified_on": TODAY},
    ))  # fmt: skip

    reviewer.refresh_from_db()
    assert reviewer.status == Reviewer.Status.SUSPENDED
    (lapse,) = build_worklist(on=TODAY, known_at=NOON, reader=person(Role.DIRECTOR)).lapses
    assert [row.pk for row in lapse.open_work] == [assignment.pk]
    assert any("OIG" in reason.sentence for reason in lapse.reasons)


def test_an_evaluator_gets_no_cases_while_the_appointment_is_in_force():
    reviewer = fit_reviewer()
    credentialing.add_file_proof(**with_evidence(
        reviewer_id=reviewer.pk, kind="QME", detail="Appointment 2024", by=None, at=MONDAY,
        valid_from=date(2024, 1, 1), valid_to=TODAY,
        **VERIFIED,
    ))  # fmt: skip
    case = ready_case()

    assert list_refusing_requirements(case, reviewer) == {"QME"}
    assert list_refusing_requirements(case, reviewer, at=NOON + timedelta(days=1)) == set()


@pytest.mark.capability("AC-9")
def test_board_eligible_is_not_a_certificate():
    with pytest.raises(NotAllowed, match="not a certification"):
        fit_reviewer(certification={"board": "Board eligible, ABPMR"})


# --- lapses -------------------------------------------------------------------------------------


@pytest.mark.capability("AC-1")
def test_a_license_is_valid_on_its_last_day_until_midnight_in_los_angeles():
    reviewer = fit_reviewer(license={"valid_to": TODAY})
    case = ready_case()
    before = datetime(2026, 3, 2, 23, 59, 59, tzinfo=PACIFIC)
    after = datetime(2026, 3, 3, 0, 0, 1, tzinfo=PACIFIC)

    assert list_refusing_requirements(case, reviewer, at=before) == set()
    assert list_refusing_requirements(case, reviewer, at=after) == {"LICENSE", "SPECIALTY"}


@pytest.mark.capability("RP-4")
def test_a_reviewer_with_an_expired_credential_gets_no_new_work_and_open_work_is_listed():
    reviewer = fit_reviewer(license={"valid_to": TODAY})
    assignment = sign_attestation(offered_case(reviewer=reviewer))
    assert build_worklist(on=TODAY, known_at=NOON, reader=person(Role.DIRECTOR)).lapses == []

    tomorrow = TODAY + timedelta(days=1)
    (lapse,) = build_worklist(
        on=tomorrow, known_at=NOON + timedelta(days=1), reader=person(Role.DIRECTOR)
    ).lapses
    assert [row.case_id for row in lapse.open_work] == [assignment.case_id]
    assert "No active, unrestricted license" in lapse.reasons[0].sentence


@pytest.mark.capability("RP-4")
def test_removing_a_reviewer_from_the_panel_lists_their_open_work_at_once():
    assignment = accepted_case()
    credentialing.set_reviewer_status(
        reviewer_id=assignment.reviewer_id, status=Reviewer.Status.SUSPENDED, reason="On request",
        by=person(Role.CREDENTIALING), at=NOON,
    )  # fmt: skip
    (lapse,) = build_worklist(on=TODAY, known_at=NOON, reader=person(Role.DIRECTOR)).lapses
    assert len(lapse.open_work) == 1


@pytest.mark.capability("RP-5")
def test_a_reviewer_who_loses_the_right_to_a_case_and_the_organization_are_informed(client):
    assignment = accepted_case()
    credentialing.set_reviewer_status(
        reviewer_id=assignment.reviewer_id, status=Reviewer.Status.SUSPENDED, reason="On request",
        by=person(Role.CREDENTIALING), at=NOON,
    )  # fmt: skip

    client.force_login(assignment.reviewer.user)
    assert "Suspended from the panel." in client.get("/reviews/").content.decode()
    client.force_login(person(Role.COORDINATOR))
    page = client.get("/reviewers/worklist/").content.decode()
    assert assignment.case.number in page
    assert "1 open case<" in page


def test_a_certificate_that_expires_between_offer_and_signing_stops_the_acceptance():
    reviewer = fit_reviewer(certification={"valid_to": TODAY})
    assignment = offered_case(reviewer=reviewer, at=NOON)

    with pytest.raises(NotAllowed, match="No board certification in force on Mar 3, 2026"):
        sign_attestation(assignment, at=NOON + timedelta(days=1))


@pytest.mark.capability("RP-2")
def test_a_restriction_reported_late_is_known_only_from_the_day_of_the_report():
    reviewer = fit_reviewer()
    row = License.objects.get(reviewer=reviewer)
    credentialing.correct_fact(
        kind="license", fact_id=row.pk,
        changes={"standing": "RESTRICTED", "valid_from": date(2026, 2, 1), "verified_on": TODAY},
        by=person(Role.CREDENTIALING), at=NOON,
    )  # fmt: skip
    case = ready_case()

    assert load_reviewer_profile(reviewer, on=date(2026, 2, 10), known_at=MONDAY).good_licenses
    assert not load_reviewer_profile(reviewer, on=date(2026, 2, 10), known_at=NOON).good_licenses
    assert list_refusing_requirements(case, reviewer, at=NOON + timedelta(hours=1)) == {
        "SANCTION",
        "SPECIALTY",
    }


# --- whole files --------------------------------------------------------------------------------


@pytest.mark.capability("AC-10")
@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("license", "a license in force"),
        ("start", "the start of practice"),
        ("hours", "an attestation of weekly hours in force"),
        ("law", "training in the governing law"),
        ("evidence", "training in the evidence hierarchy"),
        ("sanctions", "a sanction check"),
        ("identity", "proof of identity"),
        ("malpractice", "malpractice coverage and history"),
    ],
)
def test_each_gap_in_a_file_is_named(part, words):
    assert list_missing_facts(load_reviewer_profile(fit_reviewer())) == []
    assert list_missing_facts(load_reviewer_profile(fit_reviewer(**{part: None}))) == [words]


@pytest.mark.capability("AC-8")
def test_five_years_and_24_hours_of_practice_are_computed_from_dated_rows():
    case = ready_case()
    four_years = fit_reviewer(start={"valid_from": date(2022, 3, 1)})
    exactly_five = fit_reviewer(start={"valid_from": date(2021, 3, 2)})
    more = fit_reviewer(start={"valid_from": date(2021, 3, 1)})
    few_hours = fit_reviewer(hours={"weekly_hours": 23})

    assert list_refusing_requirements(case, four_years) == {"PRACTICE_YEARS"}
    assert list_refusing_requirements(case, exactly_five) == {"PRACTICE_YEARS"}
    assert list_refusing_requirements(case, more) == set()
    assert list_refusing_requirements(case, few_hours) == {"PRACTICE_HOURS"}


@pytest.mark.capability("AC-12")
def test_an_auditor_draws_thirty_files_and_the_same_seed_draws_the_same_files(capsys):
    for _ in range(3):
        fit_reviewer()
    call_command("audit_credentials", count=2, seed=7, on=TODAY)
    first = capsys.readouterr().out
    call_command("audit_credentials", count=2, seed=7, on=TODAY)

    assert capsys.readouterr().out == first
    assert "2 of 2 files complete on 03/02/2026, seed 7." in first
    assert "/reviewers/R-" in first


@pytest.mark.capability("AC-12")
def test_a_file_with_a_gap_fails_the_audit_by_name(capsys):
    row = fit_reviewer(identity=None, license={"verified_on": date(2022, 5, 1)})
    with pytest.raises(CommandError, match="0 of 1 file complete"):
        call_command("audit_credentials", on=TODAY)

    line = capsys.readouterr().out
    assert line.startswith(row.code)
    assert "lacks proof of identity" in line
    assert "was due for re-verification by 05/01/2025" in line
    assert row.last_name not in line


@pytest.mark.capability("AC-6")
def test_the_roster_shows_status_and_credentials_on_any_date(client):
    reviewer = fit_reviewer(license={"valid_to": date(2026, 3, 10)})
    credentialing.set_reviewer_status(
        reviewer_id=reviewer.pk, status=Reviewer.Status.SUSPENDED, reason="Complaint",
        by=person(Role.CREDENTIALING), at=MONDAY + timedelta(days=3),
    )  # fmt: skip
    client.force_login(person(Role.CREDENTIALING))

    then = client.get("/reviewers/", {"on": "03/03/2026", "known": "03/03/2026"}).content.decode()
    assert "Available" in then
    later = client.get("/reviewers/", {"on": "03/06/2026", "known": "03/06/2026"}).content.decode()
    assert "Suspended from the panel." in later
    assert "license" not in later
    lapsed = client.get("/reviewers/", {"on": "03/11/2026", "known": "03/11/2026"}).content.decode()
    assert "No active, unrestricted license on Mar 11, 2026." in lapsed
    assert client.get("/reviewers/", {"on": "13/45/2026"}).status_code == 422


# --- reports ------------------------------------------------------------------------------------


def report_change(reviewer, **changes):
    fields = {
        "subject": "LICENSE", "words": "Nevada opened an inquiry", "changed_on": TODAY,
        "by": reviewer.user, "at": NOON,
    } | changes  # fmt: skip
    return credentialing.report_change(**fields)


@pytest.mark.capability("AC-5")
def test_a_report_keeps_the_date_of_the_change_and_the_time_of_the_report(client):
    reviewer = fit_reviewer()
    client.force_login(reviewer.user)
    refused = client.post("/reviews/report/", {"words": "Nevada opened an inquiry"})
    assert refused.status_code == 422
    assert "Choose what has changed." in refused.content.decode()
    assert "Nevada opened an inquiry" in refused.content.decode()
    client.post(
        "/reviews/report/",
        {"subject": "LICENSE", "words": "Nevada opened an inquiry", "changed_on": "02/27/2026"},
    )

    row = ReportedChange.objects.get()
    assert (row.reviewer, row.changed_on) == (reviewer, date(2026, 2, 27))
    client.force_login(person(Role.CREDENTIALING))
    assert "Nevada opened an inquiry" in client.get("/reviewers/worklist/").content.decode()
    address = f"/reviewers/reports/{row.pk}/"
    unsaid = client.post(address, {"reason": ""})
    assert unsaid.status_code == 422
    assert "Enter what you found at the source." in unsaid.content.decode()
    client.post(address, {"reason": "Read at the board: no restriction"})
    again = client.post(address, {"reason": "And once more"})
    assert again.status_code == 422
    assert "Someone has already resolved this." in again.content.decode()
    row.refresh_from_db()
    assert row.resolved_note == "Read at the board: no restriction"
    assert "Nevada opened" not in client.get("/reviewers/worklist/").content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"words": " "}, "Describe what has changed"),
        ({"subject": "HAIR"}, "Choose what has changed"),
        ({"changed_on": TODAY + timedelta(days=1)}, "in the future"),
    ],
)
def test_an_incomplete_report_is_refused_with_what_to_do(changes, sentence):
    with pytest.raises(NotAllowed, match=sentence):
        report_change(fit_reviewer(), **changes)


def test_only_a_reviewer_reports_a_change_and_only_credentialing_resolves_it_once():
    reviewer, keeper = fit_reviewer(), person(Role.CREDENTIALING)
    with pytest.raises(NotAllowed, match="not linked to a reviewer"):
        report_change(reviewer, by=keeper)
    row = report_change(reviewer)
    for by, note, sentence in (
        (reviewer.user, "Fine", "Your role"),
        (keeper, " ", "Enter what you found"),
    ):
        with pytest.raises(NotAllowed, match=sentence):
            credentialing.resolve_report(report_id=row.pk, note=note, by=by, at=NOON)
    credentialing.resolve_report(report_id=row.pk, note="Nothing found", by=keeper, at=NOON)
    with pytest.raises(NotAllowed, match="already resolved this"):
        credentialing.resolve_report(report_id=row.pk, note="Again", by=keeper, at=NOON)


def test_a_document_of_the_file_needs_a_kind_and_a_description():
    reviewer = fit_reviewer()
    for changes, sentence in (({"kind": "PET"}, "Choose what"), ({"detail": " "}, "Describe the")):
        fields = {"kind": "IDENTITY", "detail": "Passport"} | changes
        with pytest.raises(NotAllowed, match=sentence):
            credentialing.add_file_proof(
                **with_evidence(
                    reviewer_id=reviewer.pk, valid_from=None, by=None, at=NOON, **fields, **VERIFIED
                )
            )
    assert FileProof.objects.filter(reviewer=reviewer).count() == 2


@given(day=st.dates(date(2012, 1, 1), date(2060, 12, 31)), years=st.integers(1, 9))
def test_a_number_of_years_later_is_the_same_day_or_the_last_day_of_february(day, years):
    later = add_years(day, years)
    assert later.year == day.year + years
    assert (later.month, later.day) in {(day.month, day.day), (2, 28)}


def test_the_worklist_costs_the_same_for_many(django_assert_max_num_queries):
    for _ in range(5):
        accepted_case()
    reader = person(Role.DIRECTOR)
    with django_assert_max_num_queries(6):
        build_worklist(on=TODAY, known_at=NOON, reader=reader)
