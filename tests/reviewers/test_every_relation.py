"""Every relation with every kind of party stops an assignment: directly, through others, by kin."""

from datetime import date, timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import Party
from directory.models import Organization, OrganizationOfficer
from directory.services import organizations
from directory.services.people import find_or_store_organization
from reviewers.models import Affiliation, ReviewerAssignment
from reviewers.services import assignment as assignments
from reviewers.services import credentialing
from tests.factories import MONDAY, parties, person
from tests.reviewers.factories import VERIFIED, fit_reviewer, rank_panel, ready_case, with_evidence

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)

COMPANIES = {
    "EMPLOYER": "Harbor Cold Storage",
    "CLAIMS_ADMINISTRATOR": "Pacific Comp Claims",
    "INSURER": "Golden Bear Insurance",
    "PHYSICIAN_GROUP": "Delta Spine Group",
    "FACILITY": "Riverside Surgery Center",
    "UR_ORGANIZATION": "Prompt UR",
    "MANUFACTURER": "Neurocoil Devices",
}
PEOPLE = {
    "EMPLOYEE": "Marisol Quintanar",
    "EMPLOYEE_ATTORNEY": "Ruth Castellanos",
    "REQUESTING_PHYSICIAN": "Dana Oyelaran",
    "UR_PHYSICIAN": "Ines Varga",
}
# With whom each relation is kept: the last two are with the employee alone.
RELATIONS = {
    **dict.fromkeys(
        ["EMPLOYMENT", "CONTRACT", "UR_CONTRACT", "OWNERSHIP", "PRIVILEGES", "SAME_GROUP",
         "DEVELOPMENT", "OTHER"], "CLAIMS_ADMINISTRATOR",
    ),
    "FAMILY": "REQUESTING_PHYSICIAN",
    "TREATMENT": "EMPLOYEE",
    "INVOLVED": "EMPLOYEE",
}  # fmt: skip


def full_case():
    """A case with a party of every kind."""
    return ready_case(parties=parties(**COMPANIES, **PEOPLE))


def add_affiliation(reviewer, relation="EMPLOYMENT", **fields):
    credentialing.add_affiliation(**with_evidence(
        reviewer_id=reviewer.pk, relation=relation, by=None, at=MONDAY,
        **VERIFIED | {"valid_from": date(2020, 1, 1)} | fields,
    ))  # fmt: skip


def name_party_target(party):
    """The fields of an affiliation that names a party's own person or organization."""
    if party.person_id is not None:
        return {"person_id": party.person_id}
    return {"organization_id": party.organization_id}


def read_refusal(case, reviewer):
    """The sentence with which the choice is refused."""
    coordinator = person(Role.COORDINATOR)
    listed = rank_panel(case, by=coordinator, at=NOON)
    with pytest.raises(NotAllowed) as refusal:
        assignments.assign_reviewer(
            case_id=case.pk, reviewer_id=reviewer.pk, candidate_list_id=listed.pk,
            seen_version=None, override_code="DIRECTOR", by=coordinator, at=NOON,
        )  # fmt: skip
    assert not ReviewerAssignment.objects.filter(case=case).exists()
    assert listed.find_candidate(reviewer.pk).rank is None
    return str(refusal.value)


def test_the_cases_of_this_file_cover_every_kind_of_affiliation():
    assert set(RELATIONS) == set(Affiliation.Relation.values)


@pytest.mark.capability("CO-2")
@pytest.mark.parametrize("relation", RELATIONS)
def test_each_kind_of_affiliation_alone_stops_the_assignment(relation):
    case, reviewer = full_case(), fit_reviewer()
    party = Party.objects.get(case=case, role=RELATIONS[relation])

    add_affiliation(
        reviewer,
        relation,
        **name_party_target(party),
        **({"kin": "SIBLING"} if relation == "FAMILY" else {}),
    )

    assert f"{party.get_role_display().lower()} is on file" in read_refusal(case, reviewer)


@pytest.mark.capability("CO-2")
@pytest.mark.parametrize("role", [*COMPANIES, *PEOPLE])
@pytest.mark.parametrize("way", ["direct", "through an organization", "family"])
def test_an_affiliation_with_any_kind_of_party_stops_every_kind_of_assignment(role, way):
    case, reviewer = full_case(), fit_reviewer()
    party = Party.objects.get(case=case, role=role)
    text = party.get_role_display()
    text = text if text[:2].isupper() else f"{text[0].lower()}{text[1:]}"

    if way == "direct":
        add_affiliation(reviewer, "CONTRACT", **name_party_target(party))
        expected = f"A contract with the {text} is on file."
    elif way == "family":
        add_affiliation(reviewer, "FAMILY", kin="SPOUSE", **name_party_target(party))
        expected = f"A family affiliation with the {text} is on file."
    elif role in COMPANIES:
        organizations.record_parent(
            child_id=party.organization_id, parent_name="Polar Holdings", source="Report", by=None,
            at=MONDAY,
        )  # fmt: skip
        add_affiliation(reviewer, organization_name="Polar Holdings")
        expected = f"Employment with a company of the same group as the {text} is on file."
    else:
        record_officer(party, "Polar Partners")
        organizations.record_parent(
            child_id=organization("Polar Partners"), parent_name="Polar Holdings", source="Report",
            by=None, at=MONDAY,
        )  # fmt: skip
        add_affiliation(reviewer, organization_name="Polar Holdings")
        expected = f"Employment with a company that the {text} directs, or one of its group, is on"

    assert expected in read_refusal(case, reviewer)


def record_officer(party, company):
    """Make a party who is a person an officer of a company."""
    found = find_or_store_organization(name=company, source="Register", by=None, at=MONDAY)
    OrganizationOfficer.objects.create(
        organization=found, person_id=party.person_id, title="Director", source="Register",
        recorded_at=MONDAY,
    )  # fmt: skip


def organization(name):
    return Organization.objects.get(names__printed=name).pk


def test_a_relative_of_an_officers_colleague_is_no_conflict():
    """Whoever directs a company with a party is not thereby tied to the party."""
    case, reviewer = full_case(), fit_reviewer()
    record_officer(Party.objects.get(case=case, role="REQUESTING_PHYSICIAN"), "Polar Partners")
    colleague = organizations.record_officer(
        organization_id=organization("Polar Partners"), person_name="Ada Quill", title="Director",
        source="Register", by=None, at=MONDAY,
    )  # fmt: skip
    add_affiliation(reviewer, "FAMILY", kin="SPOUSE", person_id=colleague.person_id)

    listed = rank_panel(case, by=person(Role.COORDINATOR), at=NOON)

    assert listed.find_candidate(reviewer.pk).rank == 1


def test_an_earlier_role_in_the_claim_always_counts():
    case, reviewer = full_case(), fit_reviewer()
    party = Party.objects.get(case=case, role="EMPLOYEE")
    add_affiliation(reviewer, "INVOLVED", person_id=party.person_id, valid_to=date(2021, 1, 1))

    assert "Earlier involvement in the claim of the injured worker" in read_refusal(case, reviewer)
