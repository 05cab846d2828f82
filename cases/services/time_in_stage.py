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
    :ivar has_ended: whether ``until`` is its end.
    """

    name: str
    since: datetime
    until: datetime
    has_ended: bool = True

    @property
    def took(self) -> timedelta:
        return self.until - self.since

    @property
    def duration(self) -> str:
        """How long it lasted, in words."""
        return _describe_duration(self.took)


@dataclass(frozen=True)
class Total:
    """Total time of all intervals of one list or person, to the minute."""

    name: str
    intervals: tuple[Interval, ...]

    @property
    def took(self) -> timedelta:
        return sum((one.took for one in self.intervals), timedelta())

    def __str__(self) -> str:
        many = len(self.intervals)
        times = "" if many == 1 else f", in {many} periods"
        return f"{self.name}: {_describe_duration(self.took)}{times}"


def _describe_duration(took: timedelta) -> str:
    """Describe a duration exactly to the minute: “1 day, 20 hours, 5 minutes”."""
    minutes = took // timedelta(minutes=1)
    parts = {"day": minutes // 1440, "hour": minutes // 60 % 24, "minute": minutes % 60}
    words = [
        f"{number} {name}{'' if number == 1 else 's'}" for name, number in parts.items() if number
    ]
    return ", ".join(words) or "less than a minute"


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
    if slug:
        intervals.append(Interval(QUEUES[slug][0], since, max(at, since), has_ended=False))
    return intervals


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
        name = name_actor(claim.by, reader=reader)
        has_ended = claim.released_at is not None or until < at
        intervals.append(Interval(name, claim.claimed_at, until, has_ended))
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
    if since:
        intervals.append(Interval("The reviewer", since, max(at, since), has_ended=False))
    return intervals


def sum_intervals(*, intervals: Iterable[Interval]) -> list[Total]:
    """Add up intervals by name, in the order in which each name first appears."""
    by_name: dict[str, list[Interval]] = {}
    for interval in intervals:
        by_name.setdefault(interval.name, []).append(interval)
    return [Total(name, tuple(of_name)) for name, of_name in by_name.items()]
