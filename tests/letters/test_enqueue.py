"""A letter exists only if its words are true, printable and shown, and then they never change."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from letters import services
from letters.documents import Analysis
from letters.facts import Fact
from letters.models import Letter, LetterFact, LetterStep, Service

from . import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def wording():
    return make.wording()


def list_problems(act):
    with pytest.raises(services.LetterRefused) as caught:
        act()
    assert Letter.objects.count() == 0
    return caught.value.problems


def test_a_letter_is_queued_with_its_text_facts_recipients_and_first_step(wording):
    letter = make.enqueue(wording)

    assert letter.state == Letter.State.QUEUED
    assert letter.file_name == "CM26-0000001-determination-1.pdf"
    assert letter.words["items"][0]["outcome"] == "Upheld"
    assert letter.facts["imro_name"] == "Golden State Medical Review"
    assert [step.kind for step in letter.steps.all()] == [LetterStep.Kind.QUEUED]
    assert Service.objects.get(letter=letter).address == "2 Oak Lane"
    assert LetterFact.objects.filter(letter=letter, printed=False).count() == len(make.PROOF)


def test_proof_facts_are_not_in_the_text(wording):
    letter = make.enqueue(wording)

    assert "PROOF-" not in str(letter.words)
    assert "PROOF-" not in str(letter.facts)
    assert LetterFact.objects.get(letter=letter, name="license").value == "PROOF-license"


@pytest.mark.parametrize("name", [*make.PROOF, "imro_name"])
def test_each_missing_fact_is_named(wording, name):
    document = make.determination(make.composed(wording))
    found = list_problems(
        lambda: make.enqueue(wording, document=document, facts=make.facts(**{name: None}))
    )
    label = name.replace("_", " ").capitalize()
    assert found == [f"{label} ({name}) is not on record."]


def test_all_missing_lapsed_and_unknown_facts_are_named_at_once(wording):
    document = make.determination(make.composed(wording))
    facts = make.facts(
        license=Fact("license", "active", valid_to=date(2026, 3, 1)),
        practice_hours=Fact("practice_hours", "24", valid_from=date(2026, 3, 3)),
        training_law=None,
        no_affiliation_employer=Fact("no_affiliation_employer", False),
    )
    facts.append(Fact("shoe_size", "42"))

    found = list_problems(lambda: make.enqueue(wording, document=document, facts=facts))

    assert set(found) == {
        "Training law (training_law) is not on record.",
        "License (license) expired on 03/01/2026.",
        "Practice hours (practice_hours) is valid only from 03/03/2026, not on 03/02/2026.",
        "No affiliation employer (no_affiliation_employer) does not hold.",
        "The fact shoe_size is not declared for this kind of letter.",
    }


def test_a_fact_is_in_force_on_its_last_day(wording):
    facts = make.facts(license=Fact("license", "active", valid_to=make.TODAY))
    assert make.enqueue(wording, facts=facts)


def test_a_doctor_needs_a_board_and_another_clinician_a_scope(wording):
    without_board = make.facts(board_certification=None)
    chiropractor = services.compose_wording(
        wording_set=wording, facts=without_board, declared=make.DECLARED, on=make.TODAY,
        variants=("DC",),
    )  # fmt: skip
    assert "scope" in chiropractor.text("how_made")
    assert make.enqueue(
        wording,
        document=make.determination(chiropractor),
        facts=without_board,
        variants=("DC",),
    )
    with pytest.raises(services.LetterRefused, match="Board certification"):
        services.compose_wording(
            wording_set=wording, facts=without_board, declared=make.DECLARED, on=make.TODAY,
            variants=("DO",),
        )  # fmt: skip


def test_each_of_several_reviewers_needs_facts_of_their_own(wording):
    shared = make.facts(license=None)
    both = [*shared, Fact("license", "A", about="seat 1"), Fact("license", "B", about="seat 2")]
    document = make.determination(make.composed(wording))
    choices = {"seat 1": ("MD",), "seat 2": ("MD",)}

    letter = make.enqueue(wording, document=document, facts=both, variants=choices)
    assert set(letter.fact_rows.filter(name="license").values_list("about", flat=True)) == {
        "seat 1",
        "seat 2",
    }

    lapsed = replace(both[-1], valid_to=date(2026, 1, 31))
    with pytest.raises(services.LetterRefused, match=r"seat 2, expired on 01/31/2026"):
        make.enqueue(
            wording, document=document, facts=[*both[:-1], lapsed], variants=choices, version=2
        )


def test_a_document_that_leaves_out_or_changes_a_fixed_sentence_is_refused(wording):
    composed = make.composed(wording)
    (paragraph,) = composed.paragraphs("how_made")
    changed = paragraph.replace("no affiliation", "an affiliation")
    document = make.determination(composed, how_made=(changed,))
    (found,) = list_problems(lambda: make.enqueue(wording, document=document))
    assert "leaves out a sentence of its wording" in found


def test_a_draft_is_not_wording_and_a_set_serves_only_its_layout(wording):
    draft = services.import_wording(
        text=(make.SHIPPED / "determination-2014.toml").read_text(), by=None, at=make.NOW
    )
    found = list_problems(
        lambda: make.enqueue(
            draft,
            layout="determination-today",
            document=make.determination(make.composed(draft)),
        )
    )
    assert any("is not published" in one for one in found)
    assert any("is not wording for the layout" in one for one in found)


def test_sample_wording_writes_no_letter_where_it_is_not_allowed(wording, settings):
    settings.ALLOW_SAMPLE_WORDING = False
    found = list_problems(lambda: make.enqueue(wording))
    assert any("is sample wording" in one for one in found)
    with pytest.raises(services.LetterRefused, match="sample wording"):
        services.find_wording_in_force(kind="determination", layout="determination-today")


def test_a_character_that_the_fonts_lack_is_named_with_its_place(wording):
    rationale = "The range of motion 骨 is shown as \uf0f1."
    item = make.item(analyses=(Analysis("MTUS.", rationale),))
    document = make.determination(make.composed(wording), items=(item,))
    found = list_problems(lambda: make.enqueue(wording, document=document))
    assert len(found) == 2
    assert "decision rationale" in found[0]
    assert "U+9AA8) at character 21" in found[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"summary": "  "}, "The letter has no clinical case summary."),
        ({"items": ()}, "The letter decides no item."),
        ({"date_of_injury": None}, "The letter has no date of injury."),
        ({"credentials": ()}, "The letter has no credentials of the reviewer."),
        (
            {"items": (make.item(outcome="Modified"),)},
            "Item 1 is neither Overturned nor Upheld, but 'Modified'.",
        ),
        (
            {"items": (make.item(analyses=(Analysis("MTUS.", ""),)),)},
            "Item 1 has no decision rationale.",
        ),
    ],
)
def test_an_incomplete_document_is_refused_with_the_missing_parts(wording, change, sentence):
    document = make.determination(make.composed(wording), **change)
    assert list_problems(lambda: make.enqueue(wording, document=document)) == [sentence]


def test_issuing_needs_a_preview_of_exactly_this_text(wording):
    document = make.determination(make.composed(wording))
    required = {"document": document, "require_preview": True}
    assert list_problems(lambda: make.enqueue(wording, **required)) == [
        "The current text has not been shown in the preview. Open the preview first."
    ]

    handed = {"facts": make.facts(), "declared": make.DECLARED, "layout": wording.layout}
    first = services.preview_document(document=document, by=None, at=make.NOW, **handed)
    again = services.preview_document(document=document, by=None, at=make.NOW, **handed)
    assert first == again
    assert first.pages == 2

    other = replace(document, summary=document.summary + " More.")
    with pytest.raises(services.LetterRefused, match="preview"):
        make.enqueue(wording, document=other, require_preview=True)
    assert make.enqueue(wording, **required)


def test_the_same_letter_cannot_be_written_twice(wording):
    make.enqueue(wording)
    with pytest.raises(services.LetterRefused, match="already exists"):
        make.enqueue(wording)
    assert make.enqueue(wording, version=2)
    assert make.enqueue(wording, variant="MAIL")


def test_a_letter_is_gone_when_the_act_around_it_fails(wording):
    class ActFailed(Exception):
        pass

    def act():
        with transaction.atomic():
            make.enqueue(wording)
            raise ActFailed

    with pytest.raises(ActFailed):
        act()
    assert not Letter.objects.exists()


@pytest.mark.every_database
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("words", "{}"),
        ("words_sha256", "0"),
        ("facts", "{}"),
        ("reference", "CM26-0000002"),
        ("dated_on", "2026-03-03"),
        ("title", "Another"),
        ("file_name", "name.pdf"),
        ("layout", "determination-2014"),
    ],
)
def test_the_database_refuses_to_change_frozen_text(wording, column, value):
    make.enqueue(wording)
    with (
        pytest.raises(DatabaseError, match="frozen"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE letters_letter SET {column} = %s", [value])


@pytest.mark.every_database
@pytest.mark.parametrize("table", ["letters_letter", "letters_wordingset", "letters_service"])
def test_the_database_refuses_to_remove_letters_wording_and_deliveries(wording, table):
    make.enqueue(wording)
    with (
        pytest.raises(DatabaseError, match="frozen"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DELETE FROM {table}")


@pytest.mark.every_database
def test_a_filed_letter_changes_in_nothing(wording):
    letter = make.file_letter(make.enqueue(wording))
    assert letter.state == Letter.State.FILED
    with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(pages=9)


@pytest.mark.every_database
def test_a_sentence_in_the_database_cannot_be_reworded(wording):
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE letters_wordingsentence SET text = 'Other words.'")
