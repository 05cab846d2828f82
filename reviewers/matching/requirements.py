"""Hard requirements: a reviewer who fails one of them cannot be assigned. Pure.

Each requirement returns sentences for reviewers who pass and for those who fail (Labor Code
139.5(d)(4); 8 CCR 9792.10.6). Requirements that do not depend on the case are checked once a day.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from directory.affiliations import FAIL, UNKNOWN
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

from .candidacy import CandidateData, DailyAnswers, MatchCase, Reason

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

Requirement = Callable[[MatchCase, CandidateData], Sequence[Reason]]


def check_daily_requirements(applicant: CandidateData) -> DailyAnswers:
    """Check the requirements that do not depend on a case: profile, date and days off.

    Kept in ``CandidateData.answered``, so that they are not checked again for each case.
    """
    # Without a case, no requirement in this list can give an answer that holds for one case only.
    question = MatchCase("", (), (), applicant.profile.on)
    answers = [
        answer for requirement in _DAILY_CHECKS for answer in requirement(question, applicant)
    ]
    return DailyAnswers(
        held=tuple(one for one in answers if one.holds),
        refused=tuple(one for one in answers if not one.holds),
    )


def check_case_requirements(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    """Check the requirements that depend on the case or change with every offer."""
    return [answer for requirement in _CASE_CHECKS for answer in requirement(question, applicant)]


def check_workload(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    """Check capacity and the limits on open and overdue cases."""
    load, capacity = applicant.workload, applicant.profile.capacity
    limits = question.rules.limits
    answers = [Reason("WORKLOAD", load < capacity, f"Open cases: {load} of {capacity}.")]
    # 0 turns a limit off. Both limits apply in addition to the reviewer's own capacity.
    if (ceiling := limits["most_open"]) and load >= ceiling:
        words = f"Open cases: {load}. The limit for every reviewer is {ceiling}."
        answers.append(Reason("WORKLOAD", False, words))
    if (ceiling := limits["most_overdue"]) and applicant.overdue >= ceiling:
        words = (
            f"Overdue cases: {applicant.overdue}. No new cases are offered at {ceiling} or more."
        )
        answers.append(Reason("OVERDUE", False, words))
    return answers


def get_requirement_order(reason: Reason) -> int:
    """Return the position of a reason's requirement in the display order."""
    return _REQUIREMENT_ORDER[reason.requirement]


def _check_status(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    status = applicant.profile.status
    words: dict[str, str] = {
        PanelStatus.SUSPENDED: "Suspended from the panel.",
        PanelStatus.INACTIVE: "No longer active on the panel.",
    }
    if status == PanelStatus.ACTIVE:
        return [Reason("STATUS", True, "Active on the panel.")]
    return [Reason("STATUS", False, words.get(status, "Not active on the panel."))]


def _check_sign_in(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    if applicant.profile.has_sign_in:
        # A sign-in is no reason to choose a reviewer, so only its absence is listed.
        return []
    return [Reason("SIGN_IN", False, "Has no sign-in and could not open the case.")]


def _check_bars(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    answers = []
    if applicant.barred_because:
        sentence = f"Barred from this case: {applicant.barred_because.rstrip('.')}."
        answers.append(Reason("BARRED", False, sentence))
    # Labor Code 4610.6(i): after a reversal another reviewer decides.
    if applicant.on_earlier_round:
        sentence = "Reviewed an earlier round. A remanded case must go to another reviewer."
        answers.append(Reason("EARLIER_ROUND", False, sentence))
    return answers


def _check_licenses(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    profile = applicant.profile
    # One restricted license refuses, even if the licenses of other states are good.
    if profile.restricted_licenses:
        held = profile.restricted_licenses[0]
        words = f"License in {held.state}: {held.standing.lower()}{_format_since(held)}."
        return [Reason("SANCTION", False, words)]
    if not profile.good_licenses:
        words = f"No active, unrestricted license on {format_day(question.on)}."
        return [Reason("LICENSE", False, words)]
    states = ", ".join(dict.fromkeys(held.state for held in profile.good_licenses))
    # The coordinator needs the first expiration; the sentence lists the states without dates.
    until = min((held.valid_to for held in profile.good_licenses if held.valid_to), default=None)
    words = f"Licensed in {states}" + (
        f". First expiration: {format_day(until)}." if until else "."
    )
    return [Reason("LICENSE", True, words)]


def _check_sanctions(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    answers = [
        Reason("SANCTION", False, f"Sanction found in {check.register}{_format_since(check)}.")
        for check in applicant.profile.found_sanctions
    ]
    # Several contracts give the same sentence, so only the first one is listed.
    answers += [
        Reason(
            "UR_CONTRACT",
            False,
            "Has a utilization review contract, which reviewers may not have.",
        )
        for held in applicant.profile.affiliations
        if held.relation == "UR_CONTRACT"
    ][:1]
    return answers


def _check_qme_appointment(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    """Refuse an appointed QME (Labor Code 139.5(d))."""
    held = next((one for one in applicant.profile.file_proofs if one.kind == ProofKind.QME), None)
    if held is None:
        return []
    since = _format_since(held)
    words = f"Appointed as a qualified medical evaluator (QME){since}; a QME may not review."
    return [Reason("QME", False, words)]


def _check_verifications(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    # A check that was never made has no date to be overdue, so it needs a reason of its own.
    if not applicant.profile.sanction_checks:
        return [Reason("VERIFICATION", False, "No sanction check is on file.")]
    late = [one for one in list_verifications(applicant.profile) if one.is_overdue(question.on)]
    return [
        Reason(
            "VERIFICATION",
            False,
            f"{one.what} was last verified {format_day(one.verified_on)}, "
            f"more than {CYCLE_YEARS} years ago.",
        )
        for one in late
    ]


def _check_certifications(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    profile = applicant.profile
    lost = [
        Reason(
            "SANCTION",
            False,
            f"Certification in {held.specialty}: {held.standing.lower()}{_format_since(held)}.",
        )
        for held in profile.lost_certifications
    ]
    # Only physicians must be board certified. For other kinds the license implies the specialty.
    if lost or not profile.is_physician:
        return lost
    if profile.certified_specialties:
        names = ", ".join(profile.certified_specialties)
        return [Reason("CERTIFICATION", True, f"Board certified in {names}.")]
    # certified_specialties leaves out nursing, so a physician certified only in it gets here.
    if {held.specialty for held in profile.certifications} & NEVER_ALONE:
        words = "A registered nurse may not be the only reviewer."
    else:
        words = f"No board certification in force on {format_day(question.on)}."
    return [Reason("CERTIFICATION", False, words)]


def _check_practice(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    start, hours = applicant.profile.practice_start, applicant.profile.hours
    answers = []
    if start is None or start.valid_from is None:
        words = "The start of active practice is not on file."
        answers.append(Reason("PRACTICE_YEARS", False, words))
    else:
        # Exactly five years is not enough: the requirement is more than five.
        enough = start.valid_from < subtract_years(question.on, PRACTICE_YEARS)
        words = f"In active practice since {format_day(start.valid_from)}"
        words += "." if enough else f". More than {PRACTICE_YEARS} years are required."
        answers.append(Reason("PRACTICE_YEARS", enough, words))
    if hours is None or hours.weekly_hours is None:
        words = f"No attestation of weekly hours is in force on {format_day(question.on)}."
        answers.append(Reason("PRACTICE_HOURS", False, words))
    else:
        enough = hours.weekly_hours >= WEEKLY_HOURS
        # normalize() drops the zero of 24.0; the format :f keeps 30 from becoming 3E+1.
        words = f"Attested {hours.weekly_hours.normalize():f} hours a week"
        words += "." if enough else f". At least {WEEKLY_HOURS} are required."
        answers.append(Reason("PRACTICE_HOURS", enough, words))
    return answers


def _check_training(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    answers = []
    for topic, requirement, subject in (
        ("LAW", "TRAINING_LAW", "the governing law"),
        ("EVIDENCE", "TRAINING_EVIDENCE", "the evidence hierarchy"),
    ):
        taken = applicant.profile.training(topic)
        if taken is None:
            answers.append(
                Reason(requirement, False, f"No current training in {subject} is on file.")
            )
        else:
            answers.append(
                Reason(requirement, True, f"Trained in {subject} ({taken.version_taught}).")
            )
    return answers


def _check_leave(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    leaves = applicant.profile.leaves
    if not leaves:
        return []
    # Leaves may overlap, so the latest last day counts.
    until = max((held.valid_to or date.max for held in leaves), default=date.max)
    words = "On leave." if until == date.max else f"On leave until {format_day(until)}."
    return [Reason("LEAVE", False, words)]


def _check_day_off(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    if question.on.weekday() not in applicant.days_off:
        return []
    return [Reason("DAY_OFF", False, f"Does not work on {question.on:%A}s.")]


def check_license_scope(question: MatchCase, applicant: CandidateData) -> Sequence[Reason]:
    """Check each item against the license and the treatments that the reviewer is offered."""
    # Many reviewers share a license kind, so the items are checked once for each kind.
    key = (applicant.profile.kind, applicant.subjects, "scope")
    known: Sequence[Reason] | None = question.memo.get(key)
    if known is None:
        known = question.memo[key] = tuple(_list_scope_refusals(question, applicant))
    return known


def _list_scope_refusals(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    kind = applicant.profile.kind
    answers = []
    for item in question.items:
        answers += [
            Reason(
                "SCOPE",
                False,
                f"Item {item.position}: a {KIND_NAMES.get(kind, 'reviewer')}’s license does not "
                f"cover {scope.name} ({scope.source}).",
            )
            for scope in question.scopes
            if scope.license_kind == kind and scope.category in item.categories
        ]
        # None means all treatments. The item's categories include the parent, so it may be listed.
        if applicant.subjects is not None and not applicant.subjects & set(item.categories):
            words = f"Item {item.position}: the reviewer is not offered this kind of treatment."
            answers.append(Reason("SUBJECT", False, words))
    return answers


def _check_experience(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    """Require clinical experience in the past three years with an experimental treatment.

    The organization follows 215 ILCS 180/55 and the model act on external review.
    """
    answers = []
    for item in question.items:
        if not item.is_experimental:
            continue
        # Requests name a treatment in many ways, so its words may be in any order in the title.
        words = set(fold_name(item.title).split())
        held = next(
            (
                one
                for one in applicant.profile.experience
                if set(fold_name(one.treatment).split()) <= words
            ),
            None,
        )
        if held is None:
            sentence = (
                f"Item {item.position} is experimental, and no experience with it in the past "
                f"{EXPERIENCE_YEARS} years is on file."
            )
        else:
            until = f" until {format_day(held.valid_to)}" if held.valid_to else ""
            sentence = (
                f"Item {item.position} is experimental: experience with {held.treatment}{until}."
            )
        answers.append(Reason("EXPERIENCE", held is not None, sentence))
    return answers


def _check_conflicts(question: MatchCase, applicant: CandidateData) -> list[Reason]:
    # A possible conflict refuses too, but under its own name, so that a person can resolve it.
    # PASS is left out: one sentence at the end covers all parties.
    requirements = {FAIL: "CONFLICT", UNKNOWN: "UNSETTLED"}
    answers = [
        Reason(requirements[conflict.result], False, conflict.sentence)
        for conflict in applicant.conflicts
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
    _check_experience,
    check_workload,
    _check_conflicts,
]


def _format_since(held: FactRecord) -> str:
    return f" since {format_day(held.valid_from)}" if held.valid_from else ""
