"""Hard requirements: a reviewer who fails one of them cannot be assigned. Pure.

Each requirement returns sentences for reviewers who pass and for those who fail (Labor Code
139.5(d)(4); 8 CCR 9792.10.6). Requirements that do not depend on the case are checked once a day.
That a reviewer has no contract for utilization review is this organization's policy, not the law.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from directory.affiliations import FAIL, POLICY_SOURCE, UNKNOWN, ConflictLevel, Level
from directory.names import fold_name
from reviewers.facts import (
    EXPERIENCE_YEARS,
    KIND_NAMES,
    NEVER_ALONE,
    FactRecord,
    PanelStatus,
    ProofKind,
    format_day,
    subtract_years,
)
from reviewers.verification import CYCLE_YEARS, list_verifications

from .candidacy import CandidateData, DailyResults, MatchCase, Reason

# ``reviewers.proofs`` uses the same two limits, so a letter never states what matching refused.
PRACTICE_YEARS = 5  # more than
WEEKLY_HOURS = Decimal(24)  # at least

# Short descriptions for counts ("4 without a matching specialty"), in display order.
REQUIREMENTS: dict[str, str] = {
    "STATUS": "not active on the panel",
    "SIGN_IN": "without a sign-in",
    "BARRED": "barred from this case",
    "EARLIER_ROUND": "on an earlier round of this case",
    "LICENSE": "without a good license",
    "SANCTION": "with a restriction or sanction",
    "UR_CONTRACT": "under contract for utilization review",
    "QME": "appointed as a qualified medical evaluator",
    "VERIFICATION": "due for re-verification",
    "CERTIFICATION": "without board certification",
    "SPECIALTY": "without a matching specialty",
    "SCOPE": "with a license that does not cover the treatment",
    "SUBJECT": "not offered this kind of treatment",
    "EXPERIENCE": "without recent experience with an experimental treatment",
    "PRACTICE_YEARS": "with five years of practice or less",
    "PRACTICE_HOURS": "without 24 attested hours a week",
    "TRAINING_LAW": "without training in the governing law",
    "TRAINING_EVIDENCE": "without training in the evidence hierarchy",
    "LEAVE": "on leave",
    "DAY_OFF": "with a day off",
    "WORKLOAD": "at capacity",
    "OVERDUE": "with too many overdue cases",
    "CONFLICT": "with a conflict",
    "UNSETTLED": "with a possible conflict to resolve",
}


# Looked up for every reason of every reviewer, so the position is not searched each time.
_REQUIREMENT_ORDER = {requirement: place for place, requirement in enumerate(REQUIREMENTS)}

# Found in no statute: the clause before Labor Code 139.5(d)(5) bars appointed QMEs.
_UR_CONTRACT_LEVEL = Level(ConflictLevel.ORGANIZATION, POLICY_SOURCE)
_QME_LEVEL = Level(ConflictLevel.STATUTE, "Labor Code 139.5(d)(4), which refers to Section 139.2")

Requirement = Callable[[MatchCase, CandidateData], Sequence[Reason]]


def check_daily_requirements(candidate: CandidateData) -> DailyResults:
    """Check the requirements that do not depend on a case: profile, date and days off.

    Kept in ``CandidateData.daily_results``, so that they are not checked again for each case.
    """
    # An empty case: the requirements in this list do not read it.
    match_case = MatchCase("", (), (), candidate.profile.on)
    answers = [
        answer for requirement in _DAILY_CHECKS for answer in requirement(match_case, candidate)
    ]
    return DailyResults(
        met=tuple(one for one in answers if one.is_met),
        unmet=tuple(one for one in answers if not one.is_met),
    )


def check_case_requirements(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    """Check the requirements that depend on the case or change with every offer."""
    return [answer for requirement in _CASE_CHECKS for answer in requirement(match_case, candidate)]


def check_workload(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    """Check capacity and the limits on open and overdue cases."""
    load, capacity = candidate.workload, candidate.profile.capacity
    limits = match_case.rules.limits
    answers = [Reason("WORKLOAD", load < capacity, f"Open cases: {load} of {capacity}.")]
    # 0 turns a limit off. Both limits apply in addition to the reviewer's own capacity.
    if (ceiling := limits["most_open"]) and load >= ceiling:
        sentence = f"Open cases: {load}. The limit for every reviewer is {ceiling}."
        answers.append(Reason("WORKLOAD", False, sentence))
    if (ceiling := limits["most_overdue"]) and candidate.overdue >= ceiling:
        sentence = (
            f"Overdue cases: {candidate.overdue}. No new cases are offered at {ceiling} or more."
        )
        answers.append(Reason("OVERDUE", False, sentence))
    return answers


def count_workload_refusals(
    match_case: MatchCase, capacity: int, workload: int, overdue: int
) -> tuple[int, int]:
    """Count the refusals that ``check_workload`` gives, without their sentences.

    :returns: the number for open cases, and the number for overdue cases.
    """
    limits = match_case.rules.limits
    most_open, most_overdue = limits["most_open"], limits["most_overdue"]
    return (
        (workload >= capacity) + bool(most_open and workload >= most_open),
        int(bool(most_overdue and overdue >= most_overdue)),
    )


def get_requirement_order(reason: Reason) -> int:
    """Return the position of a reason's requirement in the display order."""
    return _REQUIREMENT_ORDER[reason.requirement]


def _check_status(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    status = candidate.profile.status
    sentences: dict[str, str] = {
        PanelStatus.SUSPENDED: "Suspended from the panel.",
        PanelStatus.INACTIVE: "No longer active on the panel.",
    }
    if status == PanelStatus.ACTIVE:
        return [Reason("STATUS", True, "Active on the panel.")]
    return [Reason("STATUS", False, sentences.get(status, "Not active on the panel."))]


def _check_sign_in(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    if candidate.profile.has_sign_in:
        # A sign-in is no reason to choose a reviewer, so only its absence is listed.
        return []
    return [Reason("SIGN_IN", False, "Has no sign-in and could not open the case.")]


def _check_bars(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    answers = []
    if candidate.barred_because:
        sentence = f"Barred from this case: {candidate.barred_because.rstrip('.')}."
        answers.append(Reason("BARRED", False, sentence))
    # Labor Code 4610.6(i): after a reversal another reviewer decides.
    if candidate.was_on_earlier_round:
        sentence = "Reviewed an earlier round. A remanded case must go to another reviewer."
        answers.append(Reason("EARLIER_ROUND", False, sentence))
    return answers


def _check_licenses(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    profile = candidate.profile
    # One restricted license refuses, even if the licenses of other states are good.
    if profile.restricted_licenses:
        restricted = profile.restricted_licenses[0]
        standing = f"{restricted.standing.lower()}{_format_since(restricted)}"
        sentence = f"License in {restricted.state}: {standing}."
        return [Reason("SANCTION", False, sentence)]
    if not profile.good_licenses:
        sentence = f"No active, unrestricted license on {format_day(match_case.on)}."
        return [Reason("LICENSE", False, sentence)]
    states = ", ".join(dict.fromkeys(one.state for one in profile.good_licenses))
    # The coordinator needs the first expiration; the sentence lists the states without dates.
    until = min(
        (one.valid_to for one in profile.good_licenses if one.valid_to),
        default=None,
    )
    sentence = f"Licensed in {states}" + (
        f". First expiration: {format_day(until)}." if until else "."
    )
    return [Reason("LICENSE", True, sentence)]


def _check_sanctions(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    answers = [
        Reason("SANCTION", False, f"Sanction found in {check.register}{_format_since(check)}.")
        for check in candidate.profile.found_sanctions
    ]
    # Several contracts give the same sentence, so only the first one is listed.
    answers += [
        Reason(
            "UR_CONTRACT",
            False,
            f"Has a contract for utilization review. {_UR_CONTRACT_LEVEL}",
        )
        for affiliation in candidate.profile.affiliations
        if affiliation.relation == "UR_CONTRACT"
    ][:1]
    return answers


def _check_qme_appointment(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    """Refuse an appointed QME (Labor Code 139.5(d)(4), which refers to Section 139.2)."""
    appointment = next(
        (one for one in candidate.profile.file_proofs if one.kind == ProofKind.QME), None
    )
    if appointment is None:
        return []
    since = _format_since(appointment)
    sentence = f"Appointed as a qualified medical evaluator (QME){since}. {_QME_LEVEL}"
    return [Reason("QME", False, sentence)]


def _check_verifications(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    # A check that was never made has no date to be overdue, so it needs a reason of its own.
    if not candidate.profile.sanction_checks:
        return [Reason("VERIFICATION", False, "No sanction check is on file.")]
    late = [one for one in list_verifications(candidate.profile) if one.is_overdue(match_case.on)]
    return [
        Reason(
            "VERIFICATION",
            False,
            f"{one.name} was last verified {format_day(one.verified_on)}, "
            f"more than {CYCLE_YEARS} years ago.",
        )
        for one in late
    ]


def _check_certifications(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    profile = candidate.profile
    lost = [
        Reason(
            "SANCTION",
            False,
            f"Certification in {fact.specialty}: {fact.standing.lower()}{_format_since(fact)}.",
        )
        for fact in profile.lost_certifications
    ]
    # Only physicians must be board certified. For other kinds the license implies the specialty.
    if lost or not profile.is_physician:
        return lost
    if profile.certified_specialties:
        names = ", ".join(profile.certified_specialties)
        return [Reason("CERTIFICATION", True, f"Board certified in {names}.")]
    # certified_specialties leaves out nursing, so a physician certified only in it gets here.
    if {fact.specialty for fact in profile.certifications} & NEVER_ALONE:
        sentence = "A registered nurse may not be the only reviewer."
    else:
        sentence = f"No board certification in force on {format_day(match_case.on)}."
    return [Reason("CERTIFICATION", False, sentence)]


def _check_practice(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    start, hours = candidate.profile.practice_start, candidate.profile.hours
    answers = []
    if start is None or start.valid_from is None:
        sentence = "The start of active practice is not on file."
        answers.append(Reason("PRACTICE_YEARS", False, sentence))
    else:
        # Exactly five years is not enough: the requirement is more than five.
        enough = start.valid_from < subtract_years(match_case.on, PRACTICE_YEARS)
        sentence = f"In active practice since {format_day(start.valid_from)}"
        sentence += "." if enough else f". More than {PRACTICE_YEARS} years are required."
        answers.append(Reason("PRACTICE_YEARS", enough, sentence))
    if hours is None or hours.weekly_hours is None:
        sentence = f"No attestation of weekly hours is in force on {format_day(match_case.on)}."
        answers.append(Reason("PRACTICE_HOURS", False, sentence))
    else:
        enough = hours.weekly_hours >= WEEKLY_HOURS
        # normalize() drops the zero of 24.0; the format :f keeps 30 from becoming 3E+1.
        sentence = f"Attested {hours.weekly_hours.normalize():f} hours a week"
        sentence += "." if enough else f". At least {WEEKLY_HOURS} are required."
        answers.append(Reason("PRACTICE_HOURS", enough, sentence))
    return answers


def _check_training(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    answers = []
    for topic, requirement, subject in (
        ("LAW", "TRAINING_LAW", "the governing law"),
        ("EVIDENCE", "TRAINING_EVIDENCE", "the evidence hierarchy"),
    ):
        taken = candidate.profile.training(topic)
        if taken is None:
            answers.append(
                Reason(requirement, False, f"No current training in {subject} is on file.")
            )
        else:
            answers.append(
                Reason(requirement, True, f"Trained in {subject} ({taken.version_taught}).")
            )
    return answers


def _check_leave(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    leaves = candidate.profile.leaves
    if not leaves:
        return []
    # Leaves may overlap, so the latest last day counts.
    until = max((leave.valid_to or date.max for leave in leaves), default=date.max)
    sentence = "On leave." if until == date.max else f"On leave until {format_day(until)}."
    return [Reason("LEAVE", False, sentence)]


def _check_day_off(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    if match_case.on.weekday() not in candidate.days_off:
        return []
    return [Reason("DAY_OFF", False, f"Does not work on {match_case.on:%A}s.")]


def check_license_scope(match_case: MatchCase, candidate: CandidateData) -> Sequence[Reason]:
    """Check each item against the license and the treatments that the reviewer is offered."""
    # Many reviewers share a license kind, so the items are checked once for each kind.
    key = (candidate.profile.kind, candidate.allowed_categories, "scope")
    cached: Sequence[Reason] | None = match_case.memo.get(key)
    if cached is None:
        cached = match_case.memo[key] = tuple(_list_scope_refusals(match_case, candidate))
    return cached


def _list_scope_refusals(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    kind = candidate.profile.kind
    answers = []
    for item in match_case.items:
        answers += [
            Reason(
                "SCOPE",
                False,
                f"Item {item.position}: a {KIND_NAMES.get(kind, 'reviewer')}’s license does not "
                f"cover {scope.name} ({scope.source}).",
            )
            for scope in match_case.scopes
            if scope.license_kind == kind and scope.category in item.categories
        ]
        # None means all treatments. The item's categories include the parent, so it may be listed.
        if candidate.allowed_categories is not None and not candidate.allowed_categories & set(
            item.categories
        ):
            sentence = f"Item {item.position}: the reviewer is not offered this kind of treatment."
            answers.append(Reason("SUBJECT", False, sentence))
    return answers


def check_experience(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    """Require clinical experience in the past three years with an experimental treatment.

    The organization follows 215 ILCS 180/55 and the model act on external review.
    """
    answers = []
    for item in match_case.items:
        if not item.is_experimental:
            continue
        # Requests name a treatment in many ways, so its words may be in any order in the title.
        title_words = set(fold_name(item.title).split())
        experience = next(
            (
                one
                for one in candidate.profile.experience
                if set(fold_name(one.treatment).split()) <= title_words
            ),
            None,
        )
        if experience is None:
            sentence = (
                f"Item {item.position} is experimental, and no experience with it in the past "
                f"{EXPERIENCE_YEARS} years is on file."
            )
        else:
            until = f" until {format_day(experience.valid_to)}" if experience.valid_to else ""
            sentence = (
                f"Item {item.position} is experimental: "
                f"experience with {experience.treatment}{until}."
            )
        answers.append(Reason("EXPERIENCE", experience is not None, sentence))
    return answers


def _check_conflicts(match_case: MatchCase, candidate: CandidateData) -> list[Reason]:
    # A possible conflict refuses too, but under its own name, so that a person can resolve it.
    # PASS is left out: one sentence at the end covers all parties.
    requirements = {FAIL: "CONFLICT", UNKNOWN: "UNSETTLED"}
    answers = [
        Reason(requirements[conflict.result], False, conflict.sentence)
        for conflict in candidate.conflicts
        if conflict.result in requirements
    ]
    return answers or [Reason("CONFLICT", True, "No affiliation with a party is on file.")]


# The first list is checked once a day for each reviewer, the second for every case.
_DAILY_CHECKS: list[Requirement] = [
    _check_status,
    _check_sign_in,
    _check_licenses,
    _check_sanctions,
    _check_qme_appointment,
    _check_verifications,
    _check_certifications,
    _check_practice,
    _check_training,
    _check_leave,
    _check_day_off,
]
_CASE_CHECKS: list[Requirement] = [
    _check_bars,
    check_license_scope,
    check_experience,
    check_workload,
    _check_conflicts,
]


def _format_since(fact: FactRecord) -> str:
    return f" since {format_day(fact.valid_from)}" if fact.valid_from else ""
