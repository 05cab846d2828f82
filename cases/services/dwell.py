"""Where the time of a case went: in which list it stood, and who had it. Read back from history.

The versions of a case say when it came into a list and left it, for open and closed cases alike;
the claims of its lists and the assignments of its reviewers say who had it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from accounts.names import who
from cases.lifecycle import QUEUES, Status
from cases.models import Case


@dataclass(frozen=True)
class Spell:
    """One uninterrupted time in one list, at one stage, or with one person.

    :ivar until: when it ended; the moment of asking while it lasts.
    """

    name: str
    since: datetime
    until: datetime

    @property
    def took(self) -> timedelta:
        return self.until - self.since


@dataclass(frozen=True)
class Total:
    """All spells of one list or person together."""

    name: str
    took: timedelta
    spells: int

    def __str__(self) -> str:
        days, hours = self.took.days, self.took.seconds // 3600
        times = "" if self.spells == 1 else f", {self.spells} times"
        return f"{self.name}: {days} d {hours} h{times}"


def in_lists(*, case: Case, at: datetime) -> list[Spell]:
    """The lists in which a case stood, in order; a closed case stands in none. Queries once."""
    versions = case.history.order_by("history_id").values_list("queue", "history_date", named=True)
    spells: list[Spell] = []
    slug, since = "", at
    for version in versions:
        if version.queue == slug:
            continue
        if slug:
            spells.append(Spell(QUEUES[slug][0], since, version.history_date))
        slug, since = version.queue, version.history_date
    return [*spells, Spell(QUEUES[slug][0], since, max(at, since))] if slug else spells


def with_people(*, case: Case, reader: User, at: datetime) -> list[Spell]:
    """Who had a case, in order of time, with the names that the reader may know. Queries.

    A claim ends by being given back, by running out, or when the case leaves the list.
    """
    left = [(spell.name, spell.since, spell.until) for spell in in_lists(case=case, at=at)]
    spells = []
    for claim in case.work_claims.select_related("by").order_by("claimed_at", "pk"):
        ends = [claim.released_at or at, claim.until]
        if claim.queue in QUEUES:
            name = QUEUES[claim.queue][0]
            ends += [
                until
                for stood, since, until in left
                if stood == name and since <= claim.claimed_at <= until
            ]
        until = max(claim.claimed_at, min(ends))
        spells.append(Spell(who(claim.by, reader=reader), claim.claimed_at, until))
    return spells


def with_reviewers(*, case: Case, at: datetime) -> list[Spell]:
    """The time at the reviewer, whose name stays out of it, from the versions of the case."""
    reviewing = {Status.REVIEWER_CHOSEN, Status.IN_REVIEW, Status.INFO_FOR_REVIEW}
    spells: list[Spell] = []
    since = None
    for version in case.history.order_by("history_id").values_list(
        "status", "history_date", named=True
    ):
        inside = version.status in reviewing
        if inside and since is None:
            since = version.history_date
        elif not inside and since is not None:
            spells.append(Spell("The reviewer", since, version.history_date))
            since = None
    return [*spells, Spell("The reviewer", since, max(at, since))] if since else spells


def totals(*, spells: Iterable[Spell]) -> list[Total]:
    """Spells added up by name, in the order in which each name first came."""
    found: dict[str, list[timedelta]] = {}
    for spell in spells:
        found.setdefault(spell.name, []).append(spell.took)
    return [Total(name, sum(took, timedelta()), len(took)) for name, took in found.items()]
