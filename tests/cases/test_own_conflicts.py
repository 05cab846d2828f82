"""Affiliations of this organization, its owners, officers and staff.

On receipt and at the choice.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases import organization_facts
from cases.models import Application, Case, CaseNumberSeries, OwnConflictResult, Party, PartyRole
from cases.policies import why_not_by_conflicts
from cases.services import endings, organization, own_conflicts
from cases.services import parties as party_services
from cases.services.parties import PartyOnForm
from determinations.policies import why_not_issue
from determinations.services import issuing
from directory.models import Organization, Person
from directory.services import organizations
from eligibility.services import screening
from queues.services import claims
from reviewers.models import ReviewerAssignment
from reviewers.services import assignment as assignments
from reviewers.services import planning
from tests.determinations.factories import make_approved_case, make_submitted_case
from tests.factories import MONDAY, SIX_YES, person, received_case
from tests.records.factories import in_review
from tests.reviewers.factories import fit_reviewer, rank_panel, ready_case

pytestmark = pytest.mark.django_db

BEFORE = MONDAY - timedelta(days=30)
NOON = MONDAY + timedelta(hours=4)
EMPLOYER, ADMINISTRATOR = "Harbor Cold Storage", "Pacific Comp Claims"
ATTORNEY = "Ruth Castellanos"


def record_member(kind="OFFICER", name="No one Known", at=BEFORE, **fields):
    if kind == "OFFICER":
        fields.setdefault("title", "Director")
    return organization.record_member(
        kind=kind, name=name, source="Register of companies", by=None, at=at, **fields
    )


def record_staff_member(user, at=BEFORE, **fields):
    return record_member("STAFF", "", at, user_id=user.pk, **fields)


def record_member_affiliation(of, company=EMPLOYER, relation="EMPLOYMENT", at=BEFORE, **fields):
    return organization.record_member_affiliation(
        member_id=of.pk,
        relation=relation,
        organization_name=company,
        source="Statement of interests",
        by=None,
        at=at,
        **fields,
    )


def list_results(case):
    return [
        (one.kind, one.row.relation, one.result)
        for one in organization_facts.list_conflict_findings(case)
    ]


def assign_reviewer(case, reviewer, listed, by, at=NOON):
    return assignments.assign_reviewer(
        case_id=case.pk,
        reviewer_id=reviewer.pk,
        candidate_list_id=listed.pk,
        seen_version=None,
        by=by,
        at=at,
    )


def add_facility(case, name, at):
    return party_services.add_party_to_case(
        case_id=case.pk,
        party=PartyOnForm(role=PartyRole.FACILITY, name=name),
        since=None,
        why="Named in the records",
        by=person(Role.COORDINATOR),
        at=at,
    )


def resolve_conflict(case, by, result="PASS", note="Born in another year", at=NOON):
    (doubt,) = [one.row for one in organization_facts.list_conflict_findings(case) if one.is_open]
    return own_conflicts.resolve_own_conflict(
        result_id=doubt.pk, result=result, note=note, by=by, at=at
    )


# --- on receipt -----------------------------------------------------------------------------------


@pytest.mark.capability("CO-4")
def test_receiving_a_case_stores_one_row_that_shows_what_was_compared():
    record_member("ITSELF", "Independent Review of the West")
    record_member("OWNER", "Elin Marsh", share_percent=Decimal(60))
    clerk = person(Role.INTAKE)

    case = received_case(by=clerk)

    row = OwnConflictResult.objects.get()
    assert (row.case, row.run, row.party_list_version) == (case, 1, 1)
    assert (row.result, row.relation, row.member, row.party) == ("PASS", "NONE", None, None)
    assert row.members_tested == 2
    assert row.parties_tested == list(case.parties.order_by("pk").values_list("pk", flat=True))
    assert {"EMPLOYMENT", "OWNERSHIP", "FAMILY", "NAME", "ITSELF"} <= set(row.tested)
    assert (row.tested_at, row.tested_by) == (MONDAY, clerk)
    assert "officers and staff (2) against the parties (5)." in row.sentence


@pytest.mark.capability("CO-4")
def test_an_organization_without_recorded_members_is_not_reported_free_of_conflicts():
    case = received_case()

    row = case.own_conflict_results.get()
    assert (row.result, row.members_tested) == ("PASS", 0)
    assert row.sentence == (
        "No member of this organization is on file, so nothing was compared with the parties."
    )


@pytest.mark.capability("CO-4")
def test_a_fault_in_the_conflict_check_rolls_back_the_whole_application(monkeypatch):
    def fault(*_):
        raise RuntimeError("planted")

    clerk = person(Role.INTAKE)
    monkeypatch.setattr(own_conflicts, "find_own_conflicts", fault)

    with pytest.raises(RuntimeError, match="planted"):
        received_case(by=clerk)

    for model in (
        Case,
        Application,
        Party,
        Person,
        Organization,
        CaseNumberSeries,
        OwnConflictResult,
    ):
        assert not model.objects.exists(), model


@pytest.mark.capability("CO-4")
def test_the_conflict_check_costs_the_same_for_a_large_organization():
    record_member_affiliation(record_member("OFFICER", "Elin Marsh"))
    case = received_case()

    def queries(at):
        with CaptureQueriesContext(connection) as asked:
            own_conflicts.check_own_conflicts_of_case(case_id=case.pk, by=None, at=at)
        return len(asked)

    few = queries(NOON)
    for number in range(12):
        record_member_affiliation(
            record_member("OFFICER", f"Officer Number{number}"), "An employer elsewhere"
        )
    many = queries(NOON + timedelta(hours=1))

    assert many - few == 1  # the row that says that another organization was tested
    assert many <= 16


@pytest.mark.capability("CO-4")
def test_a_conflict_found_on_receipt_is_on_the_timeline_without_a_name():
    officer = record_member("OFFICER", "Elin Marsh")
    record_member_affiliation(officer, EMPLOYER)

    case = received_case()

    assert list_results(case) == [("OFFICER", "EMPLOYMENT", "FAIL")]
    row = case.own_conflict_results.get()
    assert (row.member, row.party.role) == (officer, "EMPLOYER")
    assert row.sentence == (
        "An officer of this organization: employment with the employer is on file. "
        "Statute: Labor Code 139.5(d)(5)-(6)."
    )
    assert (row.level, row.level_source) == ("STATUTE", "Labor Code 139.5(d)(5)-(6)")
    event = case.events.get(sentence__contains="affiliation of this organization")
    assert event.sentence == (
        "An affiliation of this organization with a party was found. It may not decide the case."
    )
    assert "Marsh" not in f"{event.sentence}{event.why}{event.facts}"


# --- when it is tested again ----------------------------------------------------------------------


@pytest.mark.capability("CO-4")
def test_a_new_party_is_checked_in_the_action_that_adds_it():
    record_member_affiliation(record_member(), "Bayview Surgery Center")
    case = received_case()
    assert list_results(case) == [("", "NONE", "PASS")]

    added = add_facility(case, "Bayview Surgery Center", NOON)

    assert list_results(case) == [("OFFICER", "EMPLOYMENT", "FAIL")]
    rows = list(case.own_conflict_results.order_by("pk"))
    assert [(row.run, row.party_list_version) for row in rows] == [(1, 1), (2, 2)]
    assert rows[1].party == added


@pytest.mark.capability("CO-4")
def test_a_party_with_a_new_name_is_checked_under_the_new_name_from_its_date():
    record_member_affiliation(record_member(), "Harbor Freezers")
    case = received_case()
    old = case.parties.get(role="EMPLOYER")

    party_services.change_party_details(
        case_id=case.pk,
        party_id=old.pk,
        details=party_services.PartyDetails(name="Harbor Freezers", address=old.address),
        since=None,
        why="The attorney wrote",
        by=person(Role.COORDINATOR),
        at=NOON,
    )

    assert list_results(case) == [("OFFICER", "EMPLOYMENT", "FAIL")]


@pytest.mark.capability("CO-4")
def test_checking_the_same_facts_again_stores_no_second_row():
    record_member()
    case = received_case()

    own_conflicts.check_own_conflicts_of_case(case_id=case.pk, by=None, at=NOON)
    assert case.own_conflict_results.count() == 1

    record_member("OFFICER", "Another One", at=NOON)
    own_conflicts.check_own_conflicts_of_case(case_id=case.pk, by=None, at=NOON)
    assert [row.members_tested for row in case.own_conflict_results.order_by("run")] == [1, 2]


@pytest.mark.capability("CO-4")
def test_open_cases_are_checked_again_when_the_organization_has_changed():
    case, gone = received_case(), received_case()
    endings.withdraw_case(
        case_id=gone.pk, reason="Taken back", by=person(Role.COORDINATOR), at=NOON
    )
    record_member_affiliation(record_member(at=NOON), EMPLOYER, at=NOON)

    assert own_conflicts.check_outdated_cases(by=None, at=NOON) == 2  # withdrawn is not closed yet
    assert own_conflicts.check_outdated_cases(by=None, at=NOON + timedelta(hours=1)) == 0

    assert list_results(case) == [("OFFICER", "EMPLOYMENT", "FAIL")]
    assert case.events.filter(
        sentence__startswith="An affiliation of this organization", by=None
    ).exists()


# --- what follows ---------------------------------------------------------------------------------


@pytest.mark.capability("CO-4")
def test_no_reviewer_is_assigned_to_a_case_with_a_conflict_of_an_officer():
    record_member_affiliation(record_member(), ADMINISTRATOR, "CONTRACT")
    case, coordinator = ready_case(), person(Role.COORDINATOR)
    reviewer = fit_reviewer()

    with pytest.raises(NotAllowed) as refused:
        rank_panel(case, by=coordinator)

    assert str(refused.value) == (
        f"This organization may not decide case {case.number}. An officer of this organization: "
        "a contract with the claims administrator is on file. "
        "Statute: Labor Code 139.5(d)(5)-(6). "
        "The Administrative Director must assign it to another organization."
    )
    (outcome,) = planning.execute_plan(
        choices=[(case.pk, case.version, reviewer.pk)], by=coordinator, at=NOON
    )
    assert (outcome.is_done, outcome.sentence) == (False, str(refused.value))
    assert not ReviewerAssignment.objects.exists()


@pytest.mark.capability("CO-4")
def test_a_conflict_recorded_after_receipt_stops_the_assignment_and_its_row_is_kept():
    case, coordinator, reviewer = ready_case(), person(Role.COORDINATOR), fit_reviewer()
    listed = rank_panel(case, by=coordinator)
    record_member_affiliation(record_member(at=NOON), EMPLOYER, at=NOON)

    with pytest.raises(NotAllowed, match="may not decide"):
        assign_reviewer(case, reviewer, listed, coordinator)

    assert list_results(case) == [("OFFICER", "EMPLOYMENT", "FAIL")]
    assert case.own_conflict_results.latest("pk").tested_by == coordinator
    with pytest.raises(NotAllowed, match="may not decide"):
        rank_panel(case, by=coordinator, at=NOON + timedelta(hours=1))


@pytest.mark.capability("CO-4")
def test_the_batch_plan_checks_for_conflicts_that_were_recorded_since():
    case, coordinator, reviewer = ready_case(), person(Role.COORDINATOR), fit_reviewer()
    record_member_affiliation(record_member(at=NOON), EMPLOYER, at=NOON)

    (outcome,) = planning.execute_plan(
        choices=[(case.pk, case.version, reviewer.pk)], by=coordinator, at=NOON
    )

    assert not outcome.is_done
    assert "may not decide" in outcome.sentence
    assert list_results(case) == [("OFFICER", "EMPLOYMENT", "FAIL")]  # on file, refusal or not


@pytest.mark.capability("CO-4")
def test_the_batch_plan_shows_in_advance_that_the_case_cannot_be_assigned():
    coordinator, case = person(Role.COORDINATOR), ready_case()
    fit_reviewer()
    record_member_affiliation(record_member())
    own_conflicts.check_own_conflicts_of_case(case_id=case.pk, by=None, at=MONDAY)

    ((step,), waiting) = planning.build_plan(by=coordinator, at=NOON)

    assert (step.case_id, step.chosen, waiting) == (case.pk, None, 1)
    assert "may not decide" in step.why_not


@pytest.mark.capability("CO-4")
def test_a_conflict_that_appears_after_the_review_stops_the_determination():
    case = Case.objects.get(pk=make_approved_case(make_submitted_case(in_review())).pk)
    director, later = person(Role.DIRECTOR), MONDAY + timedelta(days=9)
    assert not why_not_issue(director, case)
    record_member_affiliation(record_member(at=later), EMPLOYER, at=later)
    own_conflicts.check_outdated_cases(by=None, at=later)

    assert "may not decide" in why_not_issue(director, Case.objects.get(pk=case.pk))
    with pytest.raises(NotAllowed, match="may not decide"):
        issuing.issue_determination(case_id=case.pk, seen_version=None, by=director, at=later)


@pytest.mark.capability("CO-4")
def test_a_case_without_a_conflict_is_assigned_normally():
    record_member_affiliation(record_member(), "An employer elsewhere")
    case, coordinator, reviewer = ready_case(), person(Role.COORDINATOR), fit_reviewer()

    assert (
        assign_reviewer(case, reviewer, rank_panel(case, by=coordinator), coordinator).case == case
    )


# --- doubts ---------------------------------------------------------------------------------------


@pytest.mark.capability("CO-4")
def test_a_similar_name_waits_for_the_director_and_then_the_case_continues():
    officer_who_signs_in = person(Role.DIRECTOR, name="R Castellanos")
    record_member("OFFICER", "R Castellanos", user_id=officer_who_signs_in.pk)
    case, coordinator, director = ready_case(), person(Role.COORDINATOR), person(Role.DIRECTOR)
    reviewer = fit_reviewer()
    assert list_results(case) == [("OFFICER", "NAME", "UNKNOWN")]

    with pytest.raises(NotAllowed, match="The medical director must first decide whether"):
        rank_panel(case, by=coordinator)
    with pytest.raises(NotAllowed, match="This concerns you, so someone else"):
        resolve_conflict(case, officer_who_signs_in)
    with pytest.raises(NotAllowed, match="Only the medical director can resolve"):
        resolve_conflict(case, coordinator)
    with pytest.raises(NotAllowed, match="Enter how you know"):
        resolve_conflict(case, director, note=" ")
    with pytest.raises(NotAllowed, match="whether there is an affiliation"):
        resolve_conflict(case, director, result="UNKNOWN")

    answer = resolve_conflict(case, director)

    unknown = answer.resolves
    assert (unknown.result, unknown.sentence) == (
        "UNKNOWN",
        "An officer of this organization’s name is similar to that of the injured worker’s "
        "attorney. Find out whether they are the same. "
        "Organization’s rule: policy of this organization.",
    )
    # The answer keeps who forbids the affiliation.
    assert (answer.level, answer.level_source) == (unknown.level, unknown.level_source)
    assert answer.level == "ORGANIZATION"
    event = case.events.latest("pk")
    assert event.sentence == (
        "A possible affiliation of this organization with a party was resolved: there is none."
    )
    for secret in ("Castellanos", "year", answer.note):
        assert secret not in f"{event.sentence}{event.why}{event.facts}"
    assert (
        assign_reviewer(case, reviewer, rank_panel(case, by=coordinator), coordinator).case == case
    )
    with pytest.raises(NotAllowed, match="already resolved this"):
        own_conflicts.resolve_own_conflict(
            result_id=unknown.pk, result="FAIL", note="No", by=director, at=NOON
        )


@pytest.mark.capability("CO-4")
def test_a_possible_conflict_that_is_confirmed_bars_this_organization_from_the_case():
    record_member("OFFICER", ATTORNEY)
    case = ready_case()

    resolve_conflict(case, person(Role.DIRECTOR), result="FAIL", note="They are the same")

    with pytest.raises(NotAllowed, match="The Administrative Director must assign it"):
        rank_panel(case, by=person(Role.COORDINATOR))


@pytest.mark.capability("CO-4")
def test_a_resolved_possible_conflict_is_not_asked_again_when_another_party_joins():
    record_member("OFFICER", ATTORNEY)
    case = ready_case()
    resolve_conflict(case, person(Role.DIRECTOR))

    add_facility(case, "Bayview Surgery Center", NOON + timedelta(hours=1))

    assert list_results(case) == [("OFFICER", "NAME", "PASS")]
    latest = case.own_conflict_results.latest("pk")
    assert (latest.run, latest.note) == (2, "Born in another year")
    add_facility(case, "Another Surgery Center", NOON + timedelta(hours=2))
    assert list_results(case) == [("OFFICER", "NAME", "PASS")]


@pytest.mark.capability("CO-4")
def test_a_possible_conflict_of_an_earlier_check_can_no_longer_be_resolved():
    record_member("OFFICER", ATTORNEY)
    case = ready_case()
    doubt = case.own_conflict_results.get()
    add_facility(case, "Bayview Surgery Center", NOON)

    with pytest.raises(NotAllowed, match="checked again"):
        own_conflicts.resolve_own_conflict(
            result_id=doubt.pk, result="PASS", note="No", by=person(Role.DIRECTOR), at=NOON
        )


@pytest.mark.capability("CO-4")
def test_there_is_nothing_to_resolve_where_no_conflict_was_found():
    passed = received_case().own_conflict_results.get()

    with pytest.raises(NotAllowed, match="nothing to resolve"):
        own_conflicts.resolve_own_conflict(
            result_id=passed.pk, result="PASS", note="No", by=person(Role.DIRECTOR), at=NOON
        )


# --- members of staff -----------------------------------------------------------------------------


def decide_eligibility(case, by):
    return screening.decide_eligibility(
        case_id=case.pk, answers=SIX_YES, notes={}, seen_version=None, by=by, at=NOON
    )


@pytest.mark.capability("CO-4")
def test_a_member_of_staff_with_a_conflict_cannot_act_and_a_colleague_can():
    tied, free = person(Role.COORDINATOR), person(Role.COORDINATOR)
    record_member_affiliation(record_staff_member(tied), EMPLOYER)
    record_staff_member(free)
    case = received_case()

    with pytest.raises(NotAllowed, match="You cannot work on case .* Ask a colleague"):
        decide_eligibility(case, tied)
    assert claims.preview_next_case(user=tied, at=NOON) is None
    assert claims.claim_next_case(by=tied, at=NOON) is None
    with pytest.raises(NotAllowed, match="Ask a colleague to take the case"):
        claims.claim_case(case_id=case.pk, by=tied, at=NOON)

    decide_eligibility(case, free)
    case.refresh_from_db()
    assert case.barred_staff == [tied.pk]
    assert not organization_facts.why_not_decided_here(case)


@pytest.mark.capability("CO-4")
def test_a_possible_conflict_of_staff_bars_them_until_the_director_has_resolved_it():
    clerk = person(Role.COORDINATOR, name="Marisol Quintanar")
    record_staff_member(clerk)
    case = received_case()
    with pytest.raises(NotAllowed, match="or may have, an affiliation"):
        decide_eligibility(case, clerk)

    resolve_conflict(case, person(Role.DIRECTOR))

    decide_eligibility(Case.objects.get(pk=case.pk), clerk)
    sentences = case.events.values_list("sentence", flat=True)
    assert (
        "A possible affiliation of a staff member with a party was resolved: there is none."
        in sentences
    )
    assert not [one for one in sentences if "Quintanar" in one]


@pytest.mark.capability("CO-4")
def test_the_check_of_a_person_without_a_conflict_costs_no_query():
    tied, free = person(Role.COORDINATOR), person(Role.COORDINATOR)
    record_member_affiliation(record_staff_member(tied), EMPLOYER)
    case = Case.objects.get(pk=received_case().pk)

    with CaptureQueriesContext(connection) as asked:
        assert not why_not_by_conflicts(free, case)
        assert why_not_by_conflicts(tied, case)
    assert len(asked) == 0


# --- who belongs to the organization, dated
# --------------------------------------------------------------


@pytest.mark.capability("CO-9")
def test_an_owner_that_owns_the_insurer_stops_every_assignment():
    record_member("OWNER", "Far Holdings", is_company=True, share_percent=Decimal("30"))
    case, coordinator = ready_case(), person(Role.COORDINATOR)
    assert assign_reviewer(case, fit_reviewer(), rank_panel(case, by=coordinator), coordinator)
    organizations.record_parent(
        child_id=Organization.objects.get(names__printed=ADMINISTRATOR).pk,
        parent_name="Far Holdings",
        source="Annual report",
        by=None,
        at=NOON,
    )
    another = ready_case()

    with pytest.raises(NotAllowed) as refused:
        rank_panel(another, by=coordinator)

    assert (
        "An owner of this organization is a company of the same group as the claims "
        "administrator. Statute: Labor Code 139.5(d)(5)-(6). The Administrative Director"
        in str(refused.value)
    )


@pytest.mark.capability("CO-9")
def test_an_owner_partly_owned_by_a_party_is_a_possible_conflict():
    record_member("OWNER", "Far Holdings", is_company=True)
    case = ready_case()
    organizations.record_parent(
        child_id=Organization.objects.get(names__printed="Far Holdings").pk,
        parent_name=EMPLOYER,
        share_percent=Decimal(20),
        source="Annual report",
        by=None,
        at=NOON,
    )

    own_conflicts.check_own_conflicts_of_case(case_id=case.pk, by=None, at=NOON)

    assert list_results(case) == [("OWNER", "PART_OWNED", "UNKNOWN")]


@pytest.mark.capability("CO-9")
def test_ownership_that_ended_earlier_no_longer_counts_and_stays_on_file():
    owner = record_member("OWNER", EMPLOYER, is_company=True, valid_from=date(2020, 1, 1))
    case, coordinator = ready_case(), person(Role.COORDINATOR)
    with pytest.raises(NotAllowed, match="is the employer"):
        rank_panel(case, by=coordinator)

    organization.correct_member_fact(
        kind="member",
        fact_id=owner.pk,
        changes={"valid_to": date(2025, 12, 31), "source": "Deed of sale"},
        by=None,
        at=NOON,
    )

    assert assign_reviewer(case, fit_reviewer(), rank_panel(case, by=coordinator), coordinator)
    on_the_day = organization_facts.read_own_organization(on=date(2024, 6, 1), known_at=NOON)
    assert [one.organization_id for one in on_the_day.members] == [owner.organization_id]
    believed_then = organization_facts.read_own_organization(on=MONDAY.date(), known_at=MONDAY)
    assert [one.member_id for one in believed_then.members] == [owner.pk]


@pytest.mark.capability("CO-9")
@pytest.mark.parametrize(("share", "found"), [("1.00", "PASS"), ("1.01", "FAIL"), (None, "FAIL")])
def test_a_holding_counts_above_one_percent(share, found):
    record_member(
        "OWNER", EMPLOYER, is_company=True, share_percent=Decimal(share) if share else None
    )
    assert [result for _, _, result in list_results(received_case())] == [found]


@pytest.mark.capability("CO-9")
def test_a_corrected_owner_keeps_its_affiliations():
    owner = record_member("OWNER", "Elin Marsh", share_percent=Decimal(10))
    record_member_affiliation(owner, EMPLOYER)
    organization.correct_member_fact(
        kind="member", fact_id=owner.pk, changes={"share_percent": Decimal(12)}, by=None, at=BEFORE
    )

    assert list_results(received_case()) == [("OWNER", "EMPLOYMENT", "FAIL")]


@pytest.mark.capability("CO-9")
def test_a_fact_that_was_never_true_no_longer_counts():
    owner = record_member("OWNER", "Elin Marsh")
    wrong = record_member_affiliation(owner, EMPLOYER)
    organization.withdraw_member_fact(
        kind="affiliation", fact_id=wrong.pk, reason="Another Elin", by=None, at=BEFORE
    )

    assert list_results(received_case()) == [("", "NONE", "PASS")]
    with pytest.raises(NotAllowed, match="corrected this"):
        organization.withdraw_member_fact(
            kind="affiliation", fact_id=wrong.pk, reason="Again", by=None, at=BEFORE
        )


@pytest.mark.capability("CO-9")
def test_a_relative_outside_the_listed_degrees_is_no_conflict():
    officer = record_member()
    record_member_affiliation(officer, EMPLOYER, "FAMILY", kin="COUSIN")
    assert list_results(received_case()) == [("", "NONE", "PASS")]
    record_member_affiliation(officer, EMPLOYER, "FAMILY", kin="SPOUSE")
    assert list_results(received_case()) == [("OFFICER", "FAMILY", "FAIL")]


@pytest.mark.capability("CO-9")
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"title": ""}, "title"),
        ({"share_percent": Decimal(0)}, "share_percent"),
        ({"share_percent": Decimal(101)}, "share_percent"),
        ({"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)}, "valid_to"),
        ({"kind": "STAFF"}, "user"),
        ({"user_id": 0}, "user"),
    ],
)
def test_an_impossible_value_is_refused_at_its_field(fields, field):
    with pytest.raises(NotAllowed) as refused:
        record_member(**{"name": "Elin Marsh"} | fields)
    assert refused.value.field == field


@pytest.mark.capability("CO-9")
def test_a_reviewer_cannot_be_recorded_as_staff():
    with pytest.raises(NotAllowed, match="is not a reviewer"):
        record_staff_member(person(Role.REVIEWER))


@pytest.mark.capability("CO-9")
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.INTAKE, Role.ADMINISTRATOR])
def test_only_credentialing_and_the_director_maintain_the_organization(role):
    with pytest.raises(NotAllowed, match="credentialing and the medical director"):
        organization.record_member(
            kind="OWNER", name="Elin Marsh", source="Deed", by=person(role), at=NOON
        )


def test_a_page_opened_before_someone_was_barred_is_stale():
    case, tied = received_case(), person(Role.COORDINATOR)
    seen = case.version
    record_member_affiliation(record_staff_member(tied, at=NOON), EMPLOYER, at=NOON)
    own_conflicts.check_own_conflicts_of_case(case_id=case.pk, by=None, at=NOON)

    with pytest.raises(Stale):
        screening.decide_eligibility(
            case_id=case.pk, answers=SIX_YES, notes={}, seen_version=seen,
            by=person(Role.COORDINATOR), at=NOON,
        )  # fmt: skip
