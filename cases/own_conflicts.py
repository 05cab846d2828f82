"""Conflicts of interest between this organization and the parties of a case. Pure.

Labor Code 139.5 requires that the organization, its owners, officers and directors have no
affiliation with the parties, as it requires of reviewers. The same checks are made, with the limits
of 8 CCR 9768.1 (``directory.affiliations.DEFAULT_LIMITS``: more than 1%, and the relatives that it
lists). An owner whose share of this organization is within that limit is not checked.
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
    find_conflicts_on_file,
    find_name_conflict,
    find_reach,
    judge_party,
)

# The relation of a member who is a party, directs a party, or belongs to its group of companies.
ITSELF = "ITSELF"

MEMBER_DESCRIPTIONS = {
    "ITSELF": "This organization",
    "OWNER": "An owner of this organization",
    "OFFICER": "An officer of this organization",
    "STAFF": "A staff member",
}


@dataclass(frozen=True)
class MemberFacts:
    """A member of the organization, as values to check."""

    member_id: int
    kind: str
    name: FoldedName | None = None  # None for a company: its id is compared instead
    organization_id: int | None = None
    person_id: int | None = None
    user_id: int | None = None
    is_small: bool = False  # an owner whose share is too small to count
    conflicts: tuple[HeldAffiliation, ...] = ()


@dataclass(frozen=True)
class FoundOwnConflict:
    """A confirmed or possible affiliation of a member of the organization."""

    member: MemberFacts
    conflict: FoundConflict


def find_own_conflicts(
    members: Iterable[MemberFacts],
    parties: Sequence[PartyFacts],
    limits: Limits = DEFAULT_LIMITS,
) -> list[FoundOwnConflict]:
    """Check every member of the organization against every party.

    :returns: confirmed and possible affiliations only.
    """
    return [
        FoundOwnConflict(member, conflict)
        for member in members
        if not member.is_small
        for party in parties
        for conflict in _find_member_conflicts(member, party, limits)
    ]


def _find_member_conflicts(
    member: MemberFacts, party: PartyFacts, limits: Limits
) -> Iterator[FoundConflict]:
    """Yield the conflicts of one member with one party: by identity, by affiliation, by name."""
    description = MEMBER_DESCRIPTIONS[member.kind]
    # Several kinds may apply. Each is stored separately, and a person may have to resolve it.
    itself = _find_identity_conflict(member, party)
    if itself is not None:
        yield itself
    for conflict in find_conflicts_on_file(member.conflicts, party, limits):
        yield replace(
            conflict,
            sentence=f"{description}: {conflict.sentence[0].lower()}{conflict.sentence[1:]}",
        )
    by_name = find_name_conflict(member.name, party, who=description) if member.name else None
    # A surname alone passes: unlike a reviewer, a member is not asked about it.
    if by_name is not None and by_name.result != PASS:
        yield by_name


def _find_identity_conflict(member: MemberFacts, party: PartyFacts) -> FoundConflict | None:
    """Find whether the member is the party, its officer, or a company of its group."""
    reach = find_reach(member.organization_id, member.person_id, party)
    if reach is None:
        return None
    possible_relation, description = reach
    if possible_relation == NAMESAKE and member.name:
        return None  # the comparison of names reports it
    level = judge_party(party)
    return FoundConflict(
        party.party_id,
        possible_relation or ITSELF,
        UNKNOWN if possible_relation else FAIL,
        f"{MEMBER_DESCRIPTIONS[member.kind]} is {description}."
        f"{FIND_OUT[possible_relation]} {level}",
        level,
    )
