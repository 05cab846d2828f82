"""Add documents that are received on a case, and open their pages."""

from dataclasses import dataclass
from datetime import date, datetime

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

import files.services
from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, refuse_if
from cases import policies
from cases.models import Case, Channel, Event, ReceivedDocument
from deadlines.calendars import format_day
from deadlines.days import local_day
from files.services import NamedFile


class AlreadyReceived(NotAllowed):
    """The same file is already on the case."""

    field = "upload"

    def __init__(self, document: ReceivedDocument) -> None:
        self.document = document
        super().__init__(
            f"This file is already on the case: “{document.title}”, received "
            f"{format_day(document.received_on)}. It was not added again. Choose another file, "
            "or save without one."
        )


class ReceivedDocumentHidden(Exception):
    """The document does not exist or is not open to this person; the page answers 404 to both."""


@dataclass(frozen=True)
class DocumentOfAction:
    """A document that came with an action, such as the letter in which a worker withdraws.

    :ivar sender: a value of ``ReceivedDocument.Sender``.
    :ivar channel: a value of ``Channel``.
    """

    file: NamedFile
    sender: str
    channel: str
    received_on: date


def receive_document_file(
    *, case_id: int, upload: UploadedFile, by: User, at: datetime
) -> NamedFile:
    """Check and store the file of a document. Slow, so call it outside transactions.

    :raises FileRefused: the file is empty, encrypted, damaged, too large or of an unknown type.
    :raises NotAllowed: wrong role, or a closed case.
    """
    # Checked again when the document is added. Here it avoids reading a large file for nothing.
    refuse_if(policies.why_not_add_received_document(by, Case.objects.get(pk=case_id)))
    return files.services.receive_named_upload(upload=upload, at=at)


@transaction.atomic
def add_received_document(
    *,
    case_id: int,
    file: NamedFile,
    kind: str,
    sender: str,
    channel: str,
    received_on: date,
    description: str = "",
    by: User,
    at: datetime,
) -> ReceivedDocument:
    """Add a document to an open case, at any stage. Its file was received before.

    :param kind: a value of ``ReceivedDocument.Kind``; the others as in ``DocumentOfAction``.
    :raises AlreadyReceived: the case already has the same file.
    :raises NotAllowed: wrong role, a closed case, or a date in the future.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_add_received_document(by, case))
    if kind not in ReceivedDocument.Kind.values:
        raise BadFact("kind", "Choose what the document is.")
    document = DocumentOfAction(file, sender, channel, received_on)
    _refuse_document(case, document, at=at)
    label = ReceivedDocument.Kind(kind).label
    event = Event.objects.create(
        case=case,
        kind=Event.Kind.DOCUMENT_RECEIVED,
        happened_at=at,
        by=by,
        sentence=f"Document received {format_day(received_on)}: "
        f"{description.strip() or label} ({Channel(channel).label.lower()}).",
        facts={"sha256": file.stored.sha256},
    )
    return _store_document(
        case, document, kind=kind, description=description, event=event, by=by, at=at
    )


def attach_document(
    *,
    case: Case,
    document: DocumentOfAction | None,
    kind: ReceivedDocument.Kind,
    event: Event,
    by: User,
    at: datetime,
) -> ReceivedDocument | None:
    """Store the document that came with an action, in the transaction of that action.

    The action has locked the case and checked the role. Without a document nothing happens.

    :param event: the event of the action.
    :raises AlreadyReceived: the case already has the same file.
    :raises NotAllowed: a date in the future, or no sender or channel.
    """
    if document is None:
        return None
    _refuse_document(case, document, at=at)
    return _store_document(case, document, kind=kind, description="", event=event, by=by, at=at)


def open_received_page_image(*, document_id: int, page: int, by: User) -> bytes:
    """Render a page as a PNG in the sandboxed parser, which leaves out all that is active.

    :raises ReceivedDocumentHidden: no such page, or not open to this person.
    :raises files.services.FileRefused: the page cannot be rendered.
    """
    document = find_open_document(document_id=document_id, by=by, page=page)
    return files.services.render_page_png(document.file, page)


def open_received_page_text(
    *, document_id: int, page: int, by: User
) -> tuple[ReceivedDocument, str]:
    """Extract the text of a page; empty for a scan.

    :raises ReceivedDocumentHidden: no such page, or not open to this person.
    """
    document = find_open_document(document_id=document_id, by=by, page=page)
    return document, files.services.extract_page_text(document.file, page)


def find_open_document(*, document_id: int, by: User, page: int | None = None) -> ReceivedDocument:
    """Return a document that this person may open.

    :param page: counted from 1; must exist.
    :raises ReceivedDocumentHidden: it does not exist or is not open to this person.
    """
    rows = ReceivedDocument.objects.select_related("case", "file", "recorded_by")
    document: ReceivedDocument | None = rows.filter(pk=document_id).first()
    if document is None or policies.why_not_open_received_document(by, document):
        raise ReceivedDocumentHidden
    # After the access check, so that nobody else can find out how many pages there are.
    if page is not None and not 1 <= page <= (document.file.pages or 1):
        raise ReceivedDocumentHidden
    return document


def _refuse_document(case: Case, document: DocumentOfAction, *, at: datetime) -> None:
    if document.sender not in ReceivedDocument.Sender.values:
        raise BadFact("sender", "Choose who sent the document.")
    if document.channel not in Channel.values:
        raise BadFact("channel", "Choose how the document was received.")
    if document.received_on > local_day(at):
        raise BadFact("received_on", "The date of receipt is in the future. Check the stamp.")
    # Read under the lock of the case, so two people who add the same file cannot both pass.
    if same := case.received_documents.filter(file=document.file.stored).first():
        raise AlreadyReceived(same)


def _store_document(
    case: Case,
    document: DocumentOfAction,
    *,
    kind: str,
    description: str,
    event: Event,
    by: User,
    at: datetime,
) -> ReceivedDocument:
    return ReceivedDocument(
        case=case,
        kind=kind,
        sender=document.sender,
        channel=document.channel,
        received_on=document.received_on,
        description=description.strip()[:200],
        file=document.file.stored,
        name_received=document.file.name[:255],
        event=event,
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at)
