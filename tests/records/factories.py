"""Records for tests: small real PDFs, and cases that have them, reached by the services."""

import io
from datetime import datetime, timedelta
from itertools import count

import pikepdf
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from accounts.roles import Role
from cases.models import Case
from deadlines.days import local_day
from records.models import Document
from records.services import documents
from reviewers.models import ReviewerAssignment
from tests.factories import MONDAY, noticed_case, person
from tests.reviewers import factories as panel
from tests.stored_stages import CASE_APPS, stored_stage

_serial = count(1)


def pdf_bytes(pages: int = 1, text: str = "", password: str = "") -> bytes:
    """A PDF with a line of text on each page; different at every call unless text is given."""
    words = text or f"Progress report {next(_serial)}"
    made = pikepdf.Pdf.new()
    font = made.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
    )
    for number in range(1, pages + 1):
        made.add_blank_page(page_size=(612, 792))
        page = made.pages[-1]
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        line = f"{words}, page {number}".replace("\\", "\\\\").replace("(", "\\(")
        line = line.replace(")", "\\)")
        page.Contents = made.make_stream(f"BT /F1 14 Tf 72 720 Td ({line}) Tj ET".encode())
    out = io.BytesIO()
    if password:
        made.save(out, encryption=pikepdf.Encryption(owner=password, user=password))
    else:
        made.save(out, deterministic_id=True)
    return out.getvalue()


def make_upload(name: str = "report.pdf", content: bytes | None = None, **pdf: object):
    """A file as a browser sends it."""
    body = pdf_bytes(**pdf) if content is None else content
    return SimpleUploadedFile(name, body, content_type="application/pdf")


def make_record_fields(**changes: object) -> dict[str, object]:
    """What is keyed about a record; change what a test is about."""
    return {
        "kind": Document.Kind.PROGRESS_REPORT,
        "title": "Progress report of the requesting physician",
        "author": "Dana Oyelaran, M.D.",
        "dated_from": local_day(MONDAY) - timedelta(days=30),
        "dated_to": None,
        "sent_by": Document.SentBy.CLAIMS_ADMINISTRATOR,
        "received_on": local_day(MONDAY),
    } | changes


def add_record(
    case: Case,
    *,
    by: User | None = None,
    at: datetime = MONDAY + timedelta(hours=5),
    file: object | None = None,
    pages: int = 1,
    text: str = "",
    **changes: object,
) -> Document:
    """A record put on file by a coordinator."""
    by = by or person(Role.COORDINATOR)
    received = documents.receive_record_file(
        case_id=case.pk, upload=file or make_upload(pages=pages, text=text), by=by, at=at
    )
    return documents.add_document(
        case_id=case.pk,
        file=received,
        by=by,
        at=at,
        **make_record_fields(**changes),
    )


@stored_stage(*CASE_APPS, "records")
def case_with_records(
    *,
    pages: tuple[int, ...] = (3, 2),
    complete: bool = True,
    at: datetime = MONDAY,
    coordinator: User | None = None,
    **changes: object,
) -> Case:
    """A case past its notices, with one record for each number of pages; complete unless told."""
    if coordinator:
        changes["coordinator"] = coordinator
    case = noticed_case(at=at, **changes)
    coordinator = coordinator or person(Role.COORDINATOR)
    for number, length in enumerate(pages, start=1):
        add_record(
            case,
            by=coordinator,
            at=at + timedelta(hours=5),
            pages=length,
            title=f"Report {number}",
            dated_from=local_day(at) - timedelta(days=30),
            received_on=local_day(at),
        )
    if complete:
        documents.mark_records_complete(
            case_id=case.pk,
            received_on=local_day(at),
            basis="COMPLETE",
            seen_version=None,
            by=coordinator,
            at=at + timedelta(hours=6),
        )
    case.refresh_from_db()
    return case


def make_offered_case(
    case: Case, *, at: datetime = MONDAY + timedelta(days=1)
) -> ReviewerAssignment:
    """A complete case offered to a reviewer who has not attested yet."""
    return panel.offered_case(case=case, at=at)


def sign_attestation(
    assignment: ReviewerAssignment, *, at: datetime = MONDAY + timedelta(days=1, hours=1)
) -> ReviewerAssignment:
    """The reviewer attests on the present parties: the case is in review."""
    return panel.sign_attestation(assignment, at=at)


@stored_stage(*CASE_APPS, "reviewers", "records")
def in_review(**changes: object) -> ReviewerAssignment:
    """A case with records whose reviewer has attested; nothing has been opened."""
    return sign_attestation(make_offered_case(case_with_records(**changes)))


def new_party(case: Case, *, at: datetime) -> None:
    """The list of parties changes, as adding one does."""
    case.refresh_from_db()
    case.party_list_version += 1
    case.store(by=None, at=at, why="Party added", fields=["party_list_version"])
