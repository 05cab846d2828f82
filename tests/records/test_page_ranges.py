"""A document is a range of pages of a file; its pages keep their numbers in the record."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.roles import Role
from records.models import Document
from records.services import dispatch, reading
from records.services.documents import list_documents
from tests.factories import MONDAY, person
from tests.records.factories import add_record, case_with_records, in_review

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]

State = Document.State


@pytest.fixture
def coordinator(db):
    return person(Role.COORDINATOR)


def change(document, **values):
    for name, value in values.items():
        setattr(document, name, value)
    return document.store(by=None, at=MONDAY, fields=list(values))


def divide(document, *lengths):
    """Divide the last document of a case into ranges of these lengths."""
    change(document, pages=lengths[0])
    parts = [document]
    for length in lengths[1:]:
        last = parts[-1]
        columns = {
            field.attname: getattr(document, field.attname)
            for field in Document._meta.concrete_fields
            if field.name not in {"id", "version"}
        }
        columns |= {
            "number": last.number + 1,
            "title": f"Part {len(parts) + 1}",
            "first_page": last.first_page + last.pages,
            "pages": length,
            "record_page": last.record_page + last.pages,
        }
        parts.append(Document(**columns).store(by=None, at=MONDAY))
    return parts


@pytest.fixture
def case():
    return case_with_records(pages=(1,), complete=False)


@pytest.fixture
def parts(case):
    """A file of nine pages, divided into documents of two, three and four pages."""
    return divide(add_record(case, pages=9, text="Bundle"), 2, 3, 4)


def pages_of(case):
    return [(row.record_page, row.last_record_page) for row in list_documents(case)]


def open_viewer(client, case, page):
    return client.get(reverse("records:read", args=[case.number]), {"p": page}).context["viewer"]


def test_a_page_of_a_document_is_the_page_of_its_range_in_the_file(client, coordinator, parts):
    _, text = reading.open_page_text(document_id=parts[1].pk, page=3, by=coordinator, at=MONDAY)
    assert text.strip() == "Bundle, page 5"
    with pytest.raises(reading.RecordsHidden):
        reading.open_page_text(document_id=parts[1].pk, page=4, by=coordinator, at=MONDAY)
    client.force_login(coordinator)
    image = client.get(reverse("records:page_png", args=[parts[2].pk, 1]))
    assert image.content == reading.open_page_image(
        document_id=parts[2].pk, page=1, by=coordinator, at=MONDAY
    )


def test_an_unreadable_page_is_named_by_its_number_in_the_document(client, coordinator, parts):
    parts[0].file.unreadable_pages = [2, 4]
    parts[0].file.save(update_fields=["unreadable_pages"])
    client.force_login(coordinator)

    page = client.get(reverse("records:page", args=[parts[1].pk, 2])).content.decode()

    assert [one.unreadable_pages for one in Document.objects.filter(pk__in=[p.pk for p in parts])
            .order_by("number")] == [[2], [2], []]  # fmt: skip
    assert "Page 2 cannot be shown." in page


@pytest.mark.capability("IN-11")
def test_pages_keep_their_numbers_when_a_document_leaves_the_record(
    client, coordinator, case, parts
):
    start = parts[0].record_page
    before = pages_of(case)
    change(parts[1], state=State.REMOVED)

    later = add_record(case, pages=2)

    assert pages_of(case) == [one for one in before if one[0] != parts[1].record_page] + [
        (start + 9, start + 10)
    ]
    assert later.number == parts[2].number + 1
    client.force_login(coordinator)
    # Turning goes over the gap, and a number in the gap leads to the next page that exists.
    shown = open_viewer(client, case, start + 1)
    assert shown.next_url.endswith(f"p={start + 5}")
    assert open_viewer(client, case, start + 3).page == start + 5
    assert open_viewer(client, case, start + 5).previous_url.endswith(f"p={start + 1}")
    last = open_viewer(client, case, 9999)
    assert (last.page, last.last_page, last.next_url) == (start + 10, start + 10, "")
    assert last.total == start + 10 - 3


@pytest.mark.parametrize("state", [State.RECEIVED, State.REPLACED, State.REMOVED])
def test_only_documents_in_the_record_reach_the_reviewer_and_the_counts(client, coordinator, state):
    assignment = in_review()
    reviewer, case = assignment.reviewer.user, assignment.case
    document = case.documents.order_by("number").last()
    everything = dispatch.build_manifest(case)
    values = {"record_page": None} if state == State.RECEIVED else {}
    change(document, state=state, **values)
    case = type(case).objects.get(pk=case.pk)

    assert dispatch.build_manifest(case) == everything[:-1]
    with pytest.raises(reading.RecordsHidden):
        reading.open_document(document_id=document.pk, by=reviewer, at=MONDAY)
    assert reading.open_document(document_id=document.pk, by=coordinator, at=MONDAY) == document
    client.force_login(reviewer)
    assert client.get(reverse("records:page_png", args=[document.pk, 1])).status_code == 404
    page = client.get(reverse("records:list", args=[case.number])).content.decode()
    assert document.title not in page


def test_a_page_of_a_file_is_in_the_record_once(parts):
    double = {
        field.attname: getattr(parts[1], field.attname)
        for field in Document._meta.concrete_fields
        if field.name not in {"id", "version"}
    } | {"number": 90, "record_page": 90}
    with pytest.raises(IntegrityError), transaction.atomic():
        Document(**double).store(by=None, at=MONDAY)

    change(parts[1], state=State.REMOVED)

    assert Document(**double).store(by=None, at=MONDAY).state == State.IN_RECORD


@pytest.mark.parametrize(
    "values",
    [
        {"state": State.RECEIVED},
        {"record_page": None},
        {"pages": 0},
        {"first_page": 0},
        {"record_page": 1},
    ],
)
def test_the_database_refuses_a_document_that_does_not_fit_its_state(parts, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        change(parts[2], **values)
