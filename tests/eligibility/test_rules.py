"""From six answers to a finding: the whole table, and what the law says of each corner."""

from itertools import product

import pytest

from eligibility.rules import FACTS, NEEDED, REASONS, weigh_answers

ALL_ANSWERS = [
    dict(zip(FACTS, answers, strict=True))
    for answers in product(("YES", "NO", "UNKNOWN"), repeat=len(FACTS))
]


def expect_result(answers):
    """The finding, said once more in the shortest words: refusals, gaps, liability, eligible."""
    fields = {fact: answers[fact] for fact in FACTS}
    liability = fields.pop("LIABILITY_CLEAR")
    if "NO" in fields.values():
        return "INELIGIBLE"
    if "UNKNOWN" in {*fields.values(), liability}:
        return "INCOMPLETE"
    return "ELIGIBLE" if liability == "YES" else "DEFERRED"


def test_every_combination_of_answers_has_the_finding_of_the_table():
    assert len(ALL_ANSWERS) == 729
    wrong = [one for one in ALL_ANSWERS if weigh_answers(one).result != expect_result(one)]
    assert wrong == []


def test_only_six_yes_are_eligible():
    eligible = [one for one in ALL_ANSWERS if weigh_answers(one).result == "ELIGIBLE"]
    assert eligible == [dict.fromkeys(FACTS, "YES")]


def test_an_unknown_never_counts_as_no():
    for answers in ALL_ANSWERS:
        if "NO" not in answers.values():
            assert weigh_answers(answers).result in {"ELIGIBLE", "INCOMPLETE"}
            assert weigh_answers(answers).reasons == ()


@pytest.mark.parametrize("fact", FACTS)
def test_a_no_gives_its_own_reason_code(fact):
    conclusion = weigh_answers(dict.fromkeys(FACTS, "YES") | {fact: "NO"})
    assert conclusion.reasons == (REASONS[fact],)


def test_several_refusals_are_all_named_in_the_order_of_the_form():
    conclusion = weigh_answers(
        dict.fromkeys(FACTS, "YES") | {"NOT_DECIDED": "NO", "SIGNED": "NO", "TIMELY": "NO"}
    )
    assert conclusion.reasons == ("I-UNSIGNED", "I-LATE", "I-PRIOR")
    assert conclusion.sentence == (
        "Ineligible. "
        "The application is not signed by the injured worker or a valid representative. "
        "We received the application after the filing deadline. "
        "Independent Medical Review of the same treatment was already requested or completed."
    )


def test_a_refusal_outweighs_a_liability_dispute():
    answers = dict.fromkeys(FACTS, "YES") | {"LIABILITY_CLEAR": "NO", "SIGNED": "NO"}
    assert weigh_answers(answers).result == "INELIGIBLE"


@pytest.mark.parametrize("fact", FACTS)
def test_missing_facts_are_named_in_a_sentence(fact):
    for unknown in ("UNKNOWN", "", None, "MAYBE"):
        conclusion = weigh_answers(dict.fromkeys(FACTS, "YES") | {fact: unknown})
        assert conclusion.result == "INCOMPLETE"
        assert NEEDED[fact] in conclusion.sentence


def test_a_fact_that_was_not_answered_at_all_is_unknown():
    assert weigh_answers({}).result == "INCOMPLETE"


def test_a_question_that_is_not_asked_is_refused():
    with pytest.raises(KeyError):
        weigh_answers({"HANDWRITING": "YES"})
