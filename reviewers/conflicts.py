"""Whether a reviewer is tied to a party of a case. Pure: values in, affiliations out; no rows, no
clock.

How an affiliation is found stands in ``directory.affiliations``. A reviewer's own affiliations are
looked through, and the name: the same or a similar one is UNKNOWN, so that someone other than the
reviewer has to look; a shared surname alone is a PASS with a question for the attestation (Labor
Code 139.5).
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
    conflict_of_name,
    conflicts_through,
    split_name,
)

from .facts import Profile


def name_of(profile: Profile) -> FoldedName:
    """A reviewer's name, folded for comparison."""
    return split_name("", first=profile.first_name, last=profile.last_name)


def find_conflicts(
    profile: Profile,
    parties: Sequence[PartyFacts],
    limits: Limits = DEFAULT_LIMITS,
    *,
    name: FoldedName | None = None,
) -> list[FoundConflict]:
    """Test a reviewer against every party. Each party has at least one result.

    :param name: the reviewer's name, where it was folded before.
    """
    name = name or name_of(profile)
    found: list[FoundConflict] = []
    for party in parties:
        of_party = conflicts_through(profile.affiliations, party, limits)
        possible_duplicate = conflict_of_name(name, party, who="The reviewer")
        if possible_duplicate is not None:
            of_party.append(possible_duplicate)
        if not of_party:
            of_party = [party.no_conflict]
        found += of_party
    return found


def apply_resolutions(
    found: Iterable[FoundConflict], settlements: Mapping[tuple[int, str], tuple[str, str]]
) -> list[FoundConflict]:
    """Put what a person has settled in the place of what was unknown.

    :param settlements: (party id, relation) → (result, the person's note).
    """
    after = []
    for conflict in found:
        known = (
            settlements.get((conflict.party_id, conflict.relation))
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
                    f"{conflict.sentence} Settled: {note}"[:400],
                )
            )
    return after


def by_party(found: Iterable[FoundConflict]) -> Mapping[int, list[FoundConflict]]:
    """Affiliations under the party they are about."""
    groups: dict[int, list[FoundConflict]] = defaultdict(list)
    for conflict in found:
        groups[conflict.party_id].append(conflict)
    return groups
