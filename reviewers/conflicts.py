"""Whether a reviewer is tied to a party of a case. Pure: values in, ties out; no rows, no clock.

How a tie is found stands in ``directory.ties``. A reviewer's own affiliations are looked through,
and the name: the same or a similar one is UNKNOWN, so that somebody other than the reviewer has to
look; a shared surname alone is a PASS with a question for the attestation (Labor Code 139.5).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from directory.ties import (
    DEFAULT_LIMITS,
    UNKNOWN,
    FoldedName,
    Limits,
    PartyFacts,
    Tie,
    split_name,
    tie_of_name,
    ties_through,
)

from .facts import Profile


def name_of(profile: Profile) -> FoldedName:
    """A reviewer's name, folded for comparison."""
    return split_name("", first=profile.first_name, last=profile.last_name)


def ties(
    profile: Profile,
    parties: Sequence[PartyFacts],
    limits: Limits = DEFAULT_LIMITS,
    *,
    name: FoldedName | None = None,
) -> list[Tie]:
    """Test a reviewer against every party. Each party has at least one result.

    :param name: the reviewer's name, where it was folded before.
    """
    name = name or name_of(profile)
    found: list[Tie] = []
    for party in parties:
        of_party = ties_through(profile.affiliations, party, limits)
        likeness = tie_of_name(name, party, who="The reviewer")
        if likeness is not None:
            of_party.append(likeness)
        if not of_party:
            of_party = [party.no_tie]
        found += of_party
    return found


def settled(
    found: Iterable[Tie], settlements: Mapping[tuple[int, str], tuple[str, str]]
) -> list[Tie]:
    """Put what a person has settled in the place of what was unknown.

    :param settlements: (party id, relation) → (result, the person's note).
    """
    after = []
    for tie in found:
        known = settlements.get((tie.party_id, tie.relation)) if tie.result == UNKNOWN else None
        if known is None:
            after.append(tie)
        else:
            result, note = known
            after.append(
                Tie(tie.party_id, tie.relation, result, f"{tie.sentence} Settled: {note}"[:400])
            )
    return after


def by_party(found: Iterable[Tie]) -> Mapping[int, list[Tie]]:
    """Ties under the party they are about."""
    groups: dict[int, list[Tie]] = defaultdict(list)
    for tie in found:
        groups[tie.party_id].append(tie)
    return groups
