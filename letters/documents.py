"""The content of letters by section: the interface between the other apps and the layouts.

An app builds one of these documents from composed sentences and its own text, and passes it to
``letters.services``. ``as_words`` returns the JSON that is frozen in the letter's row and read by
the Typst layouts. A text may have several paragraphs, separated by an empty line; a single line
break is kept.

This module uses neither the database nor the current time, and no reviewer's name.
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
from .typesetting import find_layout_name

SEPARATORS = (":", " is:")

# Each layout, and the kinds of letters that use it.
LAYOUTS: dict[str, tuple[LetterKind, ...]] = {
    "determination-today": (LetterKind.DETERMINATION,),
    "determination-2014": (LetterKind.DETERMINATION,),
    "assignment-notice": (LetterKind.ASSIGNMENT_NOTICE,),
    "case-letter": CASE_LETTERS,
}


@dataclass(frozen=True)
class Organization:
    """The review organization's name and address, as printed."""

    name: str
    short_name: str
    address: tuple[str, ...] = ()
    phone: str = ""


@dataclass(frozen=True)
class Credentials:
    """The printed credentials of one reviewer; never the name."""

    specialties: str  # as printed: "Physical Medicine & Rehabilitation"
    license_states: str  # as printed: "California, Texas"
    reviewer: str = ""  # "Reviewer 1" if there are several


@dataclass(frozen=True)
class Analysis:
    """One reviewer's analysis of one item."""

    guideline: str  # the text after "<short name> guideline:"
    rationale: str
    reviewer: str = ""  # as in Credentials
    outcome: str = ""  # this reviewer's own outcome, if the reviewers differ


@dataclass(frozen=True)
class PrintedItem:
    """One disputed item with its decision."""

    title: str
    outcome: str  # the label of an Outcome at the time when the text was frozen
    claims_administrator_guideline: str
    analyses: tuple[Analysis, ...]
    separator: str = ":"  # ":" or " is:", between the title and the outcome
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeterminationDocument:
    """A final determination. The 2014 layout omits the header and the credentials."""

    kind: ClassVar[str] = LetterKind.DETERMINATION

    title: str
    organization: Organization
    dated_on: date
    case_number: str
    how_made: tuple[str, ...]
    summary_lead_in: str
    summary: str
    decisions_lead_in: str
    items: tuple[PrintedItem, ...]
    credentials: tuple[Credentials, ...] = ()
    date_assigned: date | None = None
    date_of_injury: date | None = None
    injury_last_day: date | None = None  # of a cumulative injury, printed as a period
    decision_date: date | None = None
    ur_denial_date: date | None = None
    priority: str = ""
    application_received: date | None = None
    documents_reviewed: tuple[str, ...] = ()  # 8 CCR 9792.10.6(d); printed if given
    closing: tuple[str, ...] = ()
    language: str = "en-US"
    facts: Mapping[str, Any] = field(default_factory=dict)  # printed facts; set by ``attach_facts``

    def problems(self, layout: str) -> list[str]:
        """List the missing or wrong parts that prevent typesetting, one sentence each."""
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
        # The 2014 layout prints no header, so these facts may be missing there.
        if layout == "determination-today":
            needed |= {
                "date assigned": self.date_assigned,
                "date of injury": self.date_of_injury,
                "decision date": self.decision_date,
                "UR denial date": self.ur_denial_date,
                "priority": self.priority,
                "date on which the application was received": self.application_received,
            }
        problems = [
            f"The letter has no {name}." for name, value in needed.items() if _is_empty(value)
        ]
        if layout == "determination-today" and not self.credentials:
            problems.append("The letter has no credentials of the reviewer.")
        for one in self.credentials:
            reviewer = one.reviewer or "the reviewer"
            if _is_empty(one.specialties):
                problems.append(f"The letter has no specialty of {reviewer}.")
            if _is_empty(one.license_states):
                problems.append(f"The letter has no state of licensure of {reviewer}.")
        if not self.items:
            problems.append("The letter decides no item.")
        for position, item in enumerate(self.items, start=1):
            problems += self._problems_of(item, f"Item {position}")
        return problems

    def _problems_of(self, item: PrintedItem, name: str) -> list[str]:
        problems = []
        if _is_empty(item.title):
            problems.append(f"{name} has no title.")
        if _is_empty(item.outcome):
            problems.append(f"{name} has no outcome.")
        if item.separator not in SEPARATORS:
            problems.append(f"{name} has an unknown separator, {item.separator!r}.")
        if _is_empty(item.claims_administrator_guideline):
            problems.append(f"{name} has no claims administrator guideline.")
        if not item.analyses:
            problems.append(f"{name} has no analysis.")
        for analysis in item.analyses:
            whose = f"{name}, {analysis.reviewer}" if analysis.reviewer else name
            if _is_empty(analysis.guideline):
                problems.append(f"{whose} has no guideline of the review organization.")
            if _is_empty(analysis.rationale):
                problems.append(f"{whose} has no decision rationale.")
        return problems

    def as_words(self) -> dict[str, Any]:
        """Convert the document to the JSON that is frozen and typeset."""
        return {"kind": self.kind, **_to_json(self)}

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """Rebuild the document from a letter's frozen text."""
        return cls(
            **_read_scalars(cls, words),
            organization=_read_organization(words["organization"]),
            how_made=tuple(words["how_made"]),
            credentials=tuple(Credentials(**one) for one in words["credentials"]),
            items=tuple(
                PrintedItem(
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
    """The recipient of a notice or case letter."""

    role: str  # "Claims administrator"
    name: str
    address: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoticeDocument:
    """A notice of assignment and request for information to one recipient (8 CCR 9792.10.4(b)).

    ``deadline`` depends on the channel: 15 days by mail, 12 days electronically, 24 hours if
    expedited (8 CCR 9792.10.5(a)(1)).
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
    injury_last_day: date | None = None  # of a cumulative injury, printed as a period
    rfa_date: date | None = None
    ur_reference: str = ""
    language: str = "en-US"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def problems(self, layout: str) -> list[str]:
        """List the missing parts that prevent typesetting, one sentence each."""
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
        problems = [
            f"The notice has no {name}." for name, value in needed.items() if _is_empty(value)
        ]
        if not [one for one in self.treatments if not _is_empty(one)]:
            problems.append("The notice names no disputed treatment.")
        if not self.records:
            problems.append("The notice has no list of required records.")
        return problems

    def as_words(self) -> dict[str, Any]:
        """Convert the document to the JSON that is frozen and typeset."""
        return {"kind": self.kind, **_to_json(self)}

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """Rebuild the notice from a letter's frozen text."""
        recipient = dict(words["recipient"])
        recipient["address"] = tuple(recipient["address"])
        return cls(
            **_read_scalars(cls, words),
            organization=_read_organization(words["organization"]),
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
    """A section of a case letter: heading, paragraphs and an optional list."""

    heading: str
    paragraphs: tuple[str, ...]
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseLetterDocument:
    """A case letter to one recipient: acknowledgment, request, notice, reminder or closure.

    All kinds have the same structure. They differ in their wording and sections.
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
    injury_last_day: date | None = None  # of a cumulative injury, printed as a period
    application_received: date | None = None
    ur_decision_date: date | None = None
    language: str = "en-US"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def problems(self, layout: str) -> list[str]:
        """List the missing parts that prevent typesetting, one sentence each."""
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
        problems = [
            f"The letter has no {name}." for name, value in needed.items() if _is_empty(value)
        ]
        for section in self.sections:
            if _is_empty(section.heading):
                problems.append("A section of the letter has no heading.")
            if not section.paragraphs and not section.points:
                problems.append(f"The section “{section.heading}” is empty.")
        return problems

    def as_words(self) -> dict[str, Any]:
        """Convert the document to the JSON that is frozen and typeset."""
        words: dict[str, Any] = _to_json(self)
        return words

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """Rebuild the letter from its frozen text."""
        recipient = dict(words["recipient"])
        recipient["address"] = tuple(recipient["address"])
        return cls(
            **_read_scalars(cls, words),
            organization=_read_organization(words["organization"]),
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
    """Rebuild a document of any kind from frozen text."""
    return _KINDS[words["kind"]].from_words(words)


def find_document_problems(document: Document, layout: str) -> list[str]:
    """List everything that prevents typesetting a document, including unprintable characters.

    :param layout: the name of a layout, or of the file that a letter was typeset with.
    """
    layout = find_layout_name(layout)
    if document.kind not in LAYOUTS.get(layout, ()):
        return [f"Letters of the kind {document.kind!r} have no layout {layout!r}."]
    problems = document.problems(layout)
    for place, text in list_printed_texts(document.as_words()):
        problems += [f"{place}: {one.sentence}" for one in glyphs.find_unprintable(text)]
    return problems


def find_unknown_outcomes(document: Document) -> list[str]:
    """List outcomes that are not current labels; no new letter may contain one.

    An earlier letter keeps its outcome labels and can still be typeset again.
    """
    if not isinstance(document, DeterminationDocument):
        return []
    known_labels = " nor ".join(Outcome.labels)
    return [
        f"Item {number} is neither {known_labels}, but {label!r}."
        for number, item in enumerate(document.items, start=1)
        for label in (item.outcome, *(one.outcome for one in item.analyses if one.outcome))
        if label and label not in Outcome.labels
    ]


def attach_facts(document: Document, facts: Mapping[str, Any]) -> Document:
    """Return the document with its printed facts, which are attached to the PDF."""
    return replace(document, facts=_to_json(dict(facts)))


def words_sha256(words: Mapping[str, Any]) -> str:
    """Hash frozen text with SHA-256; equal text has an equal hash."""
    # Sorted, because the database returns the keys of stored JSON in another order.
    text = json.dumps(words, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def list_printed_texts(words: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """List all texts that will be printed, each with its place in the letter."""
    for name, value in words.items():
        if name == "items":
            for position, item in enumerate(value, start=1):
                yield from _walk_strings(item, f"Item {position}")
        # Facts are attached as data; they are printed only where a sentence contains them.
        elif name not in {"kind", "facts", "language"}:
            yield from _walk_strings(value, _field_label(name))


def _walk_strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name != "separator":
                yield from _walk_strings(inner, f"{place}, {_field_label(name).lower()}")
    elif isinstance(value, Sequence):
        for position, inner in enumerate(value, start=1):
            numbered = f"{place} {position}" if len(value) > 1 else place
            yield from _walk_strings(inner, numbered)


_LABELS = {
    "how_made": "How the determination was made",
    "summary": "Clinical case summary",
    "claims_administrator_guideline": "claims administrator guideline",
    "guideline": "guideline",
    "rationale": "decision rationale",
    "analyses": "analysis",
}


def _field_label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _to_json(value: Any) -> Any:
    """Convert dataclasses, tuples and dates to JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _to_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _read_scalars(kind: type, words: Mapping[str, Any]) -> dict[str, Any]:
    """Read the simple fields of a document: texts, dates and the facts."""
    scalars: dict[str, Any] = {}
    for one in fields(kind):
        # Letters that were frozen before a field existed lack it.
        value = words.get(one.name)
        if one.name == "facts":
            scalars[one.name] = value or {}
        # By type and form, because a text that looks like a date must stay a text.
        elif "date" in str(one.type) and isinstance(value, str) and _DAY.fullmatch(value):
            scalars[one.name] = date.fromisoformat(value)
        elif isinstance(value, str) or value is None:
            scalars[one.name] = value
    return scalars


def _read_organization(words: Mapping[str, Any]) -> Organization:
    return Organization(**{**words, "address": tuple(words["address"])})
