"""Read, check and write the facts of a published decision as a JSON file. Pure.

A file contains the facts of one published letter: header, reviewer statement, patient, and for each
item the heading and both lists of citations. Three values are derived and only compared: the
outcome of the case, the number of items, and the basis of each list of citations. Other known keys
are notes about the publication; they are listed, never stored. Any further key is refused, so that
a misspelled fact is not lost without notice.

This module makes no queries and does not read the clock; the caller passes the day.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NoReturn, TypeVar

from accounts.refusals import Refused
from form_fields.dates import print_injury

from . import outcomes

T = TypeVar("T")

# Files come from outside. These limits refuse a hostile or damaged one before it takes memory.
MAX_FILE_BYTES = 1_048_576
MAX_ITEMS = 200  # one application may carry as many
MAX_CITATIONS = 50
MAX_LIST = 50

# The longest texts, by what they are; each fits its column (a test compares them).
TITLE, TEXT, CHAPTER, LINE, SOURCE, WORD, EDITION = 4000, 4000, 1000, 300, 200, 80, 40

EARLIEST = date(1900, 1, 1)
# As these files spell them, even if our own pages and letters use other labels.
UPHELD, OVERTURNED = "Upheld", "Overturned"
PRIORITIES = ("Standard", "Expedited", "Formulary")
SEXES = ("female", "male")
PARTY_TERMS = ("injured worker", "patient", "applicant")
STATE_SEPARATORS = ("comma", "comma+space")
PATTERNS = ("remaining_portion", "whole_original_still_in_dispute")

# Header dates in the order in which they must occur; letters print them as MM/DD/YYYY.
HEADER_DATES = {
    "date_of_injury": "the date of injury",
    "ur_denial_date": "the UR denial date",
    "application_received": "the day the application was received",
    "date_assigned": "the date assigned",
    "decision_date": "the decision date",
}

# Keys by the object that holds them; "" is the top level. Statements about the publication, which
# are not facts of the case.
_NOTES = {
    "": {
        "id",
        "evidence",
        "source_url",
        "published_by",
        "year",
        "format",
        "format_detail",
        "documents_reviewed",
        "redaction_style",
        "odd_things",
        "truncated",
    },
    "reviewer_statement": {"years_phrase"},
    "patient": {"body_parts_in_summary"},
    "items[]": {
        "rationale_paraphrase",
        "paraphrase_method",
        "rationale_quoted_terms",
        "rationale_words",
        "dwc_category_guess",
        "possible_combined_request",
        "closing_phrase",
    },
}

# A direction mark could make a heading look different from what is stored.
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


class InvalidFactsFile(Refused):
    """The file does not contain the facts of one published decision.

    ``place`` is the path to the error (``items[2].title``); empty for the whole file.
    """

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(f"{place}: {reason}" if place else reason)


@dataclass(frozen=True)
class Citation:
    """An authority as a published letter prints it. ``mtus``: part of the treatment schedule."""

    source: str
    mtus: bool
    chapter: str = ""
    edition: str = ""
    edition_suffix: str = ""
    sections: tuple[str, ...] = ()
    pages: str = ""
    as_printed: str = ""
    note: str = ""


@dataclass(frozen=True)
class Lineage:
    """What was requested, what the claims administrator authorized, and what is in dispute."""

    pattern: str
    original_request: str
    authorized_by_ur: str
    in_dispute: str


@dataclass(frozen=True)
class PublishedItem:
    """One disputed treatment, its heading and its outcome, and both lists of citations."""

    position: int
    title: str
    outcome: str
    separator: str
    administrator: tuple[Citation, ...] = ()
    imro: tuple[Citation, ...] = ()
    full_length: int | None = None  # the length of the printed title where ours is cut short
    prefix: str = ""
    lineage: Lineage | None = None
    quantities: tuple[str, ...] = ()
    opioid_notice: bool = False


@dataclass(frozen=True)
class Statement:
    """What the letter says about the reviewer, as printed and in printed order."""

    specialties: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    separator: str = ""
    label: str = ""
    placement: str = ""


@dataclass(frozen=True)
class PublishedCase:
    """The facts of one published decision. Empty and ``None`` mean that it does not say."""

    number: str
    priority: str
    decided_on: date
    items: tuple[PublishedItem, ...]
    injured_on: date | None = None
    injured_until: date | None = None  # the last day of a cumulative injury
    ur_decided_on: date | None = None
    received_on: date | None = None
    assigned_on: date | None = None
    statement: Statement = Statement()
    age: int | None = None
    sex: str = ""
    body_parts: tuple[str, ...] = ()
    party_term: str = ""

    @property
    def outcome(self) -> str:
        """The outcome of the case, derived from the items."""
        return outcomes.derive_case_outcome(item.outcome.upper() for item in self.items)


def derive_basis(citations: Sequence[Citation]) -> str:
    """Derive the basis of a list of citations, in the terms of these files."""
    kinds = {citation.mtus for citation in citations}
    if not kinds:
        return "none_cited"
    if kinds == {True, False}:
        return "mtus_and_other"
    return "mtus" if True in kinds else "outside_mtus"


# --- reading -------------------------------------------------------------------------------------


def parse_facts_file(data: bytes) -> Any:
    """Parse the bytes of a file as JSON.

    :raises InvalidFactsFile: too large, not UTF-8, not JSON, a key twice, or nested too deeply.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InvalidFactsFile("", f"The file is larger than {MAX_FILE_BYTES:,} bytes.")
    try:
        # "-sig": editors on Windows put a byte order mark first, which JSON does not allow.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidFactsFile("", f"The file is not UTF-8 text (byte {error.start}).") from error
    try:
        # By default, Python keeps the last of two equal keys and accepts NaN.
        return json.loads(
            text, object_pairs_hook=_refuse_duplicate_keys, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise InvalidFactsFile(
            f"line {error.lineno}, column {error.colno}",
            f"This is not JSON: {error.msg}.",
        ) from error
    except RecursionError as error:
        raise InvalidFactsFile("", "The file is nested too deeply.") from error
    except ValueError as error:  # a number of thousands of digits
        raise InvalidFactsFile(
            "", f"The file holds a number that cannot be read: {error}."
        ) from error


def read_published_case(raw: Any, *, today: date) -> tuple[PublishedCase, list[str]]:
    """Read the facts of a parsed file. Also returns the keys that are notes and are not stored.

    :param today: no date in the file may be later.
    :raises InvalidFactsFile: for the first error found, with the place and the reason.
    """
    notes: dict[str, None] = {}  # a set that keeps its order
    top = _Value(raw, "", notes).keys(
        facts=("case_number", "header_dates", "priority", "reviewer_statement", "patient", "items"),
        derived=("case_outcome_derived", "item_count"),
    )
    number = top["case_number"].text(20)
    # The first published letters have numbers without a prefix.
    if not re.fullmatch(r"[A-Z]{0,6}[0-9]{2}-[0-9]{6,7}", number):
        top["case_number"].refuse(
            f"{_quote_value(number)} is not a case number such as CM16-0123456 or 13-000004"
        )
    dates, injured_until = _read_header_dates(top["header_dates"], today)
    if dates["decision_date"] is None:
        raise InvalidFactsFile(
            "header_dates.decision_date",
            "A published decision needs its date, as MM/DD/YYYY.",
        )
    patient = top["patient"].keys(facts=("age", "sex", "body_part", "party_term"))
    items = tuple(_read_item(value) for value in top["items"].values(MAX_ITEMS))
    if not items:
        top["items"].refuse("A decision decides at least one item; this list is empty")
    for index in range(1, len(items)):
        # Gaps are allowed, because items that ended without a decision are left out.
        if items[index].position <= items[index - 1].position:
            raise InvalidFactsFile(
                f"items[{index}].position",
                f"Position {items[index].position} does not follow "
                f"position {items[index - 1].position} of the item before.",
            )
    case = PublishedCase(
        number=number,
        priority=top["priority"].one_of(PRIORITIES),
        injured_on=dates["date_of_injury"],
        injured_until=injured_until,
        ur_decided_on=dates["ur_denial_date"],
        received_on=dates["application_received"],
        assigned_on=dates["date_assigned"],
        decided_on=dates["decision_date"],
        statement=_read_statement(top["reviewer_statement"]),
        age=patient["age"].maybe(lambda value: value.number(0, 125)),
        sex=patient["sex"].choice_or_empty(SEXES),
        body_parts=patient["body_part"].texts(WORD),
        party_term=patient["party_term"].choice_or_empty(PARTY_TERMS),
        items=items,
    )
    top["case_outcome_derived"].compare(case.outcome, "the outcomes of the items give")
    top["item_count"].compare(len(items), "the list of items holds")
    return case, list(notes)


def _read_header_dates(value: "_Value", today: date) -> tuple[dict[str, date | None], date | None]:
    """Read the dates of the header, and the last day of a cumulative injury."""
    keys = value.keys(facts=tuple(HEADER_DATES))
    injured_on, injured_until = keys["date_of_injury"].injury(today)
    dates = {
        name: keys[name].maybe(lambda value: value.day(today))
        for name in HEADER_DATES
        if name != "date_of_injury"
    }
    dates = {"date_of_injury": injured_on} | dates
    # Unknown dates are skipped, so the known ones are compared across the gap.
    stated_dates = [(name, day) for name, day in dates.items() if day is not None]
    for (earlier, first), (later, second) in pairwise(stated_dates):
        if second < first:
            raise InvalidFactsFile(
                f"header_dates.{later}",
                f"{_capitalize_phrase(HEADER_DATES[later])} ({_print_date(second)}) lies before "
                f"{HEADER_DATES[earlier]} ({_print_date(first)}).",
            )
    return dates, injured_until


def _read_statement(value: "_Value") -> Statement:
    keys = value.keys(
        facts=(
            "specialties",
            "licensed_states",
            "state_separator",
            "placement",
            "professional_label",
        )
    )
    return Statement(
        specialties=keys["specialties"].texts(120),
        states=keys["licensed_states"].texts(60),
        separator=keys["state_separator"].choice_or_empty(STATE_SEPARATORS),
        label=keys["professional_label"].text_or_empty(60),
        placement=keys["placement"].text_or_empty(120),
    )


def _read_item(value: "_Value") -> PublishedItem:
    keys = value.keys(
        facts=(
            "position",
            "title",
            "outcome",
            "outcome_separator",
            "claims_admin_guideline",
            "imro_guideline",
            "quantity_expressions",
        ),
        optional=(
            "title_truncated",
            "title_full_length",
            "prefix",
            "partial_authorization",
            "has_opioid_taper_notice",
        ),
    )
    title = keys["title"].text(TITLE)
    truncated = keys["title_truncated"].flag()
    full_length = keys["title_full_length"].maybe(lambda value: value.number(1, 100_000))
    if truncated and (full_length is None or full_length <= len(title)):
        keys["title_full_length"].refuse(
            f"A title that is cut short needs its full length, more than the {len(title)} "
            "characters given"
        )
    if full_length is not None and not truncated:
        keys["title_full_length"].refuse(
            "A full length is given, but title_truncated does not say that the title is cut short"
        )
    return PublishedItem(
        position=keys["position"].number(1, 999),
        title=title,
        full_length=full_length,
        outcome=keys["outcome"].one_of((UPHELD, OVERTURNED)),
        separator=keys["outcome_separator"].text(8),
        prefix=keys["prefix"].text_or_empty(WORD),
        lineage=keys["partial_authorization"].maybe(_read_lineage),
        quantities=keys["quantity_expressions"].texts(LINE),
        opioid_notice=keys["has_opioid_taper_notice"].flag(),
        administrator=_read_citations(keys["claims_admin_guideline"]),
        imro=_read_citations(keys["imro_guideline"]),
    )


def _read_lineage(value: "_Value") -> Lineage:
    keys = value.keys(facts=("pattern", "original_request", "authorized_by_ur", "in_dispute"))
    return Lineage(
        pattern=keys["pattern"].one_of(PATTERNS),
        original_request=keys["original_request"].text_or_empty(TEXT),
        authorized_by_ur=keys["authorized_by_ur"].text_or_empty(TEXT),
        in_dispute=keys["in_dispute"].text_or_empty(TEXT),
    )


def _read_citations(value: "_Value") -> tuple[Citation, ...]:
    keys = value.keys(facts=("citations",), derived=("basis",))
    citations = tuple(_read_citation(each) for each in keys["citations"].values(MAX_CITATIONS))
    keys["basis"].compare(derive_basis(citations), "the citations give")
    return citations


def _read_citation(value: "_Value") -> Citation:
    keys = value.keys(
        facts=("source", "chapter_topic", "pages", "mtus"),
        optional=("edition", "edition_suffix", "sections", "as_printed", "note"),
    )
    edition = keys["edition"].text_or_empty(EDITION)
    suffix = keys["edition_suffix"].text_or_empty(EDITION)
    if suffix and not edition:
        keys["edition_suffix"].refuse("A suffix follows an edition, and no edition is given")
    # Catches a chapter or a suffix that was put into the wrong key.
    if edition and not re.search(r"\b(19|20)[0-9]{2}\b", edition):
        keys["edition"].refuse(
            f"{_quote_value(edition)} names no year of an edition, such as “2016”"
        )
    return Citation(
        source=keys["source"].text(SOURCE),
        mtus=keys["mtus"].flag(required=True),
        chapter=keys["chapter_topic"].text_or_empty(CHAPTER),
        edition=edition,
        edition_suffix=suffix,
        sections=() if keys["sections"].missing else keys["sections"].texts(LINE),
        pages=keys["pages"].text_or_empty(WORD),
        as_printed=keys["as_printed"].text_or_empty(TEXT),
        note=keys["note"].text_or_empty(LINE),
    )


class _Missing:
    """A key that the file does not have."""


@dataclass(frozen=True)
class _Value:
    """A value of the file and its path. The methods return it as the type that is required."""

    value: Any
    place: str
    notes: dict[str, None]

    @property
    def missing(self) -> bool:
        return self.value is _Missing

    def refuse(self, reason: str) -> NoReturn:
        raise InvalidFactsFile(self.place, f"{reason}.")

    def keys(
        self,
        *,
        facts: Sequence[str],
        optional: Sequence[str] = (),
        derived: Sequence[str] = (),
    ) -> dict[str, "_Value"]:
        """Return the members of an object.

        Refuses a key that is neither a fact nor a known note.
        """
        if not isinstance(self.value, dict):
            self.refuse(f"An object is needed here, not {_name_json_type(self.value)}")
        # Notes are listed for every element of a list alike, so the index is removed.
        here = re.sub(r"\[[0-9]+\]", "[]", self.place)
        for key in self.value:
            if key in _NOTES.get(here, ()):
                self.notes[f"{here}.{key}" if here else key] = None
            elif key not in {*facts, *optional, *derived}:
                raise InvalidFactsFile(
                    self._path(key),
                    "This key is neither a fact nor a known note. Check its name.",
                )
        # A fact must be there even if it is null: absent could also mean misspelled.
        for key in facts:
            if key not in self.value:
                raise InvalidFactsFile(self._path(key), "This fact is missing.")
        return {
            key: _Value(self.value.get(key, _Missing), self._path(key), self.notes)
            for key in (*facts, *optional, *derived)
        }

    def _path(self, key: str) -> str:
        # A key is text from the file, so it may hold anything; an odd one is quoted.
        key_text = key if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key) else _quote_value(key)
        return f"{self.place}.{key_text}" if self.place else key_text

    def values(self, most: int) -> Iterator["_Value"]:
        """Yield the members of a list of at most ``most``."""
        if not isinstance(self.value, list):
            self.refuse(f"A list is needed here, not {_name_json_type(self.value)}")
        if len(self.value) > most:
            self.refuse(f"The list holds {len(self.value)} entries; at most {most} are possible")
        for index, value in enumerate(self.value):
            yield _Value(value, f"{self.place}[{index}]", self.notes)

    def maybe(self, read: Callable[["_Value"], T]) -> T | None:
        """Read the value; ``None`` if the publication does not state it."""
        return None if self.value is None or self.missing else read(self)

    def text(self, longest: int) -> str:
        """Return a text as printed: not empty, not too long, and without control characters."""
        if not isinstance(self.value, str):
            self.refuse(f"Text is needed here, not {_name_json_type(self.value)}")
        for index, character in enumerate(self.value):
            if (
                # Controls, lone surrogates, unassigned characters, line and paragraph separators.
                unicodedata.category(character) in {"Cc", "Cs", "Cn", "Zl", "Zp"}
                or character in _DIRECTION_MARKS
            ):
                self.refuse(
                    f"Character {index + 1} is the control character U+{ord(character):04X}"
                )
        if not self.value.strip():
            self.refuse("The text is empty; write null where the publication does not say")
        if len(self.value) > longest:
            self.refuse(f"The text has {len(self.value):,} characters; at most {longest:,} fit")
        return self.value

    def text_or_empty(self, longest: int) -> str:
        """Return a text as ``text`` reads it; empty if the publication does not state it."""
        return self.maybe(lambda value: value.text(longest)) or ""

    def texts(self, longest: int) -> tuple[str, ...]:
        return tuple(value.text(longest) for value in self.values(MAX_LIST))

    def number(self, least: int, most: int) -> int:
        """Return a whole number between two bounds, both included."""
        # In Python, true is also an int.
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.refuse(f"A whole number is needed here, not {_name_json_type(self.value)}")
        if not least <= self.value <= most:
            self.refuse(f"{_quote_value(self.value)} is not between {least} and {most}")
        return self.value

    def flag(self, *, required: bool = False) -> bool:
        """True or false; a missing flag is false unless it is required."""
        if self.missing and not required:
            return False
        if not isinstance(self.value, bool):
            self.refuse(f"true or false is needed here, not {_name_json_type(self.value)}")
        return self.value

    def one_of(self, words: Sequence[str]) -> str:
        if not isinstance(self.value, str) or self.value not in words:
            choices = ", ".join(f"“{word}”" for word in words)
            self.refuse(f"{_quote_value(self.value)} is none of {choices}")
        return self.value

    def choice_or_empty(self, words: Sequence[str]) -> str:
        """Return one of the words, or an empty text if the publication does not state it."""
        return self.maybe(lambda value: value.one_of(words)) or ""

    def day(self, today: date) -> date:
        """Return a day as letters print it, MM/DD/YYYY, that exists and is not in the future."""
        if not isinstance(self.value, str):
            self.refuse(f"A date MM/DD/YYYY is needed here, not {_name_json_type(self.value)}")
        # ``strptime`` alone would also accept "1/5/2016", which letters do not print.
        if not re.fullmatch(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", self.value, re.ASCII):
            self.refuse(f"{_quote_value(self.value)} is not a date MM/DD/YYYY")
        try:
            day = datetime.strptime(self.value, "%m/%d/%Y").date()
        except ValueError:
            self.refuse(f"{_quote_value(self.value)} is not a day of the calendar")
        if day < EARLIEST:
            self.refuse(f"{self.value} lies before {_print_date(EARLIEST)}")
        if day > today:
            self.refuse(f"{self.value} lies in the future; today is {_print_date(today)}")
        return day

    def injury(self, today: date) -> tuple[date | None, date | None]:
        """Return the date of injury: a day, or the two days of ``CT MM/DD/YYYY – MM/DD/YYYY``."""
        period = (
            re.fullmatch(r"CT (\S+) – (\S+)", self.value) if isinstance(self.value, str) else None
        )
        if period is None:
            return self.maybe(lambda value: value.day(today)), None
        first, last = (replace(self, value=text).day(today) for text in period.groups())
        if last <= first:
            self.refuse(f"{_quote_value(self.value)} ends before it begins")
        return first, last

    def compare(self, derived: str | int, from_where: str) -> None:
        """Refuse a derived value of the file that differs from what we derive."""
        if self.missing:
            return
        # True equals 1 in Python, but is no number of items.
        if self.value != derived or isinstance(self.value, bool):
            self.refuse(
                f"The file says {_quote_value(self.value)}, but {from_where} "
                f"{_quote_value(derived)}"
            )


def _refuse_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two equal keys: one of the two facts would be lost without notice.
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidFactsFile("", f"The key {_quote_value(twice)} appears twice in one object.")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidFactsFile("", f"{name} is not a number that JSON knows.")


def _name_json_type(value: Any) -> str:
    if value is None or value is _Missing:
        return "nothing"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a fraction",
        str: "text",
        list: "a list",
        dict: "an object",
    }
    return names[type(value)]


def _quote_value(value: Any) -> str:
    """Format a value of the file for a message: shortened, and on one line."""
    quoted = "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}"
        for character in str(value)[:60]
    )
    return f"“{quoted}{'…' if len(str(value)) > 60 else ''}”"


def _print_date(day: date) -> str:
    return day.strftime("%m/%d/%Y")


def _capitalize_phrase(phrase: str) -> str:
    return phrase[0].upper() + phrase[1:]


# --- writing -------------------------------------------------------------------------------------


def build_facts(case: PublishedCase) -> dict[str, Any]:
    """Build the content of such a file. Derived values are computed; notes are left out."""
    dates = {
        "date_assigned": case.assigned_on,
        "date_of_injury": None,
        "decision_date": case.decided_on,
        "ur_denial_date": case.ur_decided_on,
        "application_received": case.received_on,
    }
    header = {name: day and _print_date(day) for name, day in dates.items()}
    header["date_of_injury"] = print_injury(case.injured_on, case.injured_until) or None
    return {
        "case_number": case.number,
        "header_dates": header,
        "priority": case.priority,
        "reviewer_statement": {
            "specialties": list(case.statement.specialties),
            "licensed_states": list(case.statement.states),
            "state_separator": case.statement.separator or None,
            "placement": case.statement.placement or None,
            "professional_label": case.statement.label or None,
        },
        "patient": {
            "age": case.age,
            "sex": case.sex or None,
            "body_part": list(case.body_parts),
            "party_term": case.party_term or None,
        },
        "case_outcome_derived": case.outcome,
        "item_count": len(case.items),
        "items": [_build_item_facts(item) for item in case.items],
    }


def _build_item_facts(item: PublishedItem) -> dict[str, Any]:
    # Empty text is written as null, as in the files: the publication does not say.
    lineage = item.lineage and {name: value or None for name, value in vars(item.lineage).items()}
    optional = {
        "title_truncated": item.full_length is not None,
        "title_full_length": item.full_length,
        "prefix": item.prefix,
        "partial_authorization": lineage,
        "has_opioid_taper_notice": item.opioid_notice,
    }
    return {
        "position": item.position,
        "title": item.title,
        "outcome": item.outcome,
        "outcome_separator": item.separator,
        "claims_admin_guideline": _build_citations_facts(item.administrator),
        "imro_guideline": _build_citations_facts(item.imro),
        "quantity_expressions": list(item.quantities),
        **{key: value for key, value in optional.items() if value},
    }


def _build_citations_facts(citations: Sequence[Citation]) -> dict[str, Any]:
    return {
        "basis": derive_basis(citations),
        "citations": [_build_citation_facts(citation) for citation in citations],
    }


def _build_citation_facts(citation: Citation) -> dict[str, Any]:
    optional = {
        "edition": citation.edition,
        "edition_suffix": citation.edition_suffix,
        "sections": list(citation.sections),
        "as_printed": citation.as_printed,
        "note": citation.note,
    }
    # The files always write these two keys for MTUS citations, and for others only if known.
    always: dict[str, Any] = {"edition": None, "sections": []} if citation.mtus else {}
    return {
        "source": citation.source,
        "chapter_topic": citation.chapter or None,
        "pages": citation.pages or None,
        "mtus": citation.mtus,
        **always,
        **{key: value for key, value in optional.items() if value},
    }


def describe_difference(stored: Any, given: Any, place: str = "") -> str:
    """Describe the first difference between two files, with both values; empty if equal."""
    if isinstance(stored, dict) and isinstance(given, dict):
        # The stored keys first, so the reported place does not depend on the order in the file.
        for key in {**stored, **given}:
            path = f"{place}.{key}" if place else key
            if difference := describe_difference(stored.get(key), given.get(key), path):
                return difference
        return ""
    if isinstance(stored, list) and isinstance(given, list):
        for index, (one, other) in enumerate(zip(stored, given, strict=False)):
            if difference := describe_difference(one, other, f"{place}[{index}]"):
                return difference
        if len(stored) == len(given):
            return ""
        return f"{place} holds {len(stored)} entries here and {len(given)} in the file"
    if stored == given:
        return ""
    return f"{place} is {_quote_value(stored)} here and {_quote_value(given)} in the file"
