"""Several workers that get the message of one due moment at the same instant."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connections
from django.utils import timezone

from jobs import services
from jobs.models import JobRun

SLOT = datetime(2026, 3, 2, 11, 10, tzinfo=UTC)

pytestmark = [pytest.mark.every_database, pytest.mark.usefixtures("committed_db")]


@pytest.mark.capability("OP-4")
@pytest.mark.parametrize("name", ["queues.measure_stage_durations", "letters.sweep"])
def test_messages_at_the_same_instant_start_one_run(name):
    begin = threading.Barrier(5)
    claimed = []

    def claim():
        try:
            begin.wait()
            claimed.append(
                services.claim_run(
                    name=name, scheduled_for=SLOT, run_id=None, host="a", at=timezone.now()
                )
            )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 5
    assert len([one for one in claimed if one]) == 1
    assert JobRun.objects.count() == (name != "letters.sweep")
