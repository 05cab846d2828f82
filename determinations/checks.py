"""Checks of a review before it is submitted. Pure: they take plain values and make no queries.

Each finding has a code, a sentence that says what to do, and the part of the workspace where it is
done. A review with a finding cannot be submitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from letters.outcomes import CHOICE, Outcome

SUMMARY = "summary"
HIGHER_RANK = "higher-rank-unanswered"


@dataclass(frozen=True)
class DatedText:
    """What the law requires at the check ``code``, for requests from a day to a day."""

    code: str
    effective_from: date
    effective_to: date | None
    sentence: str
    source: str
    is_confirmed: bool = False

    def covers(self, day: date) -> bool:
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )


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
    # The RFA date, or the date of service of a retrospective request. It decides which law applies.
    requested_on: date | None = None


@dataclass(frozen=True)
class ReviewDraft:
    """A whole review with its unsaved drafts."""

    summary: str
    items: Sequence[ItemDraft]
    unopened_documents: Sequence[str] = ()
    dispatch_is_current: bool = True
    lacking_glyphs: Sequence[tuple[str, str]] = ()  # (part, sentence)
    naming_parts: Sequence[str] = ()  # parts that contain the reviewer's own name
    rule_texts: Sequence[DatedText] = ()


@dataclass(frozen=True)
class Blocker:
    """Something that is missing, and where to add it."""

    code: str
    sentence: str
    part: str = field(default=SUMMARY)  # "summary", "item-<id>" or "records"


def find_blockers(review: ReviewDraft) -> list[Blocker]:
    """List everything that prevents submission, in the order of the letter."""
    blockers: list[Blocker] = []
    if not review.summary.strip():
        blockers.append(Blocker("summary-empty", "Write the clinical case summary."))
    # An item can depend on another one of the same review; its parent decides what it needs.
    by_id = {item.id: item for item in review.items}
    for item in review.items:
        parent = by_id.get(item.parent_id or 0)
        blockers += _find_item_blockers(item, parent, review.rule_texts)
    if not review.dispatch_is_current:
        blockers.append(
            Blocker(
                "records-added",
                "Records were added after the case file was sent to you. "
                "Reload this page to receive them.",
                "records",
            )
        )
    blockers += [
        Blocker("record-unopened", f"Open “{title}”, or mark it not relevant.", "records")
        for title in review.unopened_documents
    ]
    blockers += [Blocker("glyph", sentence, part) for part, sentence in review.lacking_glyphs]
    blockers += [
        Blocker(
            "own-name",
            "Remove your own name from the text: the parties may not learn who the reviewer is "
            "(Labor Code 4610.6(f)).",
            part,
        )
        for part in review.naming_parts
    ]
    return blockers


def is_upheld_with_parent(item: ItemDraft, parent: ItemDraft | None) -> bool:
    """Return whether an item is upheld together with the treatment that it depends on.

    Only then does it need no citation of its own.
    """
    return parent is not None and parent.outcome == item.outcome == Outcome.UPHELD


def find_rule_text(texts: Sequence[DatedText], code: str, day: date | None) -> DatedText | None:
    """Find the rule text of a check for a day of request; ``None`` if there is none."""
    if day is None:
        return None
    return next((text for text in texts if text.code == code and text.covers(day)), None)


def describe_rank_rule(texts: Sequence[DatedText], requested_on: date | None) -> str:
    """Say what a reviewer has to explain who relies on evidence below the first rank.

    Without the date of the request it is not known which text of Labor Code 4610.5(c)(2) applies,
    so none is quoted.
    """
    text = find_rule_text(texts, HIGHER_RANK, requested_on)
    if text is not None:
        return f"{text.sentence.rstrip('.')} ({text.source})."
    ask = "Explain why you rely on this rank of evidence."
    if requested_on is None:
        return f"{ask} The date of the request is not on file, so no rule is quoted."
    return f"{ask} No rule is on file for requests of {requested_on:%m/%d/%Y}."


def _find_item_blockers(
    item: ItemDraft, parent: ItemDraft | None, texts: Sequence[DatedText]
) -> list[Blocker]:
    part, name = f"item-{item.id}", f"Item {item.position}"
    blockers = []
    if not item.outcome:
        blockers.append(Blocker("outcome-missing", f"{name}: choose {CHOICE}.", part))
    if not item.rationale.strip():
        blockers.append(Blocker("rationale-missing", f"{name}: write the rationale.", part))
    # The parent's citations explain the decision: what depends on it falls with it.
    if is_upheld_with_parent(item, parent):
        return blockers
    if not item.citations:
        blockers.append(
            Blocker(
                "authority-missing",
                f"{name}: cite the guideline or evidence relied on.",
                part,
            )
        )
    if not item.basis:
        blockers.append(Blocker("basis-missing", f"{name}: choose the rank of evidence.", part))
    elif item.basis != "A" and not item.why_not_higher.strip():
        rule = describe_rank_rule(texts, item.requested_on)
        blockers.append(Blocker(HIGHER_RANK, f"{name}: {rule[0].lower()}{rule[1:]}", part))
    return blockers
