"""From opinions to outcomes: the truth table for one to five reviewers, and the words of a case."""

from itertools import product

import pytest

from determinations.outcomes import NoOpinion, derive_case_outcome, derive_item_outcome

U, O = "UPHELD", "OVERTURNED"  # noqa: E741

# How many reviewers of how many say that the treatment is necessary, and what follows.
TABLE = {
    (0, 1): (U, "ONE_REVIEWER"),
    (1, 1): (O, "ONE_REVIEWER"),
    (0, 2): (U, "MAJORITY"),
    (1, 2): (O, "EVEN_SPLIT"),
    (2, 2): (O, "MAJORITY"),
    (0, 3): (U, "MAJORITY"),
    (1, 3): (U, "MAJORITY"),
    (2, 3): (O, "MAJORITY"),
    (3, 3): (O, "MAJORITY"),
    (0, 4): (U, "MAJORITY"),
    (1, 4): (U, "MAJORITY"),
    (2, 4): (O, "EVEN_SPLIT"),
    (3, 4): (O, "MAJORITY"),
    (4, 4): (O, "MAJORITY"),
    (0, 5): (U, "MAJORITY"),
    (1, 5): (U, "MAJORITY"),
    (2, 5): (U, "MAJORITY"),
    (3, 5): (O, "MAJORITY"),
    (4, 5): (O, "MAJORITY"),
    (5, 5): (O, "MAJORITY"),
}


@pytest.mark.parametrize("size", range(1, 6))
def test_every_combination_of_opinions_gives_the_outcome_of_the_table(size):
    for opinions in product((U, O), repeat=size):
        assert derive_item_outcome(opinions) == TABLE[opinions.count(O), size], opinions


@pytest.mark.parametrize("opinions", [[], [""], [U, ""], [O, "MAYBE"], [None]])
def test_nothing_follows_while_a_reviewer_has_not_decided(opinions):
    with pytest.raises(NoOpinion):
        derive_item_outcome(opinions)


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([U], "Uphold"),
        ([O], "Overturn"),
        ([U, U, U], "Uphold"),
        ([O, O], "Overturn"),
        ([U, O], "Partially Overturn"),
        ([O, O, U, O], "Partially Overturn"),
    ],
)
def test_the_word_for_a_case_follows_from_its_items(items, words):
    assert derive_case_outcome(items) == words
    assert derive_case_outcome(reversed(items)) == words


@pytest.mark.parametrize("items", [[], [""], [U, ""]])
def test_a_case_without_decided_items_has_no_word(items):
    with pytest.raises(NoOpinion):
        derive_case_outcome(items)
