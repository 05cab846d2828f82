"""What a letter may say of a reviewer: each sentence from a fact of that day, as then known."""

from datetime import date, timedelta

import pytest

import letters.facts
from accounts.models import User
from accounts.roles import Role
from cases.models import Party
from cases.services.parties import PartyOnForm, store_party
from determinations.facts import PROOFS
from reviewers import proofs
from reviewers.services import conflicts, credentialing
from tests.factories import MONDAY, parties, person
from tests.reviewers.factories import (
    VERIFIED,
    accepted_case,
    fit_reviewer,
    offered_case,
    ready_case,
    sign_attestation,
    with_evidence,
)

pytestmark = pytest.mark.django_db

SIGNING = MONDAY + timedelta(days=3)
DAY = date(2026, 3, 5)
ALL = {
    "no_affiliation_employer",
    "no_affiliation_employee",
    "no_affiliation_providers",
    "no_affiliation_claims_administrator",
    "attestation_signed",
    "board_certification",
    "license",
    "practice_years",
    "practice_hours",
    "specialty_match",
    "training_law",
    "training_evidence",
}


def collect_facts(made, *, on=DAY, known_at=SIGNING):
    return {
        fact.name: fact for fact in proofs.collect_reviewer_facts(made, on=on, known_at=known_at)
    }


def find_problems(made, **when):
    found = list(collect_facts(made, **when).values())
    return letters.facts.find_fact_problems(
        found, needed=sorted(ALL), declared=PROOFS, on=when.get("on", DAY)
    )


def add_affiliation(made, name, at=SIGNING, **fields):
    return credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=made.reviewer.pk,
            relation="EMPLOYMENT",
            organization_name=name,
            by=None,
            at=at,
            **VERIFIED | {"valid_from": date(2024, 1, 1)} | fields,
        )
    )


def test_an_accepted_reviewer_has_every_fact_with_source_and_days():
    made = accepted_case()

    found = collect_facts(made)

    assert set(found) == ALL
    assert find_problems(made) == []
    held_license = found["license"]
    assert (held_license.value, held_license.valid_to, held_license.about) == (
        "California",
        date(2027, 6, 30),
        "seat 1",
    )
    assert held_license.source == "Register of the board, verified 01/15/2026 by C. Keeper"
    assert found["practice_years"].value == "since 02/01/2008"
    assert found["practice_hours"].value == "30"
    assert (
        found["attestation_signed"].source == "Wording 1, party list version 1, signed 03/02/2026"
    )
    assert found["specialty_match"].value[0]["specialty"] == "Physical Medicine & Rehabilitation"


def test_nothing_that_names_the_reviewer_is_in_a_fact():
    reviewer = fit_reviewer(first_name="Quetzal", last_name="Coatl", license={"number": "QX-99"})
    made = accepted_case(reviewer=reviewer)
    user = User.objects.get(pk=reviewer.user_id)

    result = str(proofs.collect_reviewer_facts(made, on=DAY, known_at=SIGNING)) + str(
        proofs.get_credential_line(made, on=DAY, known_at=SIGNING)
    )

    for secret in ("Quetzal", "Coatl", "QX-99", reviewer.code, reviewer.email, user.email):
        assert secret not in result


LAPSES = {
    "license": ("license", {"valid_to": DAY - timedelta(days=1)}),
    "certification": ("board_certification", {"valid_to": DAY - timedelta(days=1)}),
    "hours": ("practice_hours", {"valid_to": DAY - timedelta(days=1)}),
    "law": ("training_law", {"valid_to": DAY - timedelta(days=1)}),
    "evidence": ("training_evidence", {"valid_to": DAY - timedelta(days=1)}),
}


@pytest.mark.parametrize("part", LAPSES)
def test_a_credential_that_expired_before_signing_is_named_with_its_date(part):
    fact, change = LAPSES[part]
    made = accepted_case(reviewer=fit_reviewer(**{part: change}))

    text = find_problems(made)

    assert any(f"({fact}), seat 1, expired on 03/04/2026." in sentence for sentence in text), text
    assert find_problems(made, on=DAY - timedelta(days=1)) == []


def test_a_license_restricted_after_assignment_no_longer_counts():
    made = accepted_case()
    credentialing.correct_fact(
        kind="license",
        fact_id=made.reviewer.licenses.get().pk,
        changes={"standing": "RESTRICTED", "valid_from": date(2026, 2, 1), "valid_to": None},
        by=None,
        at=SIGNING,
    )

    assert "license" not in collect_facts(made)
    assert "license" in collect_facts(made, known_at=SIGNING - timedelta(seconds=1))


def test_a_correction_after_signing_leaves_the_old_letter_provable():
    made = accepted_case()
    later = SIGNING + timedelta(days=30)
    for kind, row in (
        ("certification", made.reviewer.certifications.get()),
        ("training", made.reviewer.trainings.first()),
    ):
        credentialing.correct_fact(
            kind=kind, fact_id=row.pk, changes={}, withdrawn=True, by=None, at=later
        )

    assert set(collect_facts(made, known_at=SIGNING)) == ALL
    assert "board_certification" not in collect_facts(made, known_at=later)


def test_a_suspended_reviewer_has_no_license_to_state():
    made = accepted_case()
    credentialing.set_reviewer_status(
        reviewer_id=made.reviewer.pk, status="SUSPENDED", reason="Board", by=None, at=SIGNING
    )
    assert "license" not in collect_facts(made)
    assert "license" in collect_facts(made, known_at=SIGNING - timedelta(seconds=1))


def test_there_is_no_attestation_fact_without_an_attestation():
    made = offered_case()
    assert "attestation_signed" not in collect_facts(made)


@pytest.mark.parametrize(
    ("party", "lost"),
    [
        ("Harbor Cold Storage", "no_affiliation_employer"),
        ("Pacific Comp Claims", "no_affiliation_claims_administrator"),
    ],
)
def test_an_affiliation_recorded_after_the_choice_removes_its_sentence(party, lost):
    made = accepted_case()
    add_affiliation(made, party)
    assert set(collect_facts(made)) == ALL - {lost}


def test_an_affiliation_with_the_ur_organization_counts_as_one_with_the_administrator():
    case = ready_case(parties=parties(UR_ORGANIZATION="Prompt UR"))
    made = accepted_case(case=case)
    add_affiliation(made, "Prompt UR")
    assert set(collect_facts(made)) == ALL - {"no_affiliation_claims_administrator"}


def test_an_unchecked_party_removes_the_sentence_and_the_attestation():
    made = accepted_case()
    case = made.case
    case.refresh_from_db()
    case.party_list_version += 1
    case.store(by=None, at=SIGNING, fields=["party_list_version"])
    store_party(
        case=case,
        party=PartyOnForm(role="FACILITY", name="Riverside Surgery Center"),
        by=None,
        at=SIGNING,
    )

    assert set(collect_facts(made)) == ALL - {"no_affiliation_providers", "attestation_signed"}
    sign_attestation(made, at=SIGNING)
    assert set(collect_facts(made)) == ALL


def test_a_party_that_is_not_on_file_cannot_be_stated_as_unrelated():
    case = ready_case(parties=parties(EMPLOYER=""))
    made = accepted_case(case=case)
    assert not Party.objects.filter(case=case, role="EMPLOYER").exists()
    assert set(collect_facts(made)) == ALL - {"no_affiliation_employer"}


def test_a_resolved_possible_conflict_counts_as_resolved():
    reviewer = fit_reviewer(first_name="Dana", last_name="Oyelaran")
    case = ready_case()
    (doubt,) = [
        row
        for row in conflicts.check_conflicts(
            case_id=case.pk, reviewer_id=reviewer.pk, by=None, at=MONDAY
        )
        if row.result == "UNKNOWN"
    ]
    conflicts.resolve_conflict(
        result_id=doubt.pk,
        result="PASS",
        note="Other NPI",
        by=person(Role.COORDINATOR),
        at=MONDAY,
    )
    made = accepted_case(case=case, reviewer=reviewer)
    assert set(collect_facts(made)) == ALL


class TestCredentials:
    """The line that letters print: specialties and states, never a name."""

    def line(self, made, **when):
        return proofs.get_credential_line(made, on=when.get("on", DAY), known_at=SIGNING)

    def test_the_deciding_credential_comes_first_and_then_california(self):
        reviewer = fit_reviewer(
            license={"state": "Arizona"}, certification={"specialty": "Pain Management"}
        )
        credentialing.add_license(
            **with_evidence(
                reviewer_id=reviewer.pk,
                state="California",
                number="A7",
                kind="MD",
                valid_from=None,
                valid_to=date(2027, 1, 1),
                by=None,
                at=MONDAY,
                **VERIFIED,
            )
        )
        credentialing.add_certification(
            **with_evidence(
                reviewer_id=reviewer.pk,
                board="A board",
                specialty="Anesthesiology",
                valid_from=date(2010, 1, 1),
                by=None,
                at=MONDAY,
                **VERIFIED,
            )
        )
        made = accepted_case(reviewer=reviewer)
        made.match_reasons = [{"specialty": "Pain Management", "position": 1, "why": ""}]

        line = self.line(made)

        assert line.specialties == ("Pain Management", "Anesthesiology")
        assert line.license_states == ("California", "Arizona")
        assert line.license_kind == "MD"

    def test_an_expired_license_keeps_its_kind_and_loses_its_state(self):
        made = accepted_case(reviewer=fit_reviewer(license={"valid_to": DAY - timedelta(days=1)}))
        line = self.line(made)
        assert (line.license_states, line.license_kind) == ((), "MD")
