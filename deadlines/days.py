"""Days and moments in Pacific time, and how they are formatted. Pure."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from accounts.counting import count_noun

from .calendars import format_day

PACIFIC = ZoneInfo("America/Los_Angeles")


def local_day(moment: datetime) -> date:
    """Return the Pacific day of a moment.

    Something received before midnight counts for that day.
    """
    return moment.astimezone(PACIFIC).date()


def start_of_day(day: date) -> datetime:
    """Return the moment at which a day begins in Pacific time."""
    return datetime.combine(day, time.min, tzinfo=PACIFIC)


def format_iso(when: date | datetime) -> str:
    """Format as ISO text: ``2014-07-21``, or ``2015-07-05T16:00`` for a Pacific moment."""
    # Without the offset, because these texts are in Pacific time.
    return when.isoformat(timespec="minutes")[:16] if isinstance(when, datetime) else str(when)


def format_moment(when: date | datetime) -> str:
    """Format a day, or a moment with its Pacific time."""
    if isinstance(when, datetime):
        local = when.astimezone(PACIFIC)
        return f"{format_day(local.date())}, {format_time(local)}"
    return format_day(when)


def format_time(local: datetime | time) -> str:
    """Format a Pacific time of day: ``2:05 PM PT``."""
    # strftime has no portable code for an hour without a leading zero.
    return f"{local.hour % 12 or 12}:{local:%M %p} PT"


def format_count(count: int, unit: str) -> str:
    """Format a count with its unit: ``1 day``, ``1,200 days``."""
    return count_noun(count, unit)
