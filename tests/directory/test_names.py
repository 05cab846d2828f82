"""The same name, written in many ways, folds alike; another name does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.names import fold_name, fold_number, fold_organization

SAME_NAME = [
    ("Marisol Quintanar", "MARISOL  QUINTANAR"),
    ("Marisol Quintanar", " marisol quintanar "),
    ("Seán O’Brien", "Sean O'Brien"),
    ("Sean O`Brien", "SEAN OBRIEN"),
    ("Ana Núñez-García", "ANA NUNEZ GARCIA"),
    ("Ana Nu\u0301n\u0303ez", "Ana Núñez"),  # accents as characters of their own
    ("Dana Oyelaran, M.D.", "Dana Oyelaran M D"),
    ("Jürgen Weiß", "JURGEN WEISS"),
    ("Søren Ødegård", "Soren Odegard"),
    ("Łukasz Đorđević", "Lukasz Dordevic"),
    ("D’Angelo-Núñez", "DANGELO NUNEZ"),
    ("François d'Angelo", "Francois D’Angelo"),
]
DIFFERENT_NAMES = [
    ("Ana Núñez-García", "Ana Núñez"),
    ("Ana Núñez-García", "Ana NúñezGarcía"),
    ("Maria Lopez", "Mario Lopez"),
    ("D’Angelo Núñez", "D Angelo Núñez"),
]


@pytest.mark.parametrize(("one", "other"), SAME_NAME)
def test_spellings_of_a_name_are_normalized_to_the_same_text(one, other):
    assert fold_name(one) == fold_name(other) != ""


@pytest.mark.parametrize(("one", "other"), DIFFERENT_NAMES)
def test_different_names_stay_different(one, other):
    assert fold_name(one) != fold_name(other)


@pytest.mark.parametrize("name", ["李小龍", "Владимир", "محمد", "Łukasz Żółć", "Ødegård"])
def test_a_name_in_any_letters_keeps_all_of_them(name):
    folded = fold_name(name)
    assert len(folded.replace(" ", "")) >= sum(letter.isalpha() for letter in name)


def test_a_legal_form_is_no_part_of_an_organizations_name():
    assert fold_organization("The Harbor Cold Storage Co., Inc.") == "harbor cold storage"
    assert fold_organization("Harbor Cold Storage, LLC") == "harbor cold storage"


def test_a_name_of_nothing_but_legal_forms_is_kept():
    assert fold_organization("The Company Co.") == "company"
    assert fold_organization("The Co.") == "the co"


def test_a_number_is_its_letters_and_digits():
    assert fold_number(" 06-2213 / a.77 ") == fold_number("062213A77") == "062213A77"
    assert fold_number("–") == ""


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold_name(fold_name(text)) == fold_name(text)
    assert fold_number(fold_number(text)) == fold_number(text)
