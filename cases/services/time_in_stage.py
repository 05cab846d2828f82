"""Time that a case spent in each list and with each person, read from its history.

Versions of the case show when it entered and left a list or was with a reviewer. Claims show which
staff member worked on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from accounts.names import name_actor
from cases.lifecycle import QUEUES, Status
from cases.models import Case


@dataclass(frozen=True)
class Interval:
    """One uninterrupted period in a list or with a person.

    :ivar until: its end; the current time if it has not ended.
    """

    name: str
    since: datetime
    until: datetime

    @property
    def took(self) -> timedelta:
        return self.until - self.since


@dataclass(frozen=True)
class Total:
    """Total time of all intervals of one list or person."""

    name: str
    took: timedelta
    intervals: int

    def __str__(self) -> str:
        days, hours = self.took.days, self.took.seconds // 3600
        times = "" if self.intervals == 1 else f", {self.intervals} times"
        return f"{self.name}: {days} d {hours} h{times}"


def list_queue_intervals(*, case: Case, at: datetime) -> list[Interval]:
    """List the periods in which a case was in a list, in order. One query."""
    versions = case.history.order_by("history_id").values_list("queue", "history_date", named=True)
    intervals: list[Interval] = []
    slug, since = "", at
    for version in versions:
        # Most versions change other fields, or the state within one list.
        if version.queue == slug:
            continue
        if slug:
            intervals.append(Interval(QUEUES[slug][0], since, version.history_date))
        slug, since = version.queue, version.history_date
    return [*intervals, Interval(QUEUES[slug][0], since, max(at, since))] if slug else intervals


def list_claim_intervals(*, case: Case, reader: User, at: datetime) -> list[Interval]:
    """List who worked on a case and when, with names that the reader may see. Queries.

    A claim ends when it is released, when it expires, or when the case leaves the list.
    """
    left = [
        (interval.name, interval.since, interval.until)
        for interval in list_queue_intervals(case=case, at=at)
    ]
    intervals = []
    # By the reverse relation, because this app may not import queues.
    for claim in case.work_claims.select_related("by").order_by("claimed_at", "pk"):
        # An expired claim was never released, so its last moment counts as well.
        ends = [claim.released_at or at, claim.until]
        if claim.queue in QUEUES:
            name = QUEUES[claim.queue][0]
            ends += [
                until
                for listed, since, until in left
                if listed == name and since <= claim.claimed_at <= until
            ]
        # A period is never negative.
        until = max(claim.claimed_at, min(ends))
        intervals.append(Interval(name_actor(claim.by, reader=reader), claim.claimed_at, until))
    return intervals


def list_review_intervals(*, case: Case, at: datetime) -> list[Interval]:
    """List the periods with the reviewer, without the name, from the versions of the case."""
    reviewing = {Status.REVIEWER_CHOSEN, Status.IN_REVIEW, Status.INFO_FOR_REVIEW}
    intervals: list[Interval] = []
    since = None
    for version in case.history.order_by("history_id").values_list(
        "status", "history_date", named=True
    ):
        inside = version.status in reviewing
        if inside and since is None:
            since = version.history_date
        elif not inside and since is not None:
            intervals.append(Interval("The reviewer", since, version.history_date))
            since = None
    return [*intervals, Interval("The reviewer", since, max(at, since))] if since else intervals


def sum_intervals(*, intervals: Iterable[Interval]) -> list[Total]:
    """Add up intervals by name, in the order in which each name first appears."""
    found: dict[str, list[timedelta]] = {}
    for interval in intervals:
        found.setdefault(interval.name, []).append(interval.took)
    return [Total(name, sum(took, timedelta()), len(took)) for name, took in found.items()]
