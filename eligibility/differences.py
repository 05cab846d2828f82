"""The application as entered against the UR decision as read: what differs. Pure.

Case, accents, punctuation, the order of a name and the order of the items make no difference;
anything else is listed, so that nothing is dropped in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from hashlib import sha256

from directory.names import fold_name, fold_number

EMPLOYEE = "EMPLOYEE"
CLAIM = "CLAIM"
INJURY = "INJURY"
WORDING = "WORDING"  # an item that both name, in different words
ONLY_APPLIED = "ONLY_APPLIED"  # an item of the application that the decision does not name
ONLY_DECIDED = "ONLY_DECIDED"  # an item of the decision that the application does not dispute

LABELS = {
    EMPLOYEE: "Employee’s name",
    CLAIM: "Claim number",
    INJURY: "Date of injury",
    WORDING: "Wording of an item",
    ONLY_APPLIED: "Item not in the UR decision",
    ONLY_DECIDED: "Item not in the application",
}

_ALIKE = 0.6  # share of two wordings that has to agree before they are shown as one item


@dataclass(frozen=True)
class Paper:
    """What one of the two papers says; an empty text or ``None`` where it is silent."""

    employee: str
    claim_number: str
    date_of_injury: date | None
    items: Sequence[str]


@dataclass(frozen=True)
class Difference:
    """One thing on which the papers disagree.

    :ivar item: position of the item on the application, for a difference about an item.
    """

    field: str
    on_application: str
    on_ur_decision: str
    item: int | None = None

    @property
    def label(self) -> str:
        return LABELS[self.field]

    @property
    def key(self) -> str:
        """The same for the same two values, whatever else changes: answers hang on it."""
        said = "\x1f".join((self.field, self.on_application, self.on_ur_decision))
        return sha256(said.encode()).hexdigest()[:32]


def compare(application: Paper, ur_decision: Paper) -> list[Difference]:
    """Everything on which the two disagree. Where the decision is silent, nothing is compared."""
    found = []
    if ur_decision.employee and _name(application.employee) != _name(ur_decision.employee):
        found.append(Difference(EMPLOYEE, application.employee, ur_decision.employee))
    ours, theirs = application.claim_number, ur_decision.claim_number
    if theirs and fold_number(ours) != fold_number(theirs):
        found.append(Difference(CLAIM, ours, theirs))
    ours_on, theirs_on = application.date_of_injury, ur_decision.date_of_injury
    if theirs_on and ours_on != theirs_on:
        found.append(
            Difference(INJURY, f"{ours_on:%m/%d/%Y}" if ours_on else "", f"{theirs_on:%m/%d/%Y}")
        )
    return found + _items(application.items, ur_decision.items)


def _name(name: str) -> list[str]:
    """A name as the sorted list of its words: "Quintanar, Marisol" is "Marisol Quintanar"."""
    return sorted(fold_name(name).split())


def _items(applied: Sequence[str], decided: Sequence[str]) -> list[Difference]:
    """Pair what reads the same, then what reads alike, best first; list the rest."""
    if not decided:
        return []
    left = {number: fold_name(title) for number, title in enumerate(applied, start=1)}
    right = {number: fold_name(title) for number, title in enumerate(decided, start=1)}
    for number, folded in list(left.items()):
        same = next((other for other, text in right.items() if text == folded), None)
        if same is not None:
            del left[number], right[same]
    alike = sorted(
        (
            (-SequenceMatcher(None, ours, theirs, autojunk=False).ratio(), number, other)
            for number, ours in left.items()
            for other, theirs in right.items()
        ),
    )
    found = []
    for possible_duplicate, number, other in alike:
        if -possible_duplicate >= _ALIKE and number in left and other in right:
            del left[number], right[other]
            found.append(Difference(WORDING, applied[number - 1], decided[other - 1], number))
    found += [Difference(ONLY_APPLIED, applied[number - 1], "", number) for number in left]
    found += [Difference(ONLY_DECIDED, "", decided[other - 1]) for other in right]
    return found
