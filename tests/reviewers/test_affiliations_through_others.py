"""Conflicts through owners, officers and relatives, and the dated limits that apply."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.refusals import NotAllowed
from accounts.roles import Role
from directory import affiliations as pure
from directory.models import Organization
from directory.services import organizations
from reviewers.matching.track_record import get_conflict_limits
from reviewers.models import ConflictResult, Kin
from reviewers.services import assignment as assignments
from reviewers.services import conflicts, credentialing
from reviewers.services.conflicts import set_conflict_limits
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    VERIFIED,
    accepted_case,
    fit_reviewer,
    rank_panel,
    ready_case,
    with_evidence,
)

pytestmark = pytest.mark.django_db

NOON = MONDAY + timedelta(hours=4)
EMPLOYER = "Harbor Cold Storage"


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


def get_organization(name):
    return Organization.objects.get(names__printed=name)


def record_owner(child, parent, share=None, **days):
    return organizations.record_parent(
        child_id=get_organization(child).pk,
        parent_name=parent,
        share_percent=None if share is None else Decimal(share),
        source="Annual report",
        by=None,
        at=MONDAY,
        **days,
    )


def list_conflicts(case, reviewer, at=NOON):
    tested = conflicts.check_conflicts(case_id=case.pk, reviewer_id=reviewer.pk, by=None, at=at)
    return {(row.party.role, row.relation): row.result for row in tested if row.result != "PASS"}


@pytest.mark.capability("CO-2")
def test_an_affiliation_with_the_owner_of_a_party_is_a_conflict():
    case, reviewer = ready_case(), fit_reviewer()
    record_owner(EMPLOYER, "Polar Holdings")
    add_affiliation(reviewer, organization_name="Polar Holdings")

    assert list_conflicts(case, reviewer) == {("EMPLOYER", "EMPLOYMENT"): "FAIL"}
    conflict_result = ConflictResult.objects.get(reviewer=reviewer, result="FAIL")
    assert conflict_result.sentence == (
        "Employment with a company of the same group as the employer is on file. "
        "Organization’s rule: policy of this organization."
    )


@pytest.mark.capability("CO-2")
def test_an_affiliation_with_a_sister_company_is_found_through_the_common_owner():
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, organization_name="Polar Trucking")
    record_owner(EMPLOYER, "Polar Holdings")
    record_owner("Polar Trucking", "Polar Holdings", "80")
    record_owner("Polar Holdings", "Arctic Capital")

    assert list_conflicts(case, reviewer) == {("EMPLOYER", "EMPLOYMENT"): "FAIL"}


def test_a_partly_owned_company_is_a_possible_conflict_for_a_person_to_resolve():
    case, reviewer = ready_case(), fit_reviewer()
    record_owner(EMPLOYER, "Pension Fund", "12")
    add_affiliation(reviewer, organization_name="Pension Fund")

    assert list_conflicts(case, reviewer) == {("EMPLOYER", "PART_OWNED"): "UNKNOWN"}


def test_a_holding_below_the_limit_is_no_conflict():
    case, reviewer = ready_case(), fit_reviewer()
    record_owner(EMPLOYER, "Index Fund", "0.9")
    add_affiliation(reviewer, organization_name="Index Fund")

    assert list_conflicts(case, reviewer) == {}


@pytest.mark.capability("CO-9")
def test_an_owner_counts_on_the_days_on_which_it_owned():
    case, reviewer = ready_case(), fit_reviewer()
    record_owner(EMPLOYER, "Former Owner", valid_to=date(2025, 12, 31))
    add_affiliation(reviewer, organization_name="Former Owner")

    assert list_conflicts(case, reviewer) == {}


def test_an_organization_merged_into_a_parent_counts_as_the_parent():
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, organization_name="HCS West")
    add_affiliation(fit_reviewer(), organization_name="HCS Old")
    organizations.record_same_organization(
        organization_id=get_organization("HCS Old").pk, same_as_name=EMPLOYER,
        reason="Merged in 2025", by=None, at=MONDAY,
    )  # fmt: skip
    record_owner("HCS West", "HCS Old")

    assert list_conflicts(case, reviewer) == {("EMPLOYER", "EMPLOYMENT"): "FAIL"}


def test_an_owner_that_was_recorded_by_mistake_counts_until_it_is_withdrawn():
    case, reviewer = ready_case(), fit_reviewer()
    row = record_owner(EMPLOYER, "Polar Holdings")
    add_affiliation(reviewer, organization_name="Polar Holdings")
    organizations.withdraw_organization_fact(
        kind="parent", fact_id=row.pk, reason="Another Harbor", by=None,
        at=NOON + timedelta(hours=1),
    )  # fmt: skip

    assert list_conflicts(case, reviewer, at=NOON) == {("EMPLOYER", "EMPLOYMENT"): "FAIL"}
    assert list_conflicts(case, reviewer, at=NOON + timedelta(hours=2)) == {}
    with pytest.raises(NotAllowed, match="corrected this. Reload"):
        organizations.withdraw_organization_fact(
            kind="parent", fact_id=row.pk, reason="Again", by=None, at=NOON + timedelta(hours=3)
        )


@pytest.mark.capability("CO-2")
def test_a_relative_who_is_a_director_of_the_employer_is_a_conflict():
    case, reviewer = ready_case(), fit_reviewer()
    officer = organizations.record_officer(
        organization_id=get_organization(EMPLOYER).pk, person_name="Ada Quill", title="Director",
        source="Register", by=None, at=MONDAY,
    )  # fmt: skip
    add_affiliation(reviewer, "FAMILY", person_id=officer.person_id, kin=Kin.SIBLING)

    assert list_conflicts(case, reviewer) == {("EMPLOYER", "FAMILY"): "FAIL"}


def test_a_reviewer_with_the_name_of_an_officer_of_the_owner_is_a_possible_conflict():
    case = ready_case()
    record_owner(EMPLOYER, "Polar Holdings")
    organizations.record_officer(
        organization_id=get_organization("Polar Holdings").pk, person_name="Ada Quill",
        title="Director", source="Register", by=None, at=MONDAY,
    )  # fmt: skip
    reviewer = fit_reviewer(first_name="Ada", last_name="Quill")

    assert list_conflicts(case, reviewer) == {("EMPLOYER", "NAME"): "UNKNOWN"}


@pytest.mark.capability("CO-3")
def test_a_relative_who_works_for_a_party_is_a_conflict_through_family():
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, "FAMILY", person_name="Joan Reviewerson", kin=Kin.SPOUSE,
        organization_name=EMPLOYER)  # fmt: skip

    assert list_conflicts(case, reviewer) == {("EMPLOYER", "FAMILY"): "FAIL"}


@pytest.mark.capability("CO-3")
@pytest.mark.parametrize("kin", Kin.values)
def test_only_the_listed_relatives_count_as_family(kin):
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, "FAMILY", organization_name=EMPLOYER, kin=kin)

    counts = kin not in {Kin.COUSIN, Kin.OTHER}
    assert bool(list_conflicts(case, reviewer)) == counts


@pytest.mark.capability("CO-3")
def test_a_small_holding_of_a_relative_is_no_conflict():
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, "FAMILY", organization_name=EMPLOYER, kin=Kin.PARENT,
        share_percent=Decimal("0.5"))  # fmt: skip

    assert list_conflicts(case, reviewer) == {}


def test_the_limits_are_dated_and_a_past_choice_uses_the_limits_of_its_day():
    case, reviewer = ready_case(), fit_reviewer()
    add_affiliation(reviewer, "OWNERSHIP", organization_name=EMPLOYER, share_percent=Decimal("3"))
    set_conflict_limits(
        effective_from=date(2026, 3, 5), holding_percent=Decimal("5"), kin=["SPOUSE"],
        reason="Counsel's reading of the Labor Code", by=person(Role.DIRECTOR), at=MONDAY,
    )  # fmt: skip

    assert list_conflicts(case, reviewer) == {("EMPLOYER", "OWNERSHIP"): "FAIL"}
    assert list_conflicts(case, reviewer, at=MONDAY + timedelta(days=3)) == {}
    assert get_conflict_limits(date(2026, 3, 4), known_at=NOON).holding_percent == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"by": "coordinator"}, "medical director sets"),
        ({"reason": " "}, "Enter why"),
        ({"effective_from": date(2026, 3, 1)}, "cannot start in the past"),
        ({"holding_percent": Decimal("101")}, "from 0 to 100"),
        ({"kin": ["NEIGHBOR"]}, "from the list"),
        ({"source": " "}, "Enter the source"),
    ],
)
def test_invalid_limits_are_refused_with_what_to_do(changes, sentence):
    fields = {
        "effective_from": date(2026, 3, 5), "holding_percent": Decimal("5"), "kin": ["SPOUSE"],
        "reason": "Counsel", "by": person(Role.DIRECTOR), "at": MONDAY,
    } | changes  # fmt: skip
    if fields["by"] == "coordinator":
        fields["by"] = person(Role.COORDINATOR)

    with pytest.raises(NotAllowed, match=sentence):
        set_conflict_limits(**fields)


def test_the_result_of_a_party_without_records_lists_the_relations_that_were_checked():
    case, reviewer = ready_case(), fit_reviewer()
    rows = conflicts.check_conflicts(case_id=case.pk, reviewer_id=reviewer.pk, by=None, at=NOON)

    assert {row.party.role for row in rows} >= {"EMPLOYEE", "EMPLOYER", "CLAIMS_ADMINISTRATOR"}
    for row in rows:
        assert {"EMPLOYMENT", "CONTRACT", "OWNERSHIP", "FAMILY", "PRIVILEGES", "SAME_GROUP",
                "TREATMENT", "NAME"} <= set(row.tested)  # fmt: skip
        assert row.party_list_version == case.party_list_version


@pytest.mark.capability("CO-4")
def test_the_assignment_and_the_attestation_each_store_their_results():
    held = accepted_case()
    moments = set(
        ConflictResult.objects.filter(case=held.case, reviewer=held.reviewer).values_list(
            "tested_at", flat=True
        )
    )
    assert held.offered_at in moments
    assert held.accepted_at in moments


@pytest.mark.capability("CO-5")
def test_a_conflict_found_during_a_review_stops_it_bars_the_reviewer_and_frees_the_case():
    held = accepted_case()
    assignments.decline_assignment(
        assignment_id=held.pk, reason="My sister works there", conflict=True,
        by=held.reviewer.user, at=NOON + timedelta(hours=2),
    )  # fmt: skip
    case = held.case
    case.refresh_from_db()
    coordinator = person(Role.COORDINATOR)
    listed = rank_panel(case, by=coordinator, at=NOON + timedelta(hours=3))

    assert held.reviewer.bars.filter(case=case).exists()
    place = listed.find_candidate(held.reviewer_id)
    assert place.rank is None
    assert any(reason["requirement"] == "BARRED" for reason in place.reasons)


@pytest.mark.capability("CO-8")
def test_a_physician_of_the_utilization_review_is_a_possible_conflict_in_the_same_case():
    from cases.services.parties import PartyOnForm, store_party

    case, reviewer = ready_case(), fit_reviewer(first_name="Ada", last_name="Quill")
    store_party(
        case=case, party=PartyOnForm(role="UR_PHYSICIAN", name="Ada Quill, M.D."), by=None,
        at=MONDAY,
    )  # fmt: skip

    assert list_conflicts(case, reviewer) == {("UR_PHYSICIAN", "NAME"): "UNKNOWN"}


edges = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.integers(1, 12),
        st.one_of(st.none(), st.sampled_from([Decimal(1), Decimal(2), Decimal(50), Decimal(99)])),
    ),
    max_size=14,
)


@given(owned=edges)
def test_groups_of_companies_equal_a_search_over_every_ownership(owned):
    limits = pure.Limits()
    controlled, connected = pure.group_companies([], owned, limits)

    def reached(start, counts):
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            for child, parent, share in owned:
                if here in {child, parent} and counts(share):
                    fresh = {child, parent} - seen
                    seen |= fresh
                    todo += fresh
        return seen

    for company in range(1, 13):
        by_control = reached(company, lambda share: share is None or share >= 50)
        by_any = reached(company, lambda share: share is None or share > limits.holding_percent)
        assert controlled.get(company, {company}) == by_control
        assert connected.get(company, {company}) == by_any


def test_the_pages_record_owners_officers_and_identical_organizations(client):
    ready_case()
    row = get_organization(EMPLOYER)
    client.force_login(person(Role.CREDENTIALING))

    page = client.get("/organizations/", {"find": "harbor"}).content.decode()
    assert EMPLOYER in page
    refused = client.post(f"/organizations/{row.pk}/parent/", {"parent_name": "Polar Holdings"})
    assert refused.status_code == 422
    assert "Enter the source." in refused.content.decode()
    assert "Polar Holdings" in refused.content.decode()
    client.post(
        f"/organizations/{row.pk}/parent/",
        {"parent_name": "Polar Holdings", "share_percent": "60", "source": "Annual report"},
    )
    client.post(
        f"/organizations/{row.pk}/officer/",
        {"person_name": "Ada Quill", "title": "Director", "source": "Register"},
    )
    client.post(
        f"/organizations/{row.pk}/same/", {"same_as_name": "Pacific Comp Claims", "reason": "Ours"}
    )
    page = client.get(f"/organizations/{row.pk}/").content.decode()
    for words in ("Polar Holdings", "60.00%", "Ada Quill", "Pacific Comp Claims"):
        assert words in page
    fact = row.parents.get()
    client.post(f"/organizations/{row.pk}/parent/{fact.pk}/withdraw/", {"reason": "A mistake"})
    assert "Polar Holdings" not in client.get(f"/organizations/{row.pk}/").content.decode()
    other = get_organization("Pacific Comp Claims")
    stranger = client.post(f"/organizations/{other.pk}/officer/{row.officers.get().pk}/withdraw/",
                           {"reason": "Not theirs"})  # fmt: skip
    assert stranger.status_code == 404


def test_the_page_of_limits_shows_them_to_coordinators_and_sets_them_for_the_director(client):
    client.force_login(person(Role.COORDINATOR))
    page = client.get("/reviewers/conflict-limits/").content.decode()
    assert "1%" in page
    assert "Only the medical director sets" in page
    refused = client.post("/reviewers/conflict-limits/", {})
    assert refused.status_code == 422

    client.force_login(person(Role.DIRECTOR))
    answer = client.post(
        "/reviewers/conflict-limits/",
        {"effective_from": "12/31/2035", "holding_percent": "5", "kin": ["SPOUSE"],
         "source": "Policy 12", "reason": "Counsel's reading"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    page = client.get("/reviewers/conflict-limits/").content.decode()
    assert "Counsel&#x27;s reading" in page
