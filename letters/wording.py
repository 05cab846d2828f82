"""Reads wording files, and composes sentences from facts. Pure: rows come in as arguments.

A wording file is TOML: ``kind``, ``layout``, ``language``, ``title``, ``sample``, and a list of
``[[sentence]]`` with ``slot``, ``order``, ``text`` and, where it applies, ``variant``, ``needs``
and ``paragraph``. In a text, ``{name}`` prints a fact, and ``{{`` prints a brace.

Sentences with the same slot and order are variants. The one with the requested variant is used,
else the one without a variant. Slots with names that begin with ``notice_`` are composed only on
request.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Protocol

from accounts.refusals import Refused

from . import facts as _facts
from . import glyphs
from .documents import LAYOUTS
from .facts import Fact, FactName

ON_DEMAND_PREFIX = "notice_"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class WordingRefused(Refused):
    """A wording file has errors; ``problems`` has one sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


class FactsRefused(Refused):
    """Sentences cannot be composed; ``problems`` names every missing or expired fact."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


class SentenceLike(Protocol):
    """The attributes of a sentence that composing needs: a database row or a ``Sentence``."""

    slot: str
    order: int
    variant: str
    text: str
    needs: list[str]
    starts_paragraph: bool


@dataclass(frozen=True)
class Sentence:
    """One sentence of a wording file."""

    slot: str
    order: int
    text: str
    variant: str = ""
    needs: tuple[str, ...] = ()
    starts_paragraph: bool = False


@dataclass(frozen=True)
class WordingFile:
    """The content of a wording file."""

    kind: str
    layout: str
    language: str
    title: str
    is_sample: bool
    sentences: tuple[Sentence, ...]

    @property
    def sha256(self) -> str:
        """A hash of all sentences, to recognize the same wording."""
        content = json.dumps([asdict(one) for one in self.sentences], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Composed:
    """The composed sentences, by slot; each slot is a list of paragraphs."""

    slots: dict[str, tuple[tuple[str, ...], ...]]

    def paragraphs(self, slot: str) -> tuple[str, ...]:
        """Return the paragraphs of a slot; empty if the wording has no such slot."""
        return tuple(" ".join(sentences) for sentences in self.slots.get(slot, ()))

    def text(self, slot: str) -> str:
        """Return a slot as one text, with an empty line between its paragraphs."""
        return "\n\n".join(self.paragraphs(slot))

    def sentences(self, slot: str | None = None) -> tuple[str, ...]:
        """Return the sentences of a slot one by one, or of all slots."""
        chosen = self.slots.values() if slot is None else [self.slots.get(slot, ())]
        return tuple(one for paragraphs in chosen for part in paragraphs for one in part)


def parse_wording_file(text: str, *, declared: Iterable[FactName] = ()) -> WordingFile:
    """Parse a wording file.

    :param declared: the facts of its kind; if given, every fact in the file must be one of them.
    :raises WordingRefused: listing all errors.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WordingRefused([f"This is not a TOML file: {error}."]) from error
    faults: list[str] = []
    head = {name: _read_text(data, name, faults) for name in ("kind", "layout", "title")}
    language = data.get("language", "en-US")
    if not isinstance(language, str) or not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", language):
        faults.append(f"language is {language!r}. Use a code such as en-US.")
    if head["layout"] and head["kind"] not in LAYOUTS.get(head["layout"], ()):
        faults.append(
            f"There is no layout {head['layout']!r} for letters of kind {head['kind']!r}."
        )
    if not isinstance(data.get("sample", False), bool):
        faults.append("sample must be true or false.")
    # A misspelled key would otherwise silently drop what it was meant to set.
    for name in sorted(set(data) - {"kind", "layout", "title", "language", "sample", "sentence"}):
        faults.append(f"{name} is not a known key of a wording file.")
    sentences = _read_sentences(data.get("sentence"), tuple(declared), faults)
    if faults:
        raise WordingRefused(faults)
    return WordingFile(
        **head, language=language, is_sample=data.get("sample", False), sentences=sentences
    )


def list_printed_names(text: str) -> list[str]:
    """List the facts that a text prints, in order of appearance."""
    return [match[1] for match in _TOKEN.finditer(text) if match[1] is not None]


def list_needed_facts(sentences: Iterable[SentenceLike]) -> list[str]:
    """List all facts that these sentences require, including the printed ones."""
    names = [name for one in sentences for name in (*one.needs, *list_printed_names(one.text))]
    return list(dict.fromkeys(names))


def choose_sentences(
    sentences: Iterable[SentenceLike],
    *,
    variants: Sequence[str] = (),
    slots: Sequence[str] | None = None,
) -> list[SentenceLike]:
    """Choose the sentences for the requested variants, in order.

    :param variants: the requested variants, most important first, such as ``("MAIL", "REGULAR")``.
    :param slots: the slots to include; by default all that are not composed on request.
    :raises FactsRefused: a position has sentences for other variants only.
    """
    by_position: dict[tuple[str, int], dict[str, SentenceLike]] = {}
    for one in sorted(sentences, key=lambda one: (one.slot, one.order, one.variant)):
        selected = (
            one.slot in slots if slots is not None else not one.slot.startswith(ON_DEMAND_PREFIX)
        )
        if selected:
            by_position.setdefault((one.slot, one.order), {})[one.variant] = one
    chosen, problems = [], []
    for (slot, order), by_variant in by_position.items():
        # The most important variant that the wording has here, else the general sentence.
        fitting = [name for name in variants if name in by_variant] or [""]
        if fitting[0] in by_variant:
            chosen.append(by_variant[fitting[0]])
        else:
            problems.append(
                f"The wording has no sentence for {slot} {order} and the variant "
                f"{', '.join(variants) or 'general'}."
            )
    if problems:
        raise FactsRefused(problems)
    return chosen


def compose_sentences(
    sentences: Iterable[SentenceLike],
    facts: Sequence[Fact],
    *,
    declared: Sequence[FactName],
    on: date,
    variants: Sequence[str] = (),
    slots: Sequence[str] | None = None,
    about: str = "",
) -> Composed:
    """Compose the sentences for the requested variants from the facts of one date.

    :param about: with several reviewers, the one whose facts are used beside the shared ones.
    :raises FactsRefused: naming every missing, expired or unknown fact.
    """
    # Facts of another reviewer must not support a sentence about this one.
    own_facts = [one for one in facts if one.about in {"", about}]
    chosen = choose_sentences(sentences, variants=variants, slots=slots)
    problems = _facts.find_fact_problems(
        own_facts, needed=list_needed_facts(chosen), declared=declared, on=on
    )
    prints = {one.name for one in declared if one.printed}
    values = {one.name: one.value for one in own_facts}
    for one in chosen:
        for name in list_printed_names(one.text):
            # Checked at import too; here again, because declarations can change after it.
            if name in values and name not in prints:
                problems.append(f"The wording prints {name}, which must not be printed.")
            elif name in values and not isinstance(values[name], str):
                problems.append(f"The fact {name} is not a text, so it cannot be printed.")
    if problems:
        raise FactsRefused(list(dict.fromkeys(problems)))
    slot_texts: dict[str, list[list[str]]] = {}
    for one in chosen:
        paragraphs = slot_texts.setdefault(one.slot, [])
        if one.starts_paragraph or not paragraphs:
            paragraphs.append([])
        paragraphs[-1].append(_fill_slots(one.text, values))
    return Composed(
        {slot: tuple(tuple(part) for part in parts) for slot, parts in slot_texts.items()}
    )


def _fill_slots(text: str, values: dict[str, Any]) -> str:
    """Insert the values in one pass, so that braces inside a value are not replaced again."""

    def one(match: re.Match[str]) -> str:
        if match[0] in {"{{", "}}"}:
            return match[0][0]
        return str(values[match[1]])

    return _TOKEN.sub(one, text)


def _read_text(data: dict[str, Any], name: str, faults: list[str]) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value.strip():
        faults.append(f"{name} is missing.")
        return ""
    return value.strip()


def _read_sentences(
    entries: object, declared: tuple[FactName, ...], faults: list[str]
) -> tuple[Sentence, ...]:
    if not isinstance(entries, list) or not entries:
        faults.append("The file has no [[sentence]].")
        return ()
    read: list[Sentence] = []
    seen: set[tuple[str, int, str]] = set()
    for position, entry in enumerate(entries, start=1):
        one = _read_sentence(entry, position, declared, faults)
        if one is None:
            continue
        sentence_key = (one.slot, one.order, one.variant)
        if sentence_key in seen:
            faults.append(
                f"Sentence {position} repeats {one.slot} {one.order} {one.variant}".strip()
                + ", the position of another sentence."
            )
        seen.add(sentence_key)
        read.append(one)
    return tuple(read)


def _read_sentence(
    entry: object, position: int, declared: tuple[FactName, ...], faults: list[str]
) -> Sentence | None:
    place = f"Sentence {position}"
    if not isinstance(entry, dict):
        faults.append(f"{place} is not a table.")
        return None
    slot, order, text = entry.get("slot"), entry.get("order", position), entry.get("text")
    variant, needs = entry.get("variant", ""), entry.get("needs", [])
    before = len(faults)
    for name in sorted(set(entry) - {"slot", "order", "text", "variant", "needs", "paragraph"}):
        faults.append(f"{place} has the unknown key {name}.")
    if not isinstance(slot, str) or not _NAME.fullmatch(slot):
        faults.append(f"{place} has no slot, or its slot is not a plain name.")
    if not isinstance(order, int) or isinstance(order, bool) or not 0 < order < 1000:
        faults.append(f"{place}: order must be a number from 1 to 999.")
    if not isinstance(variant, str) or len(variant) > 40:
        faults.append(f"{place}: variant must be a text of at most 40 characters.")
    if not isinstance(needs, list) or not all(isinstance(name, str) for name in needs):
        faults.append(f"{place}: needs must be a list of names.")
    if not isinstance(entry.get("paragraph", False), bool):
        faults.append(f"{place}: paragraph must be true or false.")
    if not isinstance(text, str) or not text.strip():
        faults.append(f"{place} has no text.")
    if len(faults) > before:
        return None
    # Line breaks of the file are layout of the file, not of the letter.
    text = " ".join(str(text).split())
    for match in _TOKEN.finditer(text):
        if match[1] is None and match[0] in "{}":
            faults.append(f"{place} has a single brace. Use {{{{ or }}}} to print one.")
        elif match[1] is not None and not _NAME.fullmatch(match[1]):
            faults.append(f"{place}: the slot {match[0]} is not a plain name.")
    faults += [f"{place}: {one.sentence}" for one in glyphs.find_unprintable(text)]
    # Without declarations only the form of the file is checked.
    if declared:
        declared_facts = {one.name: one for one in declared}
        for name in dict.fromkeys([*needs, *list_printed_names(text)]):
            if name not in declared_facts:
                faults.append(f"{place} uses the fact {name}, which is not declared.")
            elif name in list_printed_names(text) and not declared_facts[name].printed:
                faults.append(f"{place} prints {name}, which must not be printed.")
    return Sentence(
        slot=str(slot),
        order=int(str(order)),
        text=text,
        variant=variant,
        needs=tuple(needs),
        starts_paragraph=bool(entry.get("paragraph", False)),
    )
