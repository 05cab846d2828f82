"""What a review still lacks: everything at once, each with its place."""

from dataclasses import replace

import pytest

from determinations.checks import (
    Blocker,
    ItemDraft,
    ReviewDraft,
    find_blockers,
    is_upheld_with_parent,
)

WHOLE_ITEM = ItemDraft(
    id=7, position=1, title="Brace", outcome="UPHELD", rationale="No.", basis="A", citations=1
)
WHOLE = ReviewDraft(summary="A worker fell.", items=[WHOLE_ITEM])


def list_blocker_codes(review):
    return [(finding.code, finding.part) for finding in find_blockers(review)]


def with_item(**changes):
    return replace(WHOLE, items=[replace(WHOLE_ITEM, **changes)])


def test_a_whole_review_lacks_nothing():
    assert find_blockers(WHOLE) == []


@pytest.mark.parametrize(
    ("review", "found"),
    [
        (replace(WHOLE, summary=" \n"), [("summary-empty", "summary")]),
        (with_item(outcome=""), [("outcome-missing", "item-7")]),
        (with_item(rationale="  "), [("rationale-missing", "item-7")]),
        (with_item(citations=0), [("authority-missing", "item-7")]),
        (with_item(basis=""), [("basis-missing", "item-7")]),
        (with_item(basis="B"), [("higher-rank-unanswered", "item-7")]),
        (with_item(basis="F", why_not_higher=" "), [("higher-rank-unanswered", "item-7")]),
        (with_item(basis="F", why_not_higher="None applies."), []),
        (with_item(basis="A", why_not_higher=""), []),
        (replace(WHOLE, dispatch_is_current=False), [("records-added", "records")]),
        (replace(WHOLE, unopened_documents=["X-ray"]), [("record-unopened", "records")]),
        (replace(WHOLE, lacking_glyphs=[("item-7", "No.")]), [("glyph", "item-7")]),
    ],
)
def test_each_gap_is_found_at_its_place(review, found):
    assert list_blocker_codes(review) == found


def test_everything_is_found_at_once_in_the_order_of_the_letter():
    empty = ReviewDraft(
        summary="",
        items=[ItemDraft(1, 1, "Brace"), ItemDraft(2, 2, "Norco", outcome="UPHELD")],
        unopened_documents=["X-ray", "MRI"],
        dispatch_is_current=False,
        lacking_glyphs=[("summary", "No.")],
    )
    assert [code for code, _ in list_blocker_codes(empty)] == [
        "summary-empty",
        "outcome-missing", "rationale-missing", "authority-missing", "basis-missing",
        "rationale-missing", "authority-missing", "basis-missing",
        "records-added", "record-unopened", "record-unopened", "glyph",
    ]  # fmt: skip
    assert all(
        isinstance(one, Blocker) and one.sentence.endswith(".") for one in find_blockers(empty)
    )


def test_a_record_is_named_by_its_title():
    (finding,) = find_blockers(replace(WHOLE, unopened_documents=["X-ray of 2 May"]))
    assert "“X-ray of 2 May”" in finding.sentence


PARENT = replace(WHOLE_ITEM, id=1, position=1, title="Surgery")
CHILD = ItemDraft(
    id=2, position=2, title="Cold therapy", outcome="UPHELD", rationale="It falls.", parent_id=1
)


@pytest.mark.parametrize(
    ("parent", "child", "falls"),
    [("UPHELD", "UPHELD", True), ("UPHELD", "OVERTURNED", False), ("UPHELD", "", False)]
    + [("OVERTURNED", outcome, False) for outcome in ("UPHELD", "OVERTURNED", "")]
    + [("", outcome, False) for outcome in ("UPHELD", "OVERTURNED", "")],
)
def test_rank_and_authority_may_be_empty_only_if_the_parent_is_not_necessary(parent, child, falls):
    above, below = replace(PARENT, outcome=parent), replace(CHILD, outcome=child)

    found = list_blocker_codes(ReviewDraft("A worker fell.", [above, below]))

    assert is_upheld_with_parent(below, above) is falls
    assert ((("authority-missing", "item-2") in found), (("basis-missing", "item-2") in found)) == (
        not falls,
        not falls,
    )


def test_an_item_without_its_parent_item_needs_its_own_citation():
    found = list_blocker_codes(ReviewDraft("A worker fell.", [CHILD]))
    assert ("authority-missing", "item-2") in found


def test_a_dependent_item_still_needs_its_rationale():
    found = list_blocker_codes(
        ReviewDraft("A worker fell.", [PARENT, replace(CHILD, rationale="")])
    )
    assert found == [("rationale-missing", "item-2")]
