"""The queue page and the case page at 1,000 and at 100,000 cases, with their query counts.

Both sizes are measured in turn in one run, through Django's own client. Six in ten cases are open,
so every page is full. The ratio counts: the page must not feel the size.
"""

import shutil
import sys
import time
from datetime import date, timedelta
from typing import Any

from . import stage

SIZES = (1_000, 100_000)
LOOKS, ROUNDS = 40, 5


def fill(upto: int) -> None:
    """Copies of one demo case with its items and parties, straight into the tables."""
    from django.db import connection

    from cases.models import Case, DisputedItem, Party

    with connection.cursor() as cursor:
        model = Case.objects.filter(queue="assign").first()
        have = Case.objects.count()
        columns = [field.column for field in Case._meta.concrete_fields]
        first = have + 1
        rows = []
        for n in range(first, upto + 1):
            row = {
                field.column: getattr(model, field.attname) for field in Case._meta.concrete_fields
            }
            is_open = n % 10 < 6
            row |= {
                "id": 1_000_000 + n,
                "number": f"CM98-{n:07d}",
                "claim_number_normal": f"C{n}",
                "ur_decision_id": None,
                "due_on": date(2026, 1, 1) + timedelta(days=n % 400),
                "is_open": is_open,
                "status": "RECORDS_COMPLETE" if is_open else "CLOSED",
                "queue": "assign" if is_open else "",
                "next_role": "COORDINATOR" if is_open else "",
                "closed_at": None if is_open else model.received_at,
            }
            rows.append(row)
        insert(cursor, Case, columns, rows)
        for kind, extra in ((DisputedItem, 2), (Party, 4)):
            template = list(kind.objects.filter(case=model))[:1]
            fields = kind._meta.concrete_fields
            copies = []
            serial = 10_000_000 + first * 10
            for row in rows:
                for place in range(extra):
                    copy = {f.column: getattr(template[0], f.attname) for f in fields}
                    copy |= {"id": serial, "case_id": row["id"]}
                    if kind is DisputedItem:
                        copy["position"] = place + 1
                    serial += 1
                    copies.append(copy)
            insert(cursor, kind, [f.column for f in fields], copies)
        cursor.execute("ANALYZE")


def insert(cursor: Any, kind: Any, columns: list[str], rows: list[dict[str, Any]]) -> None:
    from django.db import connection

    fields = {field.column: field for field in kind._meta.concrete_fields}
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    table = kind._meta.db_table
    values = [
        tuple(fields[c].get_db_prep_save(row[c], connection) for c in columns) for row in rows
    ]
    for start in range(0, len(values), 2_000):
        cursor.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608 - names of our own
            values[start : start + 2_000],
        )


def keep_copy(size: int) -> str:
    """A copy of the database as it stands, to go back and forth between sizes."""
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
        switch(here)
    return copy


def switch(name: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


def look(client: Any, urls: list[str]) -> list[float]:
    """The time of each look in milliseconds."""
    client.get(urls[0])
    times = []
    for url in urls:
        started = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - started) * 1000)
    return times


def queries_of(client: Any, url: str) -> int:
    """How many queries one look takes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    connection.ensure_connection()
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    if answer.status_code != 200:
        raise SystemExit(f"{url} answered {answer.status_code}.")
    return len(queries)


def urls_now() -> dict[str, list[str]]:
    """What is looked at, in the database that is switched to."""
    from cases.models import Case

    numbers = Case.objects.filter(number__startswith="CM98", is_open=True).values_list(
        "number", flat=True
    )[:LOOKS]
    deep = Case.objects.filter(queue="assign").order_by("due_on", "pk")[400:401].get()
    return {
        "queue page 1": ["/queues/assign/"] * LOOKS,
        "queue page 9": [f"/queues/assign/?after={deep.due_on},{deep.pk}"] * LOOKS,
        "case page": [f"/cases/{number}/" for number in numbers],
    }


def main() -> None:
    sizes = tuple(int(size) for size in sys.argv[1:]) or SIZES
    stage.set_up()
    from unittest import mock

    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User

    with mock.patch("sys.stdout"):
        call_command("seed_demo", "--render-here")
    client = Client()
    client.force_login(User.objects.get(email__startswith="coordinator"))
    databases, urls = {}, {}
    for size in sizes:
        fill(size)
        databases[size] = keep_copy(size)
        urls[size] = urls_now()
    times: dict[str, dict[int, list[float]]] = {}
    counts: dict[str, dict[int, int]] = {}
    for _ in range(ROUNDS):
        for size in sizes:
            switch(databases[size])
            for name, addresses in urls[size].items():
                counts.setdefault(name, {})[size] = queries_of(client, addresses[0])
                found = look(client, addresses)
                times.setdefault(name, {}).setdefault(size, []).extend(found)
    small, large = sizes[0], sizes[-1]
    for name, by_size in times.items():
        medians = {size: sorted(all_)[len(all_) // 2] for size, all_ in by_size.items()}
        p95 = {size: stage.p95(all_) for size, all_ in by_size.items()}
        stage.tell(
            "pages",
            f"{name}, {stage.engine()}, {large:,} against {small:,} cases: "
            f"median {medians[large] / medians[small]:.2f} times, "
            f"p95 {p95[large] / p95[small]:.2f} times (n={LOOKS * ROUNDS} each, in turn); "
            f"{counts[name][small]} and {counts[name][large]} queries; "
            f"{medians[large]:.1f} ms median at {large:,}",
        )


if __name__ == "__main__":
    main()
