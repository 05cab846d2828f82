"""The lists that the office works from: one page at a time, by key, counting nothing it skips."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.core.cache import cache
from django.db import connection
from django.db.models import Prefetch

from accounts.models import User
from accounts.names import who
from accounts.roles import Role
from cases.lifecycle import QUEUES
from cases.models import Case, DisputedItem, Party
from cases.models import Role as PartyRole
from cases.models.case import CaseQuerySet
from queues.filters import Filter
from queues.lead_time import Paces, room
from queues.models import SavedView, WorkClaim
from queues.work_order import Key, Sort, head, place, stage_durations_now

PAGE = 50
COUNTED = 999  # a list is counted so far and then "999+": a number costs the same at any size
COUNTS_KEEP_SECONDS = 20
VIEW_COUNTED = 50
VIEW_COUNT_KEEP_SECONDS = 60

# What a row shows besides case, treatment and due date, by what the reader's work needs.
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
    """A case as a list shows it to one reader."""

    case: Case
    administrator: str
    room: str  # "3 days to spare", in the order by time to spare
    held_until: date | None  # work on the whole case stands still until that day
    claim: WorkClaim | None
    held_by: str  # "You" or a name; empty while no one has it
    is_mine: bool


@dataclass(frozen=True)
class Page:
    """One page of a queue, and where the next one begins."""

    rows: list[Row]
    next_key: str  # "2026-03-02,17", empty on the last page


def columns_for(user: User, sort: Sort = Sort.DUE) -> set[str]:
    """The columns that this reader's roles need, and what the order goes by."""
    found = [_COLUMNS[role] for role in user.roles if role in _COLUMNS]
    columns = set().union(*found) if found else set(_ELSE)
    if sort == Sort.SLACK:  # time to spare stands where arrival does
        return columns - {"received"} | {"room"}
    return columns | {"received"} if sort == Sort.RECEIVED else columns


def page(
    slug: str,
    *,
    wanted: Filter,
    user: User,
    today: date,
    at: datetime,
    after: str = "",
) -> Page:
    """The next cases of a queue after a key, with what a row shows, in a fixed number of queries.

    :raises ValueError: the key is not one that we gave out.
    """
    stages = QUEUES[slug][1]
    stage_durations = stage_durations_now() if wanted.sort == Sort.SLACK else {}
    columns = columns_for(user, wanted.sort)
    rows = wanted.apply(Case.objects.filter(queue=slug), user=user, today=today, at=at)
    found = head(
        _with_what_rows_show(rows, columns, at=at),
        sort=wanted.sort,
        stages=stages,
        stage_durations=stage_durations,
        after=Key.read(after) if after else None,
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    more = len(found) > PAGE
    next_key = (
        str(place(shown[-1], sort=wanted.sort, stage_durations=stage_durations)) if more else ""
    )
    return Page(
        [
            _row(case, user=user, columns=columns, stage_durations=stage_durations, today=today)
            for case in shown
        ],
        next_key,
    )


def counts() -> dict[str, int]:
    """How many cases stand in each queue, up to one more than ``COUNTED``.

    One statement that reads at most a thousand entries of an index for each queue, asked once in
    twenty seconds for everyone.
    """
    found = cache.get("queue-counts")
    if found is None:
        table = connection.ops.quote_name(Case._meta.db_table)
        one = (
            f"SELECT %s, count(*) FROM (SELECT 1 FROM {table} WHERE queue = %s "  # noqa: S608 - ours
            f"LIMIT {COUNTED + 1}) AS counted"
        )
        with connection.cursor() as cursor:
            names = [slug for slug in QUEUES for _ in range(2)]
            cursor.execute(" UNION ALL ".join([one] * len(QUEUES)), names)
            found = dict(cursor.fetchall())
        cache.set("queue-counts", found, COUNTS_KEEP_SECONDS)
    return {slug: found.get(slug, 0) for slug in QUEUES}


def stamp(counts: dict[str, int]) -> str:
    """A short word for a state of the counts, to ask whether they have changed."""
    return "-".join(str(number) for number in counts.values())


def count_of(view: SavedView, *, user: User, today: date, at: datetime) -> int:
    """How many cases a saved view shows this reader, up to one more than ``VIEW_COUNTED``."""
    key = f"view-count-{view.pk}-{view.version}-{user.pk}-{today}"
    found = cache.get(key)
    if found is None:
        wanted = Filter.read(view.query, queue=view.queue, today=today)
        rows = wanted.apply(Case.objects.filter(queue=view.queue), user=user, today=today, at=at)
        found = rows[: VIEW_COUNTED + 1].count()
        cache.set(key, found, VIEW_COUNT_KEEP_SECONDS)
    return int(found)


def _with_what_rows_show(
    rows: CaseQuerySet, columns: Iterable[str], *, at: datetime
) -> CaseQuerySet:
    items = DisputedItem.objects.only("case_id", "title", "position").order_by("position")
    claims = WorkClaim.objects.live(at=at).select_related("by")
    rows = rows.prefetch_related(
        Prefetch("items", queryset=items),
        Prefetch("work_claims", queryset=claims, to_attr="live_claims"),
    )
    if "administrator" in columns:
        parties = Party.objects.current().filter(role=PartyRole.CLAIMS_ADMINISTRATOR)
        only = parties.only("case_id", "name", "role").order_by("-pk")
        rows = rows.prefetch_related(Prefetch("parties", queryset=only, to_attr="administrators"))
    return rows.select_related("application") if "channel" in columns else rows


def _room(case: Case, stage_durations: Paces, *, today: date) -> str:
    if not case.due_deadline_kind:
        return ""  # nothing falls due on it
    return (
        room(case.due_on, case.status, stage_durations, today=today)
        if stage_durations
        else "not measured"
    )


def _row(case: Case, *, user: User, columns: set[str], stage_durations: Paces, today: date) -> Row:
    claims: list[WorkClaim] = case.live_claims  # type: ignore[attr-defined]
    claim = claims[0] if claims else None
    mine = claim is not None and claim.by_id == user.pk
    other = who(claim.by, reader=user) if claim else ""
    names = [party.name for party in getattr(case, "administrators", [])]
    return Row(
        case=case,
        administrator=names[0] if names else "",
        room=_room(case, stage_durations, today=today),
        held_until=case.held_until if case.held_until and case.held_until > today else None,
        claim=claim,
        held_by="You" if mine else other,
        is_mine=mine,
    )
