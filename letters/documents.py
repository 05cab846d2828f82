"""What a letter says, section by section: the contract between the apps that speak and Typst.

The acting app builds one of the documents below from composed sentences and its own text, and
hands it to ``letters.services``. ``as_words`` gives the JSON that is frozen in the letter's row and
read by the layouts. Text may hold several paragraphs, with an empty line between them; a single
line break stays a line break.

Nothing here knows the database, the deadline or a reviewer's name.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date
from typing import Any, ClassVar, Self

from . import glyphs
from .kinds import CASE_LETTERS, LetterKind
from .outcomes import Outcome

SEPARATORS = (":", " is:")

# Each layout and the kinds of document that it sets.
LAYOUTS: dict[str, tuple[LetterKind, ...]] = {
    "determination-today": (LetterKind.DETERMINATION,),
    "determination-2014": (LetterKind.DETERMINATION,),
    "assignment-notice": (LetterKind.ASSIGNMENT_NOTICE,),
    "case-letter": CASE_LETTERS,
}


@dataclass(frozen=True)
class Organization:
    """The review organization, as letters name it."""

    name: str
    short_name: str
    address: tuple[str, ...] = ()
    phone: str = ""


@dataclass(frozen=True)
class Credentials:
    """What is printed about one reviewer. Never who it is."""

    specialties: str  # as printed: "Physical Medicine & Rehabilitation"
    license_states: str  # as printed: "California, Texas"
    reviewer: str = ""  # "Reviewer 1" where there are several


@dataclass(frozen=True)
class Analysis:
    """One reviewer's part of one item."""

    guideline: str  # what stands after "<short name> guideline:"
    rationale: str
    reviewer: str = ""  # as in Credentials
    outcome: str = ""  # where reviewers differ: this reviewer's own


@dataclass(frozen=True)
class Item:
    """One disputed item, decided."""

    title: str
    outcome: str  # the label of an Outcome, as it was when the words were frozen
    claims_administrator_guideline: str
    analyses: tuple[Analysis, ...]
    separator: str = ":"  # ":" or " is:", between the title and the outcome
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeterminationDocument:
    """A final determination. The 2014 layout leaves out the header and the credentials block."""

    kind: ClassVar[str] = LetterKind.DETERMINATION

    title: str
    organization: Organization
    dated_on: date
    case_number: str
    how_made: tuple[str, ...]
    summary_lead_in: str
    summary: str
    decisions_lead_in: str
    items: tuple[Item, ...]
    credentials: tuple[Credentials, ...] = ()
    date_assigned: date | None = None
    date_of_injury: date | None = None
    decision_date: date | None = None
    ur_denial_date: date | None = None
    priority: str = ""
    application_received: date | None = None
    documents_reviewed: tuple[str, ...] = ()  # 8 CCR 9792.10.6(d); printed when given
    closing: tuple[str, ...] = ()
    language: str = "en-US"
    facts: Mapping[str, Any] = field(default_factory=dict)  # printed facts; filled on freezing

    def problems(self, layout: str) -> list[str]:
        """Everything that keeps this document from being set in a layout, one sentence each."""
        needed: dict[str, str | date | None] = {
            "title": self.title,
            "review organization": self.organization.name,
            "short name of the review organization": self.organization.short_name,
            "case number": self.case_number,
            "statement of how the determination was made": "".join(self.how_made),
            "lead-in to the summary": self.summary_lead_in,
            "clinical case summary": self.summary,
            "lead-in to the decisions": self.decisions_lead_in,
        }
        if layout == "determination-today":
            needed |= {
                "date assigned": self.date_assigned,
                "date of injury": self.date_of_injury,
                "decision date": self.decision_date,
                "UR denial date": self.ur_denial_date,
                "priority": self.priority,
                "date on which the application was received": self.application_received,
            }
        found = [f"The letter has no {what}." for what, value in needed.items() if _empty(value)]
        if layout == "determination-today" and not self.credentials:
            found.append("The letter has no credentials of the reviewer.")
        for one in self.credentials:
            whose = one.reviewer or "the reviewer"
            if _empty(one.specialties):
                found.append(f"The letter has no specialty of {whose}.")
            if _empty(one.license_states):
                found.append(f"The letter has no state of licensure of {whose}.")
        if not self.items:
            found.append("The letter decides no item.")
        for position, item in enumerate(self.items, start=1):
            found += self._problems_of(item, f"Item {position}")
        return found

    def _problems_of(self, item: Item, name: str) -> list[str]:
        found = []
        if _empty(item.title):
            found.append(f"{name} has no title.")
        if _empty(item.outcome):
            found.append(f"{name} has no outcome.")
        if item.separator not in SEPARATORS:
            found.append(f"{name} has an unknown separator, {item.separator!r}.")
        if _empty(item.claims_administrator_guideline):
            found.append(f"{name} has no claims administrator guideline.")
        if not item.analyses:
            found.append(f"{name} has no analysis.")
        for analysis in item.analyses:
            whose = f"{name}, {analysis.reviewer}" if analysis.reviewer else name
            if _empty(analysis.guideline):
                found.append(f"{whose} has no guideline of the review organization.")
            if _empty(analysis.rationale):
                found.append(f"{whose} has no decision rationale.")
        return found

    def as_words(self) -> dict[str, Any]:
        """The JSON that is frozen and typeset."""
        return {"kind": self.kind, **_plain(self)}

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """The document again, from a letter's frozen words."""
        return cls(
            **_scalars(cls, words),
            organization=_organization(words["organization"]),
            how_made=tuple(words["how_made"]),
            credentials=tuple(Credentials(**one) for one in words["credentials"]),
            items=tuple(
                Item(
                    **{
                        **item,
                        "analyses": tuple(Analysis(**one) for one in item["analyses"]),
                        "notices": tuple(item["notices"]),
                    }
                )
                for item in words["items"]
            ),
            documents_reviewed=tuple(words["documents_reviewed"]),
            closing=tuple(words["closing"]),
        )


@dataclass(frozen=True)
class Recipient:
    """To whom a notice is addressed."""

    role: str  # "Claims administrator"
    name: str
    address: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoticeDocument:
    """A notice of assignment and request for information, to one recipient (8 CCR 9792.10.4(b)).

    ``deadline`` differs by channel: 15 days by mail, 12 electronically, 24 hours when expedited
    (8 CCR 9792.10.5(a)(1)).
    """

    kind: ClassVar[str] = LetterKind.ASSIGNMENT_NOTICE

    title: str
    organization: Organization
    dated_on: date
    case_number: str
    recipient: Recipient
    employee: str
    claims_administrator: str
    claim_number: str
    treatments: tuple[str, ...]
    requesting_physician: str
    ur_decision_date: date | None
    application_received: date | None
    priority: str  # "Regular" or "Expedited"
    opening: tuple[str, ...]
    deadline: tuple[str, ...]
    records_lead_in: str
    records: tuple[str, ...]  # what must be sent, in order
    penalty: tuple[str, ...]
    how_to_send: tuple[str, ...]
    closing: tuple[str, ...] = ()
    date_of_injury: date | None = None
    rfa_date: date | None = None
    ur_reference: str = ""
    language: str = "en-US"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def problems(self, layout: str) -> list[str]:
        """Everything that keeps this notice from being set, one sentence each."""
        needed = {
            "title": self.title,
            "review organization": self.organization.name,
            "case number": self.case_number,
            "recipient": self.recipient.name,
            "role of the recipient": self.recipient.role,
            "employee": self.employee,
            "claims administrator": self.claims_administrator,
            "requesting physician": self.requesting_physician,
            "date of the utilization review decision": self.ur_decision_date,
            "date on which the application was received": self.application_received,
            "priority": self.priority,
            "opening": "".join(self.opening),
            "sentence about the deadline": "".join(self.deadline),
            "lead-in to the list of records": self.records_lead_in,
            "sentence about penalties": "".join(self.penalty),
            "sentence about how to send": "".join(self.how_to_send),
        }
        found = [f"The notice has no {what}." for what, value in needed.items() if _empty(value)]
        if not [one for one in self.treatments if not _empty(one)]:
            found.append("The notice names no disputed treatment.")
        if not self.records:
            found.append("The notice has no list of required records.")
        return found

    def as_words(self) -> dict[str, Any]:
        """The JSON that is frozen and typeset."""
        return {"kind": self.kind, **_plain(self)}

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """The notice again, from a letter's frozen words."""
        recipient = dict(words["recipient"])
        recipient["address"] = tuple(recipient["address"])
        return cls(
            **_scalars(cls, words),
            organization=_organization(words["organization"]),
            recipient=Recipient(**recipient),
            treatments=tuple(words["treatments"]),
            opening=tuple(words["opening"]),
            deadline=tuple(words["deadline"]),
            records=tuple(words["records"]),
            penalty=tuple(words["penalty"]),
            how_to_send=tuple(words["how_to_send"]),
            closing=tuple(words["closing"]),
        )


@dataclass(frozen=True)
class Section:
    """A part of a case letter under its own heading: paragraphs, then what they list."""

    heading: str
    paragraphs: tuple[str, ...]
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseLetterDocument:
    """A letter about a case to one recipient: acknowledgment, request, notice, reminder, closure.

    All kinds share one shape. What differs between them is wording, and the sections it fills.
    """

    kind: str  # one of letters.kinds.CASE_LETTERS
    title: str
    heading: str
    organization: Organization
    dated_on: date
    case_number: str
    recipient: Recipient
    way: str  # "By mail", "By fax to 916-555-0100"
    employee: str
    opening: tuple[str, ...]
    sections: tuple[Section, ...]
    closing: tuple[str, ...]
    copies_to: tuple[str, ...] = ()  # the other recipients, by role
    claims_administrator: str = ""
    claim_number: str = ""
    priority: str = ""
    date_of_injury: date | None = None
    application_received: date | None = None
    ur_decision_date: date | None = None
    language: str = "en-US"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def problems(self, layout: str) -> list[str]:
        """Everything that keeps this letter from being set, one sentence each."""
        needed = {
            "title": self.title,
            "heading": self.heading,
            "review organization": self.organization.name,
            "case number": self.case_number,
            "recipient": self.recipient.name,
            "role of the recipient": self.recipient.role,
            "employee": self.employee,
            "opening": "".join(self.opening),
            "closing": "".join(self.closing),
        }
        found = [f"The letter has no {what}." for what, value in needed.items() if _empty(value)]
        for section in self.sections:
            if _empty(section.heading):
                found.append("A section of the letter has no heading.")
            if not section.paragraphs and not section.points:
                found.append(f"The section “{section.heading}” is empty.")
        return found

    def as_words(self) -> dict[str, Any]:
        """The JSON that is frozen and typeset."""
        words: dict[str, Any] = _plain(self)
        return words

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """The letter again, from its frozen words."""
        recipient = dict(words["recipient"])
        recipient["address"] = tuple(recipient["address"])
        return cls(
            **_scalars(cls, words),
            organization=_organization(words["organization"]),
            recipient=Recipient(**recipient),
            opening=tuple(words["opening"]),
            sections=tuple(
                Section(one["heading"], tuple(one["paragraphs"]), tuple(one["points"]))
                for one in words["sections"]
            ),
            closing=tuple(words["closing"]),
            copies_to=tuple(words["copies_to"]),
        )


Document = DeterminationDocument | NoticeDocument | CaseLetterDocument
_KINDS: dict[str, type[Document]] = {
    DeterminationDocument.kind: DeterminationDocument,
    NoticeDocument.kind: NoticeDocument,
    **dict.fromkeys(CASE_LETTERS, CaseLetterDocument),
}


def from_words(words: Mapping[str, Any]) -> Document:
    """The document that was frozen as these words."""
    return _KINDS[words["kind"]].from_words(words)


def problems(document: Document, layout: str) -> list[str]:
    """Everything that keeps a document from being set in a layout, characters included."""
    if document.kind not in LAYOUTS.get(layout, ()):
        return [f"There is no layout {layout!r} for a {document.kind.replace('_', ' ')}."]
    found = document.problems(layout)
    for place, text in texts(document.as_words()):
        found += [f"{place}: {one.sentence}" for one in glyphs.lacking(text)]
    return found


def unknown_outcomes(document: Document) -> list[str]:
    """Outcomes that are no longer, or never were, called so: a letter is not written with one.

    A letter that was written earlier keeps its words, and can still be set again.
    """
    if not isinstance(document, DeterminationDocument):
        return []
    known = " nor ".join(Outcome.labels)
    return [
        f"Item {number} is neither {known}, but {said!r}."
        for number, item in enumerate(document.items, start=1)
        for said in (item.outcome, *(one.outcome for one in item.analyses if one.outcome))
        if said and said not in Outcome.labels
    ]


def with_facts(document: Document, facts: Mapping[str, Any]) -> Document:
    """The document carrying its printed facts, which become the PDF's attachment."""
    return replace(document, facts=_plain(dict(facts)))


def words_sha256(words: Mapping[str, Any]) -> str:
    """The fingerprint of frozen words: the same words, the same 64 characters."""
    text = json.dumps(words, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def texts(words: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text that will be printed, with the place where a person would look for it."""
    for name, value in words.items():
        if name == "items":
            for position, item in enumerate(value, start=1):
                yield from _strings(item, f"Item {position}")
        elif name not in {"kind", "facts", "language"}:
            yield from _strings(value, _label(name))


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name != "separator":
                yield from _strings(inner, f"{place}, {_label(name).lower()}")
    elif isinstance(value, Sequence):
        for position, inner in enumerate(value, start=1):
            numbered = f"{place} {position}" if len(value) > 1 else place
            yield from _strings(inner, numbered)


_LABELS = {
    "how_made": "How the determination was made",
    "summary": "Clinical case summary",
    "claims_administrator_guideline": "claims administrator guideline",
    "guideline": "guideline",
    "rationale": "decision rationale",
    "analyses": "analysis",
}


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _plain(value: Any) -> Any:
    """Dataclasses, tuples and days as JSON knows them."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _scalars(kind: type, words: Mapping[str, Any]) -> dict[str, Any]:
    """The plain fields of a document: strings, days, and the facts."""
    found: dict[str, Any] = {}
    for one in fields(kind):
        value = words.get(one.name)
        if one.name == "facts":
            found[one.name] = value or {}
        elif "date" in str(one.type) and isinstance(value, str) and _DAY.fullmatch(value):
            found[one.name] = date.fromisoformat(value)
        elif isinstance(value, str) or value is None:
            found[one.name] = value
    return found


def _organization(words: Mapping[str, Any]) -> Organization:
    return Organization(**{**words, "address": tuple(words["address"])})
