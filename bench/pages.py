"""The list page and the case page at 1,000 cases and at many more, with their query counts.

Both sizes are measured alternately in one run, through Django's test client. Six in ten cases are
open, half of them in the list that is read, so every page is full. The ratio matters: a page should
not get slower with size. The default is 100,000 cases on SQLite and 1,000,000 on PostgreSQL.
"""

import shutil
import sys
import time
from typing import Any

from . import stage

SMALL, LARGE = 1_000, {"SQLite": 100_000, "PostgreSQL": 1_000_000}
LOOKS, ROUNDS = 40, 5

# Columns that differ between copies, as SQL over n, the number of the copy. Half of the open cases
# wait for assignment, half are in stages of eligibility, which the order by time to spare merges.
_STATUS = (
    "CASE WHEN n % 10 >= 6 THEN 'CLOSED' WHEN n % 2 = 0 THEN 'RECORDS_COMPLETE' "
    "WHEN n % 10 = 1 THEN 'SCREENING' WHEN n % 10 = 3 THEN 'INFO_REQUESTED' ELSE 'DEFERRED' END"
)
_QUEUE = "CASE WHEN n % 10 >= 6 THEN '' WHEN n % 2 = 0 THEN 'assign' ELSE 'eligibility' END"


def store_copies(have: int, upto: int) -> None:
    """Store copies of one demo case, each with an item and two parties, inside the database."""
    from django.db import connection

    from cases.models import Case, DisputedItem, Party

    model = Case.objects.filter(queue="assign", number__startswith="CM2").order_by("pk")[0]
    day = {
        "postgresql": "DATE '2026-01-01' + (n %% {0})::int",
        "sqlite": "date('2026-01-01', '+' || (n %% {0}) || ' days')",
    }[connection.vendor]
    moment = {
        "postgresql": "TIMESTAMPTZ '2026-01-01 12:00Z'",
        "sqlite": "'2026-01-01 12:00:00'",
    }[connection.vendor]
    number = {
        "postgresql": "'CM98-' || lpad(n::text, 7, '0')",
        "sqlite": "'CM98-' || substr('0000000' || n, -7)",
    }[connection.vendor]
    status, queue = _STATUS.replace("%", "%%"), _QUEUE.replace("%", "%%")
    is_open = {"postgresql": "n %% 10 < 6", "sqlite": "(n %% 10 < 6)"}[connection.vendor]
    of_case = {
        "id": "1000000 + n",
        "number": number,
        "claim_number_normal": "'C' || n",
        "ur_decision_id": "NULL",
        "due_on": day.format(400),
        "received_on": day.format(300),
        "is_open": is_open,
        "status": status,
        "queue": queue,
        "next_role": "CASE WHEN n %% 10 < 6 THEN 'COORDINATOR' ELSE '' END",
        "closed_at": f"CASE WHEN n %% 10 < 6 THEN NULL ELSE {moment} END",
    }
    insert_copies(Case, model, of_case, have, upto)
    item = model.items.order_by("position")[0]
    insert_copies(DisputedItem, item, {"id": "10000000 + n", "case_id": "1000000 + n"}, have, upto)
    for place, role in enumerate(("CLAIMS_ADMINISTRATOR", "EMPLOYEE"), start=2):
        party = Party.objects.filter(case=model, role=role)[0]
        columns = {"id": f"{place}0000000 + n", "case_id": "1000000 + n"}
        insert_copies(Party, party, columns, have, upto)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def insert_copies(kind: Any, row: Any, differing: dict[str, str], have: int, upto: int) -> None:
    """Insert copies of a row, numbered from ``have`` + 1 to ``upto``, in one statement."""
    from django.db import connection

    fields = kind._meta.concrete_fields
    values, said = [], []
    for field in fields:
        if field.column in differing:
            said.append(differing[field.column])
        else:
            said.append("%s")
            values.append(field.get_db_prep_save(getattr(row, field.attname), connection))
    columns = ", ".join(f'"{field.column}"' for field in fields)
    numbers = {
        "postgresql": "SELECT generate_series(%s::int, %s::int) AS n",
        "sqlite": "WITH RECURSIVE c(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM c WHERE n < %s) "
        "SELECT n FROM c",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{kind._meta.db_table}" ({columns}) '  # noqa: S608 - names of our own
            f"SELECT {', '.join(said)} FROM ({numbers}) AS numbers",
            [*values, have + 1, upto],
        )


def keep_copy(size: int) -> str:
    """Copy the database, to switch between sizes."""
    from django.db import connection

    here = str(connection.settings_dict["NAME"])
    copy = f"{here}-{size}"
    connection.close()
    if connection.vendor == "sqlite":
        shutil.copy(here, copy)
    else:
        connection.settings_dict["NAME"] = "postgres"
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{here}"')
        switch_database(here)
    return copy


def switch_database(name: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


def time_looks(client: Any, urls: list[str]) -> list[float]:
    """The time of each request in milliseconds, without cached counts of the lists."""
    from django.core.cache import cache

    client.get(urls[0])
    times = []
    for url in urls:
        cache.delete("queue-counts")
        started = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - started) * 1000)
    return times


def queries_of(client: Any, url: str) -> int:
    """The number of queries of one request."""
    from django.core.cache import cache
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    connection.ensure_connection()
    cache.delete("queue-counts")
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    if answer.status_code != 200:
        raise SystemExit(f"{url} answered {answer.status_code}.")
    return len(queries)


def urls_now() -> dict[str, list[str]]:
    """The addresses to measure, in the current database."""
    from cases.models import Case

    numbers = Case.objects.filter(number__startswith="CM98", is_open=True).values_list(
        "number", flat=True
    )[:LOOKS]
    deep = Case.objects.filter(queue="assign").order_by("due_on", "pk")[200:201].get()
    return {
        "queue page 1": ["/queues/assign/"] * LOOKS,
        "queue page 5": [f"/queues/assign/?after={deep.due_on},{deep.pk}"] * LOOKS,
        "queue by arrival": ["/queues/assign/?sort=received"] * LOOKS,
        "queue by time to spare": ["/queues/eligibility/?sort=lead_time"] * LOOKS,
        "queue filtered": ["/queues/assign/?taken=no one&due_by=2026-06-01"] * LOOKS,
        "counts of all lists": ["/queues/counts/"] * LOOKS,
        "my day": ["/"] * LOOKS,
        "case page": [f"/cases/{number}/" for number in numbers],
    }


def main() -> None:
    stage.set_up()
    sizes = tuple(int(size) for size in sys.argv[1:]) or (SMALL, LARGE[stage.database_engine()])
    from unittest import mock

    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from accounts.models import User
    from queues.models import StageDuration

    with mock.patch("sys.stdout"):
        call_command("seed_demo", "--render-here")
    client = Client()
    client.force_login(User.objects.get(email__startswith="coordinator"))
    for days, status in ((3, "SCREENING"), (25, "RECORDS_COMPLETE")):
        StageDuration.objects.create(
            measured_at=timezone.now(), status=status, median_days=days, cases=400
        )
    here = str(connection.settings_dict["NAME"])
    databases, urls, have = {}, {}, 0
    for size in sizes:
        started = time.perf_counter()
        store_copies(have, size)
        have = size
        print(f"{size:,} cases after {time.perf_counter() - started:.0f} s", flush=True)
        urls[size] = urls_now()
        # The last size is measured in the original database, the earlier ones in copies.
        databases[size] = here if size == sizes[-1] else keep_copy(size)
    times: dict[str, dict[int, list[float]]] = {}
    counts: dict[str, dict[int, int]] = {}
    for _ in range(ROUNDS):
        for size in sizes:
            switch_database(databases[size])
            for name, addresses in urls[size].items():
                counts.setdefault(name, {})[size] = queries_of(client, addresses[0])
                found = time_looks(client, addresses)
                times.setdefault(name, {}).setdefault(size, []).extend(found)
    small, large = sizes[0], sizes[-1]
    for name, by_size in times.items():
        medians = {size: sorted(all_)[len(all_) // 2] for size, all_ in by_size.items()}
        p95 = {size: stage.percentile_95(all_) for size, all_ in by_size.items()}
        stage.print_and_keep(
            "pages",
            f"{name}, {stage.database_engine()}, {large:,} against {small:,} cases: "
            f"median {medians[large] / medians[small]:.2f} times, "
            f"p95 {p95[large] / p95[small]:.2f} times (n={LOOKS * ROUNDS} each, in turn); "
            f"{counts[name][small]} and {counts[name][large]} queries; "
            f"{medians[large]:.1f} ms median at {large:,}",
        )


if __name__ == "__main__":
    main()
