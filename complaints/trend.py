"""How many complaints were received in each month, by category, and answered in time. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

MONTHS = 12

# When it was received, its category, the day by which it is answered, and when it was.
ComplaintFacts = tuple[date, str, date, date | None]


@dataclass(frozen=True)
class InTime:
    """How many answers were in time, of those given or overdue."""

    in_time: int
    due: int

    @property
    def percent(self) -> int:
        """The share in percent, rounded; 100 if none was due."""
        return round(100 * self.in_time / self.due) if self.due else 100


@dataclass(frozen=True)
class Month:
    """The complaints received in one month: a count for each category, and the answers."""

    first: date
    counts: list[int]
    answers: InTime

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class Lane:
    """One category over all months, as it is drawn."""

    label: str
    counts: list[int]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class Trend:
    """The months, the oldest first."""

    months: list[Month]
    lanes: list[Lane]
    answers: InTime

    @property
    def most(self) -> int:
        """The highest count of one category in one month, at least 1, for a common scale."""
        return max([1, *(count for lane in self.lanes for count in lane.counts)])

    @property
    def total(self) -> int:
        return sum(month.total for month in self.months)


def first_of_month(day: date, months_before: int = 0) -> date:
    """Return the first day of the month of a day, or of an earlier month."""
    count = day.year * 12 + day.month - 1 - months_before
    return date(count // 12, count % 12 + 1, 1)


def build_trend(
    facts: Iterable[ComplaintFacts], *, today: date, categories: Sequence[tuple[str, str]]
) -> Trend:
    """Count complaints by month and category.

    A complaint counts in the month in which it was received. Its answer counts once it is given or
    overdue; until then nobody can say whether it will be in time.

    :param categories: the value and the label of each.
    """
    rows = list(facts)
    months = []
    for months_before in reversed(range(MONTHS)):
        first = first_of_month(today, months_before)
        of_month = [row for row in rows if first_of_month(row[0]) == first]
        counts = [sum(row[1] == value for row in of_month) for value, _ in categories]
        months.append(Month(first, counts, count_in_time(of_month, today=today)))
    lanes = [
        Lane(label, [month.counts[place] for month in months])
        for place, (_, label) in enumerate(categories)
    ]
    return Trend(months, lanes, count_in_time(rows, today=today))


def count_in_time(facts: Iterable[ComplaintFacts], *, today: date) -> InTime:
    """Count the answers that are given or overdue, and those of them in time."""
    due = [row for row in facts if row[3] is not None or row[2] < today]
    in_time = sum(answered is not None and answered <= limit for _, _, limit, answered in due)
    return InTime(in_time, len(due))
