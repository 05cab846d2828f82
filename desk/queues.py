"""The work lists of the office, one page at a time, paged by key."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import F, FilteredRelation, Q, TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from accounts.models import User
from accounts.names import name_actor
from accounts.roles import Role
from cases.case_rows import TITLES, list_column, read_list_column
from cases.lifecycle import QUEUES
from cases.models import Case, CaseLetter, Channel, PartyRole
from cases.models.case import CaseQuerySet
from cases.models.restrictions import HIDDEN_CASES
from queues.filters import Filter
from queues.lead_time import StageDurations, lead_time_words
from queues.models import SavedView, WorkClaim
from queues.services.claims import stages_for
from queues.work_order import Key, Sort, next_rows, sort_key_of, stage_durations_now

PAGE = 50
COUNTED = 999  # longer lists show "999+", so that counting costs the same at any size
UNREAD = "unread"  # what the count of unread notices is called; “notices” is a list of cases
_COUNTS = "queue_counts"  # attribute of a request
VIEW_COUNTED = 50

# What a row shows besides case, treatment and due date, by role.
_COLUMNS: dict[Role, set[str]] = {
    Role.INTAKE: {"items", "stage", "received", "channel"},
    Role.SUPERVISOR: {"items", "stage", "received", "channel"},
    Role.COORDINATOR: {"items", "stage", "received", "administrator"},
    Role.MAILROOM: {"stage", "administrator"},
    Role.QA: {"items", "stage"},
    Role.DIRECTOR: {"items", "stage"},
}
_ELSE = {"items", "stage", "received"}
COLUMNS_OF_CASE = (
    "number",
    "status",
    "priority",
    "queue",
    "due_on",
    "due_at",
    "due_deadline_kind",
    "list_day",
    "urgency",
    "held_until",
    "received_on",
)
# The lists of letters whose length the menu shows: who sees it, and the state of its letters.
LETTER_LISTS = {
    "letters-to-review": ("correspondence.review_drafts", CaseLetter.State.DRAFT),
    "letters-to-send": ("letters.mark_sent", CaseLetter.State.APPROVED),
}
# The newest row has the current name.
_PARTY_NAME = (
    "SELECT p.name FROM cases_party p "
    "WHERE p.case_id = cases_case.id AND p.role = %s AND NOT p.withdrawn "
    "AND NOT EXISTS (SELECT 1 FROM cases_party c WHERE c.corrects_id = p.id) "
    "ORDER BY p.id DESC LIMIT 1"
)


@dataclass(frozen=True)
class Row:
    """A case as shown to one reader in a list."""

    case: Case  # with the columns that a row shows
    titles: list[str]  # of the disputed items, in their order
    worker: str
    administrator: str
    channel: str  # how the application came; empty unless that column is shown
    room: str  # "3 days to spare"; shown in the order by time to spare
    held_until: date | None  # the whole case is on hold until that day
    claim: WorkClaim | None
    held_by: str  # "You" or a name; empty if unassigned
    is_mine: bool


@dataclass(frozen=True)
class Page:
    """One page of a list, and the key of the next one."""

    rows: list[Row]
    next_key: str  # "2026-03-02,1,17", empty on the last page
    found_more: bool  # the searched name or number has more cases than were looked through
    # Whether it begins among the cases without a due date; ``None`` in the order by date of receipt
    is_undated: bool | None = None


def columns_for(user: User, sort: Sort = Sort.DUE) -> set[str]:
    """Return the columns that this reader's roles need, and the one that the list is sorted by."""
    column_sets = [_COLUMNS[role] for role in user.roles if role in _COLUMNS]
    columns = set().union(*column_sets) if column_sets else set(_ELSE)
    if sort == Sort.SLACK:  # time to spare takes the place of the date of receipt
        return columns - {"received"} | {"room"}
    return columns | {"received"} if sort == Sort.RECEIVED else columns


def load_queue_page(
    slug: str,
    *,
    list_filter: Filter,
    user: User,
    today: date,
    at: datetime,
    after: str = "",
) -> Page:
    """Load the next cases of a list after a key, in a fixed number of queries.

    :raises ValueError: the key is malformed.
    """
    stages = QUEUES[slug][1]
    # Only this order needs the durations, so the others save a query.
    stage_durations = stage_durations_now() if list_filter.sort == Sort.SLACK else {}
    columns = columns_for(user, list_filter.sort)
    # The stored queue begins the indexes of the lists; a condition on stages would not use them.
    found = list_filter.search(user)
    rows = list_filter.apply(
        Case.objects.filter(queue=slug).visible_to(user),
        user=user,
        today=today,
        at=at,
        found=found,
    )
    after_key = Key.read(after) if after else None
    cases = next_rows(
        _load_row_columns(rows, columns),
        sort=list_filter.sort,
        stages=stages,
        stage_durations=stage_durations,
        after=after_key,
        # One case more than shown tells whether there is a next page.
        limit=PAGE + 1,
        few=bool(list_filter.q),
    )
    page_cases = cases[:PAGE]
    more = len(cases) > PAGE
    next_key = (
        str(sort_key_of(page_cases[-1], sort=list_filter.sort, stage_durations=stage_durations))
        if more
        else ""
    )
    return Page(
        [
            _make_row(
                case,
                user=user,
                columns=columns,
                stage_durations=stage_durations,
                today=today,
                at=at,
            )
            for case in page_cases
        ],
        next_key,
        found.has_more,
        None
        if list_filter.sort == Sort.RECEIVED
        else after_key is not None and after_key.is_undated,
    )


def count_queues(*, user: User) -> dict[str, int]:
    """Return the number of cases in each list for this reader, of letters and unread notices.

    Counted up to one more than ``COUNTED``, in one statement that reads at most a thousand index
    entries for each list. Nothing is kept: a case that was restricted is not counted any more.
    """
    table = connection.ops.quote_name(Case._meta.db_table)
    one = (
        # The inner limit stops the count; without it, every case of a long list would be read.
        # The ids of hidden cases are compared with the index, so no row of a case is read.
        f"SELECT %s, count(*) FROM (SELECT 1 FROM {table} WHERE queue = %s "  # noqa: S608 - ours
        f"AND id NOT IN ({HIDDEN_CASES}) LIMIT {COUNTED + 1}) AS counted"
    )
    letters = (
        "SELECT %s, count(*) FROM (SELECT 1 FROM cases_caseletter WHERE state = %s "  # noqa: S608
        f"AND case_id NOT IN ({HIDDEN_CASES}) LIMIT {COUNTED + 1}) AS counted"
    )
    # What they say of a case that is hidden by now is not shown, except that access was lost.
    notices = (
        "SELECT %s, count(*) FROM (SELECT 1 FROM notices_notice WHERE addressee_id = %s "  # noqa: S608
        "AND read_at IS NULL AND (kind NOT IN ('MENTION', 'ANSWER') OR reference NOT IN "
        f"(SELECT number FROM {table} WHERE id IN ({HIDDEN_CASES}))) "
        f"LIMIT {COUNTED + 1}) AS counted"
    )
    lists = [
        (slug, state) for slug, (permission, state) in LETTER_LISTS.items() if user.may(permission)
    ]
    with connection.cursor() as cursor:
        # Each part takes its name, what it filters by, and the reader.
        params = [value for slug in QUEUES for value in (slug, slug, user.pk)]
        params += [value for slug, state in lists for value in (slug, state, user.pk)]
        params += [UNREAD, user.pk, user.pk]
        parts = [one] * len(QUEUES) + [letters] * len(lists) + [notices]
        cursor.execute(" UNION ALL ".join(parts), params)
        return dict(cursor.fetchall())


def counts_of_request(request: HttpRequest) -> dict[str, int]:
    """Return the counts for the reader of a page, counted once for the menu and the page itself."""
    counts: dict[str, int] | None = getattr(request, _COUNTS, None)
    if counts is None:
        counts = count_queues(user=request.user)  # type: ignore[arg-type]  # signed in, by the caller
        setattr(request, _COUNTS, counts)
    return counts


def own_counts_of_request(request: HttpRequest) -> dict[str, int]:
    """Return the counts that pages show: of lists in which the reader acts, and unread notices.

    The letters that wait are counted only for those whose work they are. Unread notices are
    counted for everyone.
    """
    user: User = request.user  # type: ignore[assignment]  # signed in, by the caller
    return {
        name: count
        for name, count in counts_of_request(request).items()
        if name in LETTER_LISTS or name == UNREAD or stages_for(user=user, queue=name)
    }


def stamp_of_counts(counts: dict[str, int]) -> str:
    """Return a short text that changes when a count changes."""
    return "-".join(str(number) for number in counts.values())


def count_saved_view(view: SavedView, *, user: User, today: date, at: datetime) -> int:
    """Return the number of cases in a saved view, up to one more than ``VIEW_COUNTED``."""
    list_filter = Filter.read(view.query, queue=view.queue, today=today)
    rows = list_filter.apply(
        Case.objects.filter(queue=view.queue).visible_to(user), user=user, today=today, at=at
    )
    return rows[: VIEW_COUNTED + 1].count()


def party_name(role: str) -> RawSQL:
    """A column of a query of cases: the present name of the party with a role."""
    return RawSQL(_PARTY_NAME, [role], TextField())  # noqa: S611 - ours


def _load_row_columns(rows: CaseQuerySet, columns: Iterable[str]) -> CaseQuerySet:
    # At most one claim of a case is not released, so the join doubles no row.
    unreleased = Q(work_claims__released_at__isnull=True)
    # Load only the columns that a row shows, and what it shows of other tables as texts: objects
    # for each item and party would take most of the time of a list.
    rows = (
        rows.only(*COLUMNS_OF_CASE)
        .annotate(
            titles_json=list_column(**TITLES),
            worker_name=party_name(PartyRole.EMPLOYEE),
            held_claim=FilteredRelation("work_claims", condition=unreleased),
        )
        .select_related("held_claim__by")
    )
    if "administrator" in columns:
        rows = rows.annotate(administrator_name=party_name(PartyRole.CLAIMS_ADMINISTRATOR))
    if "channel" in columns:
        rows = rows.annotate(channel=F("application__channel"))
    return rows


def _lead_time_words(case: Case, stage_durations: StageDurations, *, today: date) -> str:
    if not case.due_deadline_kind:
        return ""  # no active deadline
    return (
        lead_time_words(case.due_on, case.status, stage_durations, today=today)
        if stage_durations
        else "not measured"
    )


def _make_row(
    case: Case,
    *,
    user: User,
    columns: set[str],
    stage_durations: StageDurations,
    today: date,
    at: datetime,
) -> Row:
    claim: WorkClaim | None = getattr(case, "held_claim", None)
    if claim is not None and not claim.is_live_in(case.queue, at=at):
        claim = None
    is_own_claim = claim is not None and claim.by_id == user.pk
    other = name_actor(claim.by, reader=user) if claim else ""
    # Readers without one of these columns have nothing loaded for it.
    loaded = case.__dict__
    channel = loaded.get("channel")
    return Row(
        case=case,
        titles=[title for (title,) in read_list_column(case, "titles_json")],
        worker=loaded.get("worker_name") or "",
        administrator=loaded.get("administrator_name") or "",
        channel=Channel(channel).label if channel else "",
        room=_lead_time_words(case, stage_durations, today=today),
        held_until=case.held_until if case.held_until and case.held_until > today else None,
        claim=claim,
        held_by="You" if is_own_claim else other,
        is_mine=is_own_claim,
    )
