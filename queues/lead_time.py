"""Time to spare of a case: the days until its due date less the days of work that remain. Pure.

Stages and days come in as values. The order by time to spare puts a case that needs twelve more
days before one that needs two, although both are due on the same day.

The due date of a case is that of its stage: to decide eligibility, to send the notices, to collect
the records, and from then on to issue the determination. So the remaining work is measured to the
end of the same stage, not to the end of the case.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from math import ceil
from statistics import median

from cases.lifecycle import Status
from deadlines.calendars import format_day

StageDurations = Mapping[str, int]  # stage -> days it usually takes; unmeasured stages are missing

_SCREENED = ("FOUND_ELIGIBLE", "FOUND_INELIGIBLE")

# For each stage: the kinds of events that begin it and those that end it, that is, meet its
# deadline. Stages after the determination was issued are missing: their deadline is satisfied.
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
# Stages without a duration of their own. While a party is asked for information, or liability is
# disputed, eligibility still has to be reviewed afterward, so its duration remains.
AS_LONG_AS: dict[Status, Status] = {
    Status.RECEIVED: Status.SCREENING,
    Status.DUPLICATE: Status.SCREENING,
    Status.INFO_REQUESTED: Status.SCREENING,
    Status.DEFERRED: Status.SCREENING,
    Status.INFO_FOR_REVIEW: Status.IN_REVIEW,
}
FEWEST_CASES = 5  # a median of fewer cases is not meaningful


def stage_duration_of(status: str, stage_durations: StageDurations) -> int:
    """Return the days that a stage usually takes from its beginning; 0 if it was not measured.

    The days that a case has spent in the stage already are not subtracted: lists are sorted by this
    in the database, which needs one number for each stage.
    """
    stage = Status(status)
    return stage_durations.get(AS_LONG_AS.get(stage, stage), 0)


def measure_stretch(status: Status, events: Iterable[tuple[str, datetime]]) -> float | None:
    """Return the days that one case spent in a stage, from its first beginning to its first end.

    A review that was returned for changes counts from its first submission, because the days after
    the return are part of the remaining work.

    :param events: kinds of events with their moments, oldest first.
    :returns: ``None`` if the case has not finished the stage.
    """
    begins, ends = STRETCHES[status]
    began = None
    for kind, at in events:
        if began is None and kind in begins:
            began = at
        elif began is not None and kind in ends:
            return (at - began) / timedelta(days=1)
    return None


def median_duration(days: Iterable[float]) -> tuple[int, int] | None:
    """Return the median in days, rounded up, and the number of cases.

    ``None`` if they are too few.
    """
    ordered = list(days)
    # Rounded up: planning too much time is safer than too little.
    return (ceil(median(ordered)), len(ordered)) if len(ordered) >= FEWEST_CASES else None


def lead_time_on(due_on: date, status: str, stage_durations: StageDurations) -> date:
    """Return the last day on which work can start and still be done by the due date."""
    return due_on - timedelta(days=stage_duration_of(status, stage_durations))


def lead_time_words(
    due_on: date, status: str, stage_durations: StageDurations, *, today: date
) -> str:
    """Return the time to spare in words, for a row of a list: "3 days to spare"."""
    days_left = (lead_time_on(due_on, status, stage_durations) - today).days
    if days_left < 0:
        return f"{_count_days(-days_left)} short"
    return f"{_count_days(days_left)} to spare" if days_left else "0 days to spare"


def explain_next_case(
    due_on: date,
    status: str,
    stage_durations: StageDurations,
    *,
    today: date,
    has_due_date: bool = True,
) -> str:
    """Explain why a case is next: "Due tomorrow; 2 days of work usually remain; unassigned."."""
    days = stage_duration_of(status, stage_durations)
    parts = [
        _due_words(due_on, today)
        if has_due_date
        # The day on which its last deadline ended.
        else f"No due date; waiting since {_format_day(due_on, today)}"
    ]
    if days and has_due_date:
        parts.append(f"{_count_days(days)} of work usually remain{'s' if days == 1 else ''}")
    return "; ".join([*parts, "unassigned."])


def _due_words(due_on: date, today: date) -> str:
    days_left = (due_on - today).days
    if days_left < 0:
        return f"Overdue by {_count_days(-days_left)}"
    near_words = {0: "Due today", 1: "Due tomorrow"}
    return (
        near_words.get(days_left)
        or f"Due {_format_day(due_on, today)}, in {_count_days(days_left)}"
    )


def _format_day(on: date, today: date) -> str:
    return f"{on:%a, %b} {on.day}" if on.year == today.year else format_day(on)


def _count_days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
