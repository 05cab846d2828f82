"""Application against UR decision: every planted mismatch is listed, and nothing else is."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from eligibility.differences import (
    CLAIM,
    EMPLOYEE,
    INJURY,
    ONLY_APPLIED,
    ONLY_DECIDED,
    WORDING,
    DocumentFacts,
    compare_documents,
)

FIRST = ["Marisol", "José", "Siobhán", "Ng", "D’Arcy", "Anne-Marie", "Łukasz", "Ruth"]
LAST = ["Quintanar", "O'Brien", "Núñez García", "Smith-Jones", "De la Cruz", "Okafor", "Tran"]
TREATMENTS = [
    "Cervical epidural steroid injection at C3-4",
    "Norco 10/325mg #60",
    "Physical therapy, 2 times a week for 6 weeks",
    "MRI of the lumbar spine without contrast",
    "Lumbar support brace",
    "TENS unit, 30 day rental",
    "Gabapentin 300mg #90 with 1 refill",
    "Left knee arthroscopy with partial meniscectomy",
    "Urine drug screen",
    "Acupuncture, 12 sessions",
]


def make_document(number):
    """An application, the same for the same number."""
    draw = random.Random(number)
    return DocumentFacts(
        employee=f"{draw.choice(FIRST)} {draw.choice(LAST)}",
        claim_number=f"{draw.randrange(10, 99)}-{draw.randrange(1000, 10**6)}",
        date_of_injury=date(2014, 1, 1) + timedelta(days=draw.randrange(3000)),
        items=draw.sample(TREATMENTS, draw.randrange(1, 5)),
    )


def printed_otherwise(one, number):
    """The same, as another office prints it: capitals, "last, first", order and punctuation."""
    draw = random.Random(number * 7)
    first, last = one.employee.split(" ", 1)
    items = [draw.choice([str.upper, str.lower, str])(title) for title in one.items]
    draw.shuffle(items)
    return replace(
        one,
        employee=f"{last}, {first}".upper(),
        claim_number=one.claim_number.replace("-", draw.choice(["", " ", "-", "."])).lower(),
        items=[title.replace(",", draw.choice([",", " ", ";"])) for title in items],
    )


@pytest.mark.parametrize("number", range(40))
def test_forty_clean_pairs_list_nothing(number):
    one = make_document(number)
    assert compare_documents(one, printed_otherwise(one, number)) == []


def change_one_fact(one, kind, draw):
    """One mismatch of a kind: the other paper, and what has to be listed."""
    items = list(one.items)
    if kind == EMPLOYEE:
        return replace(one, employee=one.employee[:-1] + "x")
    if kind == CLAIM:
        digits = one.claim_number
        return replace(one, claim_number=digits[:-1] + str((int(digits[-1]) + 1) % 10))
    if kind == INJURY:
        return replace(one, date_of_injury=one.date_of_injury + timedelta(days=1))
    if kind == WORDING:
        at = draw.randrange(len(items))
        items[at] = f"{items[at]} x2"
    elif kind == ONLY_DECIDED:
        items.append("Hyperbaric oxygen chamber")
    else:
        items = items[1:]
    return replace(one, items=items)


KINDS = [EMPLOYEE, CLAIM, INJURY, WORDING, ONLY_DECIDED, ONLY_APPLIED]


@pytest.mark.parametrize("number", range(40))
def test_forty_planted_mismatches_are_all_listed(number):
    one, kind = make_document(number), KINDS[number % len(KINDS)]
    one = replace(one, items=[*one.items, "Zoster vaccine"])
    found = compare_documents(
        one, change_one_fact(printed_otherwise(one, number), kind, random.Random(number))
    )
    assert [difference.field for difference in found] == [kind]
    assert found[0].label


def test_all_kinds_at_once_are_all_listed():
    one = DocumentFacts("Ann Lee", "1", date(2020, 1, 1), ["Brace", "Norco 10/325mg #60"])
    other = DocumentFacts("Ann Leigh", "2", date(2020, 1, 2), ["Norco 10/325mg #90", "Acupuncture"])
    fields = [difference.field for difference in compare_documents(one, other)]
    assert fields == [EMPLOYEE, CLAIM, INJURY, WORDING, ONLY_APPLIED, ONLY_DECIDED]


def test_the_same_treatment_named_twice_has_to_stand_there_twice():
    one = DocumentFacts("", "", None, ["Brace", "Brace"])
    (difference,) = compare_documents(one, replace(one, items=["Brace"]))
    assert (difference.field, difference.item) == (ONLY_APPLIED, 2)


def test_facts_that_the_decision_lacks_are_not_compared():
    silent = DocumentFacts("", "", None, [])
    assert (
        compare_documents(DocumentFacts("Ann Lee", "1", date(2020, 1, 1), ["Brace"]), silent) == []
    )


def test_facts_that_only_the_decision_has_are_listed():
    found = compare_documents(
        DocumentFacts("", "", None, []), DocumentFacts("Ann Lee", "1", date(2020, 1, 1), ["Brace"])
    )
    assert [difference.field for difference in found] == [EMPLOYEE, CLAIM, INJURY, ONLY_DECIDED]


def test_an_answer_hangs_on_the_two_values_alone():
    one = DocumentFacts("Ann Lee", "1", None, ["Brace", "Norco"])
    key = compare_documents(one, DocumentFacts("Ann Leigh", "1", None, []))[0].key
    longer = replace(one, items=["Norco"])
    assert compare_documents(longer, DocumentFacts("Ann Leigh", "9", None, ["Norco"]))[0].key == key
    assert compare_documents(one, DocumentFacts("Ann Leung", "1", None, []))[0].key != key
