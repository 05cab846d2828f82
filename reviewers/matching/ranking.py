"""Ranking of reviewers for a case. Pure: values in, values out; no ORM and no current time.

A reviewer who fails a requirement is not eligible. Eligible reviewers are ranked by stored
weights. Every result has sentences that explain it, for eligible and ineligible reviewers alike
(Labor Code 139.5(d)(4); 8 CCR 9792.10.6).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

from reviewers.facts import HOME_STATE, Profile, format_day

from . import requirements
from .candidacy import (
    DEFAULT_RULES,
    CandidateData,
    CandidateResult,
    Match,
    MatchCase,
    Reason,
    Rules,
    TrackRecord,
)
from .specialty_map import match_specialties

REMARK = "REMARK"  # explains the score and never excludes a reviewer


def rank_candidates(
    match_case: MatchCase, candidates: Iterable[CandidateData]
) -> list[CandidateResult]:
    """Rank all candidates: eligible ones by score, then the others by code.

    The same input gives the same list. The order of equal scores depends on the case number, so
    that the same reviewer is not always first.
    """
    weighed = [(evaluate_candidate(match_case, candidate), candidate) for candidate in candidates]
    fit = [(result, person) for result, person in weighed if result.is_eligible]
    fit.sort(
        key=lambda pair: (
            -(pair[0].score or 0),
            pair[1].workload,
            # A hash of case and code gives every case another order, which can still be repeated.
            crc32(f"{match_case.case_number} {pair[0].code}".encode()),
            pair[0].code,
        )
    )
    out = sorted((one for one, _ in weighed if not one.is_eligible), key=lambda one: one.code)
    placed = [
        CandidateResult(one.reviewer_id, one.code, place, one.score, one.reasons, one.matches)
        for place, (one, _) in enumerate(fit, start=1)
    ]
    return placed + out


def evaluate_candidate(match_case: MatchCase, candidate: CandidateData) -> CandidateResult:
    """Check every requirement for one reviewer, and compute the score if none refuses."""
    profile = candidate.profile
    daily = candidate.daily_results or requirements.check_daily_requirements(candidate)
    matches, about_items = match_specialties(match_case, profile)
    case_results = [*requirements.check_case_requirements(match_case, candidate), *about_items]
    # All refusals are collected, not only the first, so that a person sees everything to fix.
    refusals = [*daily.unmet, *(one for one in case_results if not one.is_met)]
    if refusals:
        refusals.sort(key=requirements.get_requirement_order)
        return CandidateResult(profile.reviewer_id, profile.code, None, None, tuple(refusals))
    score, remarks = _compute_score(match_case, candidate, matches)
    reasons = sorted([*daily.met, *case_results], key=requirements.get_requirement_order)
    return CandidateResult(
        profile.reviewer_id, profile.code, None, score, (*remarks, *reasons), matches
    )


def check_general_requirements(
    candidate: CandidateData, rules: Rules = DEFAULT_RULES
) -> list[Reason]:
    """Check what every case requires of a reviewer. Used on the panel pages."""
    match_case = MatchCase("", (), (), candidate.profile.on, rules)
    daily = requirements.check_daily_requirements(candidate)
    answers = [
        *daily.met,
        *daily.unmet,
        *requirements.check_workload(match_case, candidate),
    ]
    return sorted(answers, key=requirements.get_requirement_order)


def count_refusals(results: Iterable[CandidateResult]) -> list[tuple[int, str]]:
    """Count the refused reviewers of each requirement, most first.

    :returns: pairs such as ``(4, "without a matching specialty")``.
    """
    tally: Counter[str] = Counter()
    for result in results:
        # A set, because a reviewer may fail one requirement for several items.
        tally.update({reason.requirement for reason in result.refusals})
    return describe_counts(tally)


def describe_counts(tally: Mapping[str, int]) -> list[tuple[int, str]]:
    """Return the number of each requirement with its words, most first."""
    # The sort is stable, so equal counts stay in the display order of the requirements.
    return sorted(
        (
            (tally[requirement], words)
            for requirement, words in requirements.REQUIREMENTS.items()
            if tally.get(requirement)
        ),
        key=lambda pair: -pair[0],
    )


def _compute_score(
    match_case: MatchCase, candidate: CandidateData, matches: Sequence[Match]
) -> tuple[int, list[Reason]]:
    profile, weights, limits = candidate.profile, match_case.rules.weights, match_case.rules.limits
    record = candidate.record
    in_california = is_in_home_state(profile)
    score = count_profile_points(match_case, matches, in_california=in_california)
    score += count_work_points(match_case, profile.capacity, candidate.workload, record)
    remarks = []
    if not in_california:
        remarks.append("Not licensed in California, which is preferred.")
    if record.counted_reviews:
        remarks.append(
            f"Issued on time: {record.on_time_reviews} of {record.counted_reviews} recent "
            f"review{'' if record.counted_reviews == 1 else 's'}."
        )
    if record.last_offered_on is not None:
        remarks.append(f"Last offered a case on {format_day(record.last_offered_on)}.")
    until = candidate.removed_from_case_on
    if until is not None and (match_case.on - until).days <= limits["return_days"]:
        score += weights["returned_work"]
        remarks.append(f"Had this case until {format_day(until)}; it returns to the same reviewer.")
    if candidate.has_declined:
        score += weights["declined_before"]
        remarks.append("Declined this case before.")
    return score, [Reason(REMARK, True, sentence) for sentence in remarks]


def is_in_home_state(profile: Profile) -> bool:
    """Return whether the reviewer has a good license of California."""
    return any(row.state == HOME_STATE for row in profile.good_licenses)


def count_profile_points(
    match_case: MatchCase, matches: Sequence[Match], *, in_california: bool
) -> int:
    """Count the points for specialties and license, which do not change with every offer."""
    weights = match_case.rules.weights
    # Integers, so that rounding cannot order two equal reviewers. A case without items has no
    # eligible reviewer.
    fit = weights["specialty_fit"] * sum(match.is_mapped for match in matches) // len(matches)
    return fit + weights["california_license"] * in_california


def count_work_points(
    match_case: MatchCase, capacity: int, workload: int, record: TrackRecord
) -> int:
    """Count the points for free capacity, timeliness and rotation.

    :param capacity: more than ``workload``; a reviewer at capacity is refused.
    """
    weights = match_case.rules.weights
    # The share of its points that each weight earns, as (part, whole).
    shares = (
        ("free_capacity", capacity - workload, capacity),
        # Full points without finished reviews, so that new reviewers are at no disadvantage.
        ("timeliness", record.on_time_reviews, record.counted_reviews)
        if record.counted_reviews
        else ("timeliness", 1, 1),
        ("rotation", *_compute_rotation_share(match_case, record)),
    )
    return sum(weights[name] * part // whole for name, part, whole in shares)


def _compute_rotation_share(match_case: MatchCase, record: TrackRecord) -> tuple[int, int]:
    """Return the days since the last offer and the days for full points, as (part, whole)."""
    rotation_days = match_case.rules.limits["rotation_days"]
    if record.last_offered_on is None or not rotation_days:
        return 1, 1
    days = (match_case.on - record.last_offered_on).days
    return max(0, min(days, rotation_days)), rotation_days
