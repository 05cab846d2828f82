"""Open records. Access is logged before any content is sent, and reviewers leave read marks."""

from datetime import datetime

from django.db import transaction

import accounts.services
import files.services
from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases.models import Case
from records import access
from records.models import Document, ReadMark
from reviewers.models import ReviewerAssignment
from reviewers.services.assignment import lock_assignment

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
    document = assignment.case.documents.filter(pk=document_id).first()
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
    """List the documents without a mark of this reviewer, in order. One query."""
    return list(
        assignment.case.documents.exclude(read_marks__assignment=assignment).order_by("number")
    )


def open_records_list(*, case: Case, by: User, at: datetime) -> None:
    """Log that a user opens the list of records of a case. Call it before showing the list.

    :raises RecordsHidden: the user may not see the list. The refusal is logged too.
    """
    reason = access.why_not_list(by, case)
    accounts.services.record_look(
        by=by, subject="records", reference=case.number, granted=not reason, at=at
    )
    if reason:
        raise RecordsHidden(reason)


def open_document(*, document_id: int, by: User, at: datetime, page: int | None = None) -> Document:
    """Return a document, or the document of one of its pages, after logging the access.

    It leaves no read mark. ``open_page_image`` and ``open_page_text``, which return content, leave
    one.

    :raises RecordsHidden: it does not exist or is not open to this user. The refusal is logged.
    """
    return _open_logged(document_id, "document", str(document_id), page=page, by=by, at=at)


def open_page_image(*, document_id: int, page: int, by: User, at: datetime) -> bytes:
    """Render a page as a PNG, after logging the access and leaving the reviewer's mark.

    :param page: counted from 1 within the document.
    :raises RecordsHidden: no such page, or not open to this user. The refusal is logged too.
    :raises files.services.FileRefused: the page cannot be rendered.
    """
    document = _open_page_logged(document_id, page, by=by, at=at)
    return files.services.render_page_png(document.file, page)


def open_page_text(*, document_id: int, page: int, by: User, at: datetime) -> tuple[Document, str]:
    """Extract the text of a page; empty for a scan. Logs and marks as ``open_page_image`` does.

    :raises RecordsHidden: no such page, or not open to this user. The refusal is logged too.
    """
    document = _open_page_logged(document_id, page, by=by, at=at)
    return document, files.services.extract_page_text(document.file, page)


def _open_page_logged(document_id: int, page: int, *, by: User, at: datetime) -> Document:
    document = _open_logged(document_id, "page", f"{document_id}/{page}", page=page, by=by, at=at)
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
        except NotAllowed as refusal:  # the case was taken back while this call waited for the lock
            _log_look(by, "page", f"{document_id}/{page}", granted=False, at=at)
            raise RecordsHidden(str(refusal)) from refusal
    return document


def _open_logged(
    document_id: int,
    subject: str,
    reference: str,
    *,
    by: User,
    at: datetime,
    page: int | None = None,
) -> Document:
    document = Document.objects.select_related("case", "file").filter(pk=document_id).first()
    reason = access.why_not_open(by, document) if document else "There is no such document."
    # After the access check, so that nobody else can find out how many pages there are.
    if document and not reason and page is not None and not 1 <= page <= document.pages:
        reason = "There is no such page."
    # Before the refusal is raised, and in no transaction that the refusal would undo.
    _log_look(by, subject, reference, granted=not reason, at=at)
    if document is None or reason:
        raise RecordsHidden(reason)
    return document


def _log_look(by: User, subject: str, reference: str, *, granted: bool, at: datetime) -> None:
    accounts.services.record_look(
        by=by, subject=subject, reference=reference[:80], granted=granted, at=at
    )
