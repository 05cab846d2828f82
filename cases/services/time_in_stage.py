"""Time that a case spent in each list and with each person, read from its history.

Versions of the case show when it entered and left a list or was with a reviewer. Claims show which
staff member worked on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from accounts.names import name_actor
from cases.case_rows import rows_of
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
    interval_count: int

    def __str__(self) -> str:
        days, hours = self.took.days, self.took.seconds // 3600
        spent = f"{hours} hour{'' if hours == 1 else 's'}" if hours else "less than an hour"
        if days:
            spent = f"{days} day{'' if days == 1 else 's'}"
            spent += f", {hours} hour{'' if hours == 1 else 's'}" if hours else ""
        times = "" if self.interval_count == 1 else f", in {self.interval_count} periods"
        return f"{self.name}: {spent}{times}"


def list_queue_intervals(*, case: Case, at: datetime) -> list[Interval]:
    """List the periods in which a case was in a list, in order. At most one query."""
    intervals: list[Interval] = []
    slug, since = "", at
    for queue, _, changed_at in rows_of(case).versions:
        # Most versions change other fields, or the state within one list.
        if queue == slug:
            continue
        if slug:  # empty: the case was in no list
            intervals.append(Interval(QUEUES[slug][0], since, changed_at))
        slug, since = queue, changed_at
    return [*intervals, Interval(QUEUES[slug][0], since, max(at, since))] if slug else intervals


def list_claim_intervals(*, case: Case, reader: User, at: datetime) -> list[Interval]:
    """List who worked on a case and when, with names that the reader may see. Runs queries.

    A claim ends when it is released, when it expires, or when the case leaves the list.
    """
    queue_intervals = [
        (interval.name, interval.since, interval.until)
        for interval in list_queue_intervals(case=case, at=at)
    ]
    intervals = []
    # By the reverse relation, because this app may not import queues.
    for claim in case.work_claims.select_related("by").order_by("claimed_at", "pk"):
        # The claim ended at the first of its possible ends. One that expired may lack a release.
        ends = [claim.released_at or at, claim.until]
        if claim.queue in QUEUES:
            name = QUEUES[claim.queue][0]
            ends += [
                until
                for queue_name, since, until in queue_intervals
                if queue_name == name and since <= claim.claimed_at <= until
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
    for _, status, changed_at in rows_of(case).versions:
        inside = status in reviewing
        if inside and since is None:
            since = changed_at
        elif not inside and since is not None:
            intervals.append(Interval("The reviewer", since, changed_at))
            since = None
    return [*intervals, Interval("The reviewer", since, max(at, since))] if since else intervals


def sum_intervals(*, intervals: Iterable[Interval]) -> list[Total]:
    """Add up intervals by name, in the order in which each name first appears."""
    durations: dict[str, list[timedelta]] = {}
    for interval in intervals:
        durations.setdefault(interval.name, []).append(interval.took)
    return [Total(name, sum(took, timedelta()), len(took)) for name, took in durations.items()]
