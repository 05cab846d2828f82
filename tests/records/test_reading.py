"""Opening records: who may, what is written down first, and the marks that reading leaves."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from records.models import ReadMark
from records.services import reading
from tests.factories import MONDAY, person, received_case

from .factories import (
    add_record,
    case_with_records,
    in_review,
    make_offered_case,
    new_party,
    sign_attestation,
)
from .test_adding import stored_paper

THEN = MONDAY + timedelta(days=1, hours=2)
EVERY_READER = [Role.COORDINATOR, Role.QA, Role.DIRECTOR, Role.AUDITOR]

pytestmark = pytest.mark.django_db


def open_page(document, by, page=1):
    return reading.open_page_image(document_id=document.pk, page=page, by=by, at=THEN)


@pytest.mark.parametrize("role", EVERY_READER)
def test_staff_who_work_with_records_open_a_page_as_a_picture(role, two_pages):
    document = two_pages.documents.get()
    assert open_page(document, person(role), page=2).startswith(b"\x89PNG")


def test_a_page_is_read_as_text(one_page):
    document = add_record(one_page, pages=2, text="Two injections gave no lasting relief")
    _, text = reading.open_page_text(
        document_id=document.pk, page=2, by=person(Role.COORDINATOR), at=THEN
    )
    assert "Two injections gave no lasting relief, page 2" in text


def test_pages_beside_the_document_are_not_there(two_pages):
    document = two_pages.documents.get()
    for page in (0, 3):
        with pytest.raises(reading.RecordsHidden):
            open_page(document, person(Role.COORDINATOR), page=page)


def test_intake_opens_the_documents_of_the_application_and_no_medical_record():
    clerk = person(Role.INTAKE)
    case = case_with_records(pages=(1,), papers=[stored_paper("the denial")])
    decision, report = case.documents.order_by("number")

    assert open_page(decision, clerk).startswith(b"\x89PNG")
    with pytest.raises(reading.RecordsHidden):
        open_page(report, clerk)


def test_the_documents_of_the_application_can_be_read_before_any_record_arrives(client):
    case = received_case(papers=[stored_paper("the denial")])
    client.force_login(person(Role.INTAKE))
    take_in = reverse("records:take_in", args=[case.number])

    page = client.get(reverse("records:list", args=[case.number])).content.decode()
    assert f'hx-post="{take_in}" hx-trigger="load, submit"' in page
    assert not case.documents.exists()
    before = list_cells(page)

    page = client.post(
        take_in, headers={"HX-Request": "true", "HX-Target": "documents"}
    ).content.decode()
    assert case.documents.get().title == "UR decision"
    assert page.strip().startswith('<section id="documents"')  # the rest of the page stays
    assert take_in not in page
    # The list has the same rows before and after, so nothing on the page moves.
    assert before == list_cells(page)
    assert before[:2] == ["1", "UR decision"]


def list_cells(page):
    """The texts of the cells of the table on a page."""
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]


@pytest.mark.parametrize("role", [Role.MAILROOM, Role.CREDENTIALING, Role.ADMINISTRATOR])
def test_other_roles_open_nothing(role, one_page):
    with pytest.raises(reading.RecordsHidden):
        open_page(one_page.documents.get(), person(role))
    with pytest.raises(reading.RecordsHidden):
        reading.open_records_list(case=one_page, by=person(role), at=THEN)


def test_the_reviewer_opens_nothing_before_attesting_and_everything_after(one_page):
    assignment = make_offered_case(one_page)
    document, reviewer = assignment.case.documents.get(), assignment.reviewer.user
    with pytest.raises(reading.RecordsHidden):
        open_page(document, reviewer)

    sign_attestation(assignment)

    assert open_page(document, reviewer).startswith(b"\x89PNG")


def test_a_new_party_closes_the_file_at_once(one_page_under_review):
    new_party(one_page_under_review.case, at=THEN)
    with pytest.raises(reading.RecordsHidden):
        open_page(one_page_under_review.case.documents.get(), one_page_under_review.reviewer.user)


def test_a_reviewer_opens_no_other_case(one_page_under_review):
    mine, other = one_page_under_review, in_review(pages=(1,))
    with pytest.raises(reading.RecordsHidden):
        open_page(other.case.documents.get(), mine.reviewer.user)


def test_the_first_page_that_the_reviewer_opens_marks_the_document():
    assignment = in_review(pages=(2,))
    document, reviewer = assignment.case.documents.get(), assignment.reviewer.user
    open_page(document, reviewer)
    open_page(document, reviewer, page=2)
    mark = ReadMark.objects.get()
    assert (mark.assignment, mark.document, mark.mark) == (assignment, document, "OPENED")
    assert mark.history.count() == 1


def test_staff_leave_no_marks(one_page):
    open_page(one_page.documents.get(), person(Role.COORDINATOR))
    assert not ReadMark.objects.exists()


def mark_document(assignment, document, value, by=None):
    return reading.mark_document(
        assignment_id=assignment.pk,
        document_id=document.pk,
        mark=value,
        by=by or assignment.reviewer.user,
        at=THEN,
    )


def test_opening_again_does_not_take_back_that_it_was_reviewed(one_page_under_review):
    document = one_page_under_review.case.documents.get()
    mark_document(one_page_under_review, document, "REVIEWED")
    mark_document(one_page_under_review, document, "OPENED")
    open_page(document, one_page_under_review.reviewer.user)
    assert ReadMark.objects.get().mark == "REVIEWED"


def test_a_document_once_not_relevant_may_turn_out_to_be(one_page_under_review):
    document = one_page_under_review.case.documents.get()
    mark_document(one_page_under_review, document, "NOT_RELEVANT")
    assert mark_document(one_page_under_review, document, "REVIEWED").history.count() == 2


def test_only_the_reviewer_marks_documents(one_page_under_review):
    with pytest.raises(NotAllowed, match="not assigned to you"):
        mark_document(
            one_page_under_review,
            one_page_under_review.case.documents.get(),
            "REVIEWED",
            by=person(Role.COORDINATOR),
        )


def test_a_document_of_another_case_takes_no_mark(one_page, one_page_under_review):
    assignment, other = one_page_under_review, one_page
    with pytest.raises(NotAllowed, match="not part of your case"):
        mark_document(assignment, other.documents.get(), "REVIEWED")


def test_an_unknown_mark_is_refused(one_page_under_review):
    with pytest.raises(NotAllowed, match="Choose"):
        mark_document(one_page_under_review, one_page_under_review.case.documents.get(), "SKIMMED")
