"""A published letter of 2014 comes back: its fixed sentences as a wording set, its facts through
the services, issued in the layout of that year, and the PDF's text compared word for word.

The project holds none of that letter's text; the test reads it where the reference material lies
beside the project.
"""

import re
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from django.core.management import call_command

from accounts.roles import Role
from determinations.services import writing
from eligibility.services.citations import AdministratorCitations, record_administrator_citations
from files.services import read_bytes
from guidelines.citations import Citation
from guidelines.models import Edition, Guideline, Recommendation, Source
from letters import services as letter_services
from letters.models import WordingSet
from tests.determinations.factories import (
    REVIEWED,
    make_approved_case,
    make_issued_case,
    read_everything,
    save_draft_part,
)
from tests.determinations.factories import reviewer_of as user_of
from tests.factories import MONDAY, ItemOnForm, person
from tests.letters.factories import file_all_letters
from tests.records.factories import case_with_records, make_offered_case, sign_attestation

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "letters" / "sample-2014.txt"
HEADINGS = (
    "HOW THE IMR FINAL DETERMINATION WAS MADE",
    "CLINICAL CASE SUMMARY",
    "IMR ISSUES, DECISIONS AND RATIONALES",
)
SPECIALTY, STATE = "Physical Medicine & Rehabilitation", "California"

pytestmark = [
    pytest.mark.every_database,
    pytest.mark.django_db,
    pytest.mark.shared,
    pytest.mark.skipif(not SAMPLE.exists(), reason="needs ../shared/letters/sample-2014.txt"),
]


def collapse_spaces(text):
    return " ".join(text.split())


def read_pdf_text(pdf):
    pages = pypdfium2.PdfDocument(pdf)
    return collapse_spaces(" ".join(page.get_textpage().get_text_range() for page in pages))


@pytest.fixture
def sample():
    """The letter taken apart: what is fixed, what is a fact."""
    text = collapse_spaces(SAMPLE.read_text())
    how, summary, decisions = re.split("|".join(map(re.escape, HEADINGS)), text)[1:]
    lead_in, story = re.match(r"\s*(.*?medical records:)\s*(.*?)\s*$", summary).groups()
    opening, title, outcome, theirs, operator, ours, why = re.match(
        r"\s*(.*?below:) (.*?): (Upheld|Overturned) Claims Administrator guideline: (.*?) "
        r"(\w+) guideline: (.*?) Decision rationale: (.*?)\s*$",
        decisions,
    ).groups()
    return {
        "text": text,
        "how": how.strip(),
        "lead_in": lead_in,
        "story": story,
        "opening": opening,
        "title": title,
        "outcome": outcome.upper(),
        "theirs": theirs,
        "ours": ours,
        "why": why,
        "short_name": operator,
        "name": re.match(r"(.*?) sent ", how.strip())[1],
    }


# What each fixed sentence claims, by a word that stands in it: the facts behind it.
CLAIMS = {
    "complete case file": ["case_file_dispatched"],
    "no affiliation": [
        "no_affiliation_employer",
        "no_affiliation_employee",
        "no_affiliation_providers",
        "no_affiliation_claims_administrator",
        "attestation_signed",
    ],
    "Board Certified": ["board_certification", "license"],
    "five years": ["practice_years", "practice_hours"],
    "same or similar": ["specialty_match"],
    "strength of evidence": ["training_law", "training_evidence"],
}


def wording(sample):
    """The fixed sentences as a wording file, the facts in them as slots."""
    fixed = (
        sample["how"]
        .replace(sample["name"], "{imro_name}")
        .replace(SPECIALTY, "{specialties}")
        .replace(STATE, "{license_states}")
    )
    rows = []
    for order, sentence in enumerate(re.split(r"(?<=\.) (?=[A-Z])", fixed), start=1):
        (needs,) = [needs for claim, needs in CLAIMS.items() if claim in sentence]
        rows.append(("how_made", order, sentence, needs))
    rows.append(("summary_lead_in", 1, sample["lead_in"], ["records_reviewed"]))
    rows.append(("decisions_lead_in", 1, sample["opening"], []))
    head = 'kind = "determination"\nlayout = "determination-2014"\ntitle = "As published in 2014"\n'
    return head + "".join(
        f'\n[[sentence]]\nslot = "{slot}"\norder = {order}\nneeds = {needs}\ntext = """{text}"""\n'
        for slot, order, text, needs in rows
    )


def citation_of(line):
    """The schedule's chapter, topic and page out of a guideline line of 2014."""
    chapter, topic, page = re.match(
        r"Decision based on MTUS (Chronic Pain Treatment Guidelines) "
        r"(.*?)(?:, Page\(s\): (\d+))?\.",
        line,
    ).groups()
    return Citation("MTUS", True, chapter, sections=(topic,), pages=page or "")


def test_the_sample_comes_back_word_for_word(sample, settings, tmp_path):
    settings.IMRO_NAME, settings.IMRO_SHORT_NAME = sample["name"], sample["short_name"]
    settings.DETERMINATION_LAYOUT = "determination-2014"
    case = case_with_records(items=[ItemOnForm(title=sample["title"])])
    director, coordinator = person(Role.DIRECTOR), person(Role.COORDINATOR)
    made = letter_services.import_wording(text=wording(sample), by=director, at=MONDAY)
    letter_services.publish_wording(set_id=made.pk, by=director, at=MONDAY)
    theirs = [
        citation_of(sample["theirs"]),
        Citation(as_printed=sample["theirs"].partition("Non-MTUS Citation ")[2]),
    ]
    item = case.items.get()
    record_administrator_citations(
        item_id=item.pk, cited=AdministratorCitations(theirs), by=coordinator, at=MONDAY
    )
    assignment = sign_attestation(make_offered_case(case))
    reviewer = user_of(assignment)
    writing.open_review(assignment_id=assignment.pk, by=reviewer, at=REVIEWED)
    read_everything(assignment)
    save_draft_part(assignment, "summary", {"summary": sample["story"]}, at=REVIEWED)
    answer = {"outcome": sample["outcome"], "rationale": sample["why"], "basis": "A"}
    save_draft_part(assignment, f"item-{item.pk}", answer, at=REVIEWED)
    writing.add_citation(
        assignment_id=assignment.pk,
        item_id=item.pk,
        recommendation_id=recommendation(citation_of(sample["ours"])).pk,
        as_printed="",
        by=reviewer,
        at=REVIEWED,
    )
    writing.submit_review(assignment_id=assignment.pk, by=reviewer, at=REVIEWED)
    case.refresh_from_db()

    case = make_issued_case(make_approved_case(case), by=director)
    (letter,) = file_all_letters(at=REVIEWED + timedelta(hours=3))

    assert WordingSet.objects.get(pk=made.pk).letters.get() == letter
    assert read_pdf_text(read_bytes(letter.file)) == sample["text"]

    settings.DETERMINATION_LAYOUT = "determination-today"
    out = tmp_path / "copy.pdf"
    call_command("reissue", case.number, layout="2014", out=out)
    assert read_pdf_text(out.read_bytes()) == sample["text"]
    call_command("reissue", case.number, layout="today", out=out)
    today = read_pdf_text(out.read_bytes())
    for same in (sample["title"], sample["why"], case.number, "Decision based on MTUS"):
        assert same in today


def recommendation(cited):
    """The guideline that the reviewer cites, as the administrator of guidelines keeps it."""
    kept = {"by": None, "at": MONDAY}
    source = Source.objects.filter(is_mtus=True).first() or Source(
        code="MTUS", name="MTUS", is_mtus=True
    ).store(**kept)
    guideline = Guideline(source=source, code="chronic-pain-as-cited", title=cited.chapter)
    guideline.store(**kept)
    edition = Edition(guideline=guideline, label="2009", valid_from=MONDAY.date())
    edition.store(**kept)
    return Recommendation(edition=edition, section=cited.sections[0], pages=cited.pages).store(
        **kept
    )
