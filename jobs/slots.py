"""The moment for which a scheduled job runs. Pure.

Two schedulers send the same job at slightly different moments. Both mean the same due moment of the
schedule, and only one run is allowed for it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery.schedules import crontab

# A schedule that is due less often than this cannot be a mistake of a few days.
_LONGEST = timedelta(days=40)


def find_slot(schedule: Any, at: datetime) -> datetime:
    """Return the last due moment of a schedule that is not after ``at``, in UTC.

    :param schedule: seconds between runs, or a crontab in UTC.
    :raises ValueError: the crontab was not due in the last forty days.
    """
    at = at.astimezone(UTC)
    if not isinstance(schedule, crontab):
        seconds = getattr(schedule, "run_every", None)
        every = seconds.total_seconds() if seconds is not None else float(schedule)
        return datetime.fromtimestamp(at.timestamp() // every * every, UTC)
    # The type of ``crontab`` does not declare its sets of numbers.
    due: Any = schedule
    moment = at.replace(second=0, microsecond=0)
    while at - moment < _LONGEST:
        if (
            moment.minute in due.minute
            and moment.hour in due.hour
            # Celery counts from Sunday, and Python from Monday.
            and moment.isoweekday() % 7 in due.day_of_week
            and moment.day in due.day_of_month
            and moment.month in due.month_of_year
        ):
            return moment
        moment -= timedelta(minutes=1)
    raise ValueError(f"{schedule} was not due in the last forty days.")
