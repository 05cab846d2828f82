"""Affiliations to parties: exact is a conflict, alike is for someone else, a surname is asked."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import Party, PartyRole
from cases.services.parties import PartyOnForm, store_party
from directory.affiliations import compare_names, group_same_ids, split_name
from directory.models import Organization, SameOrganization
from intake.services.receiving import ItemOnForm
from reviewers.models import ConflictResult
from reviewers.services import assignment as assignments
from reviewers.services import conflicts, credentialing
from tests.factories import MONDAY, parties, person
from tests.reviewers.factories import (
    VERIFIED,
    fit_reviewer,
    offered_case,
    rank_panel,
    ready_case,
    sign_attestation,
    with_evidence,
)

NOON = MONDAY + timedelta(hours=4)


@pytest.mark.parametrize(
    ("one", "other", "possible_duplicate"),
    [
        ("Dana Oyelaran", "Dana Oyelaran, M.D.", "SAME"),
        ("Dana Oyelaran", "OYELARAN, DANA", "SAME"),
        ("Dana Oyelaran", "Dr. Dana Q. Oyelaran", "SAME"),
        ("José Nuñez", "Jose Nunez", "SAME"),
        ("Dana Oyelaran", "D. Oyelaran", "SIMILAR"),
        ("Dana Oyelaran", "Dr. Oyelaran", "SIMILAR"),
        ("Dana Oyelaran", "Dana Oyelarán-Smith", "SIMILAR"),
        ("Robert Mason", "Rob Mason", "SIMILAR"),
        ("Stephen Hansen", "Peter Hanson", "DIFFERENT"),
        ("Kim Do", "Kim Do, M.D.", "SAME"),
        ("Dana Oyelaran", "Dana Oyelaran D.O.", "SAME"),
        ("Dana Oyelaran", "Oyelaran MD", "SIMILAR"),
        ("Stephen Hansen", "Stephen Hanson", "SIMILAR"),
        ("Dana Oyelaran", "Dnaa Oyelaran", "SIMILAR"),
        ("Kim Lee", "Lee Kim", "SIMILAR"),
        ("Dana Oyelaran", "Peter Oyelaran", "SURNAME"),
        ("Maria Garcia Lopez", "Pedro Lopez", "SURNAME"),
        ("Dana Oyelaran", "Marisol Quintanar", "DIFFERENT"),
        ("Dana Oyelaran", "", "DIFFERENT"),
    ],
)
def test_names_are_compared_as_a_careful_clerk_would(one, other, possible_duplicate):
    assert compare_names(split_name(one), split_name(other)) == possible_duplicate
    assert compare_names(split_name(other), split_name(one)) == possible_duplicate


def test_same_as_rows_join_through_each_other():
    groups = group_same_ids([(1, 2), (2, 3), (7, 8)])
    assert groups[1] == groups[3] == {1, 2, 3}
    assert groups[7] == {7, 8}


pytestmark = pytest.mark.django_db


def add_affiliation(reviewer, relation="EMPLOYMENT", **fields):
    return credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=reviewer.pk,
            relation=relation,
            by=None,
            at=MONDAY,
            **VERIFIED | {"valid_from": date(2024, 1, 1)} | fields,
        )
    )


def list_results(case, reviewer, at=NOON):
    tested = conflicts.check_conflicts(case_id=case.pk, reviewer_id=reviewer.pk, by=None, at=at)
    return {
        row.party.role: row.result
        for row in sorted(tested, key=lambda row: row.result != "PASS")
        if row.result != "PASS"
    }


ORGANIZATIONS = {
    PartyRole.EMPLOYER: "Harbor Cold Storage",
    PartyRole.CLAIMS_ADMINISTRATOR: "Pacific Comp Claims",
    PartyRole.INSURER: "Golden Bear Insurance",
    PartyRole.PHYSICIAN_GROUP: "Delta Spine Group",
    PartyRole.FACILITY: "Riverside Surgery Center",
    PartyRole.UR_ORGANIZATION: "Prompt UR",
    PartyRole.MANUFACTURER: "Neurocoil Devices",
}


@pytest.mark.parametrize("role", ORGANIZATIONS, ids=str)
def test_an_affiliation_with_any_party_is_a_conflict(role):
    case = ready_case(parties=parties(**{str(one): name for one, name in ORGANIZATIONS.items()}))
    reviewer = fit_reviewer()

    add_affiliation(reviewer, organization_name=ORGANIZATIONS[role])

    assert list_results(case, reviewer) == {role: "FAIL"}


@pytest.mark.parametrize(
    "relation",
    ["EMPLOYMENT", "CONTRACT", "OWNERSHIP", "PRIVILEGES", "SAME_GROUP", "FAMILY", "OTHER"],
)
def test_every_relation_counts(relation):
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, relation, organization_name="Pacific Comp Claims, Inc.")
    assert list_results(case, reviewer) == {"CLAIMS_ADMINISTRATOR": "FAIL"}


def test_a_holding_of_one_percent_is_none_and_above_it_is_a_affiliation():
    case, small, large = ready_case(), fit_reviewer(), fit_reviewer()
    for reviewer, share in ((small, "1.00"), (large, "1.01")):
        add_affiliation(
            reviewer,
            "OWNERSHIP",
            organization_name="Harbor Cold Storage",
            share_percent=Decimal(share),
        )
    assert list_results(case, small) == {}
    assert list_results(case, large) == {"EMPLOYER": "FAIL"}


def test_an_affiliation_that_has_ended_does_not_count_but_treatment_of_the_employee_does():
    case, former, treated = ready_case(), fit_reviewer(), fit_reviewer()
    over = {"valid_from": date(2020, 1, 1), "valid_to": date(2021, 1, 1)}
    employee = Party.objects.get(case=case, role="EMPLOYEE")

    add_affiliation(former, organization_name="Harbor Cold Storage", **over)
    add_affiliation(treated, "TREATMENT", person_id=employee.person_id, **over)

    assert list_results(case, former) == {}
    assert list_results(case, treated) == {"EMPLOYEE": "FAIL"}


def test_an_organization_merged_into_another_is_the_same_one():
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, organization_name="HCS Holdings")
    assert list_results(case, reviewer) == {}

    SameOrganization.objects.create(
        organization=Organization.objects.get(names__printed="HCS Holdings"),
        same_as=Organization.objects.get(names__printed="Harbor Cold Storage"),
        reason="Merged in 2025",
        recorded_at=NOON,
    )

    assert list_results(case, reviewer) == {"EMPLOYER": "FAIL"}
    assert list_results(case, reviewer, at=MONDAY) == {}  # as it was known in the morning


def test_an_affiliation_with_a_namesake_of_a_party_is_a_possible_conflict():
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, "FAMILY", person_name="Marisol Quintanar")
    assert list_results(case, reviewer) == {"EMPLOYEE": "UNKNOWN"}


def test_a_reviewer_with_the_name_of_a_party_is_a_possible_conflict_and_a_surname_is_asked():
    case = ready_case()
    same = fit_reviewer(first_name="Dana", last_name="Oyelaran")
    similar = fit_reviewer(first_name="D", last_name="Oyelaran")
    surname = fit_reviewer(first_name="Peter", last_name="Quintanar")

    assert list_results(case, same) == {"REQUESTING_PHYSICIAN": "UNKNOWN"}
    assert list_results(case, similar) == {"REQUESTING_PHYSICIAN": "UNKNOWN"}
    assert list_results(case, surname) == {}
    result = ConflictResult.objects.get(reviewer=surname, relation="SURNAME")
    assert result.sentence == (
        "The reviewer shares a surname with the injured worker; the attestation asks about it."
    )


def test_a_medical_corporation_with_the_reviewers_name_is_a_possible_conflict():
    case = ready_case(parties=parties(PHYSICIAN_GROUP="Ana B. Keller MD, a Medical Corp."))
    reviewer = fit_reviewer(first_name="Ana", last_name="Keller")
    assert list_results(case, reviewer) == {"PHYSICIAN_GROUP": "UNKNOWN"}


def test_a_contact_at_the_administrator_with_the_reviewers_name_is_a_possible_conflict():
    case = ready_case()
    row = Party.objects.get(case=case, role="CLAIMS_ADMINISTRATOR")
    row.pk, row.contact, row.corrects = None, "Ana Keller", Party.objects.get(pk=row.pk)
    row.save(force_insert=True)
    assert list_results(case, fit_reviewer(first_name="Ana", last_name="Keller")) == {
        "CLAIMS_ADMINISTRATOR": "UNKNOWN"
    }


class TestSettling:
    """An unknown is resolved by someone else than the reviewer, with a note."""

    @pytest.fixture
    def doubt(self):
        self.coordinator = person(Role.COORDINATOR)
        self.reviewer = fit_reviewer(first_name="Dana", last_name="Oyelaran")
        self.case = ready_case()
        rank_panel(self.case, by=self.coordinator)
        return ConflictResult.objects.get(case=self.case, result="UNKNOWN")

    def resolve(self, doubt, **changes):
        given = {
            "result_id": doubt.pk,
            "result": "PASS",
            "note": "Other NPI, other city",
            "by": self.coordinator,
            "at": NOON,
        }
        return conflicts.resolve_conflict(**given | changes)

    def test_looking_at_the_list_again_asks_the_same_question_once(self, doubt):
        rank_panel(self.case, by=self.coordinator, at=NOON + timedelta(minutes=1))
        fit_reviewer()
        rank_panel(self.case, by=self.coordinator, at=NOON + timedelta(minutes=2))
        assert conflicts.list_open_questions(self.case, [self.reviewer.pk]) == [doubt]

    def test_a_resolution_of_no_conflict_admits_the_reviewer_and_both_rows_are_kept(self, doubt):
        answer = self.resolve(doubt)

        assert (answer.resolves, answer.result) == (doubt, "PASS")
        doubt.refresh_from_db()
        assert doubt.result == "UNKNOWN"
        again = rank_panel(self.case, by=self.coordinator, at=NOON)
        assert again.find_candidate(self.reviewer.pk).rank == 1
        assert conflicts.list_open_questions(self.case, [self.reviewer.pk]) == []

    def test_the_timeline_shows_neither_the_reviewer_nor_the_note(self, doubt):
        self.resolve(doubt, note="Another Dana, born 1990")

        event = self.case.events.latest("pk")
        assert (event.by, event.happened_at) == (self.coordinator, NOON)
        assert event.sentence == "A possible conflict of a reviewer was resolved: no conflict."
        for secret in ("Dana", "1990", self.reviewer.code):
            assert secret not in f"{event.sentence} {event.why} {event.facts}"

    def test_a_conflict_keeps_the_reviewer_out(self, doubt):
        self.resolve(doubt, result="FAIL", note="Same person")
        again = rank_panel(self.case, by=self.coordinator, at=NOON)
        assert again.find_candidate(self.reviewer.pk).rank is None

    def test_a_reviewer_cannot_resolve_their_own_possible_conflict(self, doubt):
        user = User.objects.get(pk=self.reviewer.user_id)
        with pytest.raises(NotAllowed, match="Someone other than the reviewer"):
            self.resolve(doubt, by=user)

    def test_a_resolution_needs_a_note(self, doubt):
        with pytest.raises(NotAllowed, match="Enter a note"):
            self.resolve(doubt, note=" ")

    def test_a_possible_conflict_is_resolved_once(self, doubt):
        self.resolve(doubt)
        with pytest.raises(NotAllowed, match="already resolved this"):
            self.resolve(doubt)

    def test_a_resolution_is_a_yes_or_a_no(self, doubt):
        with pytest.raises(NotAllowed, match="Choose whether"):
            self.resolve(doubt, result="UNKNOWN")

    @pytest.mark.parametrize("role", [Role.INTAKE, Role.QA, Role.DIRECTOR, Role.REVIEWER])
    def test_other_roles_cannot_resolve_a_possible_conflict(self, doubt, role):
        with pytest.raises(NotAllowed, match="Your role"):
            self.resolve(doubt, by=person(role))


def test_a_new_party_with_the_reviewers_name_stops_the_acceptance_until_resolved():
    made = offered_case(reviewer=fit_reviewer(first_name="Ana", last_name="Keller"))
    case = made.case
    case.refresh_from_db()
    case.party_list_version += 1
    case.store(by=None, at=NOON, fields=["party_list_version"])
    store_party(
        case=case,
        party=PartyOnForm(role="OTHER_PROVIDER", name="Ana Keller", first="Ana", last="Keller"),
        by=None,
        at=NOON,
    )

    with pytest.raises(assignments.UnresolvedConflict, match="coordinator must first resolve"):
        sign_attestation(made)
    (doubt,) = conflicts.list_open_questions(case, [made.reviewer.pk])
    conflicts.resolve_conflict(
        result_id=doubt.pk, result="PASS", note="Not her", by=person(Role.COORDINATOR), at=NOON
    )

    assert sign_attestation(made).state == "ACCEPTED"


def test_a_maker_named_for_one_item_alone_is_a_party_too():
    case = ready_case(
        parties=parties(MANUFACTURER="Neurocoil Devices"),
        items=[ItemOnForm(title="Spinal cord stimulator")],
    )
    reviewer = fit_reviewer()
    add_affiliation(reviewer, "CONTRACT", organization_name="Neurocoil Devices LLC")
    assert list_results(case, reviewer) == {"MANUFACTURER": "FAIL"}
