"""Whether this organization is tied to a party of a case. Pure: values in, affiliations out.

Labor Code 139.5 wants the organization, its owners, officers and directors free of affiliations to
the parties as it wants its reviewers; the same tests are made, with the limits of 8 CCR 9768.1
(``conflicts.DEFAULT_LIMITS``: more than 1 %, the relatives that it lists). An owner whose share of
this organization lies within that limit is not tested: so small a holding is no affiliation.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from directory.affiliations import (
    DEFAULT_LIMITS,
    FAIL,
    FIND_OUT,
    NAMESAKE,
    PASS,
    UNKNOWN,
    FoldedName,
    FoundConflict,
    HeldAffiliation,
    Limits,
    PartyFacts,
    conflict_of_name,
    conflicts_through,
    reached,
)

# The relation of whoever is a party, directs one, or belongs to its group.
ITSELF = "ITSELF"

WHO = {
    "ITSELF": "This organization",
    "OWNER": "An owner of this organization",
    "OFFICER": "An officer of this organization",
    "STAFF": "A member of staff",
}


@dataclass(frozen=True)
class MemberFacts:
    """Someone of the organization as they are tested."""

    member_id: int
    kind: str
    name: FoldedName | None = None  # none for a company, which is found by its row
    organization_id: int | None = None
    person_id: int | None = None
    user_id: int | None = None
    is_small: bool = False  # an owner of too small a share
    conflicts: tuple[HeldAffiliation, ...] = ()


@dataclass(frozen=True)
class Found:
    """An affiliation, or a possible one, of someone of the organization."""

    member: MemberFacts
    conflict: FoundConflict


def own_conflicts(
    members: Iterable[MemberFacts],
    parties: Sequence[PartyFacts],
    limits: Limits = DEFAULT_LIMITS,
) -> list[Found]:
    """Test everyone of the organization against every party.

    What is free of affiliations is left out.
    """
    return [
        Found(member, conflict)
        for member in members
        if not member.is_small
        for party in parties
        for conflict in _conflicts_of(member, party, limits)
    ]


def _conflicts_of(
    member: MemberFacts, party: PartyFacts, limits: Limits
) -> Iterator[FoundConflict]:
    who = WHO[member.kind]
    itself = _itself(member, party)
    if itself is not None:
        yield itself
    for conflict in conflicts_through(member.conflicts, party, limits):
        yield replace(
            conflict, sentence=f"{who}: {conflict.sentence[0].lower()}{conflict.sentence[1:]}"
        )
    possible_duplicate = conflict_of_name(member.name, party, who=who) if member.name else None
    if (
        possible_duplicate is not None and possible_duplicate.result != PASS
    ):  # a surname alone asks nothing here
        yield possible_duplicate


def _itself(member: MemberFacts, party: PartyFacts) -> FoundConflict | None:
    """Who they are to the party: the party itself, its officer, or a company of its group."""
    reach = reached(member.organization_id, member.person_id, party)
    if reach is None:
        return None
    doubt, whom = reach
    if doubt == NAMESAKE and member.name:
        return None  # the comparison of names says it
    return FoundConflict(
        party.party_id,
        doubt or ITSELF,
        UNKNOWN if doubt else FAIL,
        f"{WHO[member.kind]} is {whom}.{FIND_OUT[doubt]}",
    )
