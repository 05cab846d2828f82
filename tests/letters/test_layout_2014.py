"""The 2014 layout reproduces a published letter of that year, word for word.

The project holds none of that letter's text; the test reads it where the reference material lies
beside the project.
"""

import re
from datetime import date
from pathlib import Path

import pypdfium2
import pytest

from letters import documents, typesetting
from letters.documents import Analysis, DeterminationDocument, Organization, PrintedItem

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "letters" / "sample-2014.txt"
HEADINGS = (
    "HOW THE IMR FINAL DETERMINATION WAS MADE",
    "CLINICAL CASE SUMMARY",
    "IMR ISSUES, DECISIONS AND RATIONALES",
)

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SAMPLE.exists(), reason="needs ../shared/letters/sample-2014.txt"),
]


def collapse_spaces(text):
    return " ".join(text.split())


def read_pdf_text(pdf):
    """The text of a PDF as a reader would copy it."""
    pages = pypdfium2.PdfDocument(pdf)
    return collapse_spaces(" ".join(page.get_textpage().get_text_range() for page in pages))


@pytest.fixture
def sample():
    return collapse_spaces(SAMPLE.read_text())


@pytest.fixture
def document(sample):
    """The sample, taken apart at its headings and labels."""
    how, summary, decisions = re.split("|".join(map(re.escape, HEADINGS)), sample)[1:]
    lead_in, story = re.match(r"\s*(.*?medical records:)\s*(.*?)\s*$", summary).groups()
    opening, title, outcome, theirs, operator, ours, why = re.match(
        r"\s*(.*?below:) (.*?): (Upheld|Overturned) Claims Administrator guideline: (.*?) "
        r"(\w+) guideline: (.*?) Decision rationale: (.*?)\s*$",
        decisions,
    ).groups()
    return DeterminationDocument(
        title="Independent Medical Review Final Determination",
        organization=Organization(name="The operator of that day", short_name=operator),
        dated_on=date(2014, 9, 24),
        case_number="CM14-0000000",
        how_made=(how.strip(),),
        summary_lead_in=lead_in,
        summary=story,
        decisions_lead_in=opening,
        items=(PrintedItem(title, outcome, theirs, (Analysis(ours, why),)),),
    )


def test_the_pdf_has_exactly_the_text_of_the_sample(document, sample):
    assert documents.find_document_problems(document, "determination-2014") == []
    made = typesetting.compile_in_subprocess(
        document.as_words(), "determination-2014", document.dated_on
    )
    assert read_pdf_text(made.content) == sample


def test_it_says_so_with_everything_a_page_break_can_fall_into(document, sample):
    long = sample * 3
    item = document.items[0]
    more = tuple(
        PrintedItem(item.title, "Overturned", item.claims_administrator_guideline, item.analyses)
        for _ in range(7)
    )
    longer = DeterminationDocument(
        **{
            name: getattr(document, name)
            for name in ("title", "organization", "dated_on", "case_number", "how_made",
                         "summary_lead_in", "decisions_lead_in")
        },
        summary=long,
        items=(item, *more),
    )  # fmt: skip
    made = typesetting.compile_in_subprocess(
        longer.as_words(), "determination-2014", longer.dated_on
    )
    assert made.pages > 3
    text = read_pdf_text(made.content)
    assert long in text
    assert text.count(item.analyses[0].rationale) == 3 + 8  # in the summary, and in the items
