"""Send the complete case file to a reviewer, and prove later what was in it."""

import hashlib
import json
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists

from accounts.models import User
from accounts.refusals import refuse_if
from cases.case_rows import rows_of
from cases.models import Case, Event
from deadlines.days import format_count, local_day
from letters.facts import Fact
from records import access, policies
from records.models import Dispatch, ReadMark
from reviewers.models import ReviewerAssignment
from reviewers.services.assignment import lock_assignment

from . import documents


def build_manifest(case: Case) -> list[dict[str, Any]]:
    """List the documents on file now, in the order of the case. At most one query."""
    # The order is part of the hash, so it must not depend on the database.
    return [
        {
            "document": row.pk,
            "sha256": row.file.sha256,
            "first_page": row.first_page,
            "pages": row.pages,
        }
        for row in documents.list_documents(case)
    ]


def hash_manifest(contents: list[dict[str, Any]]) -> str:
    """Hash a manifest as canonical JSON: sorted keys, no spaces, UTF-8."""
    # Any other spacing or order of keys would give another hash for the same contents.
    canonical = json.dumps(contents, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@transaction.atomic
def dispatch_case_file(*, assignment_id: int, by: User | None, at: datetime) -> Dispatch:
    """Send the complete case file to the reviewer of an assignment.

    It can be sent again at any time, to include records that were added later.

    :raises NotAllowed: wrong role or stage, the reviewer has not attested on the current parties,
        or nothing is on file.
    """
    assignment = lock_assignment(assignment_id)
    return _send_case_file(assignment, by=by, at=at)


@transaction.atomic
def ensure_case_file_dispatched(*, assignment_id: int, by: User | None, at: datetime) -> Dispatch:
    """Send the complete case file, unless the last dispatch contains everything on file.

    :raises NotAllowed: as ``dispatch_case_file``.
    """
    assignment = lock_assignment(assignment_id)
    latest = last_dispatch(assignment)
    if latest is not None and is_dispatch_current(assignment):
        return latest
    return _send_case_file(assignment, by=by, at=at)


def last_dispatch(assignment: ReviewerAssignment) -> Dispatch | None:
    """Return the latest dispatch of an assignment, if any. At most one query.

    It says too whether a file of the application is no document yet: ``has_unfiled_papers``.
    """
    unfiled = Exists(documents.list_unfiled_papers(assignment.case))
    rows = assignment.dispatches.annotate(has_unfiled_papers=unfiled)
    return rows_of(assignment.case).once(
        ("last dispatch", assignment.pk), rows.order_by("-sent_at", "-pk").first
    )


def is_dispatch_current(assignment: ReviewerAssignment) -> bool:
    """Return whether the last dispatch contains exactly what is on file now. Queries."""
    latest: Any = last_dispatch(assignment)
    # A file of the application that is not yet a document would be missing in the manifest.
    if latest is None or latest.has_unfiled_papers:
        return False
    return latest.manifest_sha256 == hash_manifest(build_manifest(assignment.case))


def dispatch_fact(assignment: ReviewerAssignment, on: date) -> Fact | None:
    """Return the fact that the reviewer had the complete case file on a day, or ``None``."""
    latest = last_dispatch(assignment)
    # All three: a letter may say "complete" only if nothing was added after the last dispatch.
    if latest is None or local_day(latest.sent_at) > on or not is_dispatch_current(assignment):
        return None
    return Fact(
        name="case_file_dispatched",
        value=latest.manifest_sha256,
        source=f"Dispatch {latest.pk} of {local_day(latest.sent_at):%m/%d/%Y}",
        valid_from=local_day(latest.sent_at),
        valid_to=None,
    )


def records_reviewed_fact(assignment: ReviewerAssignment, on: date) -> Fact | None:
    """Return the fact that every document was opened or marked not relevant, or ``None``."""
    document_ids = set(assignment.case.documents.in_record().values_list("pk", flat=True))
    marks = {
        mark.document_id: mark
        for mark in ReadMark.objects.filter(assignment=assignment, document__in=document_ids)
    }
    # An empty file proves nothing, so it is not "every document".
    if not document_ids or document_ids - set(marks):
        return None
    # The fact begins to hold with the last document that was read.
    last = max(local_day(mark.marked_at) for mark in marks.values())
    if last > on:
        return None
    return Fact(
        name="records_reviewed",
        value=f"{len(document_ids)} of {len(document_ids)} documents",
        source=f"Read marks of assignment {assignment.pk}",
        valid_from=last,
        valid_to=None,
    )


def _send_case_file(assignment: ReviewerAssignment, *, by: User | None, at: datetime) -> Dispatch:
    case = assignment.case
    refuse_if(policies.why_not_dispatch(by, assignment))
    # First, so that the manifest has the application and the UR decision too.
    documents.file_application_documents(case_id=case.pk, by=None, at=at)
    contents = build_manifest(case)
    # A reviewer who receives nothing could sign that everything was read.
    refuse_if("" if contents else "There are no records on file to send.")
    is_repeated = assignment.dispatches.exists()
    sent = Dispatch.objects.create(
        assignment=assignment,
        sent_at=at,
        sent_by=by,
        manifest=contents,
        manifest_sha256=hash_manifest(contents),
    )
    pages = sum(entry["pages"] for entry in contents)
    is_reviewer = by is not None and access.is_reviewer_of(by, assignment)
    Event.objects.create(
        case=case,
        kind=Event.Kind.RECORDS_DISPATCHED,
        happened_at=at,
        by=by,
        by_reviewer_seat=assignment.seat if is_reviewer else None,
        sentence=f"Complete case file sent to the reviewer{' again' if is_repeated else ''}: "
        f"{format_count(len(contents), 'document')}, "
        f"{format_count(pages, 'page')}.",
        facts={"dispatch": sent.pk, "manifest_sha256": sent.manifest_sha256},
    )
    return sent
