"""The lists that the office works from: one page at a time, by key, counting nothing it skips."""

from dataclasses import dataclass
from datetime import date

from django.core.cache import cache
from django.db.models import Count, Prefetch

from cases.lifecycle import QUEUES
from cases.models import Case, DisputedItem

PAGE = 50
COUNTS_KEEP_SECONDS = 20


@dataclass(frozen=True)
class Page:
    """One page of a queue, and where the next one begins."""

    cases: list[Case]
    next_key: str  # "2026-03-02,17", empty on the last page


def page(slug: str, *, after: str = "", priority: str = "") -> Page:
    """The next cases of a queue after a key, with what a row shows, in two queries.

    :raises ValueError: the key is not one that we gave out.
    """
    rows = Case.objects.in_queue(slug)
    if priority:
        rows = rows.filter(priority=priority)
    if after:
        due, _, pk = after.partition(",")
        rows = rows.after(date.fromisoformat(due), int(pk))
    items = DisputedItem.objects.only("case_id", "title", "position").order_by("position")
    found = list(rows.prefetch_related(Prefetch("items", queryset=items))[: PAGE + 1])
    more = found[PAGE - 1] if len(found) > PAGE else None
    return Page(found[:PAGE], f"{more.due_on.isoformat()},{more.pk}" if more else "")


def counts() -> dict[str, int]:
    """How many cases stand in each queue. Counted once in twenty seconds for everybody."""
    found = cache.get("queue-counts")
    if found is None:
        rows = Case.objects.open().values("queue").annotate(n=Count("pk")).order_by()
        found = {row["queue"]: row["n"] for row in rows}
        cache.set("queue-counts", found, COUNTS_KEEP_SECONDS)
    return {slug: found.get(slug, 0) for slug in QUEUES}
