"""The PDF: says what was typed, carries what it should and nothing else, and is always the same."""

import hashlib
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


def make_document(layout="determination-today", **changes):
    """A determination on the shipped wording, without a database."""
    read = wording.parse_wording_file((make.SHIPPED / f"{layout}.toml").read_text())
    composed = wording.compose_sentences(
        read.sentences, make.facts(), declared=make.DECLARED, on=make.TODAY, variants=("MD",)
    )
    made = make.determination(composed, **changes)
    return documents.attach_facts(made, {"case_number": made.case_number})


def compile_document(made, layout="determination-today"):
    assert documents.find_document_problems(made, layout) == []
    return typesetting.compile_in_subprocess(made.as_words(), layout, made.dated_on).content


def read_pdf_text(pdf):
    pages = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


def open_pdf(pdf):
    return pikepdf.open(io.BytesIO(pdf))


def list_structure_tags(pdf):
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

    kept = open_pdf(pdf)
    walk(kept.Root.StructTreeRoot.K)
    return found


@pytest.mark.parametrize("layout", ["determination-today", "determination-2014"])
def test_typed_text_is_printed_as_typed(layout):
    rationale = "\n\n".join(HOSTILE)
    item = make.item(title="#pagebreak() *x* $y$", analyses=(Analysis(HOSTILE[0], rationale),))
    made = make_document(layout, summary=rationale, items=(item,))
    # x with a macron above is two characters that NFC cannot join; the fonts hold both.
    text = read_pdf_text(compile_document(made, layout))
    for line in [*HOSTILE[:-1], "#pagebreak() *x* $y$: Upheld"]:
        assert line in text, line
    assert "“quoted” ‘it’s’ … ™ ® ☐ ✓ → ²" in text
    assert "root:x:" not in text


def test_the_letter_has_its_sections_in_order():
    text = read_pdf_text(compile_document(make_document()))
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
    made = make_document(
        items=(make.item(analyses=analyses, separator=" is:", notices=("A notice.",)),),
        credentials=(
            Credentials("Pain Management", "Texas,Florida", "Reviewer 1"),
            Credentials("Neurology", "California", "Reviewer 2"),
        ),
    )
    text = read_pdf_text(compile_document(made))
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
    text = read_pdf_text(compile_document(made, "assignment-notice"))
    for part in [
        "Pacific Claims 1 Main Street",
        "Norco 10/325mg #60",
        "Request for Authorization 12/01/2025",
        "Utilization Review Decision 12/20/2025",
        "Requesting Physician A. Sample, M.D.",
        "administrative penalties",
        "A. Every report",
        "D. All materials that the injured worker",
    ]:
        assert part in text, part
    periods = {"MAIL": "15 days", "ELECTRONIC": "12 days", "EXPEDITED": "24 hours"}
    assert {name for name, period in periods.items() if period in text} == {variant}


def test_the_pdf_is_tagged_titled_and_in_its_language():
    pdf = compile_document(make_document())
    kept = open_pdf(pdf)
    root = kept.Root
    assert str(root.Lang) == "en-US"
    assert bool(root.MarkInfo.Marked)
    assert bool(root.ViewerPreferences.DisplayDocTitle)
    found = list_structure_tags(pdf)
    assert found.count("/H1") == 3
    assert found.count("/H2") == 1
    with kept.open_metadata() as meta:
        assert meta["pdfaid:part"] == "3"
        assert meta["pdfaid:conformance"] == "A"
        assert meta["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"


def test_metadata_names_the_organization_and_no_one_else():
    pdf = open_pdf(compile_document(make_document()))
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


def test_the_attachment_contains_only_the_printed_facts():
    pdf = open_pdf(compile_document(make_document()))
    assert list(pdf.attachments) == ["facts.json"]
    content = pdf.attachments["facts.json"].get_file().read_bytes()
    assert json.loads(content) == {"case_number": "CM26-0000001"}


def test_the_same_text_gives_the_same_bytes_in_any_process_zone_and_hash_seed():
    words = make_document().as_words()
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


def test_other_text_or_another_day_gives_other_bytes():
    made = make_document()
    pdf = compile_document(made)
    assert pdf != compile_document(replace(made, summary="Another story."))
    assert pdf != compile_document(replace(made, dated_on=date(2026, 3, 3)))


def test_text_is_the_same_after_it_is_stored():
    made = make_document(items=(make.item(notices=("One.",)),))
    stored = json.loads(json.dumps(made.as_words()))
    assert documents.from_words(stored) == made
    assert documents.words_sha256(stored) == documents.words_sha256(made.as_words())


def test_codes_and_dates_are_not_torn_apart_at_the_end_of_a_line():
    item = make.item(analyses=(Analysis("MTUS.", "x C3-C4 10/325mg 06/20/2014 " * 60),))
    text = read_pdf_text(compile_document(make_document(items=(item,))))
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
        return compile_document(
            make_document(layout, summary=f"She fell.{gap}It hurt.", items=(item,)), layout
        )

    assert made("  ") == made(" ")


def test_a_telephone_number_and_a_code_stay_whole_wherever_the_line_ends():
    """Each word before them moves the end of the line by some points."""
    kept = ["(800) 555-0100", "C3-C4", "10/325mg", "06/20/2014", "L5–S1"]
    for words in range(0, 20, 5):
        sentence = "ab " * words + " ".join(kept * 12)
        item = make.item(title=" ".join(kept * 4), analyses=(Analysis("MTUS.", sentence),))
        made = make_document(items=(item,), documents_reviewed=(" ".join(kept * 6),))
        text = "\n".join(read_pdf_lines(compile_document(made)))
        for part in kept:
            assert text.count(part) >= 22, (words, part)


def read_pdf_lines(pdf):
    return [
        line.rstrip()
        for page in pypdfium2.PdfDocument(pdf)
        for line in page.get_textpage().get_text_range().splitlines()
    ]


@pytest.mark.parametrize(
    ("typed", "prepared"),
    [
        ("Take 10/325mg.", "Take <10/325mg.>"),
        ("C3-C4, C4-C5", "<C3-C4,> <C4-C5>"),
        ("Call (800) 555-0100 now", "Call <(800) 555-0100> now"),
        ("-dash- and - and a-", "-dash- and - and a-"),
        ("one  two \n three\n \n\n four ", "one two\nthree\n\nfour"),
        ("A-" + "b" * 23, "A-" + "b" * 23),  # 25 characters: too long to stay whole
        ("x" * 10_000 + "-y", "x" * 10_000 + "-y"),
        ("a\x02b C3-\x02C4", "ab <C3-C4>"),
    ],
)
def test_python_marks_what_stays_whole(typed, prepared):
    marked = prepared.replace("<", typesetting.MARK).replace(">", typesetting.MARK)
    assert typesetting.prepare_text(typed) == marked


@pytest.mark.parametrize("layout", sorted(typesetting.NEWEST_FILES))
def test_a_code_in_any_part_of_a_letter_is_printed_as_typed(layout):
    """The mark is a character that no font has, so a part that is not unmarked would fail."""
    words = fill_with_codes(words_of_kind(layout))
    pdf = typesetting.compile_in_subprocess(words, layout, make.TODAY).content
    text = read_pdf_text(pdf)
    assert typesetting.MARK not in text
    assert "C3-C4 (800) 555-0100 10/325mg" in text
    kept = open_pdf(pdf)
    attached = kept.attachments["facts.json"].get_file().read_bytes()
    assert json.loads(attached) == words["facts"]


def words_of_kind(layout):
    """The words of one letter in a layout."""
    if layout.startswith("determination"):
        return make_document(layout, documents_reviewed=("A report.",)).as_words()
    if layout == "assignment-notice":
        read = wording.parse_wording_file((make.SHIPPED / "assignment-notice.toml").read_text())
        composed = wording.compose_sentences(
            read.sentences,
            [*make.facts(), Fact("found_eligible", True)],
            declared=(*make.DECLARED, FactName("found_eligible", "Eligibility", printed=False)),
            on=make.TODAY,
            variants=("MAIL",),
        )
        return make.notice(composed, ur_reference="UR-1", facts={"a": "b"}).as_words()
    return documents.CaseLetterDocument(
        kind="acknowledgment",
        title="Letter",
        heading="We Have Received Your Application",
        organization=make.ORGANIZATION,
        dated_on=make.TODAY,
        case_number="CM26-0000001",
        recipient=documents.Recipient("Employee", "Maria Example", ("1 Main Street",)),
        way="By mail",
        employee="Maria Example",
        opening=("We have it.",),
        sections=(documents.Section("Next", ("What follows:",), ("A step.",)),),
        closing=("Yours.",),
        copies_to=("Attorney",),
        facts={"a": "b"},
    ).as_words()


def fill_with_codes(value, name=""):
    """The same words with codes and a telephone number in every text."""
    codes = "C3-C4 (800) 555-0100 10/325mg"
    if isinstance(value, dict):
        return {inner: fill_with_codes(part, inner) for inner, part in value.items()}
    if isinstance(value, list):
        return [fill_with_codes(part, name) for part in value]
    is_day = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)
    if not isinstance(value, str) or is_day or name in {"kind", "language"}:
        return value
    return f"{value} {codes}".strip()


@pytest.mark.parametrize("layout", sorted(typesetting.NEWEST_FILES))
@pytest.mark.parametrize("copies", [1, 40])
def test_the_number_of_pages_is_known_without_opening_the_pdf(layout, copies, monkeypatch):
    words = words_of_kind(layout)
    name = next(part for part in ("items", "records", "sections") if part in words)
    # Words that look like the page tree of a PDF, in the texts and in the attachment.
    words["facts"] = {"a": "<</Type/Pages/Count 9/Kids", "b": "/Type/Page " * 40}
    words["title"] = "1 0 obj <</Type/Pages/Count 7/Kids /Type/Page"
    words[name] = words[name] * copies
    made = typesetting.compile_in_subprocess(words, layout, make.TODAY)
    assert made.pages == len(open_pdf(made.content).pages)
    assert (made.pages > 3) == (copies > 1)
    # The library is not asked; it is there for another version of Typst.
    monkeypatch.setattr(pikepdf, "open", None)
    assert typesetting.count_pages(made.content) == made.pages


def test_a_pdf_of_another_writer_is_opened_to_count_its_pages():
    assert typesetting.count_pages(make.stand_in({}, "x", make.TODAY).content) == 1


def test_a_layout_that_gives_other_bytes_has_another_name():
    """Letters that were issued keep the name of their layout, which must keep its bytes.

    If this fails after a change of a layout, a font or Typst, the files of the layouts need the
    next number, and the list below the digests of the new files.
    """
    known = dict(
        line.split() for line in (Path(__file__).parent / "layouts.txt").read_text().splitlines()
    )
    made = {
        file: hashlib.sha256(
            typesetting.compile_in_subprocess(words_of_kind(layout), file, make.TODAY).content
        ).hexdigest()
        for layout, file in typesetting.NEWEST_FILES.items()
    }
    assert made == {file: known[file] for file in made}


def test_a_very_long_word_without_a_space_still_fits_the_page():
    item = make.item(analyses=(Analysis("MTUS.", "ab-" * 400),))
    pdf = pypdfium2.PdfDocument(compile_document(make_document(items=(item,))))
    width = pdf[0].get_width()
    for page in pdf:
        text = page.get_textpage()
        boxes = [text.get_charbox(number) for number in range(text.count_chars())]
        assert max(right for _, _, right, _ in boxes) < width - 36


def test_long_names_and_numbers_stay_in_their_column_and_in_order():
    read = wording.parse_wording_file((make.SHIPPED / "assignment-notice.toml").read_text())
    composed = wording.compose_sentences(
        read.sentences,
        [*make.facts(), Fact("found_eligible", True)],
        declared=(*make.DECLARED, FactName("found_eligible", "Eligibility", printed=False)),
        on=make.TODAY,
        variants=("MAIL",),
    )
    made = make.notice(
        composed,
        requesting_physician="Bartholomew Featherstonehaugh-Cholmondeley, M.D., QME",
        claim_number="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH",
    )
    pdf = compile_document(made, "assignment-notice")
    shown = read_pdf_text(pdf)
    # At the end of a line, a PDF reader may leave out the hyphen.
    places = [shown.index(part) for part in ("Featherstonehaugh", "Cholmondeley", "M.D., QME")]
    assert places == sorted(places)
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage()
    whole = text.get_text_range()
    start = whole.index("ABCDEFGH")
    boxes = [text.get_charbox(number) for number in range(start, start + 20)]
    next_column = text.get_charbox(whole.index("Utilization Review Decision"))[0]
    assert max(right for _, _, right, _ in boxes) < next_column


def test_what_introduces_a_text_is_on_the_page_of_that_text():
    # One of these lengths leaves room for the lead-in alone at the end of the first page.
    for length in range(0, 40):
        read = tuple(f"Report {number}" for number in range(length))
        pages = [
            page.get_textpage().get_text_range()
            for page in pypdfium2.PdfDocument(
                compile_document(make_document(documents_reviewed=read))
            )
        ]
        (lead_in,) = [page for page in pages if "developed this clinical case summary" in page]
        assert "A clerk aged 46" in lead_in


def test_an_unknown_layout_is_refused_without_reading_anything():
    for layout in ["_letter", "_letter.2", "../wording/x", "nothing"]:
        with pytest.raises(typesetting.TypesettingFailed):
            typesetting.compile_in_subprocess(make_document().as_words(), layout, make.TODAY)


def test_a_character_that_slips_through_raises_instead_of_printing_a_box():
    words = make_document().as_words()
    words["summary"] = "骨"
    with pytest.raises(typesetting.TypesettingFailed, match="cannot be typeset"):
        typesetting.compile_in_subprocess(words, "determination-today", make.TODAY)


def test_a_caller_may_fork_after_a_letter_was_typeset():
    compile_document(make_document())
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=compile_document, args=(make_document(),))
    child.start()
    child.join(30)
    assert child.exitcode == 0


FORBIDDEN = re.compile(
    r"\beval\(|\bread\(|@preview|\bplugin\(|#import \"(?!_letter\.\d\.typ\")|#include"
)


@pytest.mark.parametrize("path", sorted(LAYOUTS.glob("*.typ")), ids=lambda path: path.name)
def test_no_layout_reads_files_or_runs_text(path):
    source = "\n".join(
        line for line in path.read_text().splitlines() if not line.lstrip().startswith("//")
    )
    assert not FORBIDDEN.search(source)
    assert source.count("json(") == (1 if path.name.startswith("_letter.") else 0)
    # A show rule with a regular expression took 60 % of the time and memory of a letter.
    assert "regex" not in source
