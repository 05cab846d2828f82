"""Who may be given a case, and who best. Pure: rows come in as values; no ORM, no clock.

Every requirement is a hard stop. Those who pass all requirements are ranked by stored weights.
Every answer is a sentence, for those who are in and those who are out (Labor Code 139.5(d)(4); 8
CCR 9792.10.6).
"""

from collections.abc import Iterable, Sequence
from datetime import date
from zlib import crc32

from reviewers.facts import HOME_STATE

from . import requirements
from .candidacy import DEFAULT_RULES, Applicant, Match, Question, Reason, Rules, Verdict
from .specialty_map import matches_of

REMARK = "REMARK"  # speaks for or against, and stops no one


def rank(question: Question, applicants: Iterable[Applicant]) -> list[Verdict]:
    """Everyone's place: the fit ones by score, then the others by code.

    The same input gives the same list. Equal scores are put in an order that depends on the case,
    so that no one is first for ever.
    """
    weighed = [(consider(question, applicant), applicant) for applicant in applicants]
    fit = [(verdict, person) for verdict, person in weighed if verdict.is_eligible]
    fit.sort(
        key=lambda pair: (
            -(pair[0].score or 0),
            pair[1].workload,
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


def consider(question: Question, applicant: Applicant) -> Verdict:
    """Put one reviewer through every requirement; score them if none refuses."""
    profile = applicant.profile
    of_the_day = applicant.answered or requirements.of_the_day(applicant)
    matches, about_items = matches_of(question, profile)
    of_the_case = [*requirements.of_the_case(question, applicant), *about_items]
    refusals = [*of_the_day.refused, *(one for one in of_the_case if not one.holds)]
    if refusals:
        refusals.sort(key=requirements.place)
        return Verdict(profile.reviewer_id, profile.code, None, None, tuple(refusals))
    score, remarks = _score(question, applicant, matches)
    reasons = sorted([*of_the_day.held, *of_the_case], key=requirements.place)
    return Verdict(profile.reviewer_id, profile.code, None, score, (*remarks, *reasons), matches)


def fitness(applicant: Applicant, rules: Rules = DEFAULT_RULES) -> list[Reason]:
    """What every case asks of a reviewer, whichever it is: for the panel's own pages."""
    question = Question("", (), (), applicant.profile.on, rules)
    of_the_day = requirements.of_the_day(applicant)
    answers = [*of_the_day.held, *of_the_day.refused, *requirements.workload(question, applicant)]
    return sorted(answers, key=requirements.place)


def counts(verdicts: Iterable[Verdict]) -> list[tuple[int, str]]:
    """How many each requirement keeps out, most first: (4, "without a fitting specialty")."""
    tally = dict.fromkeys(requirements.REQUIREMENTS, 0)
    for verdict in verdicts:
        for requirement in {reason.requirement for reason in verdict.refusals}:
            tally[requirement] += 1
    return sorted(
        (
            (number, requirements.REQUIREMENTS[requirement])
            for requirement, number in tally.items()
            if number
        ),
        key=lambda pair: -pair[0],
    )


def _score(
    question: Question, applicant: Applicant, matches: Sequence[Match]
) -> tuple[int, list[Reason]]:
    profile, weights, limits = applicant.profile, question.rules.weights, question.rules.limits
    record = applicant.record
    in_california = any(held.state == HOME_STATE for held in profile.good_licenses)
    # Each as a share of its points: how many, out of how many.
    shares = {
        "specialty_fit": (sum(match.mapped for match in matches), len(matches)),
        "california_license": (int(in_california), 1),
        "free_capacity": (profile.capacity - applicant.workload, profile.capacity),
        "timeliness": (record.on_time, record.finished) if record.finished else (1, 1),
        "rotation": _rested(question, applicant),
    }
    score = sum(weights[name] * part // of for name, (part, of) in shares.items())
    remarks = []
    if not in_california:
        remarks.append("Not licensed in California, which is preferred.")
    if record.finished:
        remarks.append(f"Of the last {record.finished} reviews {record.on_time} issued on time.")
    if record.last_offered_on is not None:
        remarks.append(f"Last offered a case on {_day(record.last_offered_on)}.")
    until = applicant.had_it_until
    if until is not None and (question.on - until).days <= limits["return_days"]:
        score += weights["returned_work"]
        remarks.append(f"Had this case until {_day(until)}; it goes back to the same reviewer.")
    if applicant.declined_before:
        score += weights["declined_before"]
        remarks.append("Declined this case before.")
    return score, [Reason(REMARK, True, sentence) for sentence in remarks]


def _rested(question: Question, applicant: Applicant) -> tuple[int, int]:
    """Days since the last offer, out of those that count."""
    most = question.rules.limits["rotation_days"]
    if applicant.record.last_offered_on is None or not most:
        return 1, 1
    days = (question.on - applicant.record.last_offered_on).days
    return max(0, min(days, most)), most


def _day(day: date) -> str:
    return f"{day:%m/%d/%Y}"
