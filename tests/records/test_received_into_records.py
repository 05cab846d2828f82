"""A document received on a case is moved into its medical records, and removed from them."""

from datetime import date

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import Event
from cases.services import received_documents
from files.services import receive_named_upload
from records.models import Document
from records.services import dispatch, documents
from records.services.documents import AlreadyMoved, AlreadyOnFile
from tests.factories import MONDAY, person, received_case
from tests.records.factories import add_record, make_upload, pdf_bytes

pytestmark = pytest.mark.django_db

DESCRIBED = {
    "kind": "PROGRESS_REPORT",
    "title": "Report of Dr. Oyelaran",
    "author": "Dana Oyelaran, M.D.",
    "dated_from": date(2026, 2, 1),
    "dated_to": None,
    "sent_by": "REQUESTING_PHYSICIAN",
}


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


@pytest.fixture
def desk(client, coordinator, set_clock):
    set_clock(MONDAY)
    client.force_login(coordinator)
    return client


def receive(case, *, content=None, by=None, **changes):
    file = receive_named_upload(upload=make_upload(content=content), at=MONDAY)
    values = {
        "kind": "LETTER", "sender": "REQUESTING_PHYSICIAN", "channel": "FAX",
        "received_on": date(2026, 3, 1), "description": "Report by fax",
    }  # fmt: skip
    return received_documents.add_received_document(
        case_id=case.pk, file=file, by=by or person(Role.MAILROOM), at=MONDAY, **values | changes
    )


def move(received, by, **changes):
    return documents.move_received_document(
        received_id=received.pk, by=by, at=MONDAY, **DESCRIBED | changes
    )


def test_the_records_page_lists_received_documents_with_their_kind_and_moves_one(desk, awaiting):
    received = receive(awaiting)
    records = reverse("records:list", args=[awaiting.number])
    address = reverse("records:move", args=[awaiting.number, received.pk])
    page = desk.get(records).content.decode()
    assert "Report by fax" in page
    assert "Other letter or fax" in page
    assert f'href="{address}"' in page
    assert not awaiting.documents.exclude(sent_by="APPLICATION").exists()
    form = desk.get(address).context["form"]
    assert form.initial == {
        "kind": "", "title": "Report by fax", "sent_by": "REQUESTING_PHYSICIAN"
    }  # fmt: skip

    refused = desk.post(address, {"title": "Kept words", "kind": "", "sent_by": ""})
    done = desk.post(
        address,
        {"kind": "PROGRESS_REPORT", "sent_by": "REQUESTING_PHYSICIAN", "dated_from": "2/1/2026"},
    )

    assert refused.status_code == 422
    assert "Choose the type of record." in refused.content.decode()
    assert "Kept words" in refused.content.decode()
    assert done.url == records
    document = awaiting.documents.get(file=received.file)
    assert (document.state, document.title) == ("IN_RECORD", "Report by fax")
    assert document.received_on == date(2026, 3, 1)
    assert awaiting.events.filter(kind=Event.Kind.RECORD_ADDED).exists()
    page = desk.get(records).content.decode()
    assert f'href="{address}"' not in page
    # Its receipt stays on file.
    assert awaiting.received_documents.get() == received


def test_a_received_document_is_not_in_the_file_of_the_reviewer_until_it_is_moved(under_review):
    case, coordinator = under_review.case, person(Role.COORDINATOR)
    before = dispatch.build_manifest(case)
    received = receive(case)
    fresh = type(case).objects.get(pk=case.pk)
    assert dispatch.build_manifest(fresh) == before

    document = move(received, coordinator)

    fresh = type(case).objects.get(pk=case.pk)
    assert dispatch.build_manifest(fresh)[-1]["document"] == document.pk


def test_the_second_of_two_who_move_a_document_is_told_where_it_is(awaiting, coordinator):
    received = receive(awaiting)
    document = move(received, coordinator)
    with pytest.raises(AlreadyMoved, match=f"already in the records as document {document.number}"):
        move(received, person(Role.COORDINATOR))
    assert awaiting.documents.filter(file=received.file).count() == 1


def test_the_page_of_the_second_says_it_with_a_conflict(desk, awaiting, coordinator):
    received = receive(awaiting)
    move(received, coordinator)
    answer = desk.post(
        reverse("records:move", args=[awaiting.number, received.pk]),
        {"kind": "IMAGING", "sent_by": "EMPLOYEE", "title": "MRI"},
    )
    assert answer.status_code == 409
    assert "already in the records as document" in answer.content.decode()


def test_a_file_of_the_records_is_not_added_to_them_again_as_a_received_one(awaiting, coordinator):
    content = pdf_bytes()
    record = add_record(awaiting, by=coordinator, file=make_upload(content=content))
    received = receive(awaiting, content=content)
    with pytest.raises(AlreadyMoved, match=f"document {record.number}"):
        move(received, coordinator)

    other = receive(awaiting)
    move(other, coordinator)
    file = receive_named_upload(upload=make_upload(), at=MONDAY)
    assert file.stored != other.file
    with pytest.raises(AlreadyOnFile):
        documents.add_document(
            case_id=awaiting.pk, file=type(file)(other.file, "again.pdf"), by=coordinator,
            at=MONDAY, received_on=date(2026, 3, 1), **DESCRIBED,
        )  # fmt: skip


def test_before_the_notice_a_document_stays_among_the_received_ones(desk, coordinator):
    case = received_case()
    received = receive(case)
    with pytest.raises(NotAllowed, match="To add a record"):
        move(received, coordinator)
    page = desk.get(reverse("records:list", args=[case.number])).content.decode()
    assert "Report by fax" in page
    assert reverse("records:move", args=[case.number, received.pk]) not in page


@pytest.mark.parametrize("role", [Role.MAILROOM, Role.SUPERVISOR, Role.QA])
def test_other_roles_move_no_document(client, awaiting, role):
    received = receive(awaiting)
    client.force_login(person(role))
    address = reverse("records:move", args=[awaiting.number, received.pk])
    assert client.post(address, {"kind": "IMAGING", "sent_by": "EMPLOYEE"}).status_code == 403
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        move(received, person(role))


def test_a_document_of_another_case_is_not_found(desk, awaiting):
    received = receive(received_case())
    address = reverse("records:move", args=[awaiting.number, received.pk])
    assert desk.get(address).status_code == 404


# --- Removing -------------------------------------------------------------------------------------


@pytest.mark.capability("IN-11")
def test_a_document_of_the_wrong_worker_is_removed_with_a_reason_everywhere(desk, under_review):
    case = under_review.case
    document = case.documents.order_by("number").last()
    dispatch.dispatch_case_file(
        assignment_id=under_review.pk, by=under_review.reviewer.user, at=MONDAY
    )
    address = reverse("records:remove", args=[document.pk])
    shown = desk.get(reverse("records:document", args=[document.pk])).content.decode()
    assert f'href="{address}"' in shown

    refused = desk.post(address, {"reason": ""})
    done = desk.post(address, {"reason": "Of another worker."})

    assert refused.status_code == 422
    assert done.status_code == 302
    document.refresh_from_db()
    assert document.state == Document.State.REMOVED
    assert document.history.count() == 2
    event = case.events.get(kind=Event.Kind.RECORD_REMOVED)
    assert (event.why, event.facts) == ("Of another worker.", {"document": document.pk})
    fresh = type(under_review).objects.select_related("case").get(pk=under_review.pk)
    assert not dispatch.is_dispatch_current(fresh)
    assert document.title not in desk.get(done.url).content.decode()
    assert desk.post(address, {"reason": "Again."}).status_code == 422


def test_a_moved_document_that_was_removed_can_be_moved_again(awaiting, coordinator):
    received = receive(awaiting)
    first = move(received, coordinator)
    documents.remove_document(document_id=first.pk, reason="Wrong type.", by=coordinator, at=MONDAY)

    again = move(received, coordinator, kind="IMAGING")

    assert (again.number, again.record_page) == (first.number + 1, first.record_page + 1)


def test_the_last_medical_record_of_a_complete_file_is_not_removed(one_page, coordinator):
    medical = one_page.documents.exclude(kind__in=["APPLICATION", "UR_DECISION"]).get()
    with pytest.raises(NotAllowed, match="a review cannot be based on them alone"):
        documents.remove_document(
            document_id=medical.pk, reason="Wrong.", by=coordinator, at=MONDAY
        )
