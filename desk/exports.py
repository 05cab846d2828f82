"""The lists that can be exported as CSV: the same rows, columns and filter as on their page.

Each list is read a page at a time with the function of its own page, so a file has exactly what
the reader may see there. Small lists are answered at once; a job writes the others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import QueryDict

from accounts.models import User
from accounts.names import name_actor
from cases.case_rows import read_list_column
from cases.lifecycle import QUEUES
from cases.models import Case, CaseLetter
from cases.open_work import list_open_pairs, select_proposed_changes, select_restrictions
from correspondence.waiting_letters import select_drafts, select_letters_to_send
from deadlines.days import local_day
from directory.models import Organization, Person
from files.csv_rows import write_csv_lines
from jobs.models import ListExport
from queues.filters import Filter
from queues.services import claims
from records.outstanding import OutstandingCase, OutstandingFilter, list_outstanding
from reviewers import panel
from reviewers.forms.panel import AsOfForm, read_as_of
from reviewers.models import Reviewer

from . import party_pages, queues
from .queues import Row

AT_ONCE = 1000  # rows; a longer list is written by the job
MOST_ROWS = 20_000  # of a list without pages
SKIPS = 50  # of a page

Query = Mapping[str, str]
Cells = Sequence[Any]


class NoSuchList(Exception):
    """The address names no list, a filter or a party that there is not for this reader."""


@dataclass(frozen=True)
class Page:
    """Some rows of a list, and the key of those that follow; empty if there are none."""

    rows: Iterable[Cells]
    next_key: str = ""


@dataclass(frozen=True)
class ExportedList:
    """A list as a file.

    :ivar route: the page of the list, which the reader has to be able to open.
    :ivar read_page: reads the rows after a key.
    :ivar count: counts the rows, for the progress.
    """

    label: Callable[[User, Query, datetime], str]
    route: str
    headings: Callable[[User, Query, datetime], Sequence[str]]
    read_page: Callable[[User, Query, str, datetime], Page]
    count: Callable[[User, Query, datetime], int]


def read_query(text: str) -> Query:
    """Read the filter of a list from the text of an address; of a repeated name the last value."""
    return QueryDict(text).dict()


def write_at_once(exported: ExportedList, reader: User, query: Query, *, at: datetime) -> str:
    """Return the whole file; empty if the list is too long to be written at once.

    :raises NoSuchList: there is no such list for this reader.
    """
    rows: list[Cells] = []
    key = ""
    while True:
        page = exported.read_page(reader, query, key, at)
        rows += page.rows
        if len(rows) > AT_ONCE:
            return ""
        key = page.next_key
        if not key:
            return "".join(write_csv_lines(rows, headings=exported.headings(reader, query, at)))


def read_part(export: ListExport, reader: User, *, at: datetime) -> tuple[str, int, str]:
    """Read the next lines of an export: the lines, how many rows, and the key of the next ones.

    :raises NoSuchList: there is no such list for this reader any more.
    """
    exported, query = LISTS[export.name], read_query(export.query)
    page = exported.read_page(reader, query, export.next_key, at)
    rows = list(page.rows)
    headings = () if export.next_key else exported.headings(reader, query, at)
    return "".join(write_csv_lines(rows, headings=headings)), len(rows), page.next_key


# --- Queues ---------------------------------------------------------------------------------------

_QUEUE_COLUMNS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "items": ("Items", lambda row: len(row.titles)),
    "administrator": ("Claims administrator", lambda row: row.administrator),
    "stage": ("Stage", lambda row: row.case.stage.label),
    "channel": ("Received by", lambda row: row.channel),
    "received": ("Received", lambda row: row.case.received_on),
    "room": ("Time to spare", lambda row: row.room),
}


def _read_filter(query: Query, at: datetime) -> tuple[str, Filter]:
    slug = query.get("list", "")
    if slug not in QUEUES:
        raise NoSuchList(slug)
    values = QueryDict(mutable=True)
    values.update({name: value for name, value in query.items() if name != "list"})
    return slug, Filter.read(values, queue=slug, today=local_day(at))


def _name_columns(reader: User, query: Query, at: datetime) -> list[str]:
    _, list_filter = _read_filter(query, at)
    columns = queues.columns_for(reader, list_filter.sort)
    return [name for name in _QUEUE_COLUMNS if name in columns]


def _queue_headings(reader: User, query: Query, at: datetime) -> list[str]:
    chosen = [_QUEUE_COLUMNS[name][0] for name in _name_columns(reader, query, at)]
    return ["Case", "Priority", "Injured worker", "Disputed treatment", *chosen,
            "Due", "On hold until", "Assigned to"]  # fmt: skip


def _read_queue(reader: User, query: Query, key: str, at: datetime) -> Page:
    slug, list_filter = _read_filter(query, at)
    chosen = [_QUEUE_COLUMNS[name][1] for name in _name_columns(reader, query, at)]
    try:
        page = queues.load_queue_page(
            slug, list_filter=list_filter, user=reader, today=local_day(at), at=at, after=key
        )
    except ValueError as error:
        raise NoSuchList(key) from error
    rows = [
        [
            row.case.number,
            row.case.get_priority_display(),
            row.worker,
            "; ".join(row.titles),
            *(read(row) for read in chosen),
            _due_day(row.case),
            row.held_until,
            # "You" would say nothing in a file that is passed on.
            reader.name_for(reader) if row.is_mine else row.held_by,
        ]
        for row in page.rows
    ]
    return Page(rows, page.next_key)


def _due_day(case: Case) -> date | None:
    return case.due_on if case.has_due_date else None


def _count_queue(reader: User, query: Query, at: datetime) -> int:
    slug, list_filter = _read_filter(query, at)
    rows = Case.objects.filter(queue=slug).visible_to(reader)
    found: int = list_filter.apply(rows, user=reader, today=local_day(at), at=at).count()
    return found


# --- Outstanding records --------------------------------------------------------------------------


def _outstanding_filter(query: Query) -> OutstandingFilter:
    name = query.get("show", "")
    return OutstandingFilter(name) if name in set(OutstandingFilter) else OutstandingFilter.ALL


def _read_outstanding(reader: User, query: Query, key: str, at: datetime) -> Page:
    page = list_outstanding(reader, today=local_day(at), after=key, show=_outstanding_filter(query))
    return Page([_outstanding_cells(row) for row in page.rows], page.next_key)


def _outstanding_cells(row: OutstandingCase) -> Cells:
    return [
        row.case.number,
        row.case.get_priority_display(),
        row.notice.party.name if row.notice else "",
        row.notice.sent_on if row.notice else "",
        row.received_count,
        row.reminder.on if row.reminder else "",
        row.reminder.by if row.reminder else "",
        row.remind_from,
        row.effect,
        row.deadline.due_on if row.deadline else "",
    ]


def _count_outstanding(reader: User, query: Query, at: datetime) -> int:
    return int(Case.objects.own().visible_to(reader).in_queue("records").count())


# --- Letters that wait ----------------------------------------------------------------------------


def _read_drafts(reader: User, query: Query, key: str, at: datetime) -> Page:
    rows = select_drafts(reader, kind=query.get("kind", ""))[:MOST_ROWS]
    return Page(
        [
            [
                *_letter_cells(letter),
                letter.reason,
                local_day(letter.drafted_at),
                name_actor(letter.drafted_by, reader=reader),
            ]
            for letter in rows
        ]
    )


def _read_letters_to_send(reader: User, query: Query, key: str, at: datetime) -> Page:
    rows = select_letters_to_send(reader)[:MOST_ROWS]
    return Page(
        [
            [*_letter_cells(letter), letter.recipients, local_day(letter.approved_at)]
            for letter in rows
        ]
    )


def _letter_cells(letter: CaseLetter) -> Cells:
    case = letter.case
    return [case.number, case.get_priority_display(), letter.get_kind_display()]


# --- Other work that waits -----------------------------------------------------------------------


def _read_duplicates(reader: User, query: Query, key: str, at: datetime) -> Page:
    return Page(
        [
            [
                row.case.number,
                row.other.number,
                *("; ".join(row.why.get(side, [])) for side in ("for", "against")),
            ]
            for row in list_open_pairs(reader)
        ]
    )


def _read_item_changes(reader: User, query: Query, key: str, at: datetime) -> Page:
    return Page(
        [
            [
                change.case.number,
                change.case.get_priority_display(),
                change.title,
                change.item.title if change.item else change.after.get("title", ""),
                change.why,
                local_day(change.proposed_at),
                name_actor(change.proposed_by, reader=reader),
            ]
            for change in select_proposed_changes(reader)[:MOST_ROWS]
        ]
    )


def _read_skips(reader: User, query: Query, key: str, at: datetime) -> Page:
    skips = claims.list_skips(reader=reader, before=int(key) if key else None, limit=SKIPS + 1)
    rows = [
        [
            skip.case.number,
            skip.case.get_priority_display(),
            skip.case.stage.label,
            skip.reason,
            name_actor(skip.by, reader=reader),
            local_day(skip.skipped_at),
            _due_day(skip.case),
        ]
        for skip in skips[:SKIPS]
    ]
    return Page(rows, str(skips[SKIPS - 1].pk) if len(skips) > SKIPS else "")


def _count_skips(reader: User, query: Query, at: datetime) -> int:
    return len(claims.list_skips(reader=reader, limit=MOST_ROWS))


def _read_restrictions(reader: User, query: Query, key: str, at: datetime) -> Page:
    return Page(
        [
            [
                row.case.number,
                row.get_ground_display(),
                row.reason,
                local_day(row.begun_at),
                name_actor(row.begun_by, reader=reader),
            ]
            for row in select_restrictions(reader)[:MOST_ROWS]
        ]
    )


# --- Reviewers ------------------------------------------------------------------------------------


def _read_roster(reader: User, query: Query, key: str, at: datetime) -> Page:
    as_of = {name: query[name] for name in ("on", "known") if query.get(name)}
    form = AsOfForm(as_of or None, today=local_day(at))
    on, known_at = read_as_of(form, today=local_day(at), now=at)
    lines, next_code = panel.list_roster(
        on=on,
        known_at=known_at,
        find=query.get("find", "")[:100],
        after=key,
        with_work=not as_of,
    )
    return Page(
        [
            [
                line.reviewer.code,
                line.reviewer.full_name,
                line.specialties,
                line.states,
                line.workload,
                " ".join(reason.sentence for reason in line.hindrances),
            ]
            for line in lines
        ],
        next_code,
    )


# --- Cases of a person or organization ------------------------------------------------------------

_OPEN, _CLOSED = "open", "closed"


def _find_party(reader: User, query: Query) -> party_pages.PartyPage:
    model = Person if "person_id" in query else Organization
    text = query.get("person_id") or query.get("organization_id") or ""
    pk = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    entry: Person | Organization | None = model._default_manager.filter(pk=pk).first()
    page = party_pages.find_party_page(entry, reader) if entry is not None else None
    if page is None:
        raise NoSuchList(text)
    return page


def _read_party_cases(reader: User, query: Query, key: str, at: datetime) -> Page:
    """The open cases, then the closed ones. The key says which, and where they continue."""
    party = _find_party(reader, query)
    part, _, place = key.partition(":")
    if part in {"", _OPEN}:
        found = party_pages.load_open_cases(party, after=place)
        next_key = f"{_OPEN}:{found.next_key}" if found.next_key else f"{_CLOSED}:"
    else:
        found = party_pages.load_closed_cases(party, before=int(place) if place else None)
        next_key = f"{_CLOSED}:{found.next_key}" if found.next_key else ""
    return Page([_party_case_cells(case) for case in found.cases], next_key)


def _party_case_cells(case: Any) -> Cells:
    return [
        case.number,
        case.get_priority_display(),
        case.worker_name,
        "; ".join(title for (title,) in read_list_column(case, "titles_json")),
        case.stage.label,
        _due_day(case) if case.is_open else None,
        local_day(case.closed_at) if case.closed_at else None,
    ]


def _party_label(reader: User, query: Query, at: datetime) -> str:
    party = _find_party(reader, query).newest
    # No name of a worker on the page of files or in the name of a file.
    return "Cases of a person" if party.person_id else f"Cases of {party.name}"


def _list_of_party(route: str) -> ExportedList:
    return ExportedList(
        _party_label,
        route,
        _always(
            "Case", "Priority", "Injured worker", "Disputed treatment", "Stage", "Due", "Closed"
        ),  # fmt: skip
        _read_party_cases,
        lambda reader, query, at: int(_find_party(reader, query).cases.count()),
    )


def _always(*headings: str) -> Callable[[User, Query, datetime], Sequence[str]]:
    return lambda reader, query, at: headings


def _called(label: str) -> Callable[[User, Query, datetime], str]:
    return lambda reader, query, at: label


def _label_queue(reader: User, query: Query, at: datetime) -> str:
    return QUEUES[_read_filter(query, at)[0]][0]


LISTS: dict[str, ExportedList] = {
    "queue": ExportedList(_label_queue, "desk:queue", _queue_headings, _read_queue, _count_queue),
    "outstanding-records": ExportedList(
        _called("Outstanding records"),
        "records:outstanding",
        _always(
            "Case",
            "Priority",
            "Claims administrator",
            "Notice sent",
            "Documents received",
            "Last reminder",
            "Reminded by",
            "Reminder due since",
            "Status",
            "Due",
        ),  # fmt: skip
        _read_outstanding,
        _count_outstanding,
    ),
    "letters-to-review": ExportedList(
        _called("Letters to review"),
        "correspondence:drafts",
        _always("Case", "Priority", "Letter", "Reason", "Drafted", "Drafted by"),
        _read_drafts,
        lambda reader, query, at: select_drafts(reader, kind=query.get("kind", "")).count(),
    ),
    "letters-to-send": ExportedList(
        _called("Letters to send"),
        "correspondence:to_send",
        _always("Case", "Priority", "Letter", "Recipients", "Approved"),
        _read_letters_to_send,
        lambda reader, query, at: select_letters_to_send(reader).count(),
    ),
    "possible-duplicates": ExportedList(
        _called("Possible duplicates"),
        "cases:possible_duplicates",
        _always("Later case", "Earlier case", "Evidence for", "Evidence against"),
        _read_duplicates,
        lambda reader, query, at: len(list_open_pairs(reader)),
    ),
    "item-changes": ExportedList(
        _called("Item changes"),
        "cases:item_changes",
        _always("Case", "Priority", "Change", "Item", "Reason", "Proposed", "Proposed by"),
        _read_item_changes,
        lambda reader, query, at: select_proposed_changes(reader).count(),
    ),
    "skipped-cases": ExportedList(
        _called("Skipped cases"),
        "queues:skipped",
        _always("Case", "Priority", "Stage", "Reason", "Skipped by", "Skipped", "Due"),
        _read_skips,
        _count_skips,
    ),
    "restricted-cases": ExportedList(
        _called("Restricted cases"),
        "cases:restricted_cases",
        _always("Case", "Restricted because of", "Reason", "Since", "Restricted by"),
        _read_restrictions,
        lambda reader, query, at: select_restrictions(reader).count(),
    ),
    "reviewers": ExportedList(
        _called("Reviewers"),
        "reviewers:panel",
        _always("Code", "Name", "Specialties", "States", "Open cases", "Cannot be offered cases"),
        _read_roster,
        lambda reader, query, at: Reviewer.objects.count(),
    ),
    "person": _list_of_party("desk:person"),
    "organization": _list_of_party("desk:organization"),
}
