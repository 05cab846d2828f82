"""The work lists of the office, one page at a time, paged by key."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.core.cache import cache
from django.db import connection
from django.db.models import Prefetch

from accounts.models import User
from accounts.names import name_actor
from accounts.roles import Role
from cases.lifecycle import QUEUES
from cases.models import Case, DisputedItem, Party
from cases.models import Role as PartyRole
from cases.models.case import CaseQuerySet
from queues.filters import Filter
from queues.lead_time import Paces, lead_time_words
from queues.models import SavedView, WorkClaim
from queues.work_order import Key, Sort, next_rows, sort_key_of, stage_durations_now

PAGE = 50
COUNTED = 999  # longer lists show "999+", so that counting costs the same at any size
COUNTS_KEEP_SECONDS = 20
VIEW_COUNTED = 50
VIEW_COUNT_KEEP_SECONDS = 60

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


@dataclass(frozen=True)
class Row:
    """A case as shown to one reader in a list."""

    case: Case
    administrator: str
    room: str  # "3 days to spare"; shown in the order by time to spare
    held_until: date | None  # the whole case is on hold until that day
    claim: WorkClaim | None
    held_by: str  # "You" or a name; empty if unassigned
    is_mine: bool


@dataclass(frozen=True)
class Page:
    """One page of a list, and the key of the next one."""

    rows: list[Row]
    next_key: str  # "2026-03-02,17", empty on the last page


def columns_for(user: User, sort: Sort = Sort.DUE) -> set[str]:
    """The columns that this reader's roles need, and the one that the list is sorted by."""
    found = [_COLUMNS[role] for role in user.roles if role in _COLUMNS]
    columns = set().union(*found) if found else set(_ELSE)
    if sort == Sort.SLACK:  # time to spare takes the place of the date of receipt
        return columns - {"received"} | {"room"}
    return columns | {"received"} if sort == Sort.RECEIVED else columns


def load_queue_page(
    slug: str,
    *,
    wanted: Filter,
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
    stage_durations = stage_durations_now() if wanted.sort == Sort.SLACK else {}
    columns = columns_for(user, wanted.sort)
    # The stored queue begins the indexes of the lists; a condition on stages would not use them.
    rows = wanted.apply(Case.objects.filter(queue=slug), user=user, today=today, at=at)
    found = next_rows(
        _prefetch_row_columns(rows, columns, at=at),
        sort=wanted.sort,
        stages=stages,
        stage_durations=stage_durations,
        after=Key.read(after) if after else None,
        # One case more than shown tells whether there is a next page.
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    more = len(found) > PAGE
    next_key = (
        str(sort_key_of(shown[-1], sort=wanted.sort, stage_durations=stage_durations))
        if more
        else ""
    )
    return Page(
        [
            _make_row(
                case, user=user, columns=columns, stage_durations=stage_durations, today=today
            )
            for case in shown
        ],
        next_key,
    )


def count_queues() -> dict[str, int]:
    """The number of cases in each list, counted up to one more than ``COUNTED``.

    One statement that reads at most a thousand index entries for each list. The result is cached
    for twenty seconds for everyone.
    """
    found = cache.get("queue-counts")
    if found is None:
        table = connection.ops.quote_name(Case._meta.db_table)
        one = (
            # The inner limit stops the count; without it, every case of a long list would be read.
            f"SELECT %s, count(*) FROM (SELECT 1 FROM {table} WHERE queue = %s "  # noqa: S608 - ours
            f"LIMIT {COUNTED + 1}) AS counted"
        )
        with connection.cursor() as cursor:
            # Each part takes the slug twice: once to return it, once to filter by it.
            names = [slug for slug in QUEUES for _ in range(2)]
            cursor.execute(" UNION ALL ".join([one] * len(QUEUES)), names)
            found = dict(cursor.fetchall())
        cache.set("queue-counts", found, COUNTS_KEEP_SECONDS)
    # A cached result may lack a list that a new release has added.
    return {slug: found.get(slug, 0) for slug in QUEUES}


def stamp_of_counts(counts: dict[str, int]) -> str:
    """A short text that changes when a count changes."""
    return "-".join(str(number) for number in counts.values())


def count_saved_view(view: SavedView, *, user: User, today: date, at: datetime) -> int:
    """The number of cases in a saved view for this reader, up to one more than ``VIEW_COUNTED``."""
    # The version changes with the view, and a view may depend on the user or the day.
    key = f"view-count-{view.pk}-{view.version}-{user.pk}-{today}"
    found = cache.get(key)
    if found is None:
        wanted = Filter.read(view.query, queue=view.queue, today=today)
        rows = wanted.apply(Case.objects.filter(queue=view.queue), user=user, today=today, at=at)
        found = rows[: VIEW_COUNTED + 1].count()
        cache.set(key, found, VIEW_COUNT_KEEP_SECONDS)
    return int(found)


def _prefetch_row_columns(
    rows: CaseQuerySet, columns: Iterable[str], *, at: datetime
) -> CaseQuerySet:
    # Load only the columns that a row shows.
    items = DisputedItem.objects.only("case_id", "title", "position").order_by("position")
    claims = WorkClaim.objects.live(at=at).select_related("by")
    rows = rows.prefetch_related(
        Prefetch("items", queryset=items),
        # An attribute of its own, because case.work_claims has to mean all claims.
        Prefetch("work_claims", queryset=claims, to_attr="live_claims"),
    )
    if "administrator" in columns:
        parties = Party.objects.current().filter(role=PartyRole.CLAIMS_ADMINISTRATOR)
        # The newest row first: it has the current name.
        only = parties.only("case_id", "name", "role").order_by("-pk")
        rows = rows.prefetch_related(Prefetch("parties", queryset=only, to_attr="administrators"))
    return rows.select_related("application") if "channel" in columns else rows


def _lead_time_words(case: Case, stage_durations: Paces, *, today: date) -> str:
    if not case.due_deadline_kind:
        return ""  # no active deadline
    return (
        lead_time_words(case.due_on, case.status, stage_durations, today=today)
        if stage_durations
        else "not measured"
    )


def _make_row(
    case: Case, *, user: User, columns: set[str], stage_durations: Paces, today: date
) -> Row:
    claims: list[WorkClaim] = case.live_claims  # type: ignore[attr-defined]
    claim = claims[0] if claims else None
    mine = claim is not None and claim.by_id == user.pk
    other = name_actor(claim.by, reader=user) if claim else ""
    # Readers without this column have no parties loaded.
    names = [party.name for party in getattr(case, "administrators", [])]
    return Row(
        case=case,
        administrator=names[0] if names else "",
        room=_lead_time_words(case, stage_durations, today=today),
        held_until=case.held_until if case.held_until and case.held_until > today else None,
        claim=claim,
        held_by="You" if mine else other,
        is_mine=mine,
    )
