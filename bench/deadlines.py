"""Deadlines computed per second on one core, compared with a naive count day by day.

``script/bench deadlines``. The engine lists every step, compares the calendars that could apply and
computes the internal target; the naive loop adds one day at a time and asks whether it is open.
Both have to give the same legal date, which is asserted for every deadline.
"""

import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta

from bench.stage import print_and_keep
from deadlines.calendars import Calendar
from deadlines.engine import compute_deadline
from deadlines.results import ComputedDeadline
from deadlines.shipped_rules import RULES, default_calendars

ROUNDS = 7
DAYS = 1_500
FIRST = date(2014, 1, 1)


def count_naively(start: date, length: int, calendar: Calendar, *, only_open: bool) -> date:
    """Count day by day, then continue to an open day."""
    day = start
    while length:
        day += timedelta(days=1)
        if not only_open or calendar.is_open(day):
            length -= 1
    while not calendar.is_open(day):
        day += timedelta(days=1)
    return day


def main() -> None:
    calendars = default_calendars()
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    office, judicial = calendars.get("office"), calendars.get("judicial")

    def engine(deadline_kind: str, key: str) -> list[date]:
        found = []
        for day in days:
            answer = compute_deadline(deadline_kind, {key: day}, rules=RULES, calendars=calendars)
            assert isinstance(answer, ComputedDeadline)  # noqa: S101
            found.append(answer.due_on)
        return found

    cases: list[tuple[str, Callable[[], list[date]], Callable[[], list[date]]]] = [
        (
            "30 calendar days with the internal target",
            lambda: engine("determination_regular", "records_complete"),
            lambda: [count_naively(day, 30, judicial, only_open=False) for day in days],
        ),
        (
            "5 business days",
            lambda: engine("eligibility_information", "received"),
            lambda: [count_naively(day, 5, office, only_open=True) for day in days],
        ),
    ]
    for name, ours, theirs in cases:
        assert ours() == theirs(), f"{name}: the dates differ"  # noqa: S101
        pairs = [(_time_seconds(ours), _time_seconds(theirs)) for _ in range(ROUNDS)]
        per_second = DAYS / statistics.median(mine for mine, _ in pairs)
        ratio = statistics.median(mine / other for mine, other in pairs)
        print_and_keep(
            "deadline_kinds",
            f"deadline sums on one core, {name}: {per_second:,.0f} a CPU second; a printed sum "
            f"costs {ratio:.1f} times a naive day-by-day loop with the same {DAYS:,} dates "
            f"(paired median of {ROUNDS} rounds)",
        )


def _time_seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


if __name__ == "__main__":
    main()
