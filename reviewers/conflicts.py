"""Conflict checks of a reviewer against the parties of a case. Pure: no ORM, no current time.

The rules are in ``directory.affiliations``. Checked are the reviewer's affiliations and name. The
same or a similar name is UNKNOWN, so that someone other than the reviewer must resolve it. A shared
surname alone is a PASS with a question in the attestation (Labor Code 139.5).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from directory.affiliations import (
    DEFAULT_LIMITS,
    UNKNOWN,
    FoldedName,
    FoundConflict,
    Limits,
    PartyFacts,
    find_conflicts_on_file,
    find_name_conflict,
    split_name,
)

from .facts import Profile


def fold_reviewer_name(profile: Profile) -> FoldedName:
    """Return a reviewer's name, folded for comparison."""
    return split_name("", first=profile.first_name, last=profile.last_name)


def find_conflicts(
    profile: Profile,
    parties: Sequence[PartyFacts],
    limits: Limits = DEFAULT_LIMITS,
    *,
    name: FoldedName | None = None,
) -> list[FoundConflict]:
    """Check a reviewer against every party. Each party has at least one result.

    :param name: the reviewer's folded name, if the caller has it already.
    """
    name = name or fold_reviewer_name(profile)
    found: list[FoundConflict] = []
    for party in parties:
        of_party = find_conflicts_on_file(profile.affiliations, party, limits)
        same_name = find_name_conflict(name, party, who="The reviewer")
        if same_name is not None:
            of_party.append(same_name)
        # A result without a finding is stored as well, as proof that the party was checked.
        if not of_party:
            of_party = [party.no_conflict]
        found += of_party
    return found


def apply_resolutions(
    found: Iterable[FoundConflict], resolutions: Mapping[tuple[int, str], tuple[str, str]]
) -> list[FoundConflict]:
    """Replace possible conflicts with the resolutions that people recorded.

    :param resolutions: (party id, relation) → (result, note).
    """
    after = []
    for conflict in found:
        # Only a possible conflict can be resolved. An affiliation on file stays a conflict.
        known = (
            resolutions.get((conflict.party_id, conflict.relation))
            if conflict.result == UNKNOWN
            else None
        )
        if known is None:
            after.append(conflict)
        else:
            result, note = known
            after.append(
                FoundConflict(
                    conflict.party_id,
                    conflict.relation,
                    result,
                    f"{conflict.sentence} Resolved: {note}"[:400],
                )
            )
    return after


def group_by_party(found: Iterable[FoundConflict]) -> Mapping[int, list[FoundConflict]]:
    """Group conflict results by party id."""
    groups: dict[int, list[FoundConflict]] = defaultdict(list)
    for conflict in found:
        groups[conflict.party_id].append(conflict)
    return groups
