"""Medical records of a case: documents on file, case files sent to reviewers, and read marks."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.versions import Versioned, VersionedQuerySet
from cases.models import Case
from files.models import StoredFile
from reviewers.models import ReviewerAssignment


class DocumentQuerySet(VersionedQuerySet):
    """Queries of documents by their state."""

    def in_record(self) -> Self:
        """Select what reviewers read and letters list."""
        return self.filter(state=Document.State.IN_RECORD)

    def live(self) -> Self:
        """Select the documents that are in the record or may still come into it."""
        return self.filter(state__in=Document.LIVE)


class Document(Versioned):
    """A document on file: a report, a test, a letter. A range of pages of a stored file.

    Its bytes are never changed. Only a document in the record is sent to a reviewer, read by one
    and listed in a letter. Its pages have numbers in the record of the case, which never change and
    are never given to other pages: a reviewer may have cited them.
    """

    class State(models.TextChoices):
        RECEIVED = "RECEIVED", "Received"  # not in the record
        IN_RECORD = "IN_RECORD", "In the record"
        REPLACED = "REPLACED", "Replaced"  # by another document
        REMOVED = "REMOVED", "Removed"

    # A page of a file is in one of these only once.
    LIVE: ClassVar[list[str]] = [State.RECEIVED, State.IN_RECORD]

    class Kind(models.TextChoices):
        APPLICATION = "APPLICATION", "Application"
        UR_DECISION = "UR_DECISION", "UR decision"
        RFA = "RFA", "Request for authorization"
        PROGRESS_REPORT = "PROGRESS_REPORT", "Progress report"
        CONSULTATION = "CONSULTATION", "Consultation"
        IMAGING = "IMAGING", "Imaging report"
        LABORATORY = "LABORATORY", "Laboratory report"
        OPERATIVE = "OPERATIVE", "Operative or procedure report"
        THERAPY = "THERAPY", "Therapy notes"
        PHARMACY = "PHARMACY", "Pharmacy record"
        LEGAL = "LEGAL", "Legal document"
        OTHER = "OTHER", "Other"

    class SentBy(models.TextChoices):
        CLAIMS_ADMINISTRATOR = "CLAIMS_ADMINISTRATOR", "Claims administrator"
        EMPLOYEE = "EMPLOYEE", "Employee or representative"
        REQUESTING_PHYSICIAN = "REQUESTING_PHYSICIAN", "Requesting physician"
        APPLICATION = "APPLICATION", "Came with the application"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="documents")
    number = models.PositiveSmallIntegerField()  # its position in the list of the case
    kind = models.CharField(max_length=20, choices=Kind)
    title = models.CharField(max_length=200)
    author = models.CharField(max_length=200, blank=True)
    dated_from = models.DateField(null=True)  # the day, or the first day of a range
    dated_to = models.DateField(null=True)
    # The bytes are stored once and shared: two cases may have received the same report.
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    name_received = models.CharField(max_length=255)
    first_page = models.PositiveIntegerField(default=1)  # of the file
    pages = models.PositiveIntegerField()  # how many, from the first page
    state = models.CharField(max_length=12, choices=State, default=State.IN_RECORD)
    # The number of its first page in the record of the case. NULL: it was never in the record.
    record_page = models.PositiveIntegerField(null=True)
    sent_by = models.CharField(max_length=24, choices=SentBy)
    received_on = models.DateField()
    added_at = models.DateTimeField()
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by"
    )

    objects: ClassVar[Any] = DocumentQuerySet.as_manager()

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="document_number_once", fields=["case", "number"]),
            # The same scan twice would be read, and listed in the letter, as two records.
            models.UniqueConstraint(
                name="document_pages_once",
                fields=["case", "file", "first_page"],
                condition=Q(state__in=["RECEIVED", "IN_RECORD"]),
            ),
            models.UniqueConstraint(name="record_page_once", fields=["case", "record_page"]),
            models.CheckConstraint(
                name="document_has_pages", condition=Q(first_page__gte=1, pages__gte=1)
            ),
            models.CheckConstraint(
                name="document_in_record_has_page",
                condition=Q(state="RECEIVED", record_page__isnull=True)
                | Q(~Q(state="RECEIVED"), record_page__isnull=False, record_page__gte=1),
            ),
            models.CheckConstraint(
                name="document_dates_ordered",
                condition=Q(dated_to__isnull=True)
                | Q(dated_from__isnull=True)
                | Q(dated_to__gte=F("dated_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} document {self.number}"

    @property
    def last_record_page(self) -> int | None:
        """The number of its last page in the record; ``None`` if it was never in the record."""
        return None if self.record_page is None else self.record_page + self.pages - 1

    @property
    def unreadable_pages(self) -> list[int]:
        """Its pages that cannot be shown, counted from 1 in the document."""
        return [
            page - self.first_page + 1
            for page in self.file.unreadable_pages
            if self.first_page <= page < self.first_page + self.pages
        ]

    def page_of_file(self, page: int) -> int:
        """Return the page of the file on which a page of the document is."""
        return self.first_page + page - 1


# No ``Versioned``: a dispatch is written once. Sending the file again adds a row.
class Dispatch(models.Model):
    """A case file as sent to a reviewer, with the hashes of its documents. Never changed."""

    assignment = models.ForeignKey(
        ReviewerAssignment, on_delete=models.PROTECT, related_name="dispatches"
    )
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    manifest = models.JSONField()  # [{"document": id, "sha256": …, "first_page": n, …}, …]
    # One hash to compare with what is on file now, instead of a list of documents.
    manifest_sha256 = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"Case file of {self.assignment}"


class ReadMark(Versioned):
    """A reviewer's progress with a document: opened, reviewed or not relevant."""

    class Mark(models.TextChoices):
        OPENED = "OPENED", "Opened"
        REVIEWED = "REVIEWED", "Reviewed"
        NOT_RELEVANT = "NOT_RELEVANT", "Not relevant"

    assignment = models.ForeignKey(
        ReviewerAssignment, on_delete=models.PROTECT, related_name="read_marks"
    )
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="read_marks")
    mark = models.CharField(max_length=12, choices=Mark)
    marked_at = models.DateTimeField()

    class Meta(Versioned.Meta):
        constraints = [
            # One row whose mark changes; its versions keep when the document was first opened.
            models.UniqueConstraint(name="read_mark_once", fields=["assignment", "document"])
        ]

    def __str__(self) -> str:
        return f"{self.document}: {self.get_mark_display()}"
