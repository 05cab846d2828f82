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
from deadlines.results import UnknownDeadline
from deadlines.rules import Rule
from deadlines.timeliness import Late, Timely, judge_timeliness
from form_fields.dates import print_injury

from .answers import EligibilityResult
from .impossible_dates import find_impossible_dates

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

# What the request for information asks the parties for, where a fact is unknown.
REQUESTED = {
    "SIGNED": "The application with the signature of the injured worker or of the person who may "
    "sign for the injured worker.",
    "TIMELY": "The date on which the utilization review decision was sent, and how it was sent.",
    "UR_ATTACHED": "A complete copy of the utilization review decision.",
    "NECESSITY": "The page of the utilization review decision that gives the reason for denying "
    "or modifying the treatment.",
    "NOT_DECIDED": "The case number of any earlier application for Independent Medical Review of "
    "the same treatment.",
    "LIABILITY_CLEAR": "Whether the claims administrator disputes liability (legal responsibility) "
    "for the injury or the treatment.",
}

# The sentence that the letter prints for each reason, unless a verdict has a more specific one.
LETTER_SENTENCES = {
    "I-UNSIGNED": "The application is not signed by the injured worker or a valid representative.",
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
class StoredItemFacts:
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

    items: Sequence[StoredItemFacts]
    signed_by: str | None = None
    signed_on: date | None = None
    attorney_named: bool = False
    designated_on: date | None = None
    missing_fields: tuple[str, ...] = ()
    received_on: date | None = None
    formulary: bool = False
    requested_on: date | None = None
    # What the deadline engine takes about the RFA besides its date: hour, method, concurrent.
    rfa_facts: Mapping[str, object] = field(default_factory=dict)
    decided_on: date | None = None
    served_on: date | None = None
    service_method: str = ""
    date_of_injury: date | None = None
    injury_last_day: date | None = None  # set for a cumulative injury
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
class EligibilityProposal:
    """All verdicts, the answer to each fact that follows from them, and the proposed result."""

    verdicts: tuple[EligibilityVerdict, ...]
    answers: Mapping[str, str]
    item_answers: Mapping[int, Mapping[str, str]]
    conclusion: "EligibilityConclusion"

    @property
    def flags(self) -> list[EligibilityVerdict]:
        """Verdicts that staff should see although they decide nothing."""
        return [verdict for verdict in self.verdicts if not verdict.fact]

    def of(self, fact: str, item: int | None = None) -> list[EligibilityVerdict]:
        """Return the verdicts on a fact, for the application or for one item."""
        return [one for one in self.verdicts if (one.fact, one.item) == (fact, item)]

    def governing(self, fact: str, item: int | None = None) -> EligibilityVerdict | None:
        """Return the verdict that determines the answer: NO before UNKNOWN before YES."""
        findings = self.of(fact, item)
        return min(findings, key=lambda one: _WEIGHT[one.answer]) if findings else None


# One NO decides, and a YES must not hide that something else is unknown.
_WEIGHT = {NO: 0, UNKNOWN: 1, YES: 2}


def propose_answers(
    facts: StoredFacts, *, rules: Sequence[Rule], calendars: Calendars
) -> EligibilityProposal:
    """Answer the six facts from the stored facts, and propose a result.

    :param rules: the deadline rules by which timeliness is computed.
    """
    verdicts = [
        _check_signature(facts),
        _check_requester(facts),
        _check_fields(facts),
        _check_timeliness(facts, rules, calendars),
        _check_ur_attached(facts),
        _check_scope(facts),
        *(_check_necessity(item) for item in facts.items),
        *(_check_not_decided(item) for item in facts.items),
        _check_liability(facts),
        *_flag_untimely_ur(facts, rules, calendars),
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
        for item in facts.items
    }
    # Reversed, so that the first verdict with a NO gives the code.
    codes = {
        (one.fact, one.item): one.code
        for one in reversed(verdicts)
        if one.answer == NO and one.fact
    }
    conclusion = weigh_item_answers(whole, item_answers, codes=codes)
    # The answers of the conclusion, because they combine those of the items.
    return EligibilityProposal(tuple(verdicts), conclusion.answers, item_answers, conclusion)


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


def _say_why(codes: Iterable[str]) -> str:
    """Return the sentences of some reasons, without their codes."""
    return " ".join(LETTER_SENTENCES[code] for code in codes)


def _format_day(day: date | None) -> str:
    return f"{day:%m/%d/%Y}" if day else "not stated"


def _format_yes_no(value: bool | None) -> str:
    return "not stated" if value is None else "yes" if value else "no"


def _check_signature(facts: StoredFacts) -> EligibilityVerdict:
    by = facts.signed_by
    used: tuple[UsedFact, ...] = (
        UsedFact("Signed by", "no form" if by is None else _SIGNERS.get(by, "nobody"), FORM),
        UsedFact("Signed on", _format_day(facts.signed_on), FORM),
    )
    # None means that no form is on file; an empty text means a form without a signature.
    if by is None:
        return _answer_unknown("SIGNED", _SCREENING, "who signed the application", used)
    if impossible := _find_impossible(facts, "signed_on"):
        return _answer_unknown("SIGNED", _SCREENING, "when it was signed", used,
                        sentence=impossible)  # fmt: skip
    if not by:
        return _answer_no("SIGNED", "I-UNSIGNED", _SCREENING, "The form is not signed.", used)
    return EligibilityVerdict("SIGNED", YES, _SCREENING, f"Signed by {_SIGNERS[by]}.", used)


def _find_impossible(facts: StoredFacts, field: str) -> str:
    """Return why a date of the application cannot be true; empty if nothing contradicts it."""
    dates = {
        "received": facts.received_on,
        "ur_decided": facts.decided_on,
        "served_on": facts.served_on,
        "signed_on": facts.signed_on,
    }
    found = {one.field: one.sentence for one in find_impossible_dates(dates)}
    return found.get(field, "")


def _check_requester(facts: StoredFacts) -> EligibilityVerdict:
    """Check who filed: the employee, an attorney, a representative, or the emergency provider.

    A designation of a representative that is older than the UR decision is void
    (8 CCR 9792.10.1(b)(2)).
    """
    by = facts.signed_by or ""
    used: tuple[UsedFact, ...] = (UsedFact("Signed by", _SIGNERS.get(by, "nobody"), FORM),)
    if by in {"", "EMPLOYEE"}:
        # An unsigned form is refused by the signature rule; this rule has nothing to add.
        applicant = "The employee may apply." if by else "Not signed; see the signature rule."
        return EligibilityVerdict("SIGNED", YES, _FILER, applicant, used)
    if by == "ATTORNEY":
        # The form is the only evidence on file that the attorney represents the employee.
        used += (UsedFact("Attorney on the form", _format_yes_no(facts.attorney_named), FORM),)
        if facts.attorney_named:
            return EligibilityVerdict(
                "SIGNED", YES, _FILER, "The form names the employee’s attorney.", used
            )
        return _answer_unknown(
            "SIGNED", _FILER, "whether the attorney represents the employee", used
        )
    if by == "PROVIDER":
        # A provider of emergency treatment may apply without the employee (LC 4610.5(h)(4),
        # recalled).
        were_given = all(item.was_given for item in facts.items)
        used += (UsedFact("All treatment already given", _format_yes_no(were_given), FORM),)
        if were_given:
            sentence = "The provider applies for emergency treatment already given."
            return EligibilityVerdict("SIGNED", YES, _FILER, sentence, used)
        return _answer_unknown(
            "SIGNED", _FILER, "whether the treatment was given in an emergency", used
        )
    used += (
        UsedFact("Designated on", _format_day(facts.designated_on), FORM),
        UsedFact("Date of the UR decision", _format_day(facts.decided_on), UR),
    )
    if facts.designated_on is None:
        return _answer_unknown("SIGNED", _FILER, "when the representative was designated", used)
    if facts.decided_on is None:
        return _answer_unknown("SIGNED", _FILER, "the date of the UR decision", used)
    if facts.designated_on < facts.decided_on:
        return _answer_no(
            "SIGNED",
            "I-PARTY",
            _FILER,
            f"The designation of {format_day(facts.designated_on)} is not valid, because it is "
            "older than "
            f"the UR decision of {format_day(facts.decided_on)}.",
            used,
            letter="The representative was designated before the utilization review decision was "
            "made. A designation made before that decision is not valid.",
        )
    return EligibilityVerdict(
        "SIGNED", YES, _FILER, "The designation is not older than the decision.", used
    )


def _check_fields(facts: StoredFacts) -> EligibilityVerdict:
    missing = ", ".join(facts.missing_fields)
    used: tuple[UsedFact, ...] = (UsedFact("Fields left empty", missing or "none", FORM),)
    # A party can be asked for a missing field, so it never makes the application ineligible.
    if facts.missing_fields:
        return _answer_unknown("SIGNED", _SCREENING, f"fields missing on the form: {missing}", used)
    return EligibilityVerdict("SIGNED", YES, _SCREENING, "All required fields are filled in.", used)


# Of the UR decision, in the words of the intake form.
_SERVED_BY = {
    "in_hand": "in hand",
    "mail_ca": "mail, California address",
    "mail_us": "mail, another state",
    "fax": "fax",
    "electronic": "electronic",
}


def _check_timeliness(
    facts: StoredFacts, rules: Sequence[Rule], calendars: Calendars
) -> EligibilityVerdict:
    deadline_kind, served, method = _filing_window(facts)
    used: tuple[UsedFact, ...] = (
        UsedFact("Received", _format_day(facts.received_on), OFFICE),
        UsedFact("UR decision served", _format_day(facts.served_on), UR),
        UsedFact("Served by", _SERVED_BY.get(facts.service_method, "not stated"), UR),
    )
    if facts.liability_resolved_on:
        used += (
            UsedFact(
                "Notice that liability is resolved",
                _format_day(facts.liability_resolved_on),
                OFFICE,
            ),
        )
    source = "8 CCR 9792.10.1(b)(1)"
    # A period that began on an impossible day would be counted from the wrong one. After a
    # liability dispute the period does not begin with service.
    counts_from_service = not facts.liability_resolved_on
    if counts_from_service and (impossible := _find_impossible(facts, "served_on")):
        missing = "when the UR decision was served"
        return _answer_unknown("TIMELY", source, missing, used, sentence=impossible)
    # Unknown facts are left out: the engine then answers UNKNOWN instead of guessing a date.
    given: dict[str, object] = {}
    if served:
        given["served"] = served.isoformat()
    if method:
        given["method"] = method
    resolved_on, received_on = facts.liability_resolved_on, facts.received_on
    if resolved_on and received_on and received_on <= resolved_on:
        # The new filing period cannot make an application late that was already on file.
        sentence = "The application was on file when the liability dispute was resolved."
        return EligibilityVerdict("TIMELY", YES, "LC 4610.5(h)(2), recalled", sentence, used)
    try:
        judgment = judge_timeliness(
            deadline_kind, facts.received_on, given, rules=rules, calendars=calendars
        )
    # No rule or calendar covers these dates, which is no proof that the application was late.
    except CannotCount as error:
        return _answer_unknown("TIMELY", source, str(error).rstrip("."), used, sentence=str(error))
    if isinstance(judgment, Timely):
        return EligibilityVerdict("TIMELY", YES, source, judgment.sentence, used)
    if isinstance(judgment, Late):
        letter = (
            f"We received the application on {facts.received_on:%m/%d/%Y}. The last day to file "
            f"it was {judgment.due:%m/%d/%Y}."
        )
        return _answer_no("TIMELY", "I-LATE", source, judgment.sentence, used, letter=letter)
    return EligibilityVerdict(
        "TIMELY",
        UNKNOWN,
        source,
        judgment.sentence,
        used,
        missing="; ".join(judgment.missing),
        dates=judgment.dates,
    )


def _filing_window(facts: StoredFacts) -> tuple[str, date | None, str]:
    """Return the filing deadline that applies, its first day, and the method of service."""
    # The notice that the dispute is resolved starts a new filing period (LC 4610.5(h)(2),
    # recalled).
    if facts.liability_resolved_on:
        return (
            "application_after_liability",
            facts.liability_resolved_on,
            facts.liability_notice_method,
        )
    deadline_kind = "application_formulary" if facts.formulary else "application"
    return deadline_kind, facts.served_on, facts.service_method


def _check_ur_attached(facts: StoredFacts) -> EligibilityVerdict:
    used: tuple[UsedFact, ...] = (
        UsedFact("UR decision attached", _format_yes_no(facts.ur_attached), FORM),
    )
    # Checked first, because attaching another decision does not count as attaching the disputed
    # one.
    if facts.other_decision:
        differs = ", ".join(facts.other_decision)
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
    if facts.ur_attached is None:
        return _answer_unknown(
            "UR_ATTACHED", _SCREENING, "whether the UR decision is attached", used
        )
    if facts.ur_attached:
        return EligibilityVerdict(
            "UR_ATTACHED", YES, _SCREENING, "The UR decision is attached.", used
        )
    # Before April 2014 the applicant was reminded and could still send the decision.
    if facts.received_on and facts.received_on < _NO_CURE:
        missing = "the UR decision, which can still be sent within 15 days after a reminder"
        return _answer_unknown("UR_ATTACHED", _SCREENING, missing, used)
    return _answer_no("UR_ATTACHED", "I-NOUR", _SCREENING, "The UR decision is not attached.", used)


def _check_scope(facts: StoredFacts) -> EligibilityVerdict:
    """Check that IMR applies: injuries since 2013, or UR decisions since July 2013.

    A cumulative injury is covered if its first day is.
    """
    used: tuple[UsedFact, ...] = (
        UsedFact(
            "Date of injury",
            print_injury(facts.date_of_injury, facts.injury_last_day) or "not stated",
            FORM,
        ),
        UsedFact("Date of the UR decision", _format_day(facts.decided_on), UR),
    )
    # Either date is enough, so one of them may be unknown (LC 4610.5(a), (c)).
    covered = facts.date_of_injury is not None and facts.date_of_injury >= _IMR_BEGINS
    if covered or (facts.decided_on is not None and facts.decided_on >= _IMR_FOR_ALL):
        return EligibilityVerdict("NECESSITY", YES, _SCOPE, "IMR applies at these dates.", used)
    if facts.decided_on is None:
        return _answer_unknown("NECESSITY", _SCOPE, "the date of the UR decision", used)
    if facts.date_of_injury is None:
        return _answer_unknown("NECESSITY", _SCOPE, "the date of injury", used)
    # The date of a cumulative injury is that of first disability with knowledge of its cause (LC
    # 5412). It is not before the first day of exposure, but may be after the last one, and no form
    # states it. (The last year of exposure, LC 5500.5, decides only who is liable.)
    if facts.injury_last_day is not None:
        missing = "the date of the cumulative injury: first disability, with knowledge (LC 5412)"
        return _answer_unknown("NECESSITY", _SCOPE, missing, used)
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


def _check_necessity(item: StoredItemFacts) -> EligibilityVerdict:
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
        sentence = f"Item {at} is {_UR_SAYS[item.ur_outcome]}."
        return EligibilityVerdict("NECESSITY", YES, _NECESSITY, sentence, used, item=at)
    if item.ur_outcome in _UR_REASONS:
        code, sentence = _UR_REASONS[item.ur_outcome]
        letter = _NOT_IN_LETTER.get(item.ur_outcome, "")
        return _answer_no(
            "NECESSITY", code, _NECESSITY, f"Item {at}: {sentence}", used, letter=letter, item=at
        )
    return _answer_unknown("NECESSITY", _NECESSITY, f"the UR decision on item {at}", used,
                    item=at)  # fmt: skip


def _check_not_decided(item: StoredItemFacts) -> EligibilityVerdict:
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
    sentence = f"No other case about item {at} found."
    return EligibilityVerdict("NOT_DECIDED", YES, _EARLIER, sentence, used, item=at)


def _check_liability(facts: StoredFacts) -> EligibilityVerdict:
    used: tuple[UsedFact, ...] = (
        UsedFact("Liability disputed", _format_yes_no(facts.liability_disputed), FORM),
        UsedFact("Reason", facts.liability_reason or "not stated", FORM),
    )
    if facts.liability_resolved_on:
        day = facts.liability_resolved_on
        used += (UsedFact("Notice that it is resolved", _format_day(day), OFFICE),)
        return EligibilityVerdict(
            "LIABILITY_CLEAR", YES, _LIABILITY, f"Resolved; notice {format_day(day)}.", used
        )
    if facts.liability_disputed is None:
        return _answer_unknown("LIABILITY_CLEAR", _LIABILITY, "whether liability is disputed", used)
    if facts.liability_disputed:
        sentence = "Liability is disputed. The case will be deferred until the dispute is resolved."
        return _answer_no("LIABILITY_CLEAR", "I-LIAB", _LIABILITY, sentence, used)
    return EligibilityVerdict(
        "LIABILITY_CLEAR", YES, _LIABILITY, "Liability is not disputed.", used
    )


def _flag_untimely_ur(
    facts: StoredFacts, rules: Sequence[Rule], calendars: Calendars
) -> Iterable[EligibilityVerdict]:
    """Flag a late utilization review. It decides nothing: that is for the WCAB (Dubon II, 2014)."""
    if facts.requested_on is None or facts.decided_on is None:
        return
    used: tuple[UsedFact, ...] = (
        UsedFact("RFA date", _format_day(facts.requested_on), FORM),
        UsedFact("Date of the UR decision", _format_day(facts.decided_on), UR),
    )
    try:
        judgment: Timely | Late | UnknownDeadline = judge_timeliness(
            "ur_decision",
            facts.decided_on,
            {"rfa": facts.requested_on.isoformat(), **facts.rfa_facts},
            rules=rules,
            calendars=calendars,
        )
    # The flag is only information, so a date that cannot be counted is not worth a question.
    except CannotCount:
        return
    if isinstance(judgment, Late):
        sentence = (
            "The UR decision may be untimely. The WCAB decides this; it does not affect "
            f"eligibility. {judgment.sentence}"
        )
        yield EligibilityVerdict(
            "", NO, "Dubon II (2014); LC 4610(i)(1)", sentence, used, code="I-UNTIMELYUR"
        )


# --- Results of the answers -------------------------------------------------------------------


@dataclass(frozen=True)
class EligibilityConclusion:
    """The result that follows from the answers, its reason codes, and one sentence.

    :ivar answers: the six answers; for facts answered by item, the combined answer.
    :ivar ineligible_items: the positions of ineligible items, with their reason codes.
    """

    result: str  # ELIGIBLE, INELIGIBLE, DEFERRED or INCOMPLETE
    reasons: tuple[str, ...]
    sentence: str
    answers: Mapping[str, str] = field(default_factory=dict)
    ineligible_items: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def weigh_answers(
    answers: Mapping[str, str], *, codes: Mapping[str, str] = REASONS
) -> EligibilityConclusion:
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
        return EligibilityConclusion(
            "INELIGIBLE", reasons, f"Ineligible. {_say_why(reasons)}", answers
        )
    unknown = [fact for fact in FACTS if answers.get(fact) not in {YES, NO}]
    if answers.get("LIABILITY_CLEAR") == NO and not unknown:
        sentence = "Deferred until the liability dispute is resolved."
        return EligibilityConclusion("DEFERRED", ("I-LIAB",), sentence, answers)
    if unknown:
        missing = "; ".join(NEEDED[fact] for fact in unknown)
        return EligibilityConclusion("INCOMPLETE", (), f"Unknown: {missing}.", answers)
    sentence = "All six facts are answered Yes. The case is eligible."
    return EligibilityConclusion("ELIGIBLE", (), sentence, answers)


def weigh_item_answers(
    answers: Mapping[str, str],
    items: Mapping[int, Mapping[str, str]],
    *,
    codes: Mapping[tuple[str, int | None], str] | None = None,
) -> EligibilityConclusion:
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
    excluded = {
        position: tuple(
            codes.get((fact, position)) or codes.get((fact, None)) or REASONS[fact]
            for fact in ITEM_FACTS
            if own[fact] == NO
        )
        for position, own in effective.items()
        if NO in own.values()
    }
    remaining = [own for position, own in effective.items() if position not in excluded]
    whole_codes = {fact: codes.get((fact, None), "") for fact in FACTS}
    if items and not remaining:
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
                    *(code for position in sorted(excluded) for code in excluded[position]),
                ]
            )
        )
        for fact in ITEM_FACTS:
            whole[fact] = _strictest_answer(own[fact] for own in effective.values())
        return EligibilityConclusion(
            "INELIGIBLE", reasons, f"Ineligible. {_say_why(reasons)}", whole, excluded
        )
    if items:
        # Only the remaining items count. An answer that is none of the three counts as unknown.
        for fact in ITEM_FACTS:
            answered = [own[fact] if own[fact] in _WEIGHT else UNKNOWN for own in remaining]
            whole[fact] = _strictest_answer(answered)
    conclusion = weigh_answers(whole, codes=whole_codes)
    if not excluded:
        return conclusion
    refused = " ".join(
        f"Item {at} is ineligible. {_say_why(excluded[at])}" for at in sorted(excluded)
    )
    sentence = f"{conclusion.sentence} {refused}"
    # The whole application is ineligible. To name single items would suggest that the rest
    # continues.
    if conclusion.result == EligibilityResult.INELIGIBLE:
        sentence = conclusion.sentence
    return EligibilityConclusion(conclusion.result, conclusion.reasons, sentence, whole, excluded)
