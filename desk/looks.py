"""The access log of a case: who opened it, its records and letters, and who was refused."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import Look, User
from accounts.names import name_actor
from cases.models import Case
from records.models import Document

PAGE = 100
_SUBJECTS = {
    "case": "the case",
    "records": "the list of records",
    "document": "document",
    "page": "page",
    "letter": "a letter",
}


@dataclass(frozen=True)
class LookLine:
    """One entry of the access log, in words."""

    looked_at: datetime
    who: str
    what: str
    granted: bool


def list_looks(
    case: Case, reader: User, *, before: int | None = None
) -> tuple[list[LookLine], str]:
    """List who opened a case and what belongs to it, latest first, with the key of older entries.

    Three queries. Reviewers are named only to readers who may know their identity.
    """
    # A look stores the id of a document or page, not of its case.
    documents = list(Document.objects.filter(case=case).only("pk", "number", "title", "pages"))
    pages = {f"{one.pk}/{page}": one for one in documents for page in range(1, one.pages + 1)}
    of_case = (
        Q(subject__in=["case", "records", "letter"], reference=case.number)
        # A case may have several letters, whose references begin with its number.
        | Q(subject="letter", reference__startswith=f"{case.number}-")
        | Q(subject="document", reference__in=[str(one.pk) for one in documents])
        | Q(subject="page", reference__in=list(pages))
    )
    # Entries are only added, so the id orders them by time and is the key of the next page.
    rows = Look.objects.filter(of_case).select_related("user").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    # One row more than shown tells whether older entries follow, without counting them.
    found = list(rows[: PAGE + 1])
    titles = {str(one.pk): one for one in documents}
    lines = [
        LookLine(
            look.looked_at,
            name_actor(look.user, reader=reader),
            _describe_subject(look, titles),
            look.granted,
        )
        for look in found[:PAGE]
    ]
    return lines, str(found[PAGE - 1].pk) if len(found) > PAGE else ""


def _describe_subject(look: Look, documents: dict[str, Document]) -> str:
    if look.subject in {"document", "page"}:
        document_id, _, page = look.reference.partition("/")
        document = documents[document_id]
        of = f"document {document.number}, {document.title}"
        return f"page {page} of {of}" if page else of
    if look.subject == "letter" and look.reference.endswith(".pdf"):
        return f"the letter {look.reference}"
    return _SUBJECTS.get(look.subject, look.subject)
