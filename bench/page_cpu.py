"""CPU time of the list of 50 rows and of the case page, as multiples of fixed work in Python.

The fixed work, the yardstick, runs between the pages in the same process, so that a busy or slow
machine changes both alike. ``before`` keeps the figures that later runs are compared with.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from . import stage

ROUNDS = 60
BEFORE = stage.RESULTS / "page_cpu_before.json"
CASES = 1_000


def cpu_of(work: Callable[[], Any]) -> float:
    """The CPU time of one call in milliseconds."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def measure_pages(client: Any, pages: dict[str, str]) -> dict[str, float]:
    """The CPU of each page, as the median of its multiples of the yardstick beside it."""
    from django.core.cache import cache

    def get(address: str) -> None:
        answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}.")

    multiples: dict[str, list[float]] = {name: [] for name in pages}
    for address in pages.values():
        get(address)
    for _ in range(ROUNDS):
        yardstick = cpu_of(stage.run_yardstick)
        for name, address in pages.items():
            cache.clear()
            multiples[name].append(cpu_of(lambda address=address: get(address)) / yardstick)
    return {name: statistics.median(found) for name, found in multiples.items()}


def find_pages() -> dict[str, str]:
    """The addresses to measure: a full list, and a case with letters, deadlines and events."""
    from cases.models import Case

    case = Case.objects.filter(queue="assign", number__startswith="CM2").order_by("pk")[0]
    return {"queue of 50 rows": "/queues/assign/", "case page": case.get_absolute_url()}


def main() -> None:
    stage.set_up()
    from unittest import mock

    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User

    from .pages import store_copies

    with mock.patch("sys.stdout"):
        call_command("seed_demo", "--render-here")
    store_copies(0, CASES)
    client = Client()
    client.force_login(User.objects.get(email__startswith="coordinator"))
    found = measure_pages(client, find_pages())
    engine = stage.database_engine()
    kept = json.loads(BEFORE.read_text()) if BEFORE.exists() else {}
    if sys.argv[1:] == ["before"]:
        kept[engine] = {"commit": stage.COMMIT, "yardsticks": found}
        BEFORE.write_text(json.dumps(kept, indent=2) + "\n")
    print(found, kept.get(engine))


if __name__ == "__main__":
    main()
