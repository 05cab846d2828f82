"""What changed between two texts, by the word."""

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.differences import Piece, word_differences

texts = st.text(alphabet="ab ,.\n’é\U0001f600", max_size=60)


def test_a_changed_word_is_taken_out_and_put_in_whole():
    pieces = word_differences("relief was brief", "relief was lasting")
    assert pieces == [
        Piece("same", "relief was "),
        Piece("removed", "brief"),
        Piece("added", "lasting"),
    ]


def test_numbers_and_names_with_marks_stay_whole():
    pieces = word_differences("on 10/1/13 at C3-4", "on 10/1/13 at C4-5")
    assert Piece("removed", "C3-4") in pieces
    assert Piece("added", "C4-5") in pieces


def test_equal_texts_have_one_piece_and_empty_ones_none():
    assert word_differences("same", "same") == [Piece("same", "same")]
    assert word_differences("", "") == []


def test_very_long_texts_are_shown_as_replaced():
    old, new = "a " * 100_001, "b " * 100_001
    assert [piece.change for piece in word_differences(old, new)] == ["removed", "added"]


@settings(max_examples=200, deadline=None)
@given(texts, texts)
def test_the_pieces_give_back_both_texts(old, new):
    pieces = word_differences(old, new)
    assert "".join(piece.text for piece in pieces if piece.change != "added") == old
    assert "".join(piece.text for piece in pieces if piece.change != "removed") == new
