"""The PDF: says what was typed, carries what it should and nothing else, and is always the same."""

import io
import json
import multiprocessing
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from letters import documents, typesetting, wording
from letters.documents import Analysis, Credentials
from letters.facts import Fact, FactName

from . import factories as make

LAYOUTS = Path(typesetting.LAYOUTS)
HOSTILE = [
    '#read("/etc/passwd")',
    '#read("../wording/determination-today.toml")',
    '#import "@preview/evil:1.0.0": *',
    '#eval("1+1")',
    "{{ x }} {% include 'secret' %} ${7*7}",
    "<script>alert(1)</script> &amp; <b>",
    r"\ \\ \u{41} \#",
    "$x$ $ sum_(i=1)^n i $",
    "@ref <label> ~ ' \" ` ```raw```",
    "*bold* _emph_ = Heading",
    "- list + enum / term: x",
    "-- --- ... // comment /* comment */ https://example.org/a-b?c=d#e",
    "x̄ é ñ • § ≥ ≤ ½ ° µ α β – — “quoted” ‘it’s’ … ™ ® ☐ ✓ → ²",
]


def document(layout="determination-today", **changes):
    """A determination on the shipped wording, without a database."""
    read = wording.parse_wording_file((make.SHIPPED / f"{layout}.toml").read_text())
    composed = wording.compose_sentences(
        read.sentences, make.facts(), declared=make.DECLARED, on=make.TODAY, variants=("MD",)
    )
    made = make.determination(composed, **changes)
    return documents.attach_facts(made, {"case_number": made.case_number})


def compiled(made, layout="determination-today"):
    assert documents.find_document_problems(made, layout) == []
    return typesetting.compile_in_subprocess(made.as_words(), layout, made.dated_on).content


def printed(pdf):
    pages = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


def opened(pdf):
    return pikepdf.open(io.BytesIO(pdf))


def tags(pdf):
    """The structure tags of a PDF, in reading order."""
    found = []

    def walk(node):
        if isinstance(node, pikepdf.Array):
            for inner in node:
                walk(inner)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                found.append(str(node["/S"]))
            if "/K" in node:
                walk(node["/K"])

    kept = opened(pdf)
    walk(kept.Root.StructTreeRoot.K)
    return found


@pytest.mark.parametrize("layout", ["determination-today", "determination-2014"])
def test_typed_text_is_printed_as_typed(layout):
    rationale = "\n\n".join(HOSTILE)
    item = make.item(title="#pagebreak() *x* $y$", analyses=(Analysis(HOSTILE[0], rationale),))
    made = document(layout, summary=rationale, items=(item,))
    # x with a macron above is two characters that NFC cannot join; the fonts hold both.
    text = printed(compiled(made, layout))
    for line in [*HOSTILE[:-1], "#pagebreak() *x* $y$: Upheld"]:
        assert line in text, line
    assert "“quoted” ‘it’s’ … ™ ® ☐ ✓ → ²" in text
    assert "root:x:" not in text


def test_the_letter_has_its_sections_in_order():
    text = printed(compiled(document()))
    order = [
        "Independent Medical Review Final Determination",
        "Case Number CM26-0000001",
        "Date Assigned 02/02/2026",
        "Date of Injury 05/01/2024",
        "Decision Date 03/02/2026",
        "UR Denial Date 12/20/2025",
        "Priority Regular",
        "Application Received 01/05/2026",
        "HOW THE IMR FINAL DETERMINATION WAS MADE",
        "State(s) of Licensure: California",
        "Certification(s)/Specialty: Physical Medicine & Rehabilitation",
        "CLINICAL CASE SUMMARY",
        "IMR ISSUES, DECISIONS AND RATIONALES",
        "Cervical epidural steroid injection at C3-C4 under fluoroscopy: Upheld",
        "Claims Administrator guideline: MTUS",
        "GSMR guideline: MTUS",
        "Decision rationale: The relief",
    ]
    places = [text.find(part) for part in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)


def test_several_reviewers_each_have_their_credentials_and_analysis():
    analyses = (
        Analysis("MTUS one.", "Why one.", reviewer="Reviewer 1", outcome="Upheld"),
        Analysis("MTUS two.", "Why two.", reviewer="Reviewer 2", outcome="Overturned"),
    )
    made = document(
        items=(make.item(analyses=analyses, separator=" is:", notices=("A notice.",)),),
        credentials=(
            Credentials("Pain Management", "Texas,Florida", "Reviewer 1"),
            Credentials("Neurology", "California", "Reviewer 2"),
        ),
    )
    text = printed(compiled(made))
    assert "fluoroscopy is: Upheld" in text
    assert "State(s) of Licensure: Texas,Florida" in text
    assert text.index("Reviewer 1: Upheld") < text.index("Why one.")
    assert text.index("Why one.") < text.index("Reviewer 2: Overturned") < text.index("Why two.")
    assert text.index("Why two.") < text.index("A notice.")


@pytest.mark.parametrize("variant", ["MAIL", "ELECTRONIC", "EXPEDITED"])
def test_a_notice_contains_what_the_rule_requires_and_the_period_of_its_channel(variant):
    read = wording.parse_wording_file((make.SHIPPED / "assignment-notice.toml").read_text())
    facts = [
        *make.facts(),
        Fact("imro_phone", "(800) 555-0100"),
        Fact("found_eligible", True),
    ]
    declared = (
        *make.DECLARED,
        FactName("imro_phone", "Telephone", printed=True),
        FactName("found_eligible", "Finding of eligibility", printed=False),
    )
    composed = wording.compose_sentences(
        read.sentences, facts, declared=declared, on=make.TODAY, variants=(variant,)
    )
    made = make.notice(composed, rfa_date=date(2025, 12, 1))
    text = printed(compiled(made, "assignment-notice"))
    for part in [
        "Pacific Claims 1 Main Street",
        "Norco 10/325mg #60",
        "Request for Authorization 12/01/2025",
        "UR Decision Date 12/20/2025",
        "Requesting Physician A. Sample, M.D.",
        "administrative penalties",
        "A. Every report",
        "D. All materials that the employee",
    ]:
        assert part in text, part
    periods = {"MAIL": "15 days", "ELECTRONIC": "12 days", "EXPEDITED": "24 hours"}
    assert {name for name, period in periods.items() if period in text} == {variant}


def test_the_pdf_is_tagged_titled_and_in_its_language():
    pdf = compiled(document())
    kept = opened(pdf)
    root = kept.Root
    assert str(root.Lang) == "en-US"
    assert bool(root.MarkInfo.Marked)
    assert bool(root.ViewerPreferences.DisplayDocTitle)
    found = tags(pdf)
    assert found.count("/H1") == 3
    assert found.count("/H2") == 1
    with kept.open_metadata() as meta:
        assert meta["pdfaid:part"] == "3"
        assert meta["pdfaid:conformance"] == "A"
        assert meta["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"


def test_metadata_names_the_organization_and_no_one_else():
    pdf = opened(compiled(document()))
    info = {name: str(value) for name, value in pdf.docinfo.items()}
    title = "Independent Medical Review Final Determination, Case Number CM26-0000001"
    assert info == {
        "/Title": title,
        "/Subject": title,
        "/Author": "Golden State Medical Review",
        "/Keywords": "CM26-0000001",
        "/Creator": info["/Creator"],
        "/CreationDate": "D:20260302120000Z",
        "/ModDate": "D:20260302120000Z",
    }
    assert info["/Creator"].startswith("Typst")


def test_the_attachment_holds_the_printed_facts_alone():
    pdf = opened(compiled(document()))
    assert list(pdf.attachments) == ["facts.json"]
    content = pdf.attachments["facts.json"].get_file().read_bytes()
    assert json.loads(content) == {"case_number": "CM26-0000001"}


def test_the_same_words_give_the_same_bytes_in_any_process_zone_and_hash_seed():
    words = document().as_words()
    job = json.dumps({"words": words, "layout": "determination-today", "on": "2026-03-02"})
    made = {
        subprocess.run(
            [sys.executable, "-m", "letters.typesetting"],
            input=job.encode(),
            capture_output=True,
            check=True,
            cwd=make.ROOT,
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed},
        ).stdout
        for zone, seed in [("UTC", "1"), ("Asia/Tokyo", "2"), ("America/Los_Angeles", "3")]
    }
    assert len(made) == 1


def test_other_words_or_another_day_give_other_bytes():
    made = document()
    pdf = compiled(made)
    assert pdf != compiled(replace(made, summary="Another story."))
    assert pdf != compiled(replace(made, dated_on=date(2026, 3, 3)))


def test_words_survive_being_stored():
    made = document(items=(make.item(notices=("One.",)),))
    stored = json.loads(json.dumps(made.as_words()))
    assert documents.from_words(stored) == made
    assert documents.words_sha256(stored) == documents.words_sha256(made.as_words())


def test_codes_and_dates_are_not_torn_apart_at_the_end_of_a_line():
    item = make.item(analyses=(Analysis("MTUS.", "x C3-C4 10/325mg 06/20/2014 " * 60),))
    text = printed(compiled(document(items=(item,))))
    assert text.count("C3-C4 10/325mg 06/20/2014") == 60


@pytest.mark.parametrize("layout", ["determination-today", "determination-2014"])
def test_two_spaces_after_a_period_print_as_one(layout):
    def made(gap):
        item = make.item(
            title=f"MRI{gap}of the neck",
            claims_administrator_guideline=f"MTUS.{gap}ODG.",
            analyses=(Analysis(f"MTUS.{gap}ODG.", f"No.{gap}Never."),),
            notices=(f"Careful.{gap}Ask.",),
        )
        return compiled(document(layout, summary=f"She fell.{gap}It hurt.", items=(item,)), layout)

    assert made("  ") == made(" ")


def test_a_very_long_word_without_a_space_still_fits_the_page():
    item = make.item(analyses=(Analysis("MTUS.", "ab-" * 400),))
    pdf = pypdfium2.PdfDocument(compiled(document(items=(item,))))
    width = pdf[0].get_width()
    for page in pdf:
        text = page.get_textpage()
        boxes = [text.get_charbox(number) for number in range(text.count_chars())]
        assert max(right for _, _, right, _ in boxes) < width - 36


def test_an_unknown_layout_is_refused_without_reading_anything():
    for layout in ["_letter", "../wording/x", "nothing"]:
        with pytest.raises(typesetting.TypesettingFailed):
            typesetting.compile_in_subprocess(document().as_words(), layout, make.TODAY)


def test_a_character_that_slips_through_raises_instead_of_printing_a_box():
    words = document().as_words()
    words["summary"] = "骨"
    with pytest.raises(typesetting.TypesettingFailed, match="cannot be typeset"):
        typesetting.compile_in_subprocess(words, "determination-today", make.TODAY)


def test_a_caller_may_fork_after_a_letter_was_typeset():
    compiled(document())
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=compiled, args=(document(),))
    child.start()
    child.join(30)
    assert child.exitcode == 0


FORBIDDEN = re.compile(
    r"\beval\(|\bread\(|@preview|\bplugin\(|#import \"(?!_letter\.typ\")|#include"
)


@pytest.mark.parametrize("path", sorted(LAYOUTS.glob("*.typ")), ids=lambda path: path.name)
def test_no_layout_reads_files_or_runs_text(path):
    source = "\n".join(
        line for line in path.read_text().splitlines() if not line.lstrip().startswith("//")
    )
    assert not FORBIDDEN.search(source)
    assert source.count("json(") == (1 if path.name == "_letter.typ" else 0)
