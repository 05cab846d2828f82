"""Characters that letters can print, and the junk of word processors."""

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letters import glyphs, typesetting
from tests.letters.test_typesetting import make_document


def test_a_character_is_named_with_its_place():
    first, second = glyphs.find_unprintable("Bone 骨 here 骨,\nand \uf0f1")
    assert first.positions == (5, 12)
    assert first.sentence == (
        "“骨” (cjk unified ideograph-9aa8, U+9AA8) at character 6 and 1 more cannot be printed in "
        "a letter. Write it another way."
    )
    assert "U+F0F1" in second.sentence
    assert "\uf0f1" not in second.sentence


@pytest.mark.parametrize("text", ["", "plain\ntext", "é • § ≥ ≤ ½ ° µ – — “q” ☐ ☑ ✓ → ²"])
def test_characters_that_the_fonts_contain_are_not_reported(text):
    assert glyphs.find_unprintable(text) == []


@pytest.mark.parametrize(
    "character", ["\x00", "\x02", "\x07", "\x1b", "\t", "😀", "♀", "ש", "\u202e"]
)
def test_characters_that_the_fonts_lack_are_named(character):
    assert [one.character for one in glyphs.find_unprintable(f"a{character}b")] == [character]


def test_word_processors_junk_takes_its_ordinary_form_with_notice():
    typed = "\uf0b7\u00a0Pain\u00ad\r\n●\tNumb\u200bness\x07 e\u0301"
    text, notes = glyphs.normalize_text(typed)
    assert text == "• Pain\n• Numbness é"
    assert notes == [
        "Replaced Word's bullets (1).",
        "Replaced no-break spaces (1).",
        "Removed soft hyphens (1).",
        "Replaced round bullets (1).",
        "Replaced tabs (1).",
        "Removed zero-width spaces (1).",
        "Removed control characters (1).",
    ]
    assert glyphs.find_unprintable(text) == []


def test_ordinary_text_is_left_alone_without_notice():
    text = "He can lift 10 lb.\n\nShe can't.  “Two spaces” stay."
    assert glyphs.normalize_text(text) == (text, [])


def test_an_unknown_sign_stays_for_a_person_to_replace():
    assert glyphs.normalize_text("骨 \uf0f1") == ("骨 \uf0f1", [])


@given(st.text())
def test_normalizing_twice_changes_nothing_more(text):
    once, _ = glyphs.normalize_text(text)
    assert glyphs.normalize_text(once) == (once, [])


@settings(max_examples=8, deadline=None)
@given(
    st.text(st.sampled_from(sorted(glyphs.list_printable_characters())), min_size=1, max_size=300)
)
def test_whatever_is_found_printable_can_be_typeset(text):
    made = make_document(summary="A story. " + text)
    for layout in ("determination-today", "determination-2014"):
        pdf = typesetting.compile_in_subprocess(made.as_words(), layout, made.dated_on).content
        assert len(pypdfium2.PdfDocument(pdf)) >= 1


def test_every_printable_character_can_be_typeset():
    everything = " ".join(sorted(glyphs.list_printable_characters()))
    made = make_document(summary=everything, title=everything, items=())
    typesetting.compile_in_subprocess(made.as_words(), "determination-today", made.dated_on)
