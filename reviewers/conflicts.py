"""Conflict checks of a reviewer against the parties of a case. Pure: no ORM, no current time.

The rules are in ``directory.affiliations``. Checked are the reviewer's affiliations and name. The
same or a similar name is UNKNOWN, so that someone other than the reviewer must resolve it. A shared
surname alone is a PASS with a question in the attestation (Labor Code 139.5).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from directory.affiliations import (
    DEFAULT_LIMITS,
    UNKNOWN,
    ConflictLevel,
    FoldedName,
    FoundConflict,
    HeldAffiliation,
    Limits,
    PartyFacts,
    find_conflicts_on_file,
    find_name_conflict,
    judge_affiliation,
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
    conflicts: list[FoundConflict] = []
    for party in parties:
        of_party = find_conflicts_on_file(profile.affiliations, party, limits)
        same_name = find_name_conflict(name, party, who="The reviewer")
        if same_name is not None:
            of_party.append(same_name)
        # A result without a finding is stored as well, as proof that the party was checked.
        if not of_party:
            of_party = [party.no_conflict]
        conflicts += of_party
    return conflicts


def apply_resolutions(
    conflicts: Iterable[FoundConflict], resolutions: Mapping[tuple[int, str], tuple[str, str]]
) -> list[FoundConflict]:
    """Replace possible conflicts with the resolutions that people recorded.

    :param resolutions: (party id, relation) → (result, note).
    """
    after = []
    for conflict in conflicts:
        # Only a possible conflict can be resolved. An affiliation on file stays a conflict.
        resolution = (
            resolutions.get((conflict.party_id, conflict.relation))
            if conflict.result == UNKNOWN
            else None
        )
        if resolution is None:
            after.append(conflict)
        else:
            result, note = resolution
            after.append(
                FoundConflict(
                    conflict.party_id,
                    conflict.relation,
                    result,
                    f"{conflict.sentence} Resolved: {note}"[:400],
                    conflict.level,
                )
            )
    return after


def group_by_party(conflicts: Iterable[FoundConflict]) -> Mapping[int, list[FoundConflict]]:
    """Group conflict results by party id."""
    groups: dict[int, list[FoundConflict]] = defaultdict(list)
    for conflict in conflicts:
        groups[conflict.party_id].append(conflict)
    return groups


@dataclass(frozen=True)
class LevelCount:
    """How many affiliations one level forbids, and how many reviewers have one.

    :ivar only_this: reviewers whose affiliations are all of this level.
    """

    level: ConflictLevel
    affiliations: int
    reviewers: int
    only_this: int


def count_levels(held: Mapping[int, Iterable[HeldAffiliation]], limits: Limits) -> list[LevelCount]:
    """Count affiliations and reviewers for each level, the statute first.

    Whether an affiliation bars a reviewer depends on the parties of a case; this counts what is on
    file. Affiliations within the limits are left out.

    :param held: reviewer id → affiliations.
    """
    affiliations: Counter[ConflictLevel] = Counter()
    by_reviewer: dict[int, set[ConflictLevel]] = {}
    for reviewer_id, rows in held.items():
        levels = [level.code for one in rows if (level := judge_affiliation(one, limits))]
        affiliations.update(levels)
        by_reviewer[reviewer_id] = set(levels)
    return [
        LevelCount(
            level,
            affiliations[level],
            sum(level in found for found in by_reviewer.values()),
            sum(found == {level} for found in by_reviewer.values()),
        )
        for level in ConflictLevel
    ]
