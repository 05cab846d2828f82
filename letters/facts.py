"""The facts that letters rest on: named by the apps that own them, handed over as data.

Printed facts stand in the words. Proof facts are why a sentence may be said; they are kept with the
letter as of signing and reach no worker, template or attachment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class FactName:
    """A fact that a wording may need. Declared as data by the app that can tell it."""

    name: str  # "board_certification"
    label: str  # "Board certification", as staff read it in a refusal
    printed: bool  # whether its value stands in the letter


@dataclass(frozen=True)
class Fact:
    """One fact as it stands at signing, with where it comes from and when it holds."""

    name: str
    value: Any  # JSON: text, number, yes or no, list, dictionary
    source: str = ""
    valid_from: date | None = None
    valid_to: date | None = None  # the last day on which it holds
    about: str = ""  # "seat 1" where a letter rests on several reviewers


_declared: dict[str, tuple[FactName, ...]] = {}


def declare(kind: str, names: Iterable[FactName]) -> None:
    """State once, at start-up, which facts letters of a kind may rest on."""
    _declared[kind] = tuple(names)


def declared_for(kind: str) -> tuple[FactName, ...]:
    """The facts declared for letters of a kind; none when no app has spoken for it."""
    return _declared.get(kind, ())


def day(value: date) -> str:
    """A day as staff and letters read it."""
    return f"{value:%m/%d/%Y}"


def problems(
    facts: Sequence[Fact], *, needed: Iterable[str], declared: Iterable[FactName], on: date
) -> list[str]:
    """Everything that is wrong with the facts on a day, one sentence for each.

    :param needed: the names that the wording asks for.
    """
    labels = {one.name: one.label for one in declared}
    held = {one.name for one in facts}
    found = [f"{_called(name, labels)} is not on record." for name in needed if name not in held]
    for one in facts:
        called = _called(one.name, labels)
        if one.about:
            called = f"{called}, {one.about},"
        if one.name not in labels:
            found.append(f"The fact {one.name} is not known to this kind of letter.")
        elif one.value is False:
            found.append(f"{called} does not hold.")
        elif one.value is None or one.value in ("", [], {}):
            found.append(f"{called} is not on record.")
        elif one.valid_from and one.valid_from > on:
            found.append(f"{called} holds only from {day(one.valid_from)}, not on {day(on)}.")
        elif one.valid_to and one.valid_to < on:
            found.append(f"{called} lapsed on {day(one.valid_to)}.")
    return list(dict.fromkeys(found))


def printed(facts: Iterable[Fact], declared: Iterable[FactName]) -> dict[str, Any]:
    """The printed facts alone: what may reach words, worker and attachment."""
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


def _called(name: str, labels: Mapping[str, str]) -> str:
    return f"{labels[name]} ({name})" if name in labels else f"The fact {name}"
