"""Wording: read from files, held against declared facts, published by a person, then fixed."""

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.refusals import NotAllowed
from accounts.roles import Role
from letters import facts as fact_rules
from letters import services, wording
from letters.facts import Fact
from letters.models import WordingSet
from tests.factories import person

from . import factories as make

FILES = sorted(make.SHIPPED.glob("*.toml"))
HEAD = """
kind = "determination"
layout = "determination-today"
title = "Test wording"
"""


def list_problems(text, **options):
    with pytest.raises(wording.WordingRefused) as caught:
        wording.parse_wording_file(text, **options)
    return caught.value.problems


def make_wording_file(**fields):
    lines = [f"{name} = {value}" for name, value in fields.items()]
    return HEAD + "[[sentence]]\n" + "\n".join(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_shipped_wording_is_sample_wording_for_a_layout_of_its_own_name(path):
    read = wording.parse_wording_file(path.read_text())
    assert read.is_sample
    own = read.kind.replace("_", "-") if read.layout == "case-letter" else read.layout
    assert own == path.stem


def test_every_sentence_about_the_reviewer_rests_on_a_fact():
    for name in ("determination-today", "determination-2014"):
        read = wording.parse_wording_file(
            (make.SHIPPED / f"{name}.toml").read_text(), declared=make.DECLARED
        )
        made = [one for one in read.sentences if one.slot in {"how_made", "summary_lead_in"}]
        assert made
        assert all(one.needs for one in made)
        assert {name for one in made for name in one.needs} == set(make.PROOF)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind = ", "not a TOML file"),
        (HEAD, "has no [[sentence]]"),
        (HEAD.replace("today", "tomorrow") + '[[sentence]]\nslot="a"\ntext="b"', "no layout"),
        (make_wording_file(slot='"a"'), "has no text"),
        (make_wording_file(slot='"A b"', text='"x"'), "not a plain name"),
        (make_wording_file(slot='"a"', text='"x {y"'), "single brace"),
        (make_wording_file(slot='"a"', text='"x {Y Z}"'), "not a plain name"),
        (make_wording_file(slot='"a"', text='"x"', order="0"), "order"),
        (make_wording_file(slot='"a"', text='"x"', needs='"license"'), "needs"),
        (make_wording_file(slot='"a"', text='"x"', color='"red"'), "unknown key"),
        (make_wording_file(slot='"a"', text='"骨"'), "cannot be printed"),
        ('color = "red"\n' + make_wording_file(slot='"a"', text='"x"'), "color is not a known key"),
    ],
)
def test_a_faulty_file_is_refused_with_the_fault(text, words):
    assert any(words in one for one in list_problems(text))


def test_all_errors_of_a_file_are_reported_at_once():
    text = make_wording_file(slot='"a"', order="5", text='"x {nobody}"', needs='["absent"]')
    text += '\n[[sentence]]\nslot = "a"\norder = 5\ntext = "{license}"'
    found = list_problems(text, declared=make.DECLARED)
    assert len(found) == 4
    assert any("absent, which is not declared" in one for one in found)
    assert any("nobody, which is not declared" in one for one in found)
    assert any("the position of another sentence" in one for one in found)
    assert any("prints license, which must not be printed" in one for one in found)


def test_a_value_is_put_in_once_and_its_braces_stay():
    read = wording.parse_wording_file(
        make_wording_file(slot='"a"', text='"Say {imro_name} in {{braces}}."')
    )
    facts = [Fact("imro_name", "{case_number} {{x}}")]
    made = wording.compose_sentences(
        read.sentences, facts, declared=make.DECLARED, on=make.TODAY, variants=()
    )
    assert made.text("a") == "Say {case_number} {{x}} in {braces}."


def test_paragraphs_begin_where_a_sentence_says_so_and_notices_only_on_demand():
    text = make_wording_file(slot='"a"', order="1", text='"One."')
    text += '\n[[sentence]]\nslot = "a"\norder = 2\ntext = "Two."'
    text += '\n[[sentence]]\nslot = "a"\norder = 3\ntext = "Three."\nparagraph = true'
    text += '\n[[sentence]]\nslot = "notice_opioids"\ntext = "Careful."'
    read = wording.parse_wording_file(text)
    made = wording.compose_sentences(read.sentences, [], declared=(), on=make.TODAY)
    assert made.paragraphs("a") == ("One. Two.", "Three.")
    assert made.text("a") == "One. Two.\n\nThree."
    assert made.paragraphs("notice_opioids") == ()
    asked = wording.compose_sentences(
        read.sentences, [], declared=(), on=make.TODAY, slots=("notice_opioids",)
    )
    assert asked.text("notice_opioids") == "Careful."


def test_a_variant_without_a_sentence_is_refused():
    read = wording.parse_wording_file(
        make_wording_file(slot='"deadline"', order="1", variant='"MAIL"', text='"x"')
    )
    with pytest.raises(wording.FactsRefused, match="variant FAX"):
        wording.compose_sentences(read.sentences, [], declared=(), on=make.TODAY, variants=("FAX",))


# --- Rows --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_importing_makes_a_draft_once_and_publishing_names_a_person():
    text = FILES[0].read_text()
    first = services.import_wording(text=text, by=None, at=make.NOW)
    again = services.import_wording(text=text, by=None, at=make.NOW)
    assert first.pk == again.pk
    assert first.state == WordingSet.State.DRAFT
    assert first.sentences.count() == len(wording.parse_wording_file(text).sentences)

    director = make.director()
    made = services.publish_wording(set_id=first.pk, by=director, at=make.NOW)
    assert (made.state, made.published_by) == (WordingSet.State.PUBLISHED, director)
    assert [version.history_user for version in made.history.order_by("pk")] == [None, director]


@pytest.mark.django_db
def test_publishing_retires_the_wording_in_force_and_happens_once():
    old = make.wording()
    text = (make.SHIPPED / "determination-today.toml").read_text()
    text = text.replace("complete case file", "case file")
    new = services.import_wording(text=text, by=None, at=make.NOW)
    assert new.number == old.number + 1
    director = make.director()
    services.publish_wording(set_id=new.pk, by=director, at=make.NOW)

    old.refresh_from_db()
    assert old.state == WordingSet.State.RETIRED
    in_force = services.find_wording_in_force(kind="determination", layout="determination-today")
    assert in_force == new
    for pk in (old.pk, new.pk):
        with pytest.raises(NotAllowed, match="Import a new draft"):
            services.publish_wording(set_id=pk, by=director, at=make.NOW)


@pytest.mark.every_database
@pytest.mark.django_db
def test_the_database_allows_one_published_set():
    one = make.wording()
    other = services.import_wording(
        text=(make.SHIPPED / "determination-today.toml").read_text().replace("complete ", ""),
        by=None,
        at=make.NOW,
    )
    other.state, other.published_at, other.published_by = "PUBLISHED", make.NOW, one.published_by
    with pytest.raises(IntegrityError), transaction.atomic():
        other.store(by=None, at=make.NOW)


@pytest.mark.django_db
def test_a_missing_wording_is_reported_in_a_plain_sentence():
    with pytest.raises(services.LetterRefused, match="No wording is published"):
        services.find_wording_in_force(kind="determination", layout="determination-2014")


@pytest.mark.django_db
def test_a_file_is_held_against_the_facts_that_were_declared(monkeypatch):
    monkeypatch.setattr(fact_rules, "_declared", {"determination": make.DECLARED})
    text = make_wording_file(slot='"a"', text='"x"', needs='["shoe_size"]')
    with pytest.raises(services.WordingRefused, match="shoe_size"):
        services.import_wording(text=text, by=None, at=make.NOW)


@pytest.mark.django_db
def test_the_command_imports_and_publishes_in_a_persons_name(capsys, tmp_path):
    director = make.director(email="director@example.org")
    call_command("import_wording", *map(str, FILES), "--publish-as", director.email)
    assert capsys.readouterr().out.count("published") == len(FILES)

    clerk = person(Role.INTAKE, email="clerk@example.org")
    with pytest.raises(CommandError, match="may not publish"):
        call_command("import_wording", str(FILES[0]), "--publish-as", clerk.email)
    broken = tmp_path / "broken.toml"
    broken.write_text("kind = 1")
    with pytest.raises(CommandError, match="broken.toml: kind is missing"):
        call_command("import_wording", str(broken))


def test_a_wording_file_has_one_fingerprint_for_its_content():
    read = wording.parse_wording_file(FILES[0].read_text())
    changed = replace(read.sentences[0], text="Other words.")
    other = replace(read, sentences=(changed, *read.sentences[1:]))
    assert read.sha256 == wording.parse_wording_file(FILES[0].read_text()).sha256 != other.sha256
