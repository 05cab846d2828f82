"""Whether this organization is tied to a party of a case. Pure: values in, ties out.

Labor Code 139.5 wants the organization, its owners, officers and directors free of ties to the
parties as it wants its reviewers; the same tests are made, with the limits of 8 CCR 9768.1
(``ties.DEFAULT_LIMITS``: more than 1 %, the relatives that it lists). An owner whose share of this
organization lies within that limit is not tested: so small a holding is no tie.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from directory.ties import (
    DEFAULT_LIMITS,
    FAIL,
    FIND_OUT,
    NAMESAKE,
    PASS,
    UNKNOWN,
    FoldedName,
    Limits,
    PartyFacts,
    Tie,
    TieHeld,
    reached,
    tie_of_name,
    ties_through,
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
    """Somebody of the house as they are tested."""

    member_id: int
    kind: str
    name: FoldedName | None = None  # none for a company, which is found by its row
    organization_id: int | None = None
    person_id: int | None = None
    user_id: int | None = None
    is_small: bool = False  # an owner of too small a share
    ties: tuple[TieHeld, ...] = ()


@dataclass(frozen=True)
class Found:
    """A tie, or a possible one, of somebody of the house."""

    member: MemberFacts
    tie: Tie


def ties_of_house(
    members: Iterable[MemberFacts],
    parties: Sequence[PartyFacts],
    limits: Limits = DEFAULT_LIMITS,
) -> list[Found]:
    """Test everybody of the house against every party. What is free of ties is left out."""
    return [
        Found(member, tie)
        for member in members
        if not member.is_small
        for party in parties
        for tie in _ties_of(member, party, limits)
    ]


def _ties_of(member: MemberFacts, party: PartyFacts, limits: Limits) -> Iterator[Tie]:
    who = WHO[member.kind]
    itself = _itself(member, party)
    if itself is not None:
        yield itself
    for tie in ties_through(member.ties, party, limits):
        yield replace(tie, sentence=f"{who}: {tie.sentence[0].lower()}{tie.sentence[1:]}")
    likeness = tie_of_name(member.name, party, who=who) if member.name else None
    if likeness is not None and likeness.result != PASS:  # a surname alone asks nothing here
        yield likeness


def _itself(member: MemberFacts, party: PartyFacts) -> Tie | None:
    """Who they are to the party: the party itself, its officer, or a company of its group."""
    reach = reached(member.organization_id, member.person_id, party)
    if reach is None:
        return None
    doubt, whom = reach
    if doubt == NAMESAKE and member.name:
        return None  # the comparison of names says it
    return Tie(
        party.party_id,
        doubt or ITSELF,
        UNKNOWN if doubt else FAIL,
        f"{WHO[member.kind]} is {whom}.{FIND_OUT[doubt]}",
    )
