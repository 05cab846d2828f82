"""Who forbids an affiliation: the statute, or only the organization's rule."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from directory.affiliations import (
    DEFAULT_LIMITS,
    POLICY_SOURCE,
    STATUTE_SOURCE,
    Limits,
    PartyFacts,
    find_conflicts_on_file,
    judge_affiliation,
    split_name,
)
from directory.affiliations import ConflictLevel as Level
from directory.affiliations import find_name_conflict as compare_with_name
from directory.models import AffiliationRelation, Kin

ITSELF, OFFICER, SISTER, PART_OWNED = 1, 2, 3, 4
PARTY = PartyFacts(
    party_id=1,
    role="EMPLOYER",
    role_label="Employer",
    name="Harbor Cold Storage",
    organizations=frozenset({ITSELF}),
    officers=frozenset({OFFICER}),
    group=frozenset({SISTER}),
    part_owned=frozenset({PART_OWNED}),
    person_names=(split_name("Ada Quill"),),
)


@dataclass
class Held:
    relation: str
    organization_id: int | None = ITSELF
    person_id: int | None = None
    share_percent: Decimal | None = None
    kin: str = ""


@pytest.mark.parametrize(
    ("share", "level"), [("1", None), ("1.01", "ORGANIZATION"), ("5", "ORGANIZATION"),
                         ("5.01", "STATUTE"), (None, "STATUTE")],
)  # fmt: skip
def test_the_statute_begins_above_five_percent_and_the_rule_above_one(share, level):
    held = Held("OWNERSHIP", share_percent=None if share is None else Decimal(share))

    found = judge_affiliation(held, DEFAULT_LIMITS)

    assert (found.code if found else None) == level
    if level == "ORGANIZATION":
        assert str(found) == "Organization’s rule: 8 CCR 9768.1."


def test_the_statute_names_six_kinds_of_relatives_and_the_rule_adds_five():
    levels = {kin: judge_affiliation(Held("FAMILY", kin=kin), DEFAULT_LIMITS) for kin in Kin.values}

    assert {kin for kin, found in levels.items() if found and found.code == Level.STATUTE} == {
        "SPOUSE", "CHILD", "PARENT", "SIBLING", "SPOUSES_PARENT", "CHILDS_SPOUSE"
    }  # fmt: skip
    assert {kin for kin, found in levels.items() if found and found.code != Level.STATUTE} == {
        "COHABITANT", "GRANDPARENT", "GRANDCHILD", "UNCLE_AUNT", "NEPHEW_NIECE"
    }  # fmt: skip


def test_every_relation_has_a_level():
    levels = {
        relation: judge_affiliation(Held(relation), DEFAULT_LIMITS).code
        for relation in AffiliationRelation.values
    }

    assert {relation for relation, level in levels.items() if level == Level.ORGANIZATION} == {
        "UR_CONTRACT", "PRIVILEGES", "INVOLVED", "OTHER"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("held", "role", "level", "source"),
    [
        (Held("CONTRACT"), "EMPLOYER", "STATUTE", STATUTE_SOURCE),
        (Held("CONTRACT", None, OFFICER), "EMPLOYER", "STATUTE", STATUTE_SOURCE),
        (Held("CONTRACT", SISTER), "EMPLOYER", "ORGANIZATION", POLICY_SOURCE),
        (Held("CONTRACT", PART_OWNED), "EMPLOYER", "ORGANIZATION", POLICY_SOURCE),
        (Held("CONTRACT"), "UR_ORGANIZATION", "ORGANIZATION", POLICY_SOURCE),
        (Held("DEVELOPMENT"), "MANUFACTURER", "STATUTE", STATUTE_SOURCE),
        (Held("TREATMENT"), "EMPLOYEE", "STATUTE", STATUTE_SOURCE),
        (Held("OWNERSHIP", share_percent=Decimal(4)), "EMPLOYER", "ORGANIZATION", "Policy 12"),
    ],
)
def test_a_result_names_the_level_and_its_source(held, role, level, source):
    limits = Limits(source="Policy 12")

    (found,) = find_conflicts_on_file([held], replace(PARTY, role=role), limits)

    assert found.prohibition_fields == {"level": level, "level_source": source}
    assert found.sentence.endswith(f"{found.level.code.label}: {source}.")


def test_of_two_equal_affiliations_the_one_that_the_statute_forbids_is_reported():
    uncle, sister = Held("FAMILY", kin="UNCLE_AUNT"), Held("FAMILY", kin="SIBLING")

    for held in ([uncle, sister], [sister, uncle]):
        (found,) = find_conflicts_on_file(held, PARTY, DEFAULT_LIMITS)
        assert found.level.code == Level.STATUTE


def test_a_name_is_judged_by_the_party_that_bears_it():
    name = split_name("Ada Quill")

    same = compare_with_name(name, PARTY, who="The reviewer")
    attorney = compare_with_name(name, replace(PARTY, role="DEFENSE_ATTORNEY"), who="The reviewer")
    surname = compare_with_name(split_name("Bo Quill"), PARTY, who="The reviewer")

    assert (same.level.code, attorney.level.code) == (Level.STATUTE, Level.ORGANIZATION)
    assert (surname.result, surname.level) == ("PASS", None)
