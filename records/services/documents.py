"""Add records to a case, mark the records complete, and ask for records again."""

from datetime import date, datetime, time

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, Max, QuerySet, Sum

import files.services
from accounts.models import User
from accounts.refusals import NotAllowed, TakenByAnother, refuse_if
from cases.case_rows import rows_of
from cases.lifecycle import Status
from cases.models import (
    ApplicationPaper,
    Case,
    Deadline,
    Event,
    Priority,
    ReceivedDocument,
)
from cases.services import case_deadlines, notice_deadlines
from cases.services.extensions import DEADLINE_KIND_OF_PRIORITY
from deadlines.calendars import format_day
from deadlines.days import PACIFIC, format_count, local_day
from files.models import StoredFile
from files.services import NamedFile
from records import policies
from records.models import Document
from records.policies import CompletionBasis

_DOCUMENT_KINDS = {
    ApplicationPaper.Kind.APPLICATION: Document.Kind.APPLICATION,
    ApplicationPaper.Kind.UR_DECISION: Document.Kind.UR_DECISION,
    ApplicationPaper.Kind.SUPPORT: Document.Kind.OTHER,
}


class AlreadyOnFile(NotAllowed):
    """The same file is already a document of this case."""

    field = "upload"

    def __init__(self, document: Document) -> None:
        self.document = document
        super().__init__(
            f"This file is already on file as document {document.number}, “{document.title}”. "
            "It was not added again."
        )


class AlreadyMoved(TakenByAnother):
    """Someone else has moved the received document into the records."""

    def __init__(self, document: Document) -> None:
        self.document = document
        super().__init__(
            f"This document is already in the records as document {document.number}, "
            f"“{document.title}”. It was not added again."
        )


@transaction.atomic
def file_application_documents(*, case_id: int, by: User | None, at: datetime) -> list[Document]:
    """Add the files of the application to the documents of the case. Returns the new documents.

    Running it again has no effect.
    """
    case = Case.objects.lock(case_id)
    return _file_unfiled_papers(case, by=by, at=at)


def list_unfiled_documents(case: Case, *, at: datetime) -> list[Document]:
    """List the documents that the files of the application will become, unsaved, in their order.

    One query if there are none.
    """
    papers = list(list_unfiled_papers(case).select_related("file").order_by("pk"))
    if not papers:
        return []
    number, record_page = _find_next_place(case)
    filed: dict[int, Document] = {}
    for paper in papers:
        # One scan can be listed as application and as UR decision; the first entry wins.
        if paper.file_id in filed:
            continue
        kind = _DOCUMENT_KINDS[ApplicationPaper.Kind(paper.kind)]
        decision = case.ur_decision if kind == Document.Kind.UR_DECISION else None
        filed[paper.file_id] = _build_document(
            case,
            paper.file,
            number=number,
            record_page=record_page,
            kind=kind,
            title=paper.get_kind_display(),
            author="",
            dated_from=decision.decided_on if decision else None,
            dated_to=None,
            sent_by=Document.SentBy.APPLICATION,
            received_on=case.received_on or local_day(at),
            name_received=paper.name_received,
            at=at,
        )
        number, record_page = number + 1, record_page + filed[paper.file_id].pages
    return list(filed.values())


def list_documents(case: Case) -> list[Document]:
    """List the documents in the record with their files, in its order. At most one query."""
    return rows_of(case).once(
        ("documents",),
        lambda: list(case.documents.in_record().select_related("file").order_by("record_page")),
    )


def receive_record_file(*, case_id: int, upload: UploadedFile, by: User, at: datetime) -> NamedFile:
    """Check and store the file of a record. Slow, so call it outside transactions.

    :raises FileRefused: the file is encrypted, damaged, too large or of an unknown type.
    :raises NotAllowed: wrong role or wrong stage.
    """
    # Checked again when the record is added. Here it avoids reading a large file for nothing.
    refuse_if(policies.why_not_add_document(by, Case.objects.get(pk=case_id)))
    return files.services.receive_named_upload(upload=upload, at=at)


@transaction.atomic
def add_document(
    *,
    case_id: int,
    file: NamedFile,
    kind: str,
    title: str,
    author: str,
    dated_from: date | None,
    dated_to: date | None,
    sent_by: str,
    received_on: date,
    by: User,
    at: datetime,
) -> Document:
    """Add a record to a case. Its file was received before, see ``receive_record_file``.

    A record added after the case file was sent makes that dispatch out of date.

    :param dated_from: the date of the record, or the first day that it covers.
    :param sent_by: a value of ``Document.SentBy``.
    :raises AlreadyOnFile: the case already has the same file.
    :raises NotAllowed: wrong role, wrong stage or impossible dates.
    """
    _refuse_impossible_days(dated_from, dated_to, received_on, at)
    if kind not in Document.Kind.values:
        raise NotAllowed("Choose the type of record.")
    if sent_by not in Document.SentBy.values:
        raise NotAllowed("Choose who sent the record.")
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_add_document(by, case))
    # By the system, because the user adds one record and not the files of the application.
    _file_unfiled_papers(case, by=None, at=at)
    # After the application's files, so that one of them is found as a duplicate too.
    if same := case.documents.live().filter(file=file.stored).first():
        raise AlreadyOnFile(same)
    number, record_page = _find_next_place(case)
    document = _build_document(
        case,
        file.stored,
        number=number,
        record_page=record_page,
        kind=Document.Kind(kind),
        title=title,
        author=author,
        dated_from=dated_from,
        dated_to=dated_to,
        sent_by=Document.SentBy(sent_by),
        received_on=received_on,
        name_received=file.name,
        at=at,
    ).store(by=by, at=at)
    _record_event(
        case,
        Event.Kind.RECORD_ADDED,
        f"Record added: document {document.number}, “{document.title}”, "
        f"{format_count(document.pages, 'page')}.",
        by=by,
        at=at,
        facts={"document": document.pk, "sha256": file.stored.sha256},
    )
    return document


@transaction.atomic
def move_received_document(
    *,
    received_id: int,
    kind: str,
    title: str,
    author: str,
    dated_from: date | None,
    dated_to: date | None,
    sent_by: str,
    by: User,
    at: datetime,
) -> Document:
    """Move a document that was received on a case into its medical records.

    Its receipt stays on file, so the document is listed as received that day.

    :raises AlreadyMoved: someone else has moved it.
    :raises NotAllowed: as ``add_document``.
    """
    case_id = ReceivedDocument.objects.values_list("case_id", flat=True).get(pk=received_id)
    case = Case.objects.lock(case_id)
    received = case.received_documents.select_related("file").get(pk=received_id)
    # Under the lock of the case, so that of two people who move it one is refused.
    if same := case.documents.live().filter(file=received.file).first():
        raise AlreadyMoved(same)
    return add_document(
        case_id=case_id,
        file=NamedFile(received.file, received.name_received),
        kind=kind,
        title=title or received.description,
        author=author,
        dated_from=dated_from,
        dated_to=dated_to,
        sent_by=sent_by,
        received_on=received.received_on,
        by=by,
        at=at,
    )


@transaction.atomic
def remove_document(*, document_id: int, reason: str, by: User, at: datetime) -> Document:
    """Remove a document from the record, such as one of another worker.

    Its page numbers stay unused. The case file has to be sent to the reviewer again.

    :raises NotAllowed: wrong role or stage, no reason, or too little would be left.
    """
    case_id = Document.objects.values_list("case_id", flat=True).get(pk=document_id)
    case = Case.objects.lock(case_id)
    document = case.documents.get(pk=document_id)
    refuse_if(policies.why_not_remove_document(by, document))
    refuse_if("" if reason.strip() else "Enter why the document is removed.")
    document.state = Document.State.REMOVED
    document.store(by=by, at=at, why=reason, fields=["state"])
    _record_event(
        case,
        Event.Kind.RECORD_REMOVED,
        f"Removed from the record: document {document.number}, “{document.title}”, "
        f"{format_count(document.pages, 'page')}.",
        by=by,
        at=at,
        why=reason.strip(),
        facts={"document": document.pk},
    )
    return document


@transaction.atomic
def mark_records_complete(
    *,
    case_id: int,
    received_on: date | None,
    basis: str,
    seen_version: int | None,
    by: User,
    at: datetime,
    received_time: time | None = None,
) -> Case:
    """Mark the records complete and start the deadline of the determination.

    COMPLETE: the deadline starts on the day on which the last record was received, as the
    coordinator enters it. WHAT_IS_ON_FILE: the deadline starts at ``at``, which is allowed only
    after the records were due; ``received_on`` is not used. A review cannot be based on the
    documents of the utilization review alone (8 CCR 9792.10.6(b)(2)).

    :param received_on: the day on which the last record was received.
    :param received_time: Pacific time of receipt; required for expedited cases, whose deadline is
        counted in hours.
    :raises NotAllowed: wrong role or stage, an impossible date, or only UR documents on file.
    :raises Stale: someone else changed the case in between.
    """
    case = Case.objects.lock(case_id)
    # Before the rules: files that were scanned late must count in what is on file.
    _file_unfiled_papers(case, by=None, at=at)
    refuse_if(policies.why_not_mark_complete(by, case))
    case.refuse_if_stale(seen_version)
    if basis == CompletionBasis.WHAT_IS_ON_FILE:
        refuse_if(policies.why_not_proceed_without_rest(by, case, at=at))
        # The decision to continue is the trigger here, since no last record was received.
        moment = at.astimezone(PACIFIC)
        received_on, received_time = moment.date(), moment.time()
    elif basis != CompletionBasis.COMPLETE:
        raise NotAllowed(
            "Choose whether the records are complete or to continue with what is on file."
        )
    if received_on is None:
        raise NotAllowed("Enter the date on which the last record was received.")
    # For both reasons, because either date starts a deadline that binds us.
    _refuse_impossible_completion(case, received_on, received_time, at)
    case.records_complete_on = received_on
    case.store(by=by, at=at, why=CompletionBasis(basis).label, fields=["records_complete_on"])
    case.move_to(Status.RECORDS_COMPLETE, by=by, at=at, why=CompletionBasis(basis).label)
    deadline = policies.records_deadline(case)
    if deadline is not None:
        case_deadlines.satisfy_deadline(
            case=case, deadline_kind=deadline.deadline_kind, by=by, at=at
        )
    own_papers = notice_deadlines.own_papers_deadline(priority=case.priority)
    case_deadlines.satisfy_deadline(case=case, deadline_kind=own_papers, by=by, at=at)
    case_deadlines.start_deadline(
        case=case,
        # The priority of now: the law gives each one its own period.
        deadline_kind=DEADLINE_KIND_OF_PRIORITY[Priority(case.priority)],
        given=_build_trigger(case, received_on, received_time),
        by=by,
        at=at,
    )
    documents = case.documents.in_record().count()
    pages = case.documents.in_record().aggregate(sum=Sum("pages"))["sum"] or 0
    on_file = f"{format_count(documents, 'document')}, {format_count(pages, 'page')}"
    _record_event(
        case,
        Event.Kind.RECORDS_COMPLETE,
        f"Records complete, last received {format_day(received_on)}: {on_file}."
        if basis == CompletionBasis.COMPLETE
        else f"The records were not received in full. Continuing with what is on file: {on_file}.",
        by=by,
        at=at,
        facts={
            "basis": basis,
            "received_on": received_on.isoformat(),
            "documents": documents,
            "pages": pages,
        },
    )
    return case


@transaction.atomic
def reopen_records(
    *, case_id: int, reason: str, seen_version: int | None, by: User, at: datetime
) -> Case:
    """Ask for records again, because the file is not complete after all.

    The deadline of the determination is replaced, and its calculation stays on file. The deadline
    for records runs again.

    :raises NotAllowed: wrong role or stage, or no reason.
    :raises Stale: someone else changed the case in between.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_reopen_records(by, case))
    case.refuse_if_stale(seen_version)
    refuse_if("" if reason.strip() else "Enter what is missing.")
    # Kept for the event, because the field is emptied.
    was = case.records_complete_on
    case.records_complete_on = None
    case.store(by=by, at=at, why=reason, fields=["records_complete_on"])
    case.move_to(Status.NOTICE_SENT, by=by, at=at, why=reason)
    for deadline in Deadline.objects.filter(
        case=case,
        round=case.round,
        deadline_kind__in=DEADLINE_KIND_OF_PRIORITY.values(),
        replaced_at__isnull=True,
    ):
        # Replaced and not deleted: the file must show which date once applied.
        deadline.replaced_at = at
        deadline.store(by=by, at=at, why=reason, fields=["replaced_at"])
    deadline_of_records = policies.records_deadline(case)
    own_papers = notice_deadlines.own_papers_deadline(priority=case.priority)
    case_deadlines.reopen_deadline(case=case, deadline_kind=own_papers, why=reason, by=by, at=at)
    if deadline_of_records is not None and deadline_of_records.due_on is not None:
        case_deadlines.reopen_deadline(
            case=case, deadline_kind=deadline_of_records.deadline_kind, why=reason, by=by, at=at
        )
        # The lists sort by this date, which was that of the determination.
        case.set_due(
            deadline_of_records.due_on,
            deadline_of_records.deadline_kind,
            due_at=deadline_of_records.due_at,
            by=by,
            at=at,
        )
    _record_event(
        case,
        Event.Kind.REOPENED,
        "The records are incomplete. Waiting for records again.",
        why=reason,
        by=by,
        at=at,
        facts={"was_complete_on": was.isoformat() if was else ""},
    )
    return case


def list_unfiled_papers(case: Case) -> QuerySet[ApplicationPaper]:
    """List the files of the application that passed all checks and are not documents yet."""
    return ApplicationPaper.objects.filter(
        application__cases=case, file__state=StoredFile.State.CLEAN
    ).exclude(file__in=case.documents.values("file"))


def _file_unfiled_papers(case: Case, *, by: User | None, at: datetime) -> list[Document]:
    """Add one document for each file of the application, even if it is listed twice there."""
    # The case is locked, so no other document can take the same number.
    filed = [one.store(by=by, at=at) for one in list_unfiled_documents(case, at=at)]
    if filed:
        _record_event(
            case,
            Event.Kind.RECORD_ADDED,
            f"{format_count(len(filed), 'document')} of the application added to the records.",
            by=by,
            at=at,
            facts={"documents": [document.pk for document in filed]},
        )
    return filed


def _find_next_place(case: Case) -> tuple[int, int]:
    """Return the number of the next document and the number of its first page in the record.

    Both come after all that ever were in the record, so that none is given twice. Lock the case
    before a document is stored at this place.
    """
    last = case.documents.aggregate(
        number=Max("number"), page=Max(F("record_page") + F("pages") - 1)
    )
    return (last["number"] or 0) + 1, (last["page"] or 0) + 1


def _build_document(
    case: Case,
    stored: StoredFile,
    *,
    number: int,
    record_page: int,
    kind: Document.Kind,
    title: str,
    author: str,
    dated_from: date | None,
    dated_to: date | None,
    sent_by: Document.SentBy,
    received_on: date,
    name_received: str,
    at: datetime,
) -> Document:
    return Document(
        case=case,
        number=number,
        kind=kind,
        title=title.strip()[:200] or kind.label,
        author=author.strip()[:200],
        dated_from=dated_from,
        dated_to=dated_to,
        file=stored,
        name_received=name_received[:255],
        pages=stored.pages or 1,
        record_page=record_page,
        sent_by=sent_by,
        received_on=received_on,
        added_at=at,
    )


def _refuse_impossible_days(
    dated_from: date | None, dated_to: date | None, received_on: date, at: datetime
) -> None:
    if received_on > local_day(at):
        raise NotAllowed("The date of receipt is in the future. Check the stamp.")
    if dated_from and dated_to and dated_to < dated_from:
        raise NotAllowed("The last day of the record is before its first day. Check both dates.")
    # A record that covers several days must have ended before it was received.
    latest = dated_to or dated_from
    if latest and latest > received_on:
        raise NotAllowed(
            "The record is dated after the day on which it was received. Check both dates."
        )


def _refuse_impossible_completion(
    case: Case, received_on: date, received_time: time | None, at: datetime
) -> None:
    if received_on > local_day(at):
        raise NotAllowed("The date of receipt is in the future. Check the stamp.")
    # Records were requested by the notice, so nothing can complete them before it.
    if case.assigned_on and received_on < case.assigned_on:
        raise NotAllowed(
            f"The notice of assignment was sent on {format_day(case.assigned_on)}. "
            "The records cannot be complete before that day."
        )
    if case.priority != Priority.EXPEDITED:
        return
    if received_time is None:
        raise NotAllowed(
            "The deadline of an expedited case is counted in hours. Enter the time of receipt."
        )
    if datetime.combine(received_on, received_time, PACIFIC) > at:
        raise NotAllowed("The time of receipt is in the future. Check the stamp.")


def _build_trigger(case: Case, received_on: date, received_time: time | None) -> dict[str, str]:
    """Return the trigger of the determination's deadline, by the names of the deadline engine."""
    if case.priority == Priority.EXPEDITED and received_time is not None:
        # Whole minutes, as the received stamp and the form show them.
        moment = datetime.combine(received_on, received_time.replace(second=0, microsecond=0))
        return {"information_complete": moment.isoformat(timespec="minutes")}
    return {"records_complete": received_on.isoformat()}


def _record_event(
    case: Case,
    kind: Event.Kind,
    sentence: str,
    *,
    by: User | None,
    at: datetime,
    why: str = "",
    facts: dict[str, object] | None = None,
) -> Event:
    return Event.objects.create(
        case=case,
        kind=kind,
        happened_at=at,
        by=by,
        sentence=sentence,
        why=why,
        facts=facts or {},
    )
