"""The same answer the slow way: nothing kept, no one left out, everyone tested in full."""

from dataclasses import replace

from cases.models import Case
from cases.party_facts import read_party_facts
from reviewers import conflicts, profiles
from reviewers.matching import ranking
from reviewers.matching.candidacy import CandidateResult
from reviewers.matching.candidates import (
    find_case_conflicts,
    gather_matching_input,
    load_matching_context,
)
from reviewers.matching.track_record import get_conflict_limits
from reviewers.models import Reviewer


def naively_ranked(case: Case, *, on, known_at, among=None) -> list[CandidateResult]:
    """Each reviewer's whole profile, all affiliations, every affiliation and every requirement, one
    by one.

    :param among: these reviewers only.
    """
    match_case, people = None, []
    for reviewer in among or Reviewer.objects.order_by("code"):
        today = load_matching_context(on=on, known_at=known_at, only=reviewer)
        match_case, (candidate,) = gather_matching_input(case, today)
        whole = profiles.load_profiles(
            Reviewer.objects.filter(pk=reviewer.pk), on=on, known_at=known_at
        )[reviewer.pk]
        conflicts = tuple(find_case_conflicts(case, whole, known_at=known_at))
        people.append(replace(candidate, profile=whole, conflicts=conflicts, daily_results=None))
    assert match_case is not None
    return ranking.rank_candidates(match_case, people)


def plainly_ranked(case: Case, *, on, known_at) -> list[CandidateResult]:
    """Everything read at once, then one loop.

    Each affiliation of each reviewer, and every requirement.
    """
    whole = profiles.load_profiles(Reviewer.objects.all(), on=on, known_at=known_at)
    match_case, people = gather_matching_input(
        case, load_matching_context(on=on, known_at=known_at)
    )
    limits = get_conflict_limits(on, known_at=known_at)
    parties = read_party_facts(case, known_at=known_at, limits=limits)
    return ranking.rank_candidates(
        match_case,
        [
            replace(
                one,
                profile=whole[one.profile.reviewer_id],
                conflicts=tuple(
                    conflicts.find_conflicts(whole[one.profile.reviewer_id], parties, limits)
                ),
                daily_results=None,
            )
            for one in people
        ],
    )
