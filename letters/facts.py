"""The facts that letters state or require, declared by the apps that own them.

Printed facts appear in the text. Proof facts justify a sentence; they are stored with the letter as
of the date of signing, and never reach a worker, a template or an attachment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class FactName:
    """The declaration of a fact that wording may use."""

    name: str  # "board_certification"
    label: str  # "Board certification", shown to staff in a refusal
    printed: bool  # whether its value is printed in the letter


@dataclass(frozen=True)
class Fact:
    """One fact at the date of signing, with its source and the period in which it holds."""

    name: str
    value: Any  # JSON: text, number, yes or no, list, dictionary
    source: str = ""
    valid_from: date | None = None
    valid_to: date | None = None  # the last day on which it holds
    about: str = ""  # "seat 1" if a letter states facts of several reviewers


_declared: dict[str, tuple[FactName, ...]] = {}


def declare_facts(kind: str, names: Iterable[FactName]) -> None:
    """Register the facts of one kind of letter; called once, at startup."""
    _declared[kind] = tuple(names)


def find_declared_facts(kind: str) -> tuple[FactName, ...]:
    """Find the facts declared for one kind of letter; empty if no app has declared any."""
    return _declared.get(kind, ())


def format_day(value: date) -> str:
    """Format a date as letters print it, such as 11/29/2026."""
    return f"{value:%m/%d/%Y}"


def find_fact_problems(
    facts: Sequence[Fact], *, needed: Iterable[str], declared: Iterable[FactName], on: date
) -> list[str]:
    """List the problems of the facts on a date, one sentence for each.

    :param needed: the names of the facts that the wording requires.
    """
    labels = {one.name: one.label for one in declared}
    stated = {one.name for one in facts}
    problems = [
        f"{_fact_label(name, labels)} is not on record." for name in needed if name not in stated
    ]
    for one in facts:
        called = _fact_label(one.name, labels)
        if one.about:
            called = f"{called}, {one.about},"
        if one.name not in labels:
            problems.append(f"The fact {one.name} is not declared for this kind of letter.")
        # A stored "no" is an answer, so its sentence differs from that of a missing fact.
        elif one.value is False:
            problems.append(f"{called} does not hold.")
        elif one.value is None or one.value in ("", [], {}):
            problems.append(f"{called} is not on record.")
        elif one.valid_from and one.valid_from > on:
            problems.append(
                f"{called} is valid only from {format_day(one.valid_from)}, not on "
                f"{format_day(on)}."
            )
        elif one.valid_to and one.valid_to < on:
            problems.append(f"{called} expired on {format_day(one.valid_to)}.")
    # Several sentences may require the same fact; it is named once.
    return list(dict.fromkeys(problems))


def select_printed_facts(facts: Iterable[Fact], declared: Iterable[FactName]) -> dict[str, Any]:
    """Select the printed facts, the only ones that may reach text, workers and attachments."""
    names = {one.name for one in declared if one.printed}
    shared: dict[str, Any] = {}
    for one in facts:
        if one.name not in names:
            continue
        if one.about:
            shared.setdefault(one.name, {})[one.about] = one.value
        else:
            shared[one.name] = one.value
    return shared


def _fact_label(name: str, labels: Mapping[str, str]) -> str:
    return f"{labels[name]} ({name})" if name in labels else f"The fact {name}"
