"""Days and moments in Los Angeles, and how they are written. Pure."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from .calendars import say

PACIFIC = ZoneInfo("America/Los_Angeles")


def local_day(moment: datetime) -> date:
    """The day in Los Angeles on which a moment falls: an application counts for it until 24:00."""
    return moment.astimezone(PACIFIC).date()


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Los Angeles."""
    return datetime.combine(day, time.min, tzinfo=PACIFIC)


def iso(when: date | datetime) -> str:
    """``2014-07-21``, or ``2015-07-05T16:00`` in Los Angeles time."""
    return when.isoformat(timespec="minutes")[:16] if isinstance(when, datetime) else str(when)


def say_when(when: date | datetime) -> str:
    """A day, or a day with its local hour."""
    if isinstance(when, datetime):
        local = when.astimezone(PACIFIC)
        return f"{say(local.date())}, {local:%H:%M %Z}"
    return say(when)


def say_count(count: int, unit: str) -> str:
    """``1 day``, ``1,200 days``."""
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
