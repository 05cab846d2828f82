"""Propose whether a treatment is a formulary dispute, from the MTUS drug list. Pure.

A dispute over "medication prescribed pursuant to the drug formulary" must be filed in 10 days
instead of 30 (Labor Code 4610.5(h)(1)) and decided in 5 working days (Labor Code 4610.6(d)(1)(A)).
The MTUS drug list (8 CCR 9792.27.15) names the drugs. It applies to drugs dispensed for outpatient
use on or after January 1, 2018 (8 CCR 9792.27.2(b)). The result is a proposal; a clerk decides.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import pairwise

# Treatments that a physician administers; the formulary does not cover them
# (8 CCR 9792.27.2(b)(2)). Beginnings of words.
_ADMINISTERED = ("inject", "infus", "epidural", "arthrogram")
# Whole words: "blocker", as in "beta blocker", is a drug that the worker takes.
_NERVE_BLOCKS = frozenset({"block", "blocks"})
_COMPOUNDED = "compound"  # the beginning of a word
_ABBREVIATIONS = {"apap": "acetaminophen", "asa": "aspirin"}
# Salts are often left out when a drug is prescribed. A name of salts only, such as "potassium
# citrate", keeps its words.
_SALTS = frozenset(
    {
        "acetate", "besylate", "bitartrate", "bromide", "calcium", "citrate", "fumarate", "hcl",
        "hydrobromide", "hydrochloride", "magnesium", "maleate", "mesylate", "phosphate",
        "potassium", "sodium", "sulfate", "tartrate", "tromethamine",
    }
)  # fmt: skip
# What separates the drugs of a combination: "w/", "/", ";", "+", "&", "and", "with".
_SEPARATORS = re.compile(r"\bw/|[/;+&]|\band\b|\bwith\b", re.IGNORECASE)


class Answer(StrEnum):
    """Whether a dispute is proposed as a formulary dispute."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"

    @property
    def label(self) -> str:
        return self.value.capitalize()


class Status(StrEnum):
    """What the MTUS drug list says about a drug."""

    EXEMPT = "EXEMPT"
    NON_EXEMPT = "NON_EXEMPT"
    UNLISTED = "UNLISTED"
    VARIES = "VARIES"  # several rows of the drug, and the text does not say which one is meant

    @property
    def label(self) -> str:
        return {
            Status.EXEMPT: "exempt",
            Status.NON_EXEMPT: "non-exempt",
            Status.UNLISTED: "unlisted",
            Status.VARIES: "exempt or non-exempt, depending on the dosage form or strength",
        }[self]


@dataclass(frozen=True)
class DrugRow:
    """One row of the drug list.

    :ivar names: brand names and other names.
    :ivar special_fill: as printed, such as "4 days"; empty if there is none (8 CCR 9792.27.12).
    :ivar perioperative_fill: the same for drugs around a surgery (8 CCR 9792.27.13).
    :ivar ends_before: the first day on which the row is not in force; ``None`` if it has no end.
    :ivar since: the first day with this status, if an earlier row had the same one.
    """

    ingredient: str
    status: Status
    valid_from: date
    ends_before: date | None = None
    names: tuple[str, ...] = ()
    dosage_form: str = ""
    strength: str = ""
    special_fill: str = ""
    perioperative_fill: str = ""
    is_confirmed: bool = False
    since: date | None = None
    row_id: int | None = None

    def is_in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.ends_before is None or day < self.ends_before)


@dataclass(frozen=True)
class DrugList:
    """The edition of the drug list that is in force on a day, with its rows.

    :ivar is_complete: whether a drug that is not in the rows is known to be unlisted.
    """

    label: str
    valid_from: date
    is_complete: bool
    is_confirmed: bool
    rows: tuple[DrugRow, ...]


@dataclass(frozen=True)
class Treatment:
    """One disputed treatment as typed.

    :ivar is_medication: whether its category is a medication; ``None`` if it has no category.
    """

    title: str
    is_medication: bool | None = None


@dataclass(frozen=True)
class FoundDrug:
    """A listed drug that the text names: the row, the words that name it, and the status."""

    row: DrugRow
    written_as: str
    status: Status


@dataclass(frozen=True)
class Proposal:
    """Whether a treatment, or a whole application, is proposed as a formulary dispute, and why."""

    answer: Answer
    reason: str
    status: Status | None = None
    found: tuple[FoundDrug, ...] = ()
    title: str = ""  # the treatment; empty for a whole application
    by_treatment: tuple["Proposal", ...] = field(default=())

    def facts(self) -> dict[str, object]:
        """Return the proposal as data of an event."""
        return {
            "answer": self.answer.value,
            "reason": self.reason,
            "treatments": [
                {
                    "title": one.title,
                    "answer": one.answer.value,
                    "status": one.status.value if one.status else "",
                    "reason": one.reason,
                    "rows": [drug.row.row_id for drug in one.found],
                }
                for one in self.by_treatment
            ],
        }


def format_list_day(day: date) -> str:
    """Format a day for a sentence: Jan 1, 2018."""
    return f"{day:%b} {day.day}, {day.year}"


def normalize_drug_text(text: str) -> str:
    """Fold a drug name or a treatment into lower-case words with single spaces."""
    return " ".join(_fold_word(word) for word in _split_words(text))


def _split_words(text: str) -> list[str]:
    """Split a text into its words as written, without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall(r"[A-Za-z0-9]+", plain)


def _fold_word(word: str) -> str:
    return _ABBREVIATIONS.get(word.lower(), word.lower())


def _is_administered(word: str) -> bool:
    return word.startswith(_ADMINISTERED) or word in _NERVE_BLOCKS


def propose_formulary(
    treatment_text: str,
    drug_list: DrugList | None,
    on_day: date,
    *,
    is_medication: bool | None = None,
) -> Proposal:
    """Propose whether one treatment is a formulary dispute.

    :param drug_list: the edition in force on the day; ``None`` if none is on file.
    :param on_day: the day whose edition and rows apply: the day of the RFA; if it is not known, the
        first later day on file, which is that of the UR decision or of the receipt.
    """
    if drug_list is None:
        return Proposal(Answer.UNKNOWN, _no_edition(on_day), title=treatment_text)
    written = _split_words(treatment_text)
    words = [_fold_word(word) for word in written]
    rows = [row for row in drug_list.rows if row.is_in_force(on_day)]
    found = _find_drugs(words, written, rows)
    if not found:
        return _propose_without_drug(treatment_text, drug_list, is_medication)
    statuses = {drug.status for drug in found}
    status = statuses.pop() if len(statuses) == 1 else Status.VARIES
    listed = " ".join(_describe_drug(drug) for drug in found)
    answer, warning = Answer.YES, ""
    if any(word.startswith(_COMPOUNDED) for word in words):
        answer = Answer.UNKNOWN
        warning = (
            " The treatment is described as compounded. A combination is on the MTUS drug list "
            "only if the list names it (8 CCR 9792.27.9, 9792.27.16(c)). Check the request."
        )
    elif _is_unlisted_combination(treatment_text, found):
        answer = Answer.UNKNOWN
        warning = (
            " These drugs are written as one combination. A combination is on the MTUS drug list "
            "only if the list names it (8 CCR 9792.27.16(c)). Check the request."
        )
    elif is_medication is False or any(_is_administered(word) for word in words):
        answer = Answer.UNKNOWN
        warning = (
            " The formulary does not cover drugs that a physician administers "
            "(8 CCR 9792.27.2(b)(2)). Check how the drug is given."
        )
    return Proposal(answer, listed + warning, status, tuple(found), treatment_text)


def propose_for_application(
    treatments: Iterable[Treatment], drug_list: DrugList | None, on_day: date
) -> Proposal | None:
    """Propose whether an application is a formulary dispute; ``None`` without treatments.

    The answer is Yes or No only if all its treatments have that answer: which time limit applies to
    an application with both kinds is for a person to decide.
    """
    each = tuple(
        propose_formulary(one.title, drug_list, on_day, is_medication=one.is_medication)
        for one in treatments
        if one.title.strip()
    )
    if not each:
        return None
    if drug_list is None:
        return Proposal(Answer.UNKNOWN, _no_edition(on_day), by_treatment=each)
    answers = {one.answer for one in each}
    if len(each) == 1:
        answer, reason = each[0].answer, each[0].reason
    elif answers == {Answer.YES}:
        answer, reason = Answer.YES, "Each treatment names a drug on the MTUS drug list."
    elif answers == {Answer.NO}:
        answer, reason = Answer.NO, "No treatment names a drug on the MTUS drug list."
    elif Answer.YES in answers:
        count = sum(one.answer is Answer.YES for one in each)
        answer = Answer.UNKNOWN
        reason = f"{count} of {len(each)} treatments name{'s' if count == 1 else ''} a drug on the "
        reason += "MTUS drug list. Decide which time limit applies to the application."
    else:
        answer, reason = Answer.UNKNOWN, "See each treatment."
    return Proposal(answer, reason, by_treatment=each)


def _no_edition(day: date) -> str:
    return f"The drug list on file has no edition for {format_list_day(day)}."


def _propose_without_drug(text: str, drug_list: DrugList, is_medication: bool | None) -> Proposal:
    if is_medication is False:
        reason = "The treatment names no listed drug, and its category is not a medication."
        return Proposal(Answer.NO, reason, title=text)
    since = format_list_day(drug_list.valid_from)
    if not drug_list.is_complete:
        reason = (
            f"The treatment names no drug on the MTUS drug list of {since}. The copy on file is "
            "incomplete. Check the request."
        )
        return Proposal(Answer.UNKNOWN, reason, title=text)
    unconfirmed = "" if drug_list.is_confirmed else " (not confirmed)"
    reason = f"The treatment names no drug on the MTUS drug list of {since}{unconfirmed}."
    return Proposal(Answer.NO, reason, Status.UNLISTED if is_medication else None, title=text)


def _find_drugs(
    words: Sequence[str], written: Sequence[str], rows: Iterable[DrugRow]
) -> list[FoundDrug]:
    """Return the listed drugs that a text names, in the order of the text.

    A drug whose words are all part of a longer name is left out: the acetaminophen of
    "hydrocodone/acetaminophen" is not a drug of its own. Of two drugs with the same words, such as
    "Naproxen" and "Naproxen sodium", the one that is named as printed is kept.
    """
    by_ingredient: dict[str, list[DrugRow]] = {}
    for row in rows:
        by_ingredient.setdefault(normalize_drug_text(row.ingredient), []).append(row)
    named = {}
    for name, group in by_ingredient.items():
        positions, is_exact = _find_positions(words, group)
        if positions:
            named[name] = (positions, is_exact)
    kept = [
        name
        for name, (positions, is_exact) in named.items()
        if not any(
            positions < other_positions
            or (positions == other_positions and other_is_exact and not is_exact)
            for other_positions, other_is_exact in named.values()
        )
    ]
    return [
        _choose_row(words, written, by_ingredient[name], named[name][0])
        for name in sorted(kept, key=lambda name: (min(named[name][0]), name))
    ]


def _find_positions(words: Sequence[str], group: Sequence[DrugRow]) -> tuple[set[int], bool]:
    """Return the positions of the words that name a drug, and whether they name it as printed."""
    positions: set[int] = set()
    is_exact = False
    parts = [normalize_drug_text(part).split() for part in _SEPARATORS.split(group[0].ingredient)]
    for variant in (parts, [_without_salts(part) for part in parts]):
        found = [_find_sequence_positions(words, part) for part in variant]
        if all(found):
            positions.update(*found)
            is_exact = is_exact or variant is parts
    for name in {name for row in group for name in row.names}:
        found_name = _find_sequence_positions(words, normalize_drug_text(name).split())
        positions |= found_name
        is_exact = is_exact or bool(found_name)
    return positions, is_exact


def _is_unlisted_combination(text: str, found: Sequence[FoundDrug]) -> bool:
    """Return whether two listed drugs are written as one, such as "hydrocodone/ibuprofen".

    A listed combination is found as one drug, so it is never among the pairs.
    """
    return any(
        # The name of a salt may come between the drug and the separator.
        re.search(
            rf"{re.escape(first.written_as)}(?:\s+\w+)?\s*[-/+]\s*{re.escape(second.written_as)}",
            text,
            re.IGNORECASE,
        )
        for first, second in pairwise(found)
    )


def _find_sequence_positions(words: Sequence[str], sequence: Sequence[str]) -> set[int]:
    """Return the positions of all occurrences of a sequence of whole words."""
    size = len(sequence)
    return {
        position
        for start in range(len(words) - size + 1)
        if size and list(words[start : start + size]) == list(sequence)
        for position in range(start, start + size)
    }


def _without_salts(part: list[str]) -> list[str]:
    return [word for word in part if word not in _SALTS] or part


def _choose_row(
    words: Sequence[str], written: Sequence[str], group: Sequence[DrugRow], positions: set[int]
) -> FoundDrug:
    """Return the row of a drug with the dosage form in the text, if its rows differ in status."""
    fitting = [
        row for row in group if set(normalize_drug_text(row.dosage_form).split()) & set(words)
    ]
    rows = fitting or list(group)
    statuses = {row.status for row in rows}
    status = rows[0].status if len(statuses) == 1 else Status.VARIES
    return FoundDrug(rows[0], " ".join(written[position] for position in sorted(positions)), status)


def _describe_drug(drug: FoundDrug) -> str:
    row = drug.row
    alias = "" if _names_ingredient(drug) else f" (written as “{drug.written_as}”)"
    unconfirmed = "" if row.is_confirmed else " (not confirmed)"
    sentence = (
        f"{row.ingredient}{alias} is on the MTUS drug list, {drug.status.label}, "
        f"since {format_list_day(row.since or row.valid_from)}{unconfirmed}."
    )
    # A fill belongs to one row, so it is not stated if the row is not certain.
    if drug.status is not Status.VARIES:
        for label, fill in (
            ("Special fill", row.special_fill),
            ("Perioperative fill", row.perioperative_fill),
        ):
            sentence += f" {label}: {fill}." if fill else ""
    return sentence


def _names_ingredient(drug: FoundDrug) -> bool:
    written = set(normalize_drug_text(drug.written_as).split())
    parts = (normalize_drug_text(part).split() for part in _SEPARATORS.split(drug.row.ingredient))
    return all(set(_without_salts(part)) <= written for part in parts)
