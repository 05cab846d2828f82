"""Documents received on a case at any stage: letters, answers, certifications, records."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.versions import Versioned
from files.models import StoredFile

from .application import Channel
from .case import Case
from .history import Event
from .parties import PartyRole


def sender_of_role(role: str) -> str:
    """Return the sender of a document that a party with this role sends."""
    return _SENDERS.get(PartyRole(role), ReceivedDocument.Sender.OTHER)


class ReceivedDocument(Versioned):
    """A document as it was received: the file, who sent it, when and how, and who took it in.

    It may belong to an action, such as the answer that it contains. It is no medical record: a
    reviewer sees it only after a person has moved it into the records.
    """

    class Kind(models.TextChoices):
        APPLICATION = "APPLICATION", "Application or part of it"
        UR_DECISION = "UR_DECISION", "UR decision"
        RFA = "RFA", "Request for Authorization (RFA)"
        ANSWER = "ANSWER", "Answer to a question"
        OBJECTION = "OBJECTION", "Objection"
        LIABILITY = "LIABILITY", "Resolution of a liability dispute"
        WITHDRAWAL = "WITHDRAWAL", "Withdrawal"
        AUTHORIZATION = "AUTHORIZATION", "Authorization of the treatment"
        CERTIFICATION = "CERTIFICATION", "Certification of urgency"
        MEDICAL_RECORD = "MEDICAL_RECORD", "Medical record"
        LETTER = "LETTER", "Other letter or fax"
        OTHER = "OTHER", "Other document"

    class Sender(models.TextChoices):
        EMPLOYEE = "EMPLOYEE", "Injured worker or representative"
        CLAIMS_ADMINISTRATOR = "CLAIMS_ADMINISTRATOR", "Claims administrator"
        REQUESTING_PHYSICIAN = "REQUESTING_PHYSICIAN", "Requesting physician"
        OTHER = "OTHER", "Someone else"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="received_documents")
    kind = models.CharField(max_length=16, choices=Kind)
    sender = models.CharField(max_length=24, choices=Sender)
    channel = models.CharField(max_length=8, choices=Channel)
    received_on = models.DateField()
    description = models.CharField(max_length=200, blank=True)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    name_received = models.CharField(max_length=255)
    # The action that it belongs to; empty if it was added by itself.
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, null=True, related_name="received_documents"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="received_document_once", fields=["case", "file"]),
            models.CheckConstraint(
                name="received_document_is_named", condition=~Q(name_received="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.title}"

    @property
    def title(self) -> str:
        """What it is, in the words of the person who added it, or its kind."""
        return self.description or str(self.get_kind_display())


_SENDERS = {
    PartyRole.EMPLOYEE: ReceivedDocument.Sender.EMPLOYEE,
    PartyRole.EMPLOYEE_ATTORNEY: ReceivedDocument.Sender.EMPLOYEE,
    PartyRole.REPRESENTATIVE: ReceivedDocument.Sender.EMPLOYEE,
    PartyRole.CLAIMS_ADMINISTRATOR: ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
    PartyRole.INSURER: ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
    PartyRole.EMPLOYER: ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
    PartyRole.DEFENSE_ATTORNEY: ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
    PartyRole.REQUESTING_PHYSICIAN: ReceivedDocument.Sender.REQUESTING_PHYSICIAN,
}
