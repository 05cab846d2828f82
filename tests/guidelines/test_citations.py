"""How authorities are summed up and printed. Phrases are those that published letters share."""

import re
from pathlib import Path

import pytest

from guidelines.citations import Citation, compose_citation_line, describe_authority

SHARED = Path(__file__).resolve().parents[3] / "shared" / "letters"
needs_shared = pytest.mark.skipif(
    not SHARED.exists(), reason="needs the reference letters beside the project"
)

BACK = Citation(source="MTUS", mtus=True, chapter="Low Back Complaints", edition="2004",
                sections=("Special Studies", "Summary"))  # fmt: skip
HAND = Citation(source="MTUS", mtus=True, chapter="Forearm, Wrist, and Hand Complaints",
                edition="2004")  # fmt: skip
OPIOIDS = Citation(source="MTUS", mtus=True, chapter="Opioid Treatment", edition="2016",
                   edition_suffix="Guidelines", sections=("4.1 Tapering",))  # fmt: skip
ODG = Citation(source="Official Disability Guidelines (ODG)", chapter="Low Back",
               as_printed="ODG, Low Back (updated 12/20/16)")  # fmt: skip
WEB = Citation(source="Web page", as_printed="www.example.org, read 01/02/2017")
WHO = "The Expert Reviewer"


@pytest.mark.parametrize(
    ("citations", "printed"),
    [
        (
            [BACK],
            "Decision based on MTUS Low Back Complaints 2004, "
            "Section(s): Special Studies, Summary.",
        ),
        (
            [BACK, HAND],
            "Decision based on MTUS Low Back Complaints 2004, Section(s): Special Studies, "
            "Summary, and Forearm, Wrist, and Hand Complaints 2004.",
        ),
        (
            [OPIOIDS],
            "Decision based on MTUS Opioid Treatment 2016 Guidelines, Section(s): 4.1 Tapering.",
        ),
        (
            [HAND, ODG],
            "Decision based on MTUS Forearm, Wrist, and Hand Complaints 2004. "
            "Decision based on Non-MTUS Citation ODG, Low Back (updated 12/20/16).",
        ),
        (
            [ODG, WEB],
            "The Expert Reviewer based their decision on recommendation(s) outside of the MTUS "
            "Guidelines. Decision based on Non-MTUS Citation ODG, Low Back (updated 12/20/16) "
            "and Other Medical Treatment Guidelines www.example.org, read 01/02/2017.",
        ),
        ([], "The Expert Reviewer did not cite any medical evidence for its decision."),
    ],
)
def test_todays_letters_print_chapter_edition_and_sections(citations, printed):
    assert compose_citation_line(citations, style="today", who=WHO) == printed


def test_the_layout_of_2014_prints_pages_and_no_year():
    pain = Citation(source="MTUS", mtus=True, chapter="Chronic Pain Treatment Guidelines",
                    edition="2009", sections=("Physical Medicine",), pages="98-99")  # fmt: skip
    assert compose_citation_line([pain], style="2014") == (
        "Decision based on MTUS Chronic Pain Treatment Guidelines Physical Medicine, "
        "Page(s): 98-99."
    )


def test_a_section_that_equals_the_page_is_printed_once():
    elbow = Citation(source="MTUS", mtus=True, chapter="Elbow Complaints", edition="2007",
                     sections=("326",), pages="326")  # fmt: skip
    assert describe_authority(elbow) == "Elbow Complaints 2007, Section(s): 326"


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match="today, 2014"):
        compose_citation_line([BACK], style="2015")


@needs_shared
def test_both_lines_of_the_sample_come_back():
    letter = re.sub(r"\s+", " ", (SHARED / "sample-2014.txt").read_text())
    chapter = "Chronic Pain Treatment Guidelines"
    theirs = [
        Citation(source="MTUS", mtus=True, chapter=chapter,
                 sections=("Epidural Steroid Injections (ESI)",)),
        Citation(source="Official Disability Guidelines (ODG)",
                 as_printed="Official Disability Guidelines (ODG): Neck and Upper Back "
                 "Procedure Summary"),
    ]  # fmt: skip
    ours = [
        Citation(source="MTUS", mtus=True, chapter=chapter, pages="46",
                 sections=("Epidural steroid injections (ESIs)",)),
    ]  # fmt: skip

    for label, cited in (("Claims Administrator", theirs), ("MAXIMUS", ours)):
        printed = re.search(rf"{label} guideline: (.*?) (?:MAXIMUS g|Decision rat)", letter)[1]
        assert compose_citation_line(cited, style="2014", who=f"The {label}") == printed.strip()
