"""Who forbids an affiliation, as results, refusals, files and the page of limits show it."""

import html
from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from reviewers.models import ConflictResult
from reviewers.services import assignment as assignments
from reviewers.services import conflicts
from tests.factories import MONDAY, person
from tests.reviewers.factories import fit_reviewer, rank_panel, ready_case
from tests.reviewers.test_affiliations_through_others import EMPLOYER, add_affiliation

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)
STATUTE = "Statute: Labor Code 139.5(d)(5)-(6)."
RULE = "Organization’s rule: 8 CCR 9768.1."


@pytest.mark.parametrize(
    ("share", "level", "source", "words"),
    [
        ("8", "STATUTE", "Labor Code 139.5(d)(5)-(6)", STATUTE),
        ("3", "ORGANIZATION", "8 CCR 9768.1", RULE),
    ],
)
def test_both_levels_refuse_and_the_refusal_and_the_stored_result_name_theirs(
    share, level, source, words
):
    case, reviewer, by = ready_case(), fit_reviewer(), person(Role.COORDINATOR)
    add_affiliation(reviewer, "OWNERSHIP", organization_name=EMPLOYER, share_percent=Decimal(share))
    candidate_list = rank_panel(case, by=by, at=NOON)

    with pytest.raises(NotAllowed) as refused:
        assignments.assign_reviewer(
            case_id=case.pk, reviewer_id=reviewer.pk, candidate_list_id=candidate_list.pk,
            seen_version=None, override_code="DIRECTOR", by=by, at=NOON,
        )  # fmt: skip

    assert words in str(refused.value)
    assert words in str(candidate_list.find_candidate(reviewer.pk).reasons)
    conflicts.check_conflicts(case_id=case.pk, reviewer_id=reviewer.pk, by=None, at=NOON)
    row = ConflictResult.objects.filter(reviewer=reviewer, result="FAIL").latest("pk")
    assert (row.level, row.level_source) == (level, source)
    assert row.sentence.endswith(words)
    passed = ConflictResult.objects.filter(reviewer=reviewer, result="PASS")
    assert set(passed.values_list("level", "level_source")) == {("", "")}


def test_wider_limits_of_the_organization_do_not_switch_off_the_statute():
    case, reviewer = ready_case(), fit_reviewer()
    conflicts.set_conflict_limits(
        effective_from=NOON.date(), holding_percent=Decimal(10), kin=["CHILD"], source="Policy 4",
        reason="Voted", by=person(Role.DIRECTOR), at=NOON,
    )  # fmt: skip
    add_affiliation(reviewer, "OWNERSHIP", organization_name=EMPLOYER, share_percent=Decimal(8))

    conflicts.check_conflicts(case_id=case.pk, reviewer_id=reviewer.pk, by=None, at=NOON)

    row = ConflictResult.objects.filter(reviewer=reviewer, result="FAIL").latest("pk")
    assert (row.level, row.relation) == ("STATUTE", "OWNERSHIP")


def test_resolving_a_possible_conflict_keeps_its_level():
    case = ready_case()
    reviewer = fit_reviewer(first_name="Marisol", last_name="Quintanar")
    found = conflicts.check_conflicts(case_id=case.pk, reviewer_id=reviewer.pk, by=None, at=NOON)
    (open_one,) = (one for one in found if one.result == "UNKNOWN")

    answer = conflicts.resolve_conflict(
        result_id=open_one.pk, result="PASS", note="Born elsewhere",
        by=person(Role.COORDINATOR), at=NOON,
    )  # fmt: skip

    assert (answer.level, answer.level_source) == ("STATUTE", "Labor Code 139.5(d)(5)-(6)")


def test_the_reviewers_file_names_the_level_of_each_affiliation(client, set_clock):
    set_clock(NOON)
    reviewer = fit_reviewer()
    add_affiliation(reviewer, "FAMILY", organization_name="Far Away Trucking", kin="SIBLING")
    add_affiliation(reviewer, "FAMILY", organization_name="Near Trucking", kin="GRANDPARENT")
    add_affiliation(reviewer, "FAMILY", organization_name="Other Trucking", kin="COUSIN")
    client.force_login(person(Role.CREDENTIALING))

    page = html.unescape(client.get(f"/reviewers/{reviewer.code}/").content.decode())

    assert page.count(STATUTE) == 1
    assert page.count(RULE) == 1
    assert page.count("No conflict: within the limits in force.") == 1


@pytest.mark.parametrize("role", [Role.DIRECTOR, Role.CREDENTIALING])
def test_the_page_of_limits_counts_what_only_the_organizations_rule_forbids(
    client, set_clock, role
):
    set_clock(NOON)
    both, by_rule, former = fit_reviewer(), fit_reviewer(), fit_reviewer()
    add_affiliation(both, "CONTRACT", organization_name="Far Away Trucking")
    add_affiliation(
        both, "OWNERSHIP", organization_name="Far Away Trucking", share_percent=Decimal(2)
    )
    add_affiliation(by_rule, "PRIVILEGES", organization_name="Riverside Surgery Center")
    add_affiliation(by_rule, "FAMILY", organization_name="Other Trucking", kin="COUSIN")
    # Neither an affiliation that ended nor a reviewer who left costs anything.
    add_affiliation(
        by_rule, "CONTRACT", organization_name="Old Trucking",
        valid_from=date(2020, 1, 1), valid_to=date(2021, 1, 1),
    )  # fmt: skip
    add_affiliation(former, "CONTRACT", organization_name="Far Away Trucking")
    former.status = "INACTIVE"
    former.store(by=None, at=MONDAY)
    client.force_login(person(role))

    answer = client.get("/reviewers/conflict-limits/")

    counts = {
        one.level: (one.affiliations, one.reviewers, one.only_this)
        for one in answer.context["levels"]
    }
    assert counts == {"STATUTE": (1, 1, 0), "ORGANIZATION": (2, 2, 1)}
    assert "8 CCR 9768.1" in answer.content.decode()
