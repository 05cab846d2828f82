"""Text that looks like code goes the whole way: printed as typed, and escaped on every page."""

import re
from datetime import timedelta

import pypdfium2
import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.models import Case
from cases.services import notes
from correspondence.services import notices
from deadlines.days import local_day
from determinations.services import quality, writing
from files.services import read_bytes
from intake.services.receiving import ItemOnForm
from records.services import documents
from tests.determinations.factories import (
    REVIEWED,
    make_approved_case,
    make_issued_case,
    reviewer_of,
    save_draft_part,
    write_review,
)
from tests.factories import MONDAY, eligible_case, parties, person, state_citations
from tests.letters.factories import file_all_letters, publish_sample_wording
from tests.records.factories import add_record, make_offered_case, sign_attestation

pytestmark = pytest.mark.django_db

CODE = """#read("/etc/passwd") {{ x }} {% load %} <script>alert(1)</script> $x$ @ref *bold*"""
MARK = "\u202e"  # turns what follows it round for the reader; nothing that a letter may say


def make_hostile_text(where):
    """Hostile text that can be told from the others."""
    return f"{where} {CODE}"


def words_of(file):
    document = pypdfium2.PdfDocument(read_bytes(file))
    pages = [document[number].get_textpage().get_text_bounded() for number in range(len(document))]
    return " ".join(" ".join(pages).split())


@pytest.fixture
def pages(client, set_clock):
    """Every page of a case as several people see it: what stands on them, by who and address."""

    def open_all(case, *people):
        set_clock(REVIEWED + timedelta(hours=3))
        number = case.number
        of_case = [
            *("desk:case", "desk:peek", "desk:timeline", "desk:letters"),
            *("eligibility:eligibility", "correspondence:notices", "records:list", "records:read"),
            *("reviewers:assign", "determinations:versions", "determinations:quality"),
            *("determinations:issue", "determinations:send"),
        ]
        urls = [reverse(name, args=[number]) for name in of_case]
        urls += [reverse("desk:queue", args=[slug]) for slug in ("reading", "qa", "issue", "mail")]
        urls += [reverse("desk:my_day"), f"{reverse('desk:jump')}?q={number}"]
        urls += [reverse("determinations:my_reviews"), reverse("intake:my_intakes")]
        for assignment in case.assignments.all():
            part = f"item-{case.items.get().pk}"
            workspace = reverse("determinations:workspace", args=[assignment.pk])
            urls += [workspace, f"{workspace}?part={part}"]
            urls += [reverse("determinations:checks", args=[assignment.pk])]
        found = {}
        for user in people:
            client.force_login(user)
            for url in urls:
                answer = client.get(url)
                if answer.status_code == 200:
                    found[user, url] = answer.content.decode()
        return found

    return open_all


def assert_escaped(found):
    for (_, url), page in found.items():
        assert "<script>alert" not in page, url
        assert MARK not in page, url


def find_pages_showing(found, text):
    """The pages on which this stands as words."""
    escaped = text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return {url for (_, url), page in found.items() if escaped in re.sub(r"\s+", " ", page)}


def test_text_that_looks_like_code_is_always_printed_as_text(pages):
    publish_sample_wording()
    coordinator, qa = person(Role.COORDINATOR), person(Role.QA)
    case = eligible_case(
        coordinator=coordinator,
        items=[ItemOnForm(title=make_hostile_text("Title"))],
        parties=parties(EMPLOYEE=make_hostile_text("Employee")),
    )
    person(Role.COORDINATOR, email="ref@example.org")  # whom the “@ref” of the note mentions
    notes.add_note(case_id=case.pk, text=make_hostile_text("Note"), by=coordinator, at=MONDAY)
    state_citations(case, by=coordinator, at=MONDAY)
    at = MONDAY + timedelta(hours=2)
    notices.make_notices(case_id=case.pk, by=coordinator, at=at)
    sent = file_all_letters(at=at)
    for letter in sent:
        assert make_hostile_text("Title") in words_of(letter.file)
        assert make_hostile_text("Employee") in words_of(letter.file)
    notices.mark_notices_sent(
        case_id=case.pk, sent_on=local_day(MONDAY), by=coordinator, at=at + timedelta(hours=1)
    )
    add_record(
        case, by=coordinator, title=make_hostile_text("Record"), author=make_hostile_text("Author")
    )
    documents.mark_records_complete(
        case_id=case.pk,
        received_on=local_day(MONDAY),
        basis="COMPLETE",
        seen_version=None,
        by=coordinator,
        at=MONDAY + timedelta(hours=6),
    )

    assignment = sign_attestation(make_offered_case(Case.objects.get(pk=case.pk)))
    reviewer = reviewer_of(assignment)
    write_review(
        assignment,
        summary=make_hostile_text("Summary") + MARK,
        rationale=make_hostile_text("Rationale") + MARK,
        source=make_hostile_text("Source") + MARK,
    )
    found = pages(case, reviewer, coordinator)
    assert_escaped(found)
    for text in ("Title", "Summary", "Rationale", "Source"):
        assert find_pages_showing(found, make_hostile_text(text)), text

    writing.submit_review(assignment_id=assignment.pk, by=reviewer, at=REVIEWED)
    quality.return_review(
        case_id=case.pk,
        comment=make_hostile_text("Comment"),
        item_id=None,
        seen_version=None,
        by=qa,
        at=REVIEWED,
    )
    save_draft_part(
        assignment, "summary", {"summary": make_hostile_text("Second summary")}, at=REVIEWED
    )
    found = pages(case, reviewer, coordinator, qa)
    assert_escaped(found)
    writing.submit_review(assignment_id=assignment.pk, by=reviewer, at=REVIEWED)
    found |= pages(case, qa)
    assert_escaped(found)
    for text in ("Comment", "Summary", "Rationale", "Second summary"):
        assert find_pages_showing(found, make_hostile_text(text)), text

    case = make_issued_case(make_approved_case(Case.objects.get(pk=case.pk), by=qa))
    (letter,) = file_all_letters(at=REVIEWED + timedelta(hours=3))
    printed = words_of(letter.file)
    for text in ("Title", "Second summary", "Rationale", "Source"):
        assert make_hostile_text(text) in printed, text
    assert MARK not in printed
    assert "root:" not in printed

    everyone = [person(role) for role in Role]
    found = pages(case, *everyone, reviewer)
    assert_escaped(found)
    for text in ("Title", "Employee", "Note", "Record", "Comment", "Rationale", "Second summary"):
        assert find_pages_showing(found, make_hostile_text(text)), text
    assert reverse("desk:timeline", args=[case.number]) in find_pages_showing(
        found, make_hostile_text("Note")
    )
