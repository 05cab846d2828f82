"""Measure how long stages take, from the events of the cases decided last."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from cases.models import Case, Event
from deadlines.days import local_day
from queues.lead_time import STRETCHES, measure_stretch, median_duration
from queues.models import StageDuration

# Enough cases for a stable median; older ones say little about the present.
LAST_CASES = 400


@transaction.atomic
def measure_stage_durations(*, at: datetime, last: int = LAST_CASES) -> list[StageDuration]:
    """Store the median duration of each stage over the cases that were decided last.

    A stage with too few cases keeps its earlier measurement. Two queries, however many cases there
    are.

    :param last: how many decided cases to measure.
    """
    decided = Case.objects.own().filter(decided_on__isnull=False, decided_on__lte=local_day(at))
    recent = list(decided.order_by("-decided_on", "-pk").values_list("pk", flat=True)[:last])
    events: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    rows = Event.objects.filter(case__in=recent).order_by("case", "happened_at", "pk")
    for case_id, kind, happened_at in rows.values_list("case_id", "kind", "happened_at"):
        events[case_id].append((kind, happened_at))
    created = []
    for stage in STRETCHES:
        days = [measure_stretch(stage, one) for one in events.values()]
        median = median_duration(each for each in days if each is not None)
        if median is not None:
            created.append(
                StageDuration(measured_at=at, status=stage, median_days=median[0], cases=median[1])
            )
    return StageDuration.objects.bulk_create(created)
