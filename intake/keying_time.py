"""How long a clerk keys an application: from opening the form to saving the case, without pauses.

A form is saved while it is keyed, a second after the last key. The time between two saves counts,
unless it is longer than ``LONGEST_PAUSE``: then the clerk did something else.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from django.core import signing
from django.db.models import Count
from django.db.models.functions import TruncDate

from accounts.models import User
from accounts.names import name_actor
from cases.models import Case
from cases.models.restrictions import select_visible
from deadlines.days import PACIFIC, start_of_day

from .models import IntakeDraft

LONGEST_PAUSE = timedelta(minutes=3)
_SALT = "intake.opened"


def sign_opening(at: datetime) -> str:
    """Return the moment at which a form was opened, for a hidden field; nobody can change it."""
    return signing.dumps(int(at.timestamp()), salt=_SALT)


def read_opening(text: str) -> datetime | None:
    """Read what ``sign_opening`` wrote; ``None`` if it is missing or not ours."""
    try:
        return datetime.fromtimestamp(signing.loads(text, salt=_SALT), PACIFIC)
    except (signing.BadSignature, TypeError, ValueError):
        return None


def count_keyed_seconds(*, since: datetime, until: datetime) -> int:
    """Return the seconds between two signs of work; 0 if it was a pause."""
    gap = until - since
    return round(gap.total_seconds()) if timedelta(0) < gap <= LONGEST_PAUSE else 0


@dataclass(frozen=True)
class ClerkLine:
    """The work of one clerk, for the supervisor.

    :ivar per_day: applications entered on each of the last days, the oldest first.
    :ivar median_seconds: of the applications whose keying was measured; ``None`` if none was.
    """

    name: str
    per_day: list[int]
    median_seconds: int | None
    measured: int

    @property
    def total(self) -> int:
        return sum(self.per_day)


def list_clerks(*, reader: User, days: list[date]) -> list[ClerkLine]:
    """List who entered applications on these days, the most first, with their keying time.

    Three queries. Applications of cases that are hidden from the reader are left out.

    :param days: consecutive days, the oldest first.
    """
    first = start_of_day(days[0])
    counted = (
        # An application that was split into several cases counts once.
        Case.objects.own()
        .visible_to(reader)
        .filter(
            split_from=None,
            application__entered_at__gte=first,
            application__entered_by__isnull=False,
        )
        .annotate(day=TruncDate("application__entered_at", tzinfo=PACIFIC))
        .values_list("application__entered_by", "day")
        .annotate(number=Count("pk"))
        .order_by()
    )
    counts = {(clerk, day): number for clerk, day, number in counted}
    keyed = _read_keyed_seconds(reader=reader, since=first)
    clerks = User.objects.in_bulk({clerk for clerk, _ in counts} | keyed.keys())
    lines = [
        ClerkLine(
            name=name_actor(clerk, reader=reader),
            per_day=[counts.get((pk, day), 0) for day in days],
            median_seconds=round(median(keyed[pk])) if pk in keyed else None,
            measured=len(keyed.get(pk, [])),
        )
        for pk, clerk in clerks.items()
    ]
    return sorted(lines, key=lambda line: (-line.total, line.name))


def measure_own_keying(*, clerk: User, since: datetime) -> tuple[int | None, int]:
    """Return the median seconds of a clerk's own applications, and their number. One query."""
    keyed = _read_keyed_seconds(reader=clerk, since=since, clerk=clerk).get(clerk.pk, [])
    return (round(median(keyed)) if keyed else None), len(keyed)


def _read_keyed_seconds(
    *, reader: User, since: datetime, clerk: User | None = None
) -> dict[int, list[int]]:
    """Map clerks to the seconds of each of their applications that became a case."""
    rows = select_visible(
        IntakeDraft.objects.filter(case__isnull=False, ended_at__gte=since, keyed_seconds__gt=0),
        reader,
    )
    if clerk is not None:
        rows = rows.filter(owner=clerk)
    keyed: dict[int, list[int]] = {}
    for owner, seconds in rows.values_list("owner", "keyed_seconds"):
        keyed.setdefault(owner, []).append(seconds)
    return keyed
