"""Time to spare: a case's due date less the time that such cases still take.

Pure: stages and days come in as values. The order by time to spare puts a case that needs twelve
more days before one that needs two, although both are due on the same day.

The date by which a list sorts belongs to the duty of the case's stage: to find it eligible, to
send the notices, to gather the records, and from then on to issue. So the time that remains is
measured to that same act, not to the end of the case.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from math import ceil
from statistics import median

from cases.lifecycle import Status

Paces = Mapping[str, int]  # stage -> days that usually remain; a stage without measure has none

_SCREENED = ("FOUND_ELIGIBLE", "FOUND_INELIGIBLE")

# Of each stage: the events that begin it, and those that do what its due date asks for. Stages
# that only wait to be closed have no such duty, and nothing is taken off their date.
STRETCHES: dict[Status, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Status.SCREENING: (("RECEIVED",), _SCREENED),
    Status.ELIGIBLE: (("FOUND_ELIGIBLE",), ("NOTICES_SENT",)),
    Status.NOTICE_SENT: (("NOTICES_SENT",), ("RECORDS_COMPLETE",)),
    Status.RECORDS_COMPLETE: (("RECORDS_COMPLETE",), ("ISSUED",)),
    Status.REVIEWER_CHOSEN: (("REVIEWER_OFFERED",), ("ISSUED",)),
    Status.IN_REVIEW: (("REVIEWER_ATTESTED",), ("ISSUED",)),
    Status.QA: (("SUBMITTED",), ("ISSUED",)),
    Status.APPROVED: (("QA_APPROVED",), ("ISSUED",)),
}
# Stages whose duty is that of another one, so that they take its pace.
AS_LONG_AS: dict[Status, Status] = {
    Status.RECEIVED: Status.SCREENING,
    Status.DUPLICATE: Status.SCREENING,
    Status.INFO_REQUESTED: Status.SCREENING,
    Status.DEFERRED: Status.SCREENING,
    Status.INFO_FOR_REVIEW: Status.IN_REVIEW,
}
FEWEST_CASES = 5  # a median of fewer says nothing


def stage_duration_of(status: str, stage_durations: Paces) -> int:
    """The days that usually remain at a stage; 0 where nothing was measured."""
    stage = Status(status)
    return stage_durations.get(AS_LONG_AS.get(stage, stage), 0)


def stretch_days(status: Status, events: Iterable[tuple[str, datetime]]) -> float | None:
    """The days that one case took over a stretch: from its first beginning to its first end.

    A review that came back from quality assurance counts from the first time it was handed in,
    because the days after a return are part of what remained.

    :param events: kinds with their moments, oldest first.
    """
    begins, ends = STRETCHES[status]
    began = None
    for kind, at in events:
        if began is None and kind in begins:
            began = at
        elif began is not None and kind in ends:
            return (at - began) / timedelta(days=1)
    return None


def stage_duration(days: Iterable[float]) -> tuple[int, int] | None:
    """The median in days, rounded up, and how many cases it rests on; ``None`` for too few."""
    found = list(days)
    return (ceil(median(found)), len(found)) if len(found) >= FEWEST_CASES else None


def lead_time_on(due_on: date, status: str, stage_durations: Paces) -> date:
    """The last day on which work can begin and still be done by the due date."""
    return due_on - timedelta(days=stage_duration_of(status, stage_durations))


def room(due_on: date, status: str, stage_durations: Paces, *, today: date) -> str:
    """How much room there is, for a row: "3 days to spare"."""
    left = (lead_time_on(due_on, status, stage_durations) - today).days
    if left < 0:
        return f"{_days(-left)} short"
    return f"{_days(left)} to spare" if left else "no day to spare"


def why_this_one(
    due_on: date, status: str, stage_durations: Paces, *, today: date, has_due_date: bool = True
) -> str:
    """Why it comes first: "Due tomorrow; 2 days of work usually remain; no one else has it."."""
    days = stage_duration_of(status, stage_durations)
    parts = [
        _due_words(due_on, today)
        if has_due_date
        else f"Nothing falls due on it; it waits since {_day(due_on, today)}"
    ]
    if days and has_due_date:
        parts.append(f"{_days(days)} of work usually remain{'s' if days == 1 else ''}")
    return "; ".join([*parts, "no one else has it."])


def _due_words(due_on: date, today: date) -> str:
    left = (due_on - today).days
    if left < 0:
        return f"Overdue by {_days(-left)}"
    near = {0: "Due today", 1: "Due tomorrow"}
    return near.get(left) or f"Due {_day(due_on, today)}, in {_days(left)}"


def _day(on: date, today: date) -> str:
    words = f"{on:%a} {on.day} {on:%b}"
    return words if on.year == today.year else f"{words} {on.year}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
