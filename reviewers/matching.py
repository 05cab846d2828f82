"""Who may be given a case, and who best. Pure: rows come in as values; no ORM, no clock.

Every gate is a hard stop: a reviewer whom one gate refuses is given the case by no path. Those who
pass all gates are ranked by stored weights. Every answer is a sentence, for those who are in and
those who are out (Labor Code 139.5(d)(4); 8 CCR 9792.10.6).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any
from zlib import crc32

from cases.names import fold_name
from cases.ties import FAIL, UNKNOWN, Tie

from .facts import (
    EXPERIENCE_YEARS,
    HOME_STATE,
    KIND_WORDS,
    NEVER_ALONE,
    Held,
    Profile,
    years_before,
)
from .verification import CYCLE_YEARS, verifications

PRACTICE_YEARS = 5  # more than
WEEKLY_HOURS = Decimal(24)  # at least

# As shipped; a manager sets others. Each list of candidates stores the values that it used.
# Points out of 100 for who comes first among those whom no gate refuses:
WEIGHTS: dict[str, int] = {
    "specialty_fit": 40,  # share of the items whose map entry names a certified specialty
    "california_licence": 20,
    "free_capacity": 20,  # share of the capacity that is free
    "timeliness": 10,  # share of the latest reviews that were issued by their day
    "rotation": 10,  # grows with the days since the last offer
    "returned_work": 50,  # had this case before it was taken back, a few days ago
    "declined_before": -100,  # already declined this case in this round
}
# Days and cases; a ceiling of 0 is none.
LIMITS: dict[str, int] = {
    "return_days": 14,  # so long, a case that was taken back goes to the same reviewer
    "rotation_days": 14,  # after so many days without an offer nobody gains any more
    "timeliness_reviews": 10,  # so many of the latest reviews are looked at
    "most_open": 0,  # open cases that anybody may have, whatever their capacity
    "most_overdue": 3,  # open cases past their day, from which on no new one is offered
}


@dataclass(frozen=True)
class Rules:
    """The weights and limits in force."""

    weights: Mapping[str, int]
    limits: Mapping[str, int]

    @classmethod
    def of(cls, weights: Mapping[str, int], limits: Mapping[str, int]) -> "Rules":
        """What was set, with the shipped value for a key that is younger than the setting."""
        return cls({**WEIGHTS, **weights}, {**LIMITS, **limits})

    @property
    def values(self) -> dict[str, int]:
        """All in one, as a list of candidates stores them."""
        return {**self.weights, **self.limits}


DEFAULT_RULES = Rules(WEIGHTS, LIMITS)

# The short words for counting ("4 lack a fitting specialty"), in the order of the gates.
GATES: dict[str, str] = {
    "STATUS": "not active on the panel",
    "SIGN_IN": "without a sign-in",
    "BARRED": "barred from this case",
    "EARLIER_ROUND": "on an earlier round of this case",
    "LICENCE": "without a good licence",
    "SANCTION": "with a restriction or sanction",
    "UR_CONTRACT": "under contract for utilization review",
    "QME": "appointed as qualified medical evaluator",
    "VERIFICATION": "to be verified anew",
    "CERTIFICATION": "without a board’s certificate",
    "SPECIALTY": "without a fitting specialty",
    "SCOPE": "whose licence does not cover it",
    "SUBJECT": "who do not receive this subject",
    "EXPERIENCE": "without recent experience of an experimental treatment",
    "PRACTICE_YEARS": "not more than five years in practice",
    "PRACTICE_HOURS": "without 24 attested hours a week",
    "TRAINING_LAW": "without training in the law",
    "TRAINING_EVIDENCE": "without training in the evidence hierarchy",
    "LEAVE": "on leave",
    "DAY_OFF": "not working today",
    "WORKLOAD": "at capacity",
    "OVERDUE": "with too many overdue cases",
    "CONFLICT": "with a conflict",
    "UNSETTLED": "with a name to be settled",
}


_PLACES = {gate: place for place, gate in enumerate(GATES)}

REMARK = "REMARK"  # speaks for or against, and stops nobody


@dataclass(frozen=True)
class Item:
    """A disputed item as far as matching needs it. Categories: its own first, then its parents.

    :ivar conditions: ids of the conditions that the diagnosis speaks of.
    :ivar diagnosis: those conditions by name, or else the diagnosis as printed; may be empty.
    :ivar is_experimental: the UR decision calls it experimental or investigational.
    """

    item_id: int
    position: int
    title: str
    categories: tuple[int, ...] = ()
    body_part: str = ""
    conditions: frozenset[int] = frozenset()
    diagnosis: str = ""
    is_experimental: bool = False


@dataclass(frozen=True)
class Fit:
    """One line of the staff's map: this specialty is acceptable for that, and why.

    What a line leaves out it does not ask for; what it names has to hold, all of it.
    """

    specialty: str
    category: int | None
    body_part: str
    reason: str
    condition: int | None = None
    condition_name: str = ""


@dataclass(frozen=True)
class Scope:
    """What a kind of licence does not cover, and the law that says so."""

    licence_kind: str
    category: int
    name: str
    source: str


@dataclass(frozen=True)
class Applicant:
    """Everything known of one reviewer about one case."""

    profile: Profile
    workload: int = 0
    overdue: int = 0  # of the workload, past their day
    subjects: frozenset[int] | None = None  # categories that may be offered; None is all
    days_off: frozenset[int] = frozenset()  # weekdays, Monday 0
    finished: int = 0  # of the latest reviews, those that had a day to keep
    on_time: int = 0
    last_offered_on: date | None = None
    had_it_until: date | None = None  # this case, before it was taken back
    barred_because: str = ""
    on_earlier_round: bool = False
    declined_before: bool = False
    ties: tuple[Tie, ...] = ()
    answered: "Answers | None" = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Reason:
    """One gate's answer, or a remark that speaks for or against."""

    gate: str
    holds: bool
    sentence: str


@dataclass(frozen=True)
class Answers:
    """What the gates that ask nothing of a case said of somebody on a day."""

    held: tuple[Reason, ...]
    refused: tuple[Reason, ...]


@dataclass(frozen=True)
class Match:
    """Why a reviewer's specialty fits one item; stored with the assignment for the letter."""

    item_id: int
    position: int
    specialty: str
    mapped: bool
    why: str
    diagnosis: str = ""


@dataclass(frozen=True)
class Verdict:
    """A reviewer's place for a case: ``rank`` is None for whom a gate refuses."""

    reviewer_id: int
    code: str
    rank: int | None
    score: int | None
    reasons: tuple[Reason, ...]
    matches: tuple[Match, ...] = ()

    @property
    def is_eligible(self) -> bool:
        return self.score is not None

    @property
    def refusals(self) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if not reason.holds)


@dataclass(frozen=True)
class Question:
    """The case, put to every applicant alike."""

    case_number: str
    items: tuple[Item, ...]
    fits: tuple[Fit, ...]
    on: date
    rules: Rules = DEFAULT_RULES
    scopes: tuple[Scope, ...] = field(default=())

    @cached_property
    def wanted(self) -> Mapping[int, list[Fit]]:
        """The lines of the map that decide about each item, by its id; the same for everyone."""
        return {item.item_id: acceptable(item, self.fits) for item in self.items}

    @cached_property
    def _matched(self) -> dict[Any, tuple[tuple[Match, ...], tuple[Reason, ...]]]:
        return {}

    @cached_property
    def _scoped(self) -> dict[Any, tuple[Reason, ...]]:
        return {}

    def matches_of(self, profile: Profile) -> tuple[tuple[Match, ...], tuple[Reason, ...]]:
        """Which specialty fits each item, and a reason for each: alike for like specialists."""
        key = (profile.kind, profile.specialties)
        if key not in self._matched:
            self._matched[key] = _match(self, profile)
        return self._matched[key]

    def scope_of(self, applicant: Applicant) -> tuple[Reason, ...]:
        """What licence and subjects keep somebody from: alike for the same of both."""
        key = (applicant.profile.kind, applicant.subjects)
        if key not in self._scoped:
            self._scoped[key] = tuple(_outside(self, applicant))
        return self._scoped[key]


Gate = Callable[[Question, Applicant], Sequence[Reason]]


def rank(question: Question, applicants: Iterable[Applicant]) -> list[Verdict]:
    """Everyone's place: the fit ones by score, then the others by code.

    The same input gives the same list. Equal scores are put in an order that depends on the case,
    so that nobody is first for ever.
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
    """Put one reviewer through every gate; score them if none refuses."""
    profile = applicant.profile
    of_the_day = applicant.answered or answers_of_the_day(applicant)
    matches, about_items = question.matches_of(profile)
    of_the_case = [answer for gate in _OF_A_CASE for answer in gate(question, applicant)]
    of_the_case += about_items
    refusals = [*of_the_day.refused, *(one for one in of_the_case if not one.holds)]
    if refusals:
        refusals.sort(key=_place)
        return Verdict(profile.reviewer_id, profile.code, None, None, tuple(refusals))
    score, remarks = _score(question, applicant, matches)
    reasons = sorted([*of_the_day.held, *of_the_case], key=_place)
    return Verdict(profile.reviewer_id, profile.code, None, score, (*remarks, *reasons), matches)


def fitness(applicant: Applicant, rules: Rules = DEFAULT_RULES) -> list[Reason]:
    """What every case asks of a reviewer, whichever it is: for the panel's own pages."""
    question = Question("", (), (), applicant.profile.on, rules)
    of_the_day = answers_of_the_day(applicant)
    answers = [*of_the_day.held, *of_the_day.refused, *_workload(question, applicant)]
    return sorted(answers, key=_place)


def answers_of_the_day(applicant: Applicant) -> Answers:
    """What the gates say that ask only for the profile, its day and the days off.

    An applicant who carries these answers is not put through those gates again, case by case.
    """
    question = Question("", (), (), applicant.profile.on)
    answers = [answer for gate in _OF_A_DAY for answer in gate(question, applicant)]
    return Answers(
        held=tuple(one for one in answers if one.holds),
        refused=tuple(one for one in answers if not one.holds),
    )


def acceptable(item: Item, fits: Sequence[Fit]) -> list[Fit]:
    """The lines of the map for an item. The most specific that match decide:

    those of its category, before those of its parent category, before those of any treatment; and
    among them a line that names the condition before one that names the body part alone, and one
    that names both before either.
    """
    for category in (*item.categories, None):
        found = [fit for fit in fits if fit.category == category and _speaks_of(fit, item)]
        if found:
            closest = max(map(_closeness, found))
            return [fit for fit in found if _closeness(fit) == closest]
    return []


def counts(verdicts: Iterable[Verdict]) -> list[tuple[int, str]]:
    """How many each gate keeps out, most first: (4, "without a fitting specialty")."""
    tally = dict.fromkeys(GATES, 0)
    for verdict in verdicts:
        for gate in {reason.gate for reason in verdict.refusals}:
            tally[gate] += 1
    return sorted(
        ((number, GATES[gate]) for gate, number in tally.items() if number),
        key=lambda pair: -pair[0],
    )


# --- the gates --------------------------------------------------------------------------------


def _status(question: Question, applicant: Applicant) -> list[Reason]:
    status = applicant.profile.status
    words = {
        "SUSPENDED": "Suspended from the panel.",
        "INACTIVE": "No longer active on the panel.",
    }
    if status == "ACTIVE":
        return [Reason("STATUS", True, "Active on the panel.")]
    return [Reason("STATUS", False, words.get(status, "Not active on the panel."))]


def _sign_in(question: Question, applicant: Applicant) -> list[Reason]:
    if applicant.profile.has_sign_in:
        return []
    return [Reason("SIGN_IN", False, "Has no sign-in, so could not open the case.")]


def _barred(question: Question, applicant: Applicant) -> list[Reason]:
    answers = []
    if applicant.barred_because:
        sentence = f"Barred from this case: {applicant.barred_because.rstrip('.')}."
        answers.append(Reason("BARRED", False, sentence))
    if applicant.on_earlier_round:
        sentence = "Worked on an earlier round; a remanded case goes to someone else."
        answers.append(Reason("EARLIER_ROUND", False, sentence))
    return answers


def _licence(question: Question, applicant: Applicant) -> list[Reason]:
    profile = applicant.profile
    if profile.restricted_licences:
        held = profile.restricted_licences[0]
        words = f"The licence in {held.state} is {held.standing.lower()}{_since(held)}."
        return [Reason("SANCTION", False, words)]
    if not profile.good_licences:
        words = f"No active, unrestricted licence on {_day(question.on)}."
        return [Reason("LICENCE", False, words)]
    states = ", ".join(dict.fromkeys(held.state for held in profile.good_licences))
    until = min((held.valid_to for held in profile.good_licences if held.valid_to), default=None)
    words = f"Licensed in {states}" + (f", first to run out {_day(until)}." if until else ".")
    return [Reason("LICENCE", True, words)]


def _sanctions(question: Question, applicant: Applicant) -> list[Reason]:
    answers = [
        Reason("SANCTION", False, f"A check of {check.register} found a sanction{_since(check)}.")
        for check in applicant.profile.found_sanctions
    ]
    answers += [
        Reason(
            "UR_CONTRACT",
            False,
            "Has a contract for utilization review, which a reviewer may not have.",
        )
        for held in applicant.profile.affiliations
        if held.relation == "UR_CONTRACT"
    ][:1]
    return answers


def _appointment(question: Question, applicant: Applicant) -> list[Reason]:
    """An evaluator of the state decides no review (Labor Code 139.5(d))."""
    held = next((one for one in applicant.profile.file_proofs if one.kind == "QME"), None)
    if held is None:
        return []
    words = f"Appointed as qualified medical evaluator{_since(held)}, so decides no review."
    return [Reason("QME", False, words)]


def _verification(question: Question, applicant: Applicant) -> list[Reason]:
    if not applicant.profile.sanction_checks:
        return [Reason("VERIFICATION", False, "No check for sanctions is on file.")]
    late = [one for one in verifications(applicant.profile) if one.is_overdue(question.on)]
    return [
        Reason(
            "VERIFICATION",
            False,
            f"{one.what} was last verified {_day(one.verified_on)}, "
            f"more than {CYCLE_YEARS} years ago.",
        )
        for one in late
    ]


def _certification(question: Question, applicant: Applicant) -> list[Reason]:
    profile = applicant.profile
    lost = [
        Reason(
            "SANCTION",
            False,
            f"The certificate in {held.specialty} is {held.standing.lower()}{_since(held)}.",
        )
        for held in profile.lost_certifications
    ]
    if lost or not profile.is_physician:
        return lost
    if profile.certified_specialties:
        names = ", ".join(profile.certified_specialties)
        return [Reason("CERTIFICATION", True, f"Board certified in {names}.")]
    if {held.specialty for held in profile.certifications} & NEVER_ALONE:
        words = "A registered nurse is never the sole reviewer."
    else:
        words = f"No board’s certificate in force on {_day(question.on)}."
    return [Reason("CERTIFICATION", False, words)]


def _practice(question: Question, applicant: Applicant) -> list[Reason]:
    start, hours = applicant.profile.practice_start, applicant.profile.hours
    answers = []
    if start is None or start.valid_from is None:
        words = "The start of active practice is not on file."
        answers.append(Reason("PRACTICE_YEARS", False, words))
    else:
        enough = start.valid_from < years_before(question.on, PRACTICE_YEARS)
        words = f"In active practice since {_day(start.valid_from)}"
        words += "." if enough else f", not more than {PRACTICE_YEARS} years."
        answers.append(Reason("PRACTICE_YEARS", enough, words))
    if hours is None or hours.weekly_hours is None:
        words = f"No attestation of weekly hours is in force on {_day(question.on)}."
        answers.append(Reason("PRACTICE_HOURS", False, words))
    else:
        enough = hours.weekly_hours >= WEEKLY_HOURS
        words = f"Attested {hours.weekly_hours.normalize():f} hours a week"
        words += "." if enough else f", fewer than {WEEKLY_HOURS}."
        answers.append(Reason("PRACTICE_HOURS", enough, words))
    return answers


def _training(question: Question, applicant: Applicant) -> list[Reason]:
    answers = []
    for topic, gate, subject in (
        ("LAW", "TRAINING_LAW", "the governing law"),
        ("EVIDENCE", "TRAINING_EVIDENCE", "the hierarchy of evidence"),
    ):
        taken = applicant.profile.training(topic)
        if taken is None:
            answers.append(Reason(gate, False, f"No training in {subject} is on file and current."))
        else:
            answers.append(Reason(gate, True, f"Trained in {subject} ({taken.version_taught})."))
    return answers


def _leave(question: Question, applicant: Applicant) -> list[Reason]:
    leaves = applicant.profile.leaves
    if not leaves:
        return []
    until = max((held.valid_to or date.max for held in leaves), default=date.max)
    words = "On leave." if until == date.max else f"On leave until {_day(until)}."
    return [Reason("LEAVE", False, words)]


def _workload(question: Question, applicant: Applicant) -> list[Reason]:
    load, capacity = applicant.workload, applicant.profile.capacity
    limits = question.rules.limits
    answers = [Reason("WORKLOAD", load < capacity, f"Has {load} open of {capacity}.")]
    if (ceiling := limits["most_open"]) and load >= ceiling:
        words = f"Has {load} open; nobody is given more than {ceiling} at one time."
        answers.append(Reason("WORKLOAD", False, words))
    if (ceiling := limits["most_overdue"]) and applicant.overdue >= ceiling:
        words = f"Has {applicant.overdue} past their day; from {ceiling} on no new one is offered."
        answers.append(Reason("OVERDUE", False, words))
    return answers


def _day_off(question: Question, applicant: Applicant) -> list[Reason]:
    if question.on.weekday() not in applicant.days_off:
        return []
    return [Reason("DAY_OFF", False, f"Does not work on {question.on:%A}s.")]


def _scope(question: Question, applicant: Applicant) -> Sequence[Reason]:
    """What the licence does not cover, and what the reviewer does not receive; item by item."""
    return question.scope_of(applicant)


def _outside(question: Question, applicant: Applicant) -> list[Reason]:
    kind = applicant.profile.kind
    answers = []
    for item in question.items:
        answers += [
            Reason(
                "SCOPE",
                False,
                f"Item {item.position}: a {KIND_WORDS.get(kind, 'reviewer')}’s licence does not "
                f"cover {scope.name} ({scope.source}).",
            )
            for scope in question.scopes
            if scope.licence_kind == kind and scope.category in item.categories
        ]
        if applicant.subjects is not None and not applicant.subjects & set(item.categories):
            words = f"Item {item.position}: its subject is not among those the reviewer receives."
            answers.append(Reason("SUBJECT", False, words))
    return answers


def _experience(question: Question, applicant: Applicant) -> list[Reason]:
    """An experimental treatment asks for clinical experience with it in the past three years.

    After 215 ILCS 180/55 and the model act on external review, which the house follows.
    """
    answers = []
    for item in question.items:
        if not item.is_experimental:
            continue
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
            said = (
                f"Item {item.position} is experimental, and no experience with it in the past "
                f"{EXPERIENCE_YEARS} years is on file."
            )
        else:
            until = f" until {_day(held.valid_to)}" if held.valid_to else ""
            said = f"Item {item.position} is experimental: experience with {held.treatment}{until}."
        answers.append(Reason("EXPERIENCE", held is not None, said))
    return answers


def _conflicts(question: Question, applicant: Applicant) -> list[Reason]:
    gates = {FAIL: "CONFLICT", UNKNOWN: "UNSETTLED"}
    answers = [
        Reason(gates[tie.result], False, tie.sentence)
        for tie in applicant.ties
        if tie.result in gates
    ]
    return answers or [Reason("CONFLICT", True, "No tie to a party is on file.")]


# Asked once a day of a reviewer, whatever the case; and anew with every case.
_OF_A_DAY: list[Gate] = [
    _status,
    _sign_in,
    _licence,
    _sanctions,
    _appointment,
    _verification,
    _certification,
    _practice,
    _training,
    _leave,
    _day_off,
]
_OF_A_CASE: list[Gate] = [_barred, _scope, _experience, _workload, _conflicts]


def _match(question: Question, profile: Profile) -> tuple[tuple[Match, ...], tuple[Reason, ...]]:
    """Whether a specialty fits each item; one reason an item."""
    matches: list[Match] = []
    reasons: list[Reason] = []
    for item in question.items:
        found = _match_one(item, question.wanted[item.item_id], profile)
        if isinstance(found, Match):
            matches.append(found)
            reasons.append(Reason("SPECIALTY", True, f"Item {item.position}: {found.why}"))
        else:
            reasons.append(Reason("SPECIALTY", False, f"Item {item.position}: {found}"))
    if not question.items:
        reasons.append(
            Reason("SPECIALTY", False, "The case has no item that waits for a decision.")
        )
    return tuple(matches), tuple(reasons)


def _match_one(item: Item, wanted: Sequence[Fit], profile: Profile) -> Match | str:
    own = profile.specialties
    if wanted:
        for fit in wanted:
            if fit.specialty in own and fit.specialty not in NEVER_ALONE:
                what_for = f" for {fit.condition_name}" if fit.condition_name else ""
                why = f"{fit.specialty} fits{what_for}: {fit.reason.rstrip('.')}."
                return _matched(item, fit.specialty, why, mapped=True)
        names = ", ".join(sorted({fit.specialty for fit in wanted}))
        return f"asks for one of {names}."
    if profile.is_physician and own:
        why = (
            "the map has no entry for this treatment; any certified specialty is accepted, "
            "the coordinator to confirm."
        )
        return _matched(item, own[0], why, mapped=False)
    kind = KIND_WORDS.get(profile.kind, "reviewer without a good licence")
    return f"the map has no entry that lets a {kind} decide it."


def _matched(item: Item, specialty: str, why: str, *, mapped: bool) -> Match:
    return Match(item.item_id, item.position, specialty, mapped, why, item.diagnosis)


def _score(
    question: Question, applicant: Applicant, matches: Sequence[Match]
) -> tuple[int, list[Reason]]:
    profile, weights, limits = applicant.profile, question.rules.weights, question.rules.limits
    in_california = any(held.state == HOME_STATE for held in profile.good_licences)
    # Each as a share of its points: how many, out of how many.
    shares = {
        "specialty_fit": (sum(match.mapped for match in matches), len(matches)),
        "california_licence": (int(in_california), 1),
        "free_capacity": (profile.capacity - applicant.workload, profile.capacity),
        "timeliness": (applicant.on_time, applicant.finished) if applicant.finished else (1, 1),
        "rotation": _rested(question, applicant),
    }
    score = sum(weights[name] * part // of for name, (part, of) in shares.items())
    remarks = []
    if not in_california:
        remarks.append("Not licensed in California, which is preferred.")
    if applicant.finished:
        remarks.append(
            f"Of the last {applicant.finished} reviews {applicant.on_time} issued on time."
        )
    if applicant.last_offered_on is not None:
        remarks.append(f"Last offered a case on {_day(applicant.last_offered_on)}.")
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
    if applicant.last_offered_on is None or not most:
        return 1, 1
    days = (question.on - applicant.last_offered_on).days
    return max(0, min(days, most)), most


def _speaks_of(fit: Fit, item: Item) -> bool:
    """Whether all that a line names besides the treatment holds for an item.

    A line that names nothing at all says nothing.
    """
    if fit.condition is not None and fit.condition not in item.conditions:
        return False
    if fit.body_part:
        return set(fit.body_part.casefold().split()) <= set(item.body_part.casefold().split())
    return fit.category is not None or fit.condition is not None


def _closeness(fit: Fit) -> int:
    return 2 * (fit.condition is not None) + bool(fit.body_part)


def _since(held: Held) -> str:
    return f" since {_day(held.valid_from)}" if held.valid_from else ""


def _place(reason: Reason) -> int:
    return _PLACES[reason.gate]


def _day(day: date) -> str:
    return f"{day:%m/%d/%Y}"
