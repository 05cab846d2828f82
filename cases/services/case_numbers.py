"""Takes case numbers."""

from datetime import datetime

from cases.models import Case, CaseNumberSeries
from deadlines.days import local_day


def take_case_numbers(*, many: int, at: datetime) -> list[str]:
    """Take the next free case numbers of the current year, in order: ``CMyy-nnnnnnn``.

    Numbers already used by cases loaded from published decisions are passed over.
    """
    year = local_day(at).year
    # Locking the year's row makes concurrent transactions wait, so no number is used twice.
    CaseNumberSeries.objects.get_or_create(year=year)
    series = CaseNumberSeries.objects.select_for_update().get(year=year)
    taken: list[str] = []
    while len(taken) < many:
        first, series.last = series.last + 1, series.last + many - len(taken)
        numbers = [f"CM{year % 100:02d}-{one:07d}" for one in range(first, series.last + 1)]
        used = set(Case.objects.filter(number__in=numbers).values_list("number", flat=True))
        taken += [number for number in numbers if number not in used]
    series.save(update_fields=["last"])
    return taken
