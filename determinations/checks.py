"""Checks of a review before it is submitted. Pure: they take plain values and make no queries.

Each finding has a code, a sentence that says what to do, and the part of the workspace where it is
done. A review with a finding cannot be submitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from letters.outcomes import CHOICE, Outcome

SUMMARY = "summary"


@dataclass(frozen=True)
class ItemDraft:
    """One disputed item with the reviewer's current decision."""

    id: int
    position: int
    title: str
    outcome: str = ""
    rationale: str = ""
    basis: str = ""
    why_not_higher: str = ""
    citations: int = 0  # number of authorities cited
    parent_id: int | None = None  # the item that this one depends on


@dataclass(frozen=True)
class ReviewDraft:
    """A whole review with its unsaved drafts."""

    summary: str
    items: Sequence[ItemDraft]
    unopened_documents: Sequence[str] = ()
    dispatch_is_current: bool = True
    lacking_glyphs: Sequence[tuple[str, str]] = ()  # (part, sentence)
    naming_parts: Sequence[str] = ()  # parts that contain the reviewer's own name


@dataclass(frozen=True)
class Finding:
    """Something that is missing, and where to add it."""

    code: str
    sentence: str
    part: str = field(default=SUMMARY)  # "summary", "item-<id>" or "records"


def find_blockers(review: ReviewDraft) -> list[Finding]:
    """List everything that prevents submission, in the order of the letter."""
    found: list[Finding] = []
    if not review.summary.strip():
        found.append(Finding("summary-empty", "Write the clinical case summary."))
    # An item can depend on another one of the same review; its parent decides what it needs.
    by_id = {item.id: item for item in review.items}
    for item in review.items:
        found += _find_item_blockers(item, by_id.get(item.parent_id or 0))
    if not review.dispatch_is_current:
        found.append(
            Finding(
                "records-added",
                "Records were added after the case file was sent to you. "
                "Reload this page to receive them.",
                "records",
            )
        )
    found += [
        Finding("record-unopened", f"Open “{title}”, or mark it not relevant.", "records")
        for title in review.unopened_documents
    ]
    found += [Finding("glyph", sentence, part) for part, sentence in review.lacking_glyphs]
    found += [
        Finding(
            "own-name",
            "Remove your own name from the text: the parties may not learn who the reviewer is "
            "(Labor Code 4610.6(f)).",
            part,
        )
        for part in review.naming_parts
    ]
    return found


def is_upheld_with_parent(item: ItemDraft, parent: ItemDraft | None) -> bool:
    """Whether an item is upheld together with the treatment that it depends on.

    Only then does it need no citation of its own.
    """
    return parent is not None and parent.outcome == item.outcome == Outcome.UPHELD


def _find_item_blockers(item: ItemDraft, parent: ItemDraft | None) -> list[Finding]:
    part, name = f"item-{item.id}", f"Item {item.position}"
    found = []
    if not item.outcome:
        found.append(Finding("outcome-missing", f"{name}: choose {CHOICE}.", part))
    if not item.rationale.strip():
        found.append(Finding("rationale-missing", f"{name}: write the rationale.", part))
    # The parent's citations explain the decision: what depends on it falls with it.
    if is_upheld_with_parent(item, parent):
        return found
    if not item.citations:
        found.append(
            Finding(
                "authority-missing",
                f"{name}: cite the guideline or evidence relied on.",
                part,
            )
        )
    if not item.basis:
        found.append(Finding("basis-missing", f"{name}: choose the rank of evidence.", part))
    elif item.basis != "A" and not item.why_not_higher.strip():
        found.append(
            Finding(
                "higher-rank-unanswered",
                f"{name}: explain why no higher rank of evidence applies "
                "(Labor Code 4610.5(c)(2)).",
                part,
            )
        )
    return found
