"""The scans of an application and its UR decision, as the eligibility page shows them."""

from dataclasses import dataclass
from typing import Any

from cases.models import ApplicationPaper, Case

# A scan with more pages is opened on its own page; an application has about ten.
MOST_PAGES = 60
# Read first: the form itself, then what it disputes.
_KINDS = ("APPLICATION", "UR_DECISION", "RFA")


@dataclass(frozen=True)
class ShownDocument:
    """A document beside the form.

    :ivar pages: the page numbers that are shown, from 1; the first ones of a long document.
    """

    document: Any  # a records.Document; that app is above this one
    pages: range

    @property
    def is_cut(self) -> bool:
        return len(self.pages) < self.document.pages


def list_application_documents(case: Case) -> list[ShownDocument]:
    """List the application, its UR decision and its RFA, in the order in which they are read.

    One query. Replaced and removed documents are left out; one that was only received is shown.
    """
    rows = case.documents.live().filter(kind__in=_KINDS).order_by("number")
    ordered = sorted(rows, key=lambda row: _KINDS.index(row.kind))
    return [ShownDocument(row, range(1, min(row.pages, MOST_PAGES) + 1)) for row in ordered]


def has_papers(case: Case) -> bool:
    """Return whether files came with the application, which may not be documents yet."""
    return ApplicationPaper.objects.filter(application__cases=case).exists()
