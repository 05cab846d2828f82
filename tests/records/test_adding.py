"""Records coming in: what is taken, what is refused, and what is left behind by either."""

from datetime import timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Event
from deadlines.days import local_day
from files.models import StoredFile
from files.services import FileRefused
from records.models import Document
from records.services import documents
from tests.factories import MONDAY, eligible_case, noticed_case, paper, person, received_case

from .factories import add_record, make_record_fields, make_upload, pdf_bytes

LATER = MONDAY + timedelta(hours=5)
TODAY = local_day(MONDAY)

pytestmark = pytest.mark.django_db


def stored_paper(text, kind="UR_DECISION"):
    from files.services import receive_upload

    return paper(receive_upload(upload=make_upload(text=text), at=MONDAY), kind, f"{text}.pdf")


def test_a_record_is_stored_with_its_pages_and_its_hash(awaiting):
    coordinator = person(Role.COORDINATOR)

    added = add_record(awaiting, by=coordinator, pages=4, title="MRI of the neck", kind="IMAGING")

    document = awaiting.documents.get()
    assert document == added
    assert (document.number, document.pages, document.title) == (1, 4, "MRI of the neck")
    assert document.file.state == StoredFile.State.CLEAN
    assert document.history.get().history_user == coordinator


def test_adding_a_record_is_on_the_timeline(awaiting):
    add_record(awaiting, pages=2, title="MRI of the neck")

    event = awaiting.events.filter(kind=Event.Kind.RECORD_ADDED).get()
    assert event.sentence == "Record added: document 1, “MRI of the neck”, 2 pages."


def test_a_record_without_a_title_is_called_by_its_type(awaiting):
    assert add_record(awaiting, title="  ", kind="IMAGING").title == "Imaging report"


def test_the_documents_of_the_application_come_first_and_once():
    case = noticed_case(
        papers=[stored_paper("the form", "APPLICATION"), stored_paper("the denial")]
    )
    documents.file_application_documents(case_id=case.pk, by=None, at=LATER)
    documents.file_application_documents(case_id=case.pk, by=None, at=LATER)
    add_record(case)

    kinds = list(case.documents.order_by("number").values_list("kind", flat=True))
    assert kinds == ["APPLICATION", "UR_DECISION", "PROGRESS_REPORT"]
    sentence = "2 documents of the application added to the records."
    assert case.events.filter(sentence=sentence).count() == 1


def test_one_scan_with_form_and_decision_is_one_document():
    form = stored_paper("everything in one scan", "APPLICATION")
    decision = paper(form.file, "UR_DECISION", "the same.pdf")
    case = received_case(papers=[form, decision])

    documents.file_application_documents(case_id=case.pk, by=None, at=LATER)

    assert case.documents.get().kind == Document.Kind.APPLICATION


def test_the_same_file_is_not_added_twice_and_the_refusal_names_the_document(awaiting):
    add_record(awaiting, title="Progress report of June", text="same words")

    with pytest.raises(documents.AlreadyOnFile, match="document 1, “Progress report of June”"):
        add_record(awaiting, title="Another name", text="same words")

    assert awaiting.documents.count() == 1


def test_the_same_file_may_lie_in_two_cases(awaiting):
    other = noticed_case()
    for case in (awaiting, other):
        add_record(case, text="a report on two claims")
    same = Document.objects.filter(title=make_record_fields()["title"], case__in=[awaiting, other])
    assert same.count() == 2
    assert same.values("file").distinct().count() == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("locked.pdf", pdf_bytes(text="secret", password="hunter2"), "password"),
        ("letter.docx", b"PK\x03\x04 a word processor's file", "not a PDF"),
        ("torn.pdf", b"%PDF-1.7\nnothing that follows is a file", "damaged"),
        ("blank.pdf", b"", "empty"),
        ("report.png", pdf_bytes(text="not a picture"), "The content of"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_its_name(name, content, sentence, awaiting):
    with pytest.raises(FileRefused, match=sentence) as refused:
        add_record(awaiting, file=make_upload(name, content))

    assert name in str(refused.value)
    assert not awaiting.documents.exists()
    assert not awaiting.events.filter(kind=Event.Kind.RECORD_ADDED).exists()


def test_a_file_that_is_too_large_is_refused_with_the_limit(settings, awaiting):
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    big = make_upload("big.pdf", pdf_bytes() + b"\n%" + b"0" * 1024 * 1024)

    with pytest.raises(FileRefused, match="“big.pdf” is larger than 1 MB"):
        add_record(awaiting, file=big)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"received_on": TODAY + timedelta(days=1)}, "is in the future"),
        ({"dated_from": TODAY, "dated_to": TODAY - timedelta(days=3)}, "before its first"),
        ({"dated_from": TODAY, "received_on": TODAY - timedelta(days=1)}, "dated after the day"),
        ({"kind": "POSTCARD"}, "Choose the type"),
        ({"sent_by": "NOBODY"}, "who sent"),
    ],
)
def test_what_cannot_be_is_refused(changes, sentence, awaiting):
    with pytest.raises(NotAllowed, match=sentence):
        add_record(awaiting, **changes)
    assert not awaiting.documents.exists()


def test_before_the_notice_no_record_is_taken_in():
    with pytest.raises(NotAllowed, match="is in the “Eligible” stage"):
        add_record(eligible_case())


def test_a_record_may_come_after_the_file_was_complete(one_page):
    add_record(one_page)
    one_page.refresh_from_db()
    assert one_page.stage == Status.RECORDS_COMPLETE
    assert one_page.documents.count() == 2


def test_a_record_may_come_while_the_reviewer_reads(under_review):
    added = add_record(under_review.case, at=MONDAY + timedelta(days=2))
    assert added.number == 3


@pytest.mark.parametrize("role", [Role.MAILROOM, Role.QA, Role.DIRECTOR, Role.REVIEWER])
def test_a_role_that_does_not_keep_records_adds_none(role, awaiting):
    with pytest.raises(NotAllowed, match="Your role does not let you add a record"):
        add_record(awaiting, by=person(role), at=LATER)


def test_a_refused_person_leaves_no_file_behind(awaiting):
    before = StoredFile.objects.count()
    with pytest.raises(NotAllowed):
        add_record(awaiting, by=person(Role.QA))
    assert StoredFile.objects.count() == before
