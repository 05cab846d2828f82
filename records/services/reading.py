"""Open records: who may open which, and the read marks that reviewers leave.

The access log is written by ``imr_portal.middleware`` for every page.
"""

from datetime import datetime

from django.db import transaction

import files.services
from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases.case_rows import rows_of
from cases.models import Case
from records import access
from records.models import Document, ReadMark
from reviewers.models import ReviewerAssignment
from reviewers.services.assignment import lock_assignment

from . import documents

# Opening a document again does not replace these.
_STRONGER = [ReadMark.Mark.REVIEWED, ReadMark.Mark.NOT_RELEVANT]


class RecordsHidden(Exception):
    """The record does not exist or is not open to this user; the page answers 404 to both."""


@transaction.atomic
def mark_document(
    *, assignment_id: int, document_id: int, mark: str, by: User, at: datetime
) -> ReadMark:
    """Mark a document as opened, reviewed or not relevant.

    Opening a document again does not remove a "reviewed" or "not relevant" mark. No event is
    written: the versions of the mark show who and when, and marks would fill the timeline.

    :raises NotAllowed: not the reviewer of this assignment, or a document of another case.
    """
    assignment = lock_assignment(assignment_id)
    refuse_if(access.why_not_read_for(by, assignment))
    document = assignment.case.documents.in_record().filter(pk=document_id).first()
    if document is None:
        raise NotAllowed("This document is not part of your case.")
    if mark not in ReadMark.Mark.values:
        raise NotAllowed("Choose reviewed or not relevant.")
    # The case is locked, so two first pages that load at once cannot both create the mark.
    row = ReadMark.objects.filter(assignment=assignment, document=document).first()
    if row is None:
        row = ReadMark(assignment=assignment, document=document)
    elif row.mark == mark or (mark == ReadMark.Mark.OPENED and row.mark in _STRONGER):
        return row
    row.mark, row.marked_at = mark, at
    return row.store(by=by, at=at, why=ReadMark.Mark(mark).label)


def list_unopened_documents(assignment: ReviewerAssignment) -> list[Document]:
    """List the documents without a mark of this reviewer, in order. At most two queries."""
    marks = map_read_marks(assignment)
    return [row for row in documents.list_documents(assignment.case) if row.pk not in marks]


def map_read_marks(assignment: ReviewerAssignment) -> dict[int, str]:
    """Map the documents that this reviewer has opened to their marks. At most one query."""
    return rows_of(assignment.case).once(
        ("read marks", assignment.pk),
        lambda: dict(assignment.read_marks.values_list("document_id", "mark")),
    )


def open_records_list(*, case: Case, by: User, at: datetime) -> None:
    """Refuse the list of records of a case to a user who may not see it.

    :raises RecordsHidden: the user may not see the list.
    """
    reason = access.why_not_list(by, case)
    if reason:
        raise RecordsHidden(reason)


def open_document(*, document_id: int, by: User, at: datetime, page: int | None = None) -> Document:
    """Return a document, or the document of one of its pages.

    It leaves no read mark. ``open_page_image`` and ``open_page_text``, which return content, leave
    one.

    :raises RecordsHidden: it does not exist or is not open to this user.
    """
    return _open_document(document_id, page=page, by=by)


def open_page_image(*, document_id: int, page: int, by: User, at: datetime) -> bytes:
    """Render a page as a PNG, after leaving the reviewer's mark.

    :param page: counted from 1 within the document.
    :raises RecordsHidden: no such page, or not open to this user.
    :raises files.services.FileRefused: the page cannot be rendered.
    """
    document = _open_page(document_id, page, by=by, at=at)
    return files.services.render_page_png(document.file, document.page_of_file(page))


def open_page_text(*, document_id: int, page: int, by: User, at: datetime) -> tuple[Document, str]:
    """Extract the text of a page; empty for a scan. Marks as ``open_page_image`` does.

    :raises RecordsHidden: no such page, or not open to this user.
    """
    document = _open_page(document_id, page, by=by, at=at)
    return document, files.services.extract_page_text(document.file, document.page_of_file(page))


def _open_page(document_id: int, page: int, *, by: User, at: datetime) -> Document:
    document = _open_document(document_id, page=page, by=by)
    assignment = access.reading_assignment(by, document.case)
    if assignment is None:
        return document
    # Asked without the lock first: pages after the first one need no lock on the case.
    if not ReadMark.objects.filter(assignment=assignment, document=document).exists():
        try:
            mark_document(
                assignment_id=assignment.pk,
                document_id=document.pk,
                mark=ReadMark.Mark.OPENED,
                by=by,
                at=at,
            )
        except (
            NotAllowed
        ) as refusal:  # the reviewer was removed while this call waited for the lock
            raise RecordsHidden(str(refusal)) from refusal
    return document


def _open_document(document_id: int, *, by: User, page: int | None = None) -> Document:
    document = Document.objects.select_related("case", "file").filter(pk=document_id).first()
    reason = access.why_not_open(by, document) if document else "There is no such document."
    # After the access check, so that nobody else can find out how many pages there are.
    if document and not reason and page is not None and not 1 <= page <= document.pages:
        reason = "There is no such page."
    if document is None or reason:
        raise RecordsHidden(reason)
    return document
