"""Medical records of a case: documents on file, case files sent to reviewers, and read marks."""

from django.conf import settings
from django.db import models

from accounts.versions import Versioned
from cases.models import Case
from files.models import StoredFile
from reviewers.models import ReviewerAssignment


class Document(Versioned):
    """A document on file: a report, a test, a letter. Its bytes are never changed."""

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
    pages = models.PositiveIntegerField()
    sent_by = models.CharField(max_length=24, choices=SentBy)
    received_on = models.DateField()
    added_at = models.DateTimeField()
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by"
    )

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="document_number_once", fields=["case", "number"]),
            # The same scan twice would be read, and listed in the letter, as two records.
            models.UniqueConstraint(name="document_file_once", fields=["case", "file"]),
            models.CheckConstraint(
                name="document_dates_ordered",
                condition=models.Q(dated_to__isnull=True)
                | models.Q(dated_from__isnull=True)
                | models.Q(dated_to__gte=models.F("dated_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} document {self.number}"


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
    manifest = models.JSONField()  # [{"document": id, "sha256": …, "pages": n}, …] in order
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
