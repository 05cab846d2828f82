"""The access log as auditors read it: one line for each visit, filtered, and the rows as CSV.

A visit is what one person opened of one case without a break of thirty minutes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import AccessLogEntry, User
from accounts.names import name_actor
from accounts.visibility import list_hidden_references, match_hidden_references
from cases.hidden_numbers import CONCEALED
from deadlines.days import start_of_day
from files.csv_rows import write_csv_lines
from records.models import Document

PAGE = 50
BREAK = timedelta(minutes=30)
# A session lasts twelve hours at most, so a visit is over by then.
LONGEST_VISIT = timedelta(hours=24)
DAYS_SHOWN = 30  # if no day is chosen
REVIEWERS = "reviewers"  # the choice of all reviewers whose names the reader may not know

SUBJECTS = {
    "case": "Cases",
    "records": "Lists of records",
    "document": "Documents",
    "page": "Pages of documents",
    "letter": "Letters",
    "assignment": "Reviews",
    "complaint": "Complaints",
    "list": "Lists and searches",
    "export": "Lists exported as files",
    "person": "People on cases",
    "organization": "Organizations on cases",
    "batch": "Batches of scans",
    "scan": "Scans",
}


@dataclass(frozen=True)
class AccessFilter:
    """What an auditor asks for. Empty values do not filter."""

    person: str = ""  # the id of a user, or ``REVIEWERS``
    subject: str = ""
    number: str = ""
    first_day: date | None = None
    last_day: date | None = None
    refused: bool = False

    @property
    def is_any(self) -> bool:
        return self != AccessFilter()


@dataclass
class Visit:
    """One visit: who, when, how many pages, and what was opened or refused."""

    who: str
    case_number: str
    began_at: datetime
    ended_at: datetime
    opened: int = 0
    refused: int = 0
    things: list[str] = field(default_factory=list)

    @property
    def lasted(self) -> bool:
        """Whether the visit has an end of its own."""
        return self.ended_at - self.began_at >= timedelta(minutes=1)


def list_people(reader: User) -> list[tuple[str, str]]:
    """The people by whom an auditor may filter: those whose names the reader may know."""
    known = [
        (str(user.pk), user.name_for(reader))
        for user in User.objects.order_by("name", "pk")
        if not user.is_hidden_from(reader)
    ]
    return [(REVIEWERS, "Reviewers"), *known]


def find_entries(chosen: AccessFilter, reader: User) -> QuerySet[AccessLogEntry]:
    """The entries that an auditor asks for, in no order.

    A case number also finds the lists that showed the case; they are searched only in the days
    chosen, because each of them holds many numbers.
    """
    # The entries of a restricted case are for people with clearance. An entry of a list or of
    # another case stays; the restricted case is concealed in it.
    rows = AccessLogEntry.objects.exclude(match_hidden_references(reader, "case_number"))
    rows = rows.exclude(match_hidden_references(reader), case_number="")
    if chosen.number and chosen.number in list_hidden_references(reader):
        return rows.none()
    if chosen.person == REVIEWERS:
        rows = rows.filter(user__ever_reviewer=True).exclude(user=reader)
    elif chosen.person:
        rows = rows.filter(user_id=int(chosen.person))
    if chosen.subject:
        rows = rows.filter(subject=chosen.subject)
    if chosen.number:
        rows = rows.filter(Q(case_number=chosen.number) | Q(shown__contains=chosen.number))
    if chosen.refused:
        rows = rows.filter(granted=False)
    if chosen.first_day:
        rows = rows.filter(accessed_at__gte=start_of_day(chosen.first_day))
    if chosen.last_day:
        rows = rows.filter(accessed_at__lt=start_of_day(chosen.last_day + timedelta(days=1)))
    return rows


def find_entries_of_case(number: str, chosen: AccessFilter, reader: User) -> QuerySet[Any]:
    """The entries of one case, at any time, without the lists that showed it."""
    return find_entries(chosen, reader).filter(case_number=number)


def list_visits(
    rows: QuerySet[AccessLogEntry], reader: User, *, before: int | None = None
) -> tuple[list[Visit], str]:
    """List the visits among these entries, latest first, with the key of the earlier ones.

    Four queries. Reviewers are named only to readers who may know their identity.
    """
    before_it = ExpressionWrapper(OuterRef("accessed_at") - BREAK, output_field=DateTimeField())
    earlier = rows.filter(
        user=OuterRef("user"),
        case_number=OuterRef("case_number"),
        pk__lt=OuterRef("pk"),
        accessed_at__gt=before_it,
    )
    # Entries are only added, so the id orders them by time and is the key of the next page.
    starts = rows.exclude(Exists(earlier)).select_related("user").order_by("-pk")
    if before is not None:
        starts = starts.filter(pk__lt=before)
    # One more than shown tells whether older visits follow, without counting them.
    found = list(starts[: PAGE + 1])
    shown = found[:PAGE]
    if not shown:
        return [], ""
    of_page = rows.filter(
        user__in={one.user_id for one in shown},
        pk__gte=shown[-1].pk,
        accessed_at__lte=max(one.accessed_at for one in shown) + LONGEST_VISIT,
    )
    visits = _collect(shown, of_page.order_by("pk"))
    hidden = set(list_hidden_references(reader))
    for entry in (*shown, *(entry for entries in visits.values() for entry in entries)):
        _conceal_hidden(entry, hidden)
    documents = _load_documents(entry for entries in visits.values() for entry in entries)
    lines = [_describe_visit(visits[one.pk] or [one], one.user, documents, reader) for one in shown]
    return lines, str(shown[-1].pk) if len(found) > PAGE else ""


def write_rows(rows: QuerySet[AccessLogEntry], reader: User) -> Iterator[str]:
    """The entries as lines of CSV, oldest first, with a heading."""
    hidden = set(list_hidden_references(reader))
    entries = rows.select_related("user").order_by("pk").iterator(chunk_size=2000)
    return write_csv_lines(
        (_list_values(entry, hidden, reader) for entry in entries),
        headings=[
            "Time (Pacific)",
            "Person",
            "Opened",
            "Subject",
            "Reference",
            "Case",
            "Page",
            "Cases shown",
        ],
    )


def _list_values(entry: AccessLogEntry, hidden: set[str], reader: User) -> tuple[str, ...]:
    _conceal_hidden(entry, hidden)
    return (
        timezone.localtime(entry.accessed_at).isoformat(timespec="seconds"),
        name_actor(entry.user, reader=reader),
        "opened" if entry.granted else "refused",
        entry.subject,
        entry.reference,
        entry.case_number,
        entry.page,
        entry.shown,
    )


def _collect(
    starts: list[AccessLogEntry], entries: Iterable[AccessLogEntry]
) -> dict[int, list[AccessLogEntry]]:
    """The entries of each visit, by the id of its first entry."""
    visits: dict[int, list[AccessLogEntry]] = {one.pk: [] for one in starts}
    current: dict[tuple[int, str], list[AccessLogEntry]] = {}
    for entry in entries:
        key = (entry.user_id, entry.case_number)
        if entry.pk in visits:
            current[key] = visits[entry.pk]
        elif current.get(key) and entry.accessed_at - current[key][-1].accessed_at >= BREAK:
            del current[key]  # it belongs to a visit of another page of the list
        if key in current:
            current[key].append(entry)
    return visits


def _conceal_hidden(entry: AccessLogEntry, hidden: set[str]) -> None:
    """Conceal in an entry, which is not saved, the numbers of cases hidden from the reader."""
    if not hidden:
        return
    entry.shown = " ".join(one for one in entry.shown.split() if one not in hidden)
    for number in hidden:
        entry.reference = entry.reference.replace(number, CONCEALED)


def _load_documents(entries: Iterable[AccessLogEntry]) -> dict[str, Document]:
    keys = {
        entry.reference.partition("/")[0]
        for entry in entries
        if entry.subject in {"document", "page"}
    }
    found = Document.objects.only("pk", "number", "title").in_bulk(
        [int(key) for key in keys if key.isdigit()]
    )
    return {str(pk): document for pk, document in found.items()}


def _describe_visit(
    entries: list[AccessLogEntry], user: User, documents: dict[str, Document], reader: User
) -> Visit:
    opened = sum(entry.granted for entry in entries)
    visit = Visit(
        who=name_actor(user, reader=reader),
        case_number=entries[0].case_number,
        began_at=entries[0].accessed_at,
        ended_at=entries[-1].accessed_at,
        opened=opened,
        refused=len(entries) - opened,
    )
    for granted in (True, False):
        things = _describe_things([e for e in entries if e.granted is granted], documents)
        visit.things += [thing if granted else f"refused: {thing}" for thing in things]
    return visit


def _describe_things(entries: list[AccessLogEntry], documents: dict[str, Document]) -> list[str]:
    """What was opened, each once: the pages of a document together, then how often."""
    counts: dict[str, int] = {}
    pages: dict[str, set[int]] = {}
    for entry in entries:
        document, _, page = entry.reference.partition("/")
        if entry.subject == "page" and page.isdigit():
            pages.setdefault(document, set()).add(int(page))
        else:
            thing = _describe_subject(entry, documents)
            counts[thing] = counts.get(thing, 0) + 1
    things = [f"{thing} ({count} times)" if count > 1 else thing for thing, count in counts.items()]
    for document, numbers in pages.items():
        word = "page" if len(numbers) == 1 else "pages"
        title = _describe_document(document, documents)
        things.append(f"{word} {_join_ranges(numbers)} of {title}")
    return things


# Pages whose route says too little to an auditor.
PAGE_NAMES = {
    "peek": "summary beside a list",
    "jump": "search",
    "say_date": "date as read",
    "cite": "citation added",
    "uncite": "citation removed",
    "take_in": "file of a scan",
}


def _describe_subject(entry: AccessLogEntry, documents: dict[str, Document]) -> str:
    route = entry.page.rpartition(":")[2]
    page = PAGE_NAMES.get(route, route.replace("_", " "))
    if entry.subject == "document":
        return _describe_document(entry.reference, documents)
    if entry.subject == "received":
        document, _, number = entry.reference.partition("/")
        return f"page {number} of received document {document}"
    if entry.subject == "letter" and entry.reference.endswith(".pdf"):
        return f"the letter {entry.reference}"
    if entry.subject in {"list", "batch", "scan"}:
        name = f"the list “{page}” {entry.reference}".strip() if entry.subject == "list" else ""
        count = len(entry.shown.split())
        cases = f", {count} case{'' if count == 1 else 's'}" if count else ""
        return (name or f"{entry.subject} {entry.reference} ({page})") + cases
    what = {
        "case": "the case",
        "records": "the list of records",
        "letter": "a letter",
        "assignment": "the review",
    }.get(entry.subject, entry.subject)
    return what if page in {"", "case", "list", "workspace"} else f"{what}: {page}"


def _describe_document(key: str, documents: dict[str, Document]) -> str:
    document = documents.get(key)
    if document is None:
        return "a document that does not exist"
    return f"document {document.number}, {document.title}"


def _join_ranges(numbers: set[int]) -> str:
    """Page numbers as ranges: ``1, 3–5``."""
    ranges = []
    for _, group in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        ranges.append(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}")
    return ", ".join(ranges)
