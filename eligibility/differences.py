"""Compares the application as entered with the UR decision as read. Pure.

Upper and lower case, accents, punctuation, the order of a name's parts and the order of items do
not count as differences. Every other difference is listed, so that a person can answer it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from hashlib import sha256

from directory.names import fold_name, fold_number
from form_fields.dates import print_injury

EMPLOYEE = "EMPLOYEE"
CLAIM = "CLAIM"
INJURY = "INJURY"
WORDING = "WORDING"  # an item in both documents, worded differently
ONLY_APPLIED = "ONLY_APPLIED"  # an item that only the application names
ONLY_DECIDED = "ONLY_DECIDED"  # an item that only the UR decision names

LABELS = {
    EMPLOYEE: "Injured worker’s name",
    CLAIM: "Claim number",
    INJURY: "Date of injury",
    WORDING: "Wording of an item",
    ONLY_APPLIED: "Item not in the UR decision",
    ONLY_DECIDED: "Item not in the application",
}

_MIN_SIMILARITY = 0.6  # minimum similarity (0 to 1) of two wordings to be shown as the same item


@dataclass(frozen=True)
class DocumentFacts:
    """What one document states; an empty text or ``None`` if it does not state the fact."""

    employee: str
    claim_number: str
    date_of_injury: date | None
    injury_last_day: date | None = field(default=None, kw_only=True)
    items: Sequence[str]


@dataclass(frozen=True)
class Difference:
    """One difference between the two documents.

    :ivar item: the item's position on the application; ``None`` if the difference is not about one.
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
        """A key made of the field and the two values; stored answers refer to it.

        If a value changes, the key changes, and the difference has to be answered again.
        """
        values = "\x1f".join((self.field, self.on_application, self.on_ur_decision))
        return sha256(values.encode()).hexdigest()[:32]


def compare_documents(application: DocumentFacts, ur_decision: DocumentFacts) -> list[Difference]:
    """List the differences. Facts that the UR decision does not state are not compared."""
    differences = []
    if ur_decision.employee and _name_words(application.employee) != _name_words(
        ur_decision.employee
    ):
        differences.append(Difference(EMPLOYEE, application.employee, ur_decision.employee))
    application_claim, ur_claim = application.claim_number, ur_decision.claim_number
    if ur_claim and fold_number(application_claim) != fold_number(ur_claim):
        differences.append(Difference(CLAIM, application_claim, ur_claim))
    ours, theirs = (
        print_injury(one.date_of_injury, one.injury_last_day) for one in (application, ur_decision)
    )
    if theirs and ours != theirs:
        differences.append(Difference(INJURY, ours, theirs))
    return differences + _compare_items(application.items, ur_decision.items)


def _name_words(name: str) -> list[str]:
    """Sort the words of a name, so that "Quintanar, Marisol" equals "Marisol Quintanar"."""
    return sorted(fold_name(name).split())


def _compare_items(applied: Sequence[str], decided: Sequence[str]) -> list[Difference]:
    """Pair equal items, then the most similar ones; list the similar pairs and all other items."""
    # Nobody has typed the treatments yet. This does not mean that the decision names none.
    if not decided:
        return []
    application_titles = {number: fold_name(title) for number, title in enumerate(applied, start=1)}
    ur_titles = {number: fold_name(title) for number, title in enumerate(decided, start=1)}
    # Equal titles first: a similar title could otherwise take the partner of an equal one.
    for number, folded in list(application_titles.items()):
        same = next((other for other, text in ur_titles.items() if text == folded), None)
        if same is not None:
            del application_titles[number], ur_titles[same]
    pairs = sorted(
        (
            # Negative, so that the most similar pair comes first and ties keep the items' order.
            # Without autojunk, which ignores frequent letters in texts of 200 characters or more.
            (-SequenceMatcher(None, ours, ur_title, autojunk=False).ratio(), number, other)
            for number, ours in application_titles.items()
            for other, ur_title in ur_titles.items()
        ),
    )
    differences = []
    for negative_similarity, number, other in pairs:
        if (
            -negative_similarity >= _MIN_SIMILARITY
            and number in application_titles
            and other in ur_titles
        ):
            del application_titles[number], ur_titles[other]
            differences.append(Difference(WORDING, applied[number - 1], decided[other - 1], number))
    differences += [
        Difference(ONLY_APPLIED, applied[number - 1], "", number) for number in application_titles
    ]
    differences += [Difference(ONLY_DECIDED, "", decided[other - 1]) for other in ur_titles]
    return differences
