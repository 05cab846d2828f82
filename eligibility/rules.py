"""The rules of eligibility. Pure: no database, no current time.

``propose_answers`` answers each of the six facts YES, NO or UNKNOWN, for the application or for one
item. Each verdict names the facts it used and the law, with a sentence for staff and one for the
letter. An unknown fact is named and never counts as NO (8 CCR 9792.10.3(a)-(d)). A person decides;
``weigh_item_answers`` gives the result of the person's answers. All six must be YES for a case to
be eligible.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from cases.lifecycle import Ending
from deadlines.calendars import Calendars, CannotCount, format_day
from deadlines.rules import Rule
from deadlines.sums import Unknown
from deadlines.timeliness import Late, Timely, judge_timeliness

from .answers import EligibilityResult

YES, NO, UNKNOWN = "YES", "NO", "UNKNOWN"

# The order in which reasons are listed and findings are stored.
FACTS = (
    "SIGNED",
    "TIMELY",
    "UR_ATTACHED",
    "NECESSITY",
    "NOT_DECIDED",
    "LIABILITY_CLEAR",
)

# These two are answered for each item. One item can be ineligible while the others are reviewed.
ITEM_FACTS = ("NECESSITY", "NOT_DECIDED")

# The default reason code for a NO to each fact.
REASONS = {
    "SIGNED": "I-UNSIGNED",
    "TIMELY": "I-LATE",
    "UR_ATTACHED": "I-NOUR",
    "NECESSITY": "I-NOTINUR",
    "NOT_DECIDED": "I-PRIOR",
    "LIABILITY_CLEAR": "I-LIAB",
}

# All reason codes for a NO to each fact, the default first.
CODES: dict[str, tuple[str, ...]] = {
    "SIGNED": ("I-UNSIGNED", "I-PARTY", "I-INCOMPLETE"),
    "TIMELY": ("I-LATE",),
    "UR_ATTACHED": ("I-NOUR", "I-INCOMPLETE"),
    "NECESSITY": ("I-NOTINUR", "I-CNC", "I-AUTH", "I-SCOPE", "I-BILL"),
    "NOT_DECIDED": ("I-PRIOR", "I-DUP", "I-WITHDRAWN"),
    "LIABILITY_CLEAR": ("I-LIAB",),
}

NEEDED = {
    "SIGNED": "whether the employee or a valid representative signed",
    "TIMELY": "whether the application was received on time",
    "UR_ATTACHED": "whether the UR decision is attached",
    "NECESSITY": "whether the UR decision denied or modified these items for medical necessity",
    "NOT_DECIDED": "whether the treatment was disputed or decided before",
    "LIABILITY_CLEAR": "whether liability is disputed",
}

# The sentence that the letter prints for each reason, unless a verdict has a more specific one.
LETTER_SENTENCES = {
    "I-UNSIGNED": "The application is not signed by the employee or a valid representative.",
    "I-LATE": "We received the application after the filing deadline.",
    "I-NOUR": "The utilization review decision was not attached to the application.",
    "I-CNC": "Utilization review did not decide medical necessity because it had not received "
    "the information that it requested.",
    "I-DUP": "The same treatment is already under Independent Medical Review in another case.",
    "I-PRIOR": "Independent Medical Review of the same treatment was already requested or "
    "completed.",
    "I-LIAB": "The claims administrator disputes liability. Independent Medical Review is on hold "
    "until that dispute is resolved.",
    "I-NOTINUR": "The utilization review decision did not deny or modify this treatment on the "
    "basis of medical necessity.",
    "I-AUTH": "The claims administrator has authorized this treatment.",
    "I-SCOPE": "This dispute is not subject to Independent Medical Review under the Labor Code.",
    "I-PARTY": "The person who signed the application is not authorized to request Independent "
    "Medical Review in this matter.",
    "I-INCOMPLETE": "The application is incomplete.",
    "I-BILL": "The dispute concerns only the amount of a payment. Such disputes are decided by "
    "Independent Bill Review.",
    "I-WITHDRAWN": "The request was withdrawn.",
    "I-UNTIMELYUR": "",  # decides nothing here: the WCAB judges whether utilization review was late
}

_SCREENING = "8 CCR 9792.10.3(a)(1)"
_EARLIER = "8 CCR 9792.10.3(a)(2)"
_LIABILITY = "8 CCR 9792.10.3(a)(3), (d)"
_NECESSITY = "LC 4610.5(c)(1)"
_SCOPE = "LC 4610.5(a), (c)"
_FILER = "8 CCR 9792.10.1(b)(2); LC 4610.5(j), recalled"

_IMR_BEGINS = date(2013, 1, 1)  # injuries from this day, whenever decided
_IMR_FOR_ALL = date(2013, 7, 1)  # decisions from this day, whatever the injury
_NO_CURE = date(2014, 4, 1)  # applications from this day: a missing UR decision cannot be cured


# --- Stored facts -----------------------------------------------------------------------------


@dataclass(frozen=True)
class EarlierCase:
    """Another case that may be about the same treatment.

    :ivar confirmed: a person has confirmed that it is the same treatment; before that it is only a
        possible duplicate.
    :ivar duplicate: the case is open; otherwise it is an earlier application.
    """

    case: str
    confirmed: bool
    duplicate: bool = False


@dataclass(frozen=True)
class ItemFacts:
    """One disputed treatment.

    :ivar ur_outcome: DENIED, MODIFIED, APPROVED, AMOUNT, CONDITIONAL or NOT_IN; empty until a
        person has read the UR decision.
    :ivar ending: a ``cases.lifecycle.Ending``.
    :ivar was_given: a date of service is stated, so the treatment was already given.
    """

    position: int
    title: str
    ur_outcome: str = ""
    ending: str = Ending.PENDING
    was_given: bool = False
    earlier: tuple[EarlierCase, ...] = ()


@dataclass(frozen=True)
class StoredFacts:
    """The stored facts of an application; ``None`` and an empty text mean unknown.

    :ivar signed_by: EMPLOYEE, ATTORNEY, REPRESENTATIVE or PROVIDER; empty if the form is not
        signed; ``None`` if no form is on file.
    :ivar missing_fields: the names of required fields that the form leaves empty.
    :ivar other_decision: the facts by which a person found that the attached UR decision is not
        the disputed one; empty if it is.
    :ivar liability_resolved_on: the date of service of the notice that the dispute is resolved.
    """

    items: Sequence[ItemFacts]
    signed_by: str | None = None
    signed_on: date | None = None
    attorney_named: bool = False
    designated_on: date | None = None
    missing_fields: tuple[str, ...] = ()
    received_on: date | None = None
    formulary: bool = False
    requested_on: date | None = None
    decided_on: date | None = None
    served_on: date | None = None
    service_method: str = ""
    date_of_injury: date | None = None
    ur_attached: bool | None = None
    other_decision: tuple[str, ...] = ()
    liability_disputed: bool | None = None
    liability_reason: str = ""
    liability_resolved_on: date | None = None
    liability_notice_method: str = ""


@dataclass(frozen=True)
class UsedFact:
    """A fact that a rule used: its name, its value as text, and its source."""

    name: str
    value: str
    source: str

    def as_row(self) -> dict[str, str]:
        return {"name": self.name, "value": self.value, "source": self.source}


FORM = "Application"
UR = "UR decision"
OFFICE = "Our records"


# --- Verdicts of the rules --------------------------------------------------------------------


@dataclass(frozen=True)
class EligibilityVerdict:
    """The answer of one rule for the application or for one item.

    :ivar fact: which of the six facts it answers; empty for a flag, which decides nothing.
    :ivar item: the item's position; ``None`` for the whole application.
    :ivar missing: for UNKNOWN, the fact that has to be known first.
    :ivar dates: if calendars disagree, the possible dates among which a person must choose.
    :ivar other_case: the number of the case that is the reason for a NO.
    """

    fact: str
    answer: str
    source: str
    sentence: str
    used: tuple[UsedFact, ...] = ()
    item: int | None = None
    code: str = ""
    letter_sentence: str = ""
    missing: str = ""
    dates: tuple[date, ...] = ()
    other_case: str = ""


@dataclass(frozen=True)
class Proposal:
    """All verdicts, the answer to each fact that follows from them, and the proposed result."""

    verdicts: tuple[EligibilityVerdict, ...]
    answers: Mapping[str, str]
    item_answers: Mapping[int, Mapping[str, str]]
    conclusion: "Conclusion"

    @property
    def flags(self) -> list[EligibilityVerdict]:
        """Verdicts that staff should see although they decide nothing."""
        return [verdict for verdict in self.verdicts if not verdict.fact]

    def of(self, fact: str, item: int | None = None) -> list[EligibilityVerdict]:
        """The verdicts on a fact, for the application or for one item."""
        return [one for one in self.verdicts if (one.fact, one.item) == (fact, item)]

    def governing(self, fact: str, item: int | None = None) -> EligibilityVerdict | None:
        """The verdict that determines the answer: NO before UNKNOWN before YES."""
        found = self.of(fact, item)
        return min(found, key=lambda one: _WEIGHT[one.answer]) if found else None


# One NO decides, and a YES must not hide that something else is unknown.
_WEIGHT = {NO: 0, UNKNOWN: 1, YES: 2}


def propose_answers(known: StoredFacts, *, rules: Sequence[Rule], calendars: Calendars) -> Proposal:
    """Answer the six facts from the stored facts, and propose a result.

    :param rules: the deadline rules by which timeliness is computed.
    """
    verdicts = [
        _check_signature(known),
        _check_requester(known),
        _check_fields(known),
        _check_timeliness(known, rules, calendars),
        _check_ur_attached(known),
        _check_scope(known),
        *(_check_necessity(item) for item in known.items),
        *(_check_not_decided(item) for item in known.items),
        _check_liability(known),
        *_flag_untimely_ur(known, rules, calendars),
    ]
    whole = {
        fact: _strictest_answer(
            one.answer for one in verdicts if one.fact == fact and one.item is None
        )
        for fact in FACTS
    }
    # What holds for the whole application, such as the dates from which IMR applies, also holds for
    # each item.
    item_answers = {
        item.position: {
            fact: _strictest_answer(
                one.answer
                for one in verdicts
                if one.fact == fact and one.item in (None, item.position)
            )
            for fact in ITEM_FACTS
        }
        for item in known.items
    }
    # Reversed, so that the first verdict with a NO gives the code.
    codes = {
        (one.fact, one.item): one.code
        for one in reversed(verdicts)
        if one.answer == NO and one.fact
    }
    conclusion = weigh_item_answers(whole, item_answers, codes=codes)
    # The answers of the conclusion, because they combine those of the items.
    return Proposal(tuple(verdicts), conclusion.answers, item_answers, conclusion)


def _strictest_answer(answers: Iterable[str]) -> str:
    return min(answers, key=_WEIGHT.__getitem__, default=YES)


def _answer_no(
    fact: str,
    code: str,
    source: str,
    sentence: str,
    used: tuple[UsedFact, ...],
    # fmt: skip
    *,
    letter: str = "",
    item: int | None = None,
    other_case: str = "",
) -> EligibilityVerdict:
    return EligibilityVerdict(
        fact,
        NO,
        source,
        sentence,
        used,
        item=item,
        code=code,
        letter_sentence=letter or LETTER_SENTENCES[code],
        other_case=other_case,
    )


def _answer_unknown(fact: str, source: str, missing: str, used: tuple[UsedFact, ...],
             *, item: int | None = None, sentence: str = "") -> EligibilityVerdict:  # fmt: skip
    text = sentence or f"Unknown: {missing}."
    return EligibilityVerdict(fact, UNKNOWN, source, text, used, item=item, missing=missing)


_SIGNERS = {
    "EMPLOYEE": "the employee",
    "ATTORNEY": "the employee’s attorney",
    "REPRESENTATIVE": "a designated representative",
    "PROVIDER": "the provider of emergency treatment",
}


def _format_day(day: date | None) -> str:
    return f"{day:%m/%d/%Y}" if day else "not stated"


def _format_yes_no(value: bool | None) -> str:
    return "not stated" if value is None else "yes" if value else "no"


def _check_signature(known: StoredFacts) -> EligibilityVerdict:
    by = known.signed_by
    used: tuple[UsedFact, ...] = (
        UsedFact("Signed by", "no form" if by is None else _SIGNERS.get(by, "nobody"), FORM),
        UsedFact("Signed on", _format_day(known.signed_on), FORM),
    )
    # None means that no form is on file; an empty text means a form without a signature.
    if by is None:
        return _answer_unknown("SIGNED", _SCREENING, "who signed the application", used)
    if not by:
        return _answer_no("SIGNED", "I-UNSIGNED", _SCREENING, "The form is not signed.", used)
    return EligibilityVerdict("SIGNED", YES, _SCREENING, f"Signed by {_SIGNERS[by]}.", used)


def _check_requester(known: StoredFacts) -> EligibilityVerdict:
    """Check who filed: the employee, an attorney, a representative, or the emergency provider.

    A designation of a representative that is older than the UR decision is void
    (8 CCR 9792.10.1(b)(2)).
    """
    by = known.signed_by or ""
    used: tuple[UsedFact, ...] = (UsedFact("Signed by", _SIGNERS.get(by, "nobody"), FORM),)
    if by in {"", "EMPLOYEE"}:
        # An unsigned form is refused by the signature rule; this rule has nothing to add.
        who = "The employee may apply." if by else "Not signed; see the signature rule."
        return EligibilityVerdict("SIGNED", YES, _FILER, who, used)
    if by == "ATTORNEY":
        # The form is the only evidence on file that the attorney represents the employee.
        used += (UsedFact("Attorney on the form", _format_yes_no(known.attorney_named), FORM),)
        if known.attorney_named:
            return EligibilityVerdict(
                "SIGNED", YES, _FILER, "The form names the employee’s attorney.", used
            )
        return _answer_unknown(
            "SIGNED", _FILER, "whether the attorney represents the employee", used
        )
    if by == "PROVIDER":
        # A provider of emergency treatment may apply without the employee (LC 4610.5(h)(4),
        # recalled).
        given = all(item.was_given for item in known.items)
        used += (UsedFact("All treatment already given", _format_yes_no(given), FORM),)
        if given:
            said = "The provider applies for emergency treatment already given."
            return EligibilityVerdict("SIGNED", YES, _FILER, said, used)
        return _answer_unknown(
            "SIGNED", _FILER, "whether the treatment was given in an emergency", used
        )
    used += (
        UsedFact("Designated on", _format_day(known.designated_on), FORM),
        UsedFact("Date of the UR decision", _format_day(known.decided_on), UR),
    )
    if known.designated_on is None:
        return _answer_unknown("SIGNED", _FILER, "when the representative was designated", used)
    if known.decided_on is None:
        return _answer_unknown("SIGNED", _FILER, "the date of the UR decision", used)
    if known.designated_on < known.decided_on:
        return _answer_no(
            "SIGNED",
            "I-PARTY",
            _FILER,
            f"The designation of {format_day(known.designated_on)} is not valid, because it is "
            "older than "
            f"the UR decision of {format_day(known.decided_on)}.",
            used,
            letter="The representative was designated before the utilization review decision was "
            "made. A designation made before that decision is not valid.",
        )
    return EligibilityVerdict(
        "SIGNED", YES, _FILER, "The designation is not older than the decision.", used
    )


def _check_fields(known: StoredFacts) -> EligibilityVerdict:
    missing = ", ".join(known.missing_fields)
    used: tuple[UsedFact, ...] = (UsedFact("Fields left empty", missing or "none", FORM),)
    # A party can be asked for a missing field, so it never makes the application ineligible.
    if known.missing_fields:
        return _answer_unknown("SIGNED", _SCREENING, f"fields missing on the form: {missing}", used)
    return EligibilityVerdict("SIGNED", YES, _SCREENING, "All required fields are filled in.", used)


def _check_timeliness(
    known: StoredFacts, rules: Sequence[Rule], calendars: Calendars
) -> EligibilityVerdict:
    deadline_kind, served, method = _filing_window(known)
    used: tuple[UsedFact, ...] = (
        UsedFact("Received", _format_day(known.received_on), OFFICE),
        UsedFact("UR decision served", _format_day(known.served_on), UR),
        UsedFact("Served by", known.service_method.replace("_", " ") or "not stated", UR),
    )
    if known.liability_resolved_on:
        used += (
            UsedFact(
                "Notice that liability is resolved",
                _format_day(known.liability_resolved_on),
                OFFICE,
            ),
        )
    source = "8 CCR 9792.10.1(b)(1)"
    # Unknown facts are left out: the engine then answers UNKNOWN instead of guessing a date.
    given: dict[str, object] = {}
    if served:
        given["served"] = served.isoformat()
    if method:
        given["method"] = method
    resolved_on, received_on = known.liability_resolved_on, known.received_on
    if resolved_on and received_on and received_on <= resolved_on:
        # The new filing period cannot make an application late that was already on file.
        said = "The application was on file when the liability dispute was resolved."
        return EligibilityVerdict("TIMELY", YES, "LC 4610.5(h)(2), recalled", said, used)
    try:
        found = judge_timeliness(
            deadline_kind, known.received_on, given, rules=rules, calendars=calendars
        )
    # No rule or calendar covers these dates, which is no proof that the application was late.
    except CannotCount as error:
        return _answer_unknown("TIMELY", source, str(error).rstrip("."), used, sentence=str(error))
    if isinstance(found, Timely):
        return EligibilityVerdict("TIMELY", YES, source, found.sentence, used)
    if isinstance(found, Late):
        letter = (
            f"We received the application on {known.received_on:%m/%d/%Y}. The last day to file "
            f"it was {found.limit:%m/%d/%Y}."
        )
        return _answer_no("TIMELY", "I-LATE", source, found.sentence, used, letter=letter)
    return EligibilityVerdict(
        "TIMELY",
        UNKNOWN,
        source,
        found.sentence,
        used,
        missing="; ".join(found.missing),
        dates=found.dates,
    )


def _filing_window(known: StoredFacts) -> tuple[str, date | None, str]:
    """The filing deadline that applies, the date it counts from, and the method of service."""
    # The notice that the dispute is resolved starts a new filing period (LC 4610.5(h)(2),
    # recalled).
    if known.liability_resolved_on:
        return (
            "application_after_liability",
            known.liability_resolved_on,
            known.liability_notice_method,
        )
    deadline_kind = "application_formulary" if known.formulary else "application"
    return deadline_kind, known.served_on, known.service_method


def _check_ur_attached(known: StoredFacts) -> EligibilityVerdict:
    used: tuple[UsedFact, ...] = (
        UsedFact("UR decision attached", _format_yes_no(known.ur_attached), FORM),
    )
    # Checked first, because attaching another decision does not count as attaching the disputed
    # one.
    if known.other_decision:
        differs = ", ".join(known.other_decision)
        used += (UsedFact("Differs from the application in", differs, OFFICE),)
        return _answer_no(
            "UR_ATTACHED",
            "I-NOUR",
            _SCREENING,
            f"The attached decision is not the disputed one. It differs in: {differs}.",
            used,
            letter="The utilization review decision submitted with the application is not the "
            "decision that the application disputes.",
        )
    if known.ur_attached is None:
        return _answer_unknown(
            "UR_ATTACHED", _SCREENING, "whether the UR decision is attached", used
        )
    if known.ur_attached:
        return EligibilityVerdict(
            "UR_ATTACHED", YES, _SCREENING, "The UR decision is attached.", used
        )
    # Before April 2014 the applicant was reminded and could still send the decision.
    if known.received_on and known.received_on < _NO_CURE:
        missing = "the UR decision, which can still be sent within 15 days after a reminder"
        return _answer_unknown("UR_ATTACHED", _SCREENING, missing, used)
    return _answer_no("UR_ATTACHED", "I-NOUR", _SCREENING, "The UR decision is not attached.", used)


def _check_scope(known: StoredFacts) -> EligibilityVerdict:
    """Check that IMR applies: injuries since 2013, or UR decisions since July 2013."""
    used: tuple[UsedFact, ...] = (
        UsedFact("Date of injury", _format_day(known.date_of_injury), FORM),
        UsedFact("Date of the UR decision", _format_day(known.decided_on), UR),
    )
    # Either date is enough, so one of them may be unknown (LC 4610.5(a), (c)).
    covered = known.date_of_injury is not None and known.date_of_injury >= _IMR_BEGINS
    if covered or (known.decided_on is not None and known.decided_on >= _IMR_FOR_ALL):
        return EligibilityVerdict("NECESSITY", YES, _SCOPE, "IMR applies at these dates.", used)
    if known.decided_on is None:
        return _answer_unknown("NECESSITY", _SCOPE, "the date of the UR decision", used)
    if known.date_of_injury is None:
        return _answer_unknown("NECESSITY", _SCOPE, "the date of injury", used)
    return _answer_no(
        "NECESSITY",
        "I-SCOPE",
        _SCOPE,
        f"The injury is before {format_day(_IMR_BEGINS)} and the UR decision before "
        f"{format_day(_IMR_FOR_ALL)}.",
        used,
    )


_UR_SAYS = {
    "DENIED": "denied as not medically necessary",
    "MODIFIED": "modified as not medically necessary",
    "APPROVED": "approved",
    "AMOUNT": "approved; only the payment is disputed",
    "CONDITIONAL": "not certified because information was missing",
    "NOT_IN": "not in the decision",
}
# For each UR outcome that leaves nothing to review: the reason code and the sentence for staff.
_UR_REASONS = {
    "APPROVED": ("I-NOTINUR", "approved by the UR decision."),
    "NOT_IN": ("I-NOTINUR", "not mentioned in the UR decision."),
    "CONDITIONAL": ("I-CNC", "not certified for missing information; necessity not decided."),
    "AMOUNT": ("I-BILL", "only the amount of payment is disputed."),
}
_NOT_IN_LETTER = {
    "APPROVED": "The utilization review decision approved this treatment.",
    "NOT_IN": "This treatment is not among the items that the utilization review decision denied "
    "or modified.",
}


def _check_necessity(item: ItemFacts) -> EligibilityVerdict:
    at = item.position
    used: tuple[UsedFact, ...] = (
        UsedFact("UR decision on this item", _UR_SAYS.get(item.ur_outcome, "not stated"), UR),
    )
    # An authorization ends the dispute, whatever the UR decision states.
    if item.ending == Ending.AUTHORIZED:
        used += (UsedFact("Later", "authorized by the claims administrator", OFFICE),)
        source = "8 CCR 9792.10.6(a)"
        text = f"Item {at} was authorized later."
        return _answer_no("NECESSITY", "I-AUTH", source, text, used, item=at)
    if item.ur_outcome in {"DENIED", "MODIFIED"}:
        said = f"Item {at} is {_UR_SAYS[item.ur_outcome]}."
        return EligibilityVerdict("NECESSITY", YES, _NECESSITY, said, used, item=at)
    if item.ur_outcome in _UR_REASONS:
        code, said = _UR_REASONS[item.ur_outcome]
        letter = _NOT_IN_LETTER.get(item.ur_outcome, "")
        return _answer_no(
            "NECESSITY", code, _NECESSITY, f"Item {at}: {said}", used, letter=letter, item=at
        )
    return _answer_unknown("NECESSITY", _NECESSITY, f"the UR decision on item {at}", used,
                    item=at)  # fmt: skip


def _check_not_decided(item: ItemFacts) -> EligibilityVerdict:
    at = item.position
    named = ", ".join(one.case for one in item.earlier)
    used: tuple[UsedFact, ...] = (
        UsedFact("Other cases about this treatment", named or "none found", OFFICE),
    )
    if item.ending == Ending.WITHDRAWN:
        text = f"Item {at} was withdrawn."
        return _answer_no("NOT_DECIDED", "I-WITHDRAWN", _SCREENING, text, used, item=at)
    for one in item.earlier:
        # Only a person can find that it is the same treatment. A similar case raises a question.
        if one.confirmed:
            code = "I-DUP" if one.duplicate else "I-PRIOR"
            return _answer_no(
                "NOT_DECIDED",
                code,
                _EARLIER,
                f"Item {at} is the same treatment as in {one.case}.",
                used,
                item=at,
                other_case=one.case,
            )
    if item.earlier:
        missing = f"whether item {at} is the same treatment as in {named}"
        return _answer_unknown("NOT_DECIDED", _EARLIER, missing, used, item=at)
    said = f"No other case about item {at} found."
    return EligibilityVerdict("NOT_DECIDED", YES, _EARLIER, said, used, item=at)


def _check_liability(known: StoredFacts) -> EligibilityVerdict:
    used: tuple[UsedFact, ...] = (
        UsedFact("Liability disputed", _format_yes_no(known.liability_disputed), FORM),
        UsedFact("Reason", known.liability_reason or "not stated", FORM),
    )
    if known.liability_resolved_on:
        day = known.liability_resolved_on
        used += (UsedFact("Notice that it is resolved", _format_day(day), OFFICE),)
        return EligibilityVerdict(
            "LIABILITY_CLEAR", YES, _LIABILITY, f"Resolved; notice {format_day(day)}.", used
        )
    if known.liability_disputed is None:
        return _answer_unknown("LIABILITY_CLEAR", _LIABILITY, "whether liability is disputed", used)
    if known.liability_disputed:
        said = "Liability is disputed. The case will be deferred until the dispute is resolved."
        return _answer_no("LIABILITY_CLEAR", "I-LIAB", _LIABILITY, said, used)
    return EligibilityVerdict(
        "LIABILITY_CLEAR", YES, _LIABILITY, "Liability is not disputed.", used
    )


def _flag_untimely_ur(
    known: StoredFacts, rules: Sequence[Rule], calendars: Calendars
) -> Iterable[EligibilityVerdict]:
    """Flag a late utilization review. It decides nothing: that is for the WCAB (Dubon II, 2014)."""
    if known.requested_on is None or known.decided_on is None:
        return
    used: tuple[UsedFact, ...] = (
        UsedFact("RFA date", _format_day(known.requested_on), FORM),
        UsedFact("Date of the UR decision", _format_day(known.decided_on), UR),
    )
    try:
        found: Timely | Late | Unknown = judge_timeliness(
            "ur_decision",
            known.decided_on,
            {"rfa": known.requested_on.isoformat()},
            rules=rules,
            calendars=calendars,
        )
    # The flag is only information, so a date that cannot be counted is not worth a question.
    except CannotCount:
        return
    if isinstance(found, Late):
        said = (
            "The UR decision may be untimely. The WCAB decides this; it does not affect "
            f"eligibility. {found.sentence}"
        )
        yield EligibilityVerdict(
            "", NO, "Dubon II (2014); LC 4610(i)(1)", said, used, code="I-UNTIMELYUR"
        )


# --- Results of the answers -------------------------------------------------------------------


@dataclass(frozen=True)
class Conclusion:
    """The result that follows from the answers, its reason codes, and one sentence.

    :ivar answers: the six answers; for facts answered by item, the combined answer.
    :ivar out: the positions of ineligible items, with their reason codes.
    """

    result: str  # ELIGIBLE, INELIGIBLE, DEFERRED or INCOMPLETE
    reasons: tuple[str, ...]
    sentence: str
    answers: Mapping[str, str] = field(default_factory=dict)
    out: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def weigh_answers(answers: Mapping[str, str], *, codes: Mapping[str, str] = REASONS) -> Conclusion:
    """Derive the result from the six answers.

    A NO makes the case ineligible. A NO to liability alone defers it, because the dispute may be
    resolved (8 CCR 9792.10.3(d)). A missing or unknown fact keeps the case in eligibility review.

    :param codes: reason codes by fact, if not the default.
    :raises KeyError: an answer belongs to none of the six facts.
    """
    for fact in answers:
        if fact not in REASONS:
            raise KeyError(fact)
    refusals = [fact for fact in FACTS if answers.get(fact) == NO and fact != "LIABILITY_CLEAR"]
    # One NO is enough, even while other facts are still unknown.
    if refusals:
        reasons = tuple(codes.get(fact) or REASONS[fact] for fact in refusals)
        return Conclusion("INELIGIBLE", reasons, f"Ineligible: {', '.join(reasons)}.", answers)
    unknown = [fact for fact in FACTS if answers.get(fact) not in {YES, NO}]
    if answers.get("LIABILITY_CLEAR") == NO and not unknown:
        sentence = "Deferred until the liability dispute is resolved."
        return Conclusion("DEFERRED", ("I-LIAB",), sentence, answers)
    if unknown:
        missing = "; ".join(NEEDED[fact] for fact in unknown)
        return Conclusion("INCOMPLETE", (), f"Unknown: {missing}.", answers)
    sentence = "All six facts are answered Yes. The case is eligible."
    return Conclusion("ELIGIBLE", (), sentence, answers)


def weigh_item_answers(
    answers: Mapping[str, str],
    items: Mapping[int, Mapping[str, str]],
    *,
    codes: Mapping[tuple[str, int | None], str] | None = None,
) -> Conclusion:
    """Derive the result from the six answers, two of which may differ by item.

    An item without an answer of its own takes the answer for the application. The application is
    ineligible only if all its items are.

    :param items: position to fact to answer, for every pending item.
    :param codes: reason codes by fact and item position.
    """
    codes = codes or {}
    whole = {fact: answers.get(fact, UNKNOWN) for fact in FACTS}
    effective = {
        position: {fact: own.get(fact) or whole[fact] for fact in ITEM_FACTS}
        for position, own in items.items()
    }
    out = {
        position: tuple(
            codes.get((fact, position)) or codes.get((fact, None)) or REASONS[fact]
            for fact in ITEM_FACTS
            if own[fact] == NO
        )
        for position, own in effective.items()
        if NO in own.values()
    }
    left = [own for position, own in effective.items() if position not in out]
    whole_codes = {fact: codes.get((fact, None), "") for fact in FACTS}
    if items and not left:
        reasons = tuple(
            # Keeps the order and drops repeated codes.
            dict.fromkeys(
                [
                    *(
                        whole_codes[fact] or REASONS[fact]
                        for fact in FACTS
                        # Liability never makes a case ineligible; it only defers it (8 CCR
                        # 9792.10.3(d)).
                        if whole[fact] == NO and fact not in (*ITEM_FACTS, "LIABILITY_CLEAR")
                    ),
                    *(code for position in sorted(out) for code in out[position]),
                ]
            )
        )
        for fact in ITEM_FACTS:
            whole[fact] = _strictest_answer(own[fact] for own in effective.values())
        return Conclusion("INELIGIBLE", reasons, f"Ineligible: {', '.join(reasons)}.", whole, out)
    if items:
        # Only the remaining items count. An answer that is none of the three counts as unknown.
        for fact in ITEM_FACTS:
            answered = [own[fact] if own[fact] in _WEIGHT else UNKNOWN for own in left]
            whole[fact] = _strictest_answer(answered)
    found = weigh_answers(whole, codes=whole_codes)
    if not out:
        return found
    words = "; ".join(f"item {at} ({', '.join(out[at])})" for at in sorted(out))
    sentence = f"{found.sentence} Ineligible: {words}."
    # The whole application is ineligible. To name single items would suggest that the rest
    # continues.
    if found.result == EligibilityResult.INELIGIBLE:
        sentence = found.sentence
    return Conclusion(found.result, found.reasons, sentence, whole, out)
