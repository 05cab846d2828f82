"""Ranking of reviewers for a case. Pure: values in, values out; no ORM and no current time.

A reviewer who fails a requirement is not eligible. Eligible reviewers are ranked by stored
weights. Every result has sentences that explain it, for eligible and ineligible reviewers alike
(Labor Code 139.5(d)(4); 8 CCR 9792.10.6).
"""

from collections.abc import Iterable, Sequence
from zlib import crc32

from reviewers.facts import HOME_STATE, format_day

from . import requirements
from .candidacy import DEFAULT_RULES, CandidateData, Match, MatchCase, Reason, Rules, Verdict
from .specialty_map import match_specialties

REMARK = "REMARK"  # explains the score and never excludes a reviewer


def rank_candidates(question: MatchCase, applicants: Iterable[CandidateData]) -> list[Verdict]:
    """Rank all applicants: eligible ones by score, then the others by code.

    The same input gives the same list. The order of equal scores depends on the case number, so
    that the same reviewer is not always first.
    """
    weighed = [(evaluate_applicant(question, applicant), applicant) for applicant in applicants]
    fit = [(verdict, person) for verdict, person in weighed if verdict.is_eligible]
    fit.sort(
        key=lambda pair: (
            -(pair[0].score or 0),
            pair[1].workload,
            # A hash of case and code gives every case another order, which can still be repeated.
            crc32(f"{question.case_number} {pair[0].code}".encode()),
            pair[0].code,
        )
    )
    out = sorted((one for one, _ in weighed if not one.is_eligible), key=lambda one: one.code)
    placed = [
        Verdict(one.reviewer_id, one.code, place, one.score, one.reasons, one.matches)
        for place, (one, _) in enumerate(fit, start=1)
    ]
    return placed + out


def evaluate_applicant(question: MatchCase, applicant: CandidateData) -> Verdict:
    """Check every requirement for one reviewer, and compute the score if none refuses."""
    profile = applicant.profile
    of_the_day = applicant.answered or requirements.check_daily_requirements(applicant)
    matches, about_items = match_specialties(question, profile)
    of_the_case = [*requirements.check_case_requirements(question, applicant), *about_items]
    # All refusals are collected, not only the first, so that a person sees everything to fix.
    refusals = [*of_the_day.refused, *(one for one in of_the_case if not one.holds)]
    if refusals:
        refusals.sort(key=requirements.get_requirement_order)
        return Verdict(profile.reviewer_id, profile.code, None, None, tuple(refusals))
    score, remarks = _compute_score(question, applicant, matches)
    reasons = sorted([*of_the_day.held, *of_the_case], key=requirements.get_requirement_order)
    return Verdict(profile.reviewer_id, profile.code, None, score, (*remarks, *reasons), matches)


def check_general_requirements(
    applicant: CandidateData, rules: Rules = DEFAULT_RULES
) -> list[Reason]:
    """Check what every case requires of a reviewer. Used on the panel pages."""
    question = MatchCase("", (), (), applicant.profile.on, rules)
    of_the_day = requirements.check_daily_requirements(applicant)
    answers = [
        *of_the_day.held,
        *of_the_day.refused,
        *requirements.check_workload(question, applicant),
    ]
    return sorted(answers, key=requirements.get_requirement_order)


def count_refusals(verdicts: Iterable[Verdict]) -> list[tuple[int, str]]:
    """Count the refused reviewers of each requirement, most first.

    :returns: pairs such as ``(4, "without a matching specialty")``.
    """
    tally = dict.fromkeys(requirements.REQUIREMENTS, 0)
    for verdict in verdicts:
        # A set, because a reviewer may fail one requirement for several items.
        for requirement in {reason.requirement for reason in verdict.refusals}:
            tally[requirement] += 1
    # The sort is stable, so equal counts stay in the display order of the requirements.
    return sorted(
        (
            (number, requirements.REQUIREMENTS[requirement])
            for requirement, number in tally.items()
            if number
        ),
        key=lambda pair: -pair[0],
    )


def _compute_score(
    question: MatchCase, applicant: CandidateData, matches: Sequence[Match]
) -> tuple[int, list[Reason]]:
    profile, weights, limits = applicant.profile, question.rules.weights, question.rules.limits
    record = applicant.record
    in_california = any(held.state == HOME_STATE for held in profile.good_licenses)
    # The share of its points that each weight earns, as (part, whole).
    # No whole is 0: a reviewer at capacity and a case without items were refused before.
    shares = {
        "specialty_fit": (sum(match.mapped for match in matches), len(matches)),
        "california_license": (int(in_california), 1),
        "free_capacity": (profile.capacity - applicant.workload, profile.capacity),
        # Full points without finished reviews, so that new reviewers are at no disadvantage.
        "timeliness": (record.on_time, record.finished) if record.finished else (1, 1),
        "rotation": _compute_rotation_share(question, applicant),
    }
    # Integers, so that rounding cannot order two equal reviewers.
    score = sum(weights[name] * part // of for name, (part, of) in shares.items())
    remarks = []
    if not in_california:
        remarks.append("Not licensed in California, which is preferred.")
    if record.finished:
        remarks.append(f"Issued on time: {record.on_time} of the last {record.finished} reviews.")
    if record.last_offered_on is not None:
        remarks.append(f"Last offered a case on {format_day(record.last_offered_on)}.")
    until = applicant.removed_from_case_on
    if until is not None and (question.on - until).days <= limits["return_days"]:
        score += weights["returned_work"]
        remarks.append(f"Had this case until {format_day(until)}; it returns to the same reviewer.")
    if applicant.declined_before:
        score += weights["declined_before"]
        remarks.append("Declined this case before.")
    return score, [Reason(REMARK, True, sentence) for sentence in remarks]


def _compute_rotation_share(question: MatchCase, applicant: CandidateData) -> tuple[int, int]:
    """Return the days since the last offer and the days for full points, as (part, whole)."""
    most = question.rules.limits["rotation_days"]
    if applicant.record.last_offered_on is None or not most:
        return 1, 1
    days = (question.on - applicant.record.last_offered_on).days
    return max(0, min(days, most)), most
