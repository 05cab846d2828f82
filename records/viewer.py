"""The record viewer: the list of documents on the left and one page beside it.

The pages of a case are numbered from the first document to the last, so that "p. 812" is one page
of the whole record. New documents are added at the end, and the numbers of a document that was
removed stay unused, so a page never changes its number. The only thing written here is the page
last shown, in the session, so that a reader returns to it. The access log and the read mark are
written when the page image itself is requested.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from accounts.models import User
from cases.models import Case
from reviewers.models import ReviewerAssignment

from . import access
from .models import Document, ReadMark
from .services.documents import list_documents
from .services.reading import map_read_marks

PAGE_FIELD = "p"
LAST_PAGES = "record_pages"  # session key; case id -> page of the whole record


@dataclass(frozen=True)
class Row:
    """A document in the list, with its page numbers in the whole record."""

    document: Document
    first: int
    last: int
    mark: str  # "" while the reviewer has not opened it
    url: str
    is_shown: bool
    may_open: bool

    @property
    def pages(self) -> str:
        """The page numbers as shown: "7–10", or "7" for a single page."""
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    @property
    def mark_label(self) -> str:
        return ReadMark.Mark(self.mark).label if self.mark else "Not opened"


@dataclass(frozen=True)
class Viewer:
    """One page of the record of a case, and the links to all other pages."""

    case: Case
    assignment: ReviewerAssignment | None  # the assignment whose read marks are shown
    may_mark: bool
    reads_all: bool  # may open every document, not only those of the application
    rows: list[Row]
    total: int  # how many pages are in the record
    last_page: int  # the highest number of a page; larger than ``total`` after a removal
    page: int  # in the whole record; 0 if there are no pages
    row: Row | None
    url: str  # address of this page, without the query
    keep: dict[str, str]  # the other query fields, for the "go to page" form
    previous_url: str
    next_url: str
    here_url: str

    @property
    def page_in_document(self) -> int:
        return self.page - self.row.first + 1 if self.row else 0

    @property
    def opened(self) -> int:
        """The number of documents with a read mark."""
        return sum(1 for row in self.rows if row.mark)


def build_embedded_viewer(
    request: HttpRequest,
    assignment: ReviewerAssignment,
    *,
    url: str = "",
    keep: Mapping[str, str] | None = None,
) -> Viewer:
    """Build the viewer inside another page, such as the workspace of a reviewer.

    :param url: the address of that page without a query; by default that of the request.
    :param keep: the other query fields of that address; by default those of the request.
    """
    return build_viewer(request, assignment.case, assignment=assignment, url=url, keep=keep)


def build_viewer(
    request: HttpRequest,
    case: Case,
    *,
    assignment: ReviewerAssignment | None = None,
    url: str = "",
    keep: Mapping[str, str] | None = None,
) -> Viewer:
    """Build the viewer of a case for one user. Two queries, and a few more for a reviewer.

    The query field ``p`` chooses the page. Without it, the viewer shows the page that was shown
    last, or else the first page that was not opened.
    """
    user: User = request.user  # type: ignore[assignment]  # every route requires sign-in
    # Kept in every link, so that turning a page does not change what else the page shows.
    fields = request.GET.dict() if keep is None else keep
    hidden_fields = {name: str(value) for name, value in fields.items() if name != PAGE_FIELD}
    path = url or request.path

    def link(page: int) -> str:
        return f"{path}?{urlencode({**hidden_fields, PAGE_FIELD: page})}"

    marks: dict[int, str] = {}
    if assignment is not None:
        marks = map_read_marks(assignment)
    reads_all = not access.why_not_open_any(user, case)
    hidden = access.why_not_list(user, case)
    documents = [] if hidden else list_documents(case)
    page = _choose_page(request, case, documents, marks)
    rows: list[Row] = []
    for document in documents:
        first, last = _pages_of(document)
        rows.append(
            Row(
                document=document,
                first=first,
                last=last,
                mark=marks.get(document.pk, ""),
                url=link(first),
                is_shown=first <= page <= last,
                may_open=reads_all or not access.why_not_open(user, document),
            )
        )
    shown = next((number for number, row in enumerate(rows) if row.is_shown), 0)
    return Viewer(
        case=case,
        assignment=assignment,
        may_mark=assignment is not None and not access.why_not_read_for(user, assignment),
        reads_all=reads_all,
        rows=rows,
        total=sum(document.pages for document in documents),
        last_page=rows[-1].last if rows else 0,
        page=page,
        row=rows[shown] if rows else None,
        url=path,
        keep=hidden_fields,
        previous_url=link(_page_before(rows, shown, page)) if rows and page > rows[0].first else "",
        next_url=link(_page_after(rows, shown, page)) if rows and page < rows[-1].last else "",
        here_url=link(page),
    )


def build_waiting_rows(viewer: Viewer, documents: Sequence[Document]) -> list[Row]:
    """Build the rows of documents that are not in the records yet, after those that are.

    They take the place of the later ones, so that nothing on the page moves. Nobody can open them.
    """
    rows: list[Row] = []
    for document in documents:
        first = document.record_page or 0
        last = first + document.pages - 1
        rows.append(Row(document, first, last, mark="", url="", is_shown=False, may_open=False))
    return rows


def _choose_page(
    request: HttpRequest,
    case: Case,
    documents: list[Document],
    marks: dict[int, str],
) -> int:
    """Choose the page to show, moved to one that exists; 0 if the record has no pages."""
    if not documents:
        return 0
    typed_page = (request.GET.get(PAGE_FIELD) or "").strip()
    last_pages: dict[str, int] = request.session.get(LAST_PAGES, {})
    # The length limit keeps a long row of digits from becoming a huge number.
    if typed_page.isdecimal() and len(typed_page) <= 9:
        page = _nearest_page(documents, int(typed_page))
        # Written only on a change: each write of the session is a write to the database.
        if last_pages.get(str(case.pk)) != page:
            request.session[LAST_PAGES] = {**last_pages, str(case.pk): page}
        return page
    if str(case.pk) in last_pages:
        return _nearest_page(documents, last_pages[str(case.pk)])
    for document in documents:
        # Only for someone who has begun to read; otherwise page 1 is the place to begin.
        if marks and document.pk not in marks:
            return _pages_of(document)[0]
    return _pages_of(documents[0])[0]


def _pages_of(document: Document) -> tuple[int, int]:
    """The numbers of the first and last page of a document in the record."""
    first = document.record_page or 0  # never empty for a document in the record
    return first, first + document.pages - 1


def _nearest_page(documents: list[Document], page: int) -> int:
    """Return this page, or the next one that exists, or else the last."""
    for document in documents:
        first, last = _pages_of(document)
        if page <= last:
            return max(page, first)
    return _pages_of(documents[-1])[1]


def _page_before(rows: list[Row], shown: int, page: int) -> int:
    return page - 1 if page > rows[shown].first else rows[shown - 1].last


def _page_after(rows: list[Row], shown: int, page: int) -> int:
    return page + 1 if page < rows[shown].last else rows[shown + 1].first
