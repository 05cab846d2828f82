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
        """The paragraphs of a slot; empty if the wording has no such slot."""
        return tuple(" ".join(sentences) for sentences in self.slots.get(slot, ()))

    def text(self, slot: str) -> str:
        """A slot as one text, with an empty line between its paragraphs."""
        return "\n\n".join(self.paragraphs(slot))

    def sentences(self, slot: str | None = None) -> tuple[str, ...]:
        """The sentences of a slot one by one, or of all slots."""
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
    found: list[str] = []
    head = {name: _read_text(data, name, found) for name in ("kind", "layout", "title")}
    language = data.get("language", "en-US")
    if not isinstance(language, str) or not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", language):
        found.append(f"language is {language!r}. Use a code such as en-US.")
    if head["layout"] and head["kind"] not in LAYOUTS.get(head["layout"], ()):
        found.append(f"There is no layout {head['layout']!r} for letters of kind {head['kind']!r}.")
    if not isinstance(data.get("sample", False), bool):
        found.append("sample must be true or false.")
    # A misspelled key would otherwise silently drop what it was meant to set.
    for name in sorted(set(data) - {"kind", "layout", "title", "language", "sample", "sentence"}):
        found.append(f"{name} is not a known key of a wording file.")
    sentences = _read_sentences(data.get("sentence"), tuple(declared), found)
    if found:
        raise WordingRefused(found)
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
    places: dict[tuple[str, int], dict[str, SentenceLike]] = {}
    for one in sorted(sentences, key=lambda one: (one.slot, one.order, one.variant)):
        wanted = (
            one.slot in slots if slots is not None else not one.slot.startswith(ON_DEMAND_PREFIX)
        )
        if wanted:
            places.setdefault((one.slot, one.order), {})[one.variant] = one
    chosen, found = [], []
    for (slot, order), by_variant in places.items():
        # The most important variant that the wording has here, else the general sentence.
        fitting = [name for name in variants if name in by_variant] or [""]
        if fitting[0] in by_variant:
            chosen.append(by_variant[fitting[0]])
        else:
            found.append(
                f"The wording has no sentence for {slot} {order} and the variant "
                f"{', '.join(variants) or 'general'}."
            )
    if found:
        raise FactsRefused(found)
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
    mine = [one for one in facts if one.about in {"", about}]
    chosen = choose_sentences(sentences, variants=variants, slots=slots)
    found = _facts.find_fact_problems(
        mine, needed=list_needed_facts(chosen), declared=declared, on=on
    )
    prints = {one.name for one in declared if one.printed}
    values = {one.name: one.value for one in mine}
    for one in chosen:
        for name in list_printed_names(one.text):
            # Checked at import too; here again, because declarations can change after it.
            if name in values and name not in prints:
                found.append(f"The wording prints {name}, which must not be printed.")
            elif name in values and not isinstance(values[name], str):
                found.append(f"The fact {name} is not a text, so it cannot be printed.")
    if found:
        raise FactsRefused(list(dict.fromkeys(found)))
    made: dict[str, list[list[str]]] = {}
    for one in chosen:
        paragraphs = made.setdefault(one.slot, [])
        if one.starts_paragraph or not paragraphs:
            paragraphs.append([])
        paragraphs[-1].append(_fill_slots(one.text, values))
    return Composed({slot: tuple(tuple(part) for part in parts) for slot, parts in made.items()})


def _fill_slots(text: str, values: dict[str, Any]) -> str:
    """Insert the values in one pass, so that braces inside a value are not replaced again."""

    def one(match: re.Match[str]) -> str:
        if match[0] in {"{{", "}}"}:
            return match[0][0]
        return str(values[match[1]])

    return _TOKEN.sub(one, text)


def _read_text(data: dict[str, Any], name: str, found: list[str]) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value.strip():
        found.append(f"{name} is missing.")
        return ""
    return value.strip()


def _read_sentences(
    entries: object, declared: tuple[FactName, ...], found: list[str]
) -> tuple[Sentence, ...]:
    if not isinstance(entries, list) or not entries:
        found.append("The file has no [[sentence]].")
        return ()
    read: list[Sentence] = []
    places: set[tuple[str, int, str]] = set()
    for position, entry in enumerate(entries, start=1):
        one = _read_sentence(entry, position, declared, found)
        if one is None:
            continue
        place = (one.slot, one.order, one.variant)
        if place in places:
            found.append(
                f"Sentence {position} repeats {one.slot} {one.order} {one.variant}".strip()
                + ", the position of another sentence."
            )
        places.add(place)
        read.append(one)
    return tuple(read)


def _read_sentence(
    entry: object, position: int, declared: tuple[FactName, ...], found: list[str]
) -> Sentence | None:
    where = f"Sentence {position}"
    if not isinstance(entry, dict):
        found.append(f"{where} is not a table.")
        return None
    slot, order, text = entry.get("slot"), entry.get("order", position), entry.get("text")
    variant, needs = entry.get("variant", ""), entry.get("needs", [])
    before = len(found)
    for name in sorted(set(entry) - {"slot", "order", "text", "variant", "needs", "paragraph"}):
        found.append(f"{where} has the unknown key {name}.")
    if not isinstance(slot, str) or not _NAME.fullmatch(slot):
        found.append(f"{where} has no slot, or its slot is not a plain name.")
    if not isinstance(order, int) or isinstance(order, bool) or not 0 < order < 1000:
        found.append(f"{where}: order must be a number from 1 to 999.")
    if not isinstance(variant, str) or len(variant) > 40:
        found.append(f"{where}: variant must be a text of at most 40 characters.")
    if not isinstance(needs, list) or not all(isinstance(name, str) for name in needs):
        found.append(f"{where}: needs must be a list of names.")
    if not isinstance(entry.get("paragraph", False), bool):
        found.append(f"{where}: paragraph must be true or false.")
    if not isinstance(text, str) or not text.strip():
        found.append(f"{where} has no text.")
    if len(found) > before:
        return None
    # Line breaks of the file are layout of the file, not of the letter.
    text = " ".join(str(text).split())
    for match in _TOKEN.finditer(text):
        if match[1] is None and match[0] in "{}":
            found.append(f"{where} has a single brace. Use {{{{ or }}}} to print one.")
        elif match[1] is not None and not _NAME.fullmatch(match[1]):
            found.append(f"{where}: the slot {match[0]} is not a plain name.")
    found += [f"{where}: {one.sentence}" for one in glyphs.find_unprintable(text)]
    # Without declarations only the form of the file is checked.
    if declared:
        known = {one.name: one for one in declared}
        for name in dict.fromkeys([*needs, *list_printed_names(text)]):
            if name not in known:
                found.append(f"{where} uses the fact {name}, which is not declared.")
            elif name in list_printed_names(text) and not known[name].printed:
                found.append(f"{where} prints {name}, which must not be printed.")
    return Sentence(
        slot=str(slot),
        order=int(str(order)),
        text=text,
        variant=variant,
        needs=tuple(needs),
        starts_paragraph=bool(entry.get("paragraph", False)),
    )
