"""What pages and searches read at two sizes, their queries, and the CPU of two of them.

Every list, page and search is asked for at a small and at a large size, with as many matches at
both. Counted are 8 kB buffers and rows on PostgreSQL (EXPLAIN ANALYZE of each statement of the
page), and steps of the virtual machine on SQLite. No clock takes part, so a busy machine changes
nothing. Each bar is a line: BAR, its name, the figure, its bound, and ok or missed.

    script/bench pages --quick    10,000 cases against 1,000; about a minute
    script/bench pages            1,000,000 cases against 100,000; needs 8 GB of disk

On SQLite, and on PostgreSQL if DATABASE_URL names one. Six in ten cases are open, each with an
item, an injured worker of their own, a physician and a claims administrator.
"""

import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from . import page_cpu, stage

QUICK, FULL = (1_000, 10_000), (100_000, 1_000_000)
MORE_BUFFERS = 12  # a page of few buffers may read these more
MORE_STEPS = 1_200  # the same for SQLite: about a hundred steps a page of the database
RATIO = 1.3
PLANTED = 6  # workers with the rare name, at every size
# In the quick run, so that lists and frequent names are longer than what is read at both sizes.
QUICK_COUNTED, QUICK_FOUND = 99, 8

# Most queries of a page, at every size. Assigning and planning have bars of their own.
QUERIES = {
    "case page": 12,
    "case page, everything on it": 12,
    "deadlines": 15,
    "workspace": 14,
    "my day": 11,
    # Two of ten are a search that has to look twice, and one is the pace of each stage.
    "queue, a frequent name by time to spare": 10,
    "queue": 9,  # every other list
}
CPU_BOUND = 0.6  # of the CPU before, in multiples of the yardstick

# Columns that differ between copies, as SQL over n, the number of the copy. Half of the open cases
# wait for assignment, half are in stages of eligibility, which the order by time to spare merges.
_STATUS = (
    "CASE WHEN n % 10 >= 6 THEN 'CLOSED' WHEN n % 2 = 0 THEN 'RECORDS_COMPLETE' "
    "WHEN n % 10 = 1 THEN 'SCREENING' WHEN n % 10 = 3 THEN 'INFO_REQUESTED' ELSE 'DEFERRED' END"
)
_QUEUE = "CASE WHEN n % 10 >= 6 THEN '' WHEN n % 2 = 0 THEN 'assign' ELSE 'eligibility' END"
# Names of three syllables, about as different as surnames are; one in a hundred is Garcia, one in
# fifty is Nguyen, and the first open cases have the rare name.
_SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "tu",
    "va",
    "we",
    "xi",
    "yo",
    "zu",
    "bar",
    "cen",
    "dil",
    "for",
    "gus",
    "han",
    "jel",
    "kim",
    "lon",
    "mur",
    "nas",
    "per",
    "rin",
    "sol",
    "tur",
    "van",
    "wes",
    "xin",
    "yor",
    "zul",
    "bra",
    "cle",
    "dri",
    "flo",
    "gru",
    "sha",
    "tre",
    "kri",
    "slo",
    "mun",
]
_FIRST = [
    "maria",
    "jose",
    "john",
    "ana",
    "luis",
    "carol",
    "peter",
    "dana",
    "ruth",
    "omar",
    "lena",
    "ivan",
    "rosa",
    "paul",
    "nora",
    "hugo",
]
_SIZE = len(_SYLLABLES)
RARE = "odalys quillfeather"


def _pick(words: list[str], index: str) -> str:
    """SQL that picks a word by a number."""
    cases = " ".join(f"WHEN {number} THEN '{word}'" for number, word in enumerate(words))
    return f"(CASE {index} {cases} END)"


def _name_columns() -> str:
    """SQL of the folded first and last name of copy n."""
    hashed = "(n * CAST(7919 AS BIGINT))"
    surname = " || ".join(
        _pick(_SYLLABLES, f"({hashed} / {_SIZE**place}) % {_SIZE}") for place in range(3)
    )
    first = _pick(_FIRST, f"n % {len(_FIRST)}")
    rare_first, rare_last = RARE.split()
    return (
        f"CASE WHEN n % 10 = 0 AND n <= {PLANTED * 10} THEN '  {rare_first}  {rare_last} ' "
        f"WHEN n % 100 = 0 THEN '  ' || {first} || '  garcia ' "
        f"WHEN n % 50 = 1 THEN '  ' || {first} || '  nguyen ' "
        f"ELSE '  ' || {first} || '  ' || {surname} || ' ' END"
    )


def store_copies(have: int, upto: int) -> None:
    """Store copies of one demo case, each with an item and three parties, inside the database."""
    from django.db import connection

    from cases.models import Case, DisputedItem, Party
    from directory.models import Person, PersonName

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
    # As many at every size: six expedited cases, six on hold.
    few = f"n %% 10 = 2 AND n <= {PLANTED * 5}"
    of_case = {
        "id": "1000000 + n",
        "number": number,
        "claim_number_normal": "'C' || n",
        "ur_decision_id": "NULL",
        "due_on": day.format(400),
        "list_day": day.format(400),
        "urgency": f"CASE WHEN {few} THEN 0 ELSE 1 END",
        "received_on": day.format(300),
        "is_open": is_open,
        "status": status,
        "queue": queue,
        "priority": f"CASE WHEN {few} THEN 'EXPEDITED' ELSE 'REGULAR' END",
        "held_until": f"CASE WHEN {few.replace('= 2', '= 4')} THEN "
        + day.format(1).replace("2026", "2099")
        + " END",
        "next_role": "CASE WHEN n %% 10 < 6 THEN 'COORDINATOR' ELSE '' END",
        "closed_at": f"CASE WHEN n %% 10 < 6 THEN NULL ELSE {moment} END",
    }
    insert_copies(Case, model, of_case, have, upto)
    item = model.items.order_by("position")[0]
    insert_copies(DisputedItem, item, {"id": "10000000 + n", "case_id": "1000000 + n"}, have, upto)
    name = _name_columns().replace("%", "%%")
    worker = model.parties.filter(role="EMPLOYEE")[0]
    insert_copies(Person, worker.person, {"id": "50000000 + n"}, have, upto)
    of_name = {
        "id": "60000000 + n",
        "person_id": "50000000 + n",
        "normal": f"trim({name})",
        "printed": f"trim({name})",
    }
    insert_copies(PersonName, worker.person.names.all()[0], of_name, have, upto)
    roles = ("CLAIMS_ADMINISTRATOR", "EMPLOYEE", "REQUESTING_PHYSICIAN")
    for place, role in enumerate(roles):
        columns = {"id": f"20000000 + 3 * n + {place}", "case_id": "1000000 + n"}
        if role == "EMPLOYEE":
            columns |= {
                "person_id": "50000000 + n",
                "name": f"trim({name})",
                "name_search": name,
            }
        insert_copies(Party, model.parties.filter(role=role)[0], columns, have, upto)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def load_without_index(have: int, upto: int) -> None:
    """Store the copies with the index of names built afterward, which is faster for many."""
    from django.db import connection

    from cases.name_index import INDEX, IndexEmployeeNames

    if connection.vendor == "postgresql":
        statement = IndexEmployeeNames().statements("postgresql")[-1]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX {INDEX}")
        store_copies(have, upto)
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("VACUUM ANALYZE cases_party")
        return
    store_copies(have, upto)


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
            f"SELECT {', '.join(said)} FROM ({numbers}) AS numbers ORDER BY n",
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


class Cost:
    """What one request reads.

    :ivar queries: statements, without those that only open or close a savepoint.
    :ivar read: buffers on PostgreSQL, steps of the virtual machine on SQLite.
    :ivar rows: rows that scans have read; 0 on SQLite, which does not count them.
    """

    def __init__(self, queries: int, read: int, rows: int) -> None:
        self.queries, self.read, self.rows = queries, read, rows


def measure_request(client: Any, url: str) -> Cost:
    """Ask for a page and count what its statements read."""
    from django.core.cache import cache
    from django.db import connection

    cache.clear()
    connection.ensure_connection()
    statements: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE")):
            statements.append((sql, params))
        return execute(sql, params, many, context)

    steps = 0

    def count_steps() -> int:
        nonlocal steps
        steps += 10
        return 0

    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(count_steps, 10)
    with connection.execute_wrapper(note):
        answer = client.get(url)
    if answer.status_code != 200:
        raise SystemExit(f"{url} answered {answer.status_code}.")
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(None, 10)
        return Cost(len(statements), steps, 0)
    plans = [explain_statement(sql, params) for sql, params in statements if sql[:6] == "SELECT"]
    return Cost(
        len(statements),
        sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans),
        sum(count_rows(plan) for plan in plans),
    )


def explain_statement(sql: str, params: Any) -> dict[str, Any]:
    """Run a statement and return its plan with what it read."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
    plans = json.loads(found) if isinstance(found, str) else found
    plan: dict[str, Any] = plans[0]["Plan"]
    return plan


def count_rows(plan: dict[str, Any]) -> int:
    """The rows that the scans of a plan have read, with those that they left out."""
    below = sum(count_rows(part) for part in plan.get("Plans", []))
    # A bitmap of an index counts entries, not rows; the scan of the table above it counts those.
    if "Relation Name" not in plan:
        return below
    left_out = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return below + int((plan["Actual Rows"] + left_out) * plan["Actual Loops"])


def urls_now() -> dict[str, dict[str, str]]:
    """The addresses to measure in the current database, by who asks for them."""
    from cases.models import Case
    from reviewers.models import ReviewerAssignment

    deep = Case.objects.in_queue("assign")[200:201].get()
    rich = Case.objects.filter(status="IN_REVIEW", number__startswith="CM2").order_by("pk")[0]
    plain = Case.objects.filter(number__startswith="CM98", queue="assign").order_by("pk")[3]
    review = ReviewerAssignment.objects.filter(
        state="ACCEPTED", case__status="IN_REVIEW", review__state="WRITING"
    ).order_by("pk")[0]
    opinion = review.opinions.order_by("pk")[0]
    surname = RARE.split()[1]
    filters = {
        "queue": "/queues/assign/",
        "queue, page 5": f"/queues/assign/?after={deep.list_day},{deep.urgency},{deep.pk}",
        "queue by arrival": "/queues/assign/?sort=received",
        "queue by time to spare": "/queues/eligibility/?sort=lead_time",
        "queue, due and not taken": "/queues/assign/?taken=nobody&due_by=2026-06-01",
        "queue, few expedited": "/queues/assign/?priority=EXPEDITED",
        "queue, few on hold": "/queues/assign/?hold=yes",
        "queue, none taken by me": "/queues/assign/?taken=me",
        "queue, a rare name": f"/queues/assign/?q={surname}",
        "queue, last name first": f"/queues/assign/?q={surname},+Odalys+Jr.",
        "queue, a name of nobody": "/queues/assign/?q=zzyzxq",
        "queue, a frequent name": "/queues/assign/?q=garcia",
        "queue, a frequent name by time to spare": "/queues/eligibility/?q=nguyen&sort=lead_time",
        "queue, a number": f"/queues/assign/?q={plain.number}",
        "queue, the beginning of all numbers": "/queues/assign/?q=CM98",
        "queue, an administrator": "/queues/assign/?administrator=claims",
        "queue, an administrator of none": "/queues/assign/?administrator=zzyzxq",
    }
    searches = {
        "jump, a number": f"/jump/?q={plain.number[:-1]}",
        "jump, a claim": "/jump/?q=C77",
        "jump, a rare name": f"/jump/?q={surname}",
        "jump, two words": f"/jump/?q={surname.title()},+Odalys",
        "jump, a name of nobody": "/jump/?q=zzyzxq",
        "jump, a frequent name": "/jump/?q=garcia",
        "jump, two frequent words": "/jump/?q=maria+nguyen",
        "jump, two letters": "/jump/?q=ng",
        "jump, the beginning of all numbers": "/jump/?q=CM98",
    }
    pages = {
        "my day": "/",
        "counts of all lists": "/queues/counts/",
        "case page": plain.get_absolute_url(),
        "case page, everything on it": rich.get_absolute_url(),
        "preview": f"/cases/{plain.number}/peek/",
        "timeline": f"/cases/{rich.number}/timeline/",
        "deadlines": f"/cases/{rich.number}/deadlines/",
        "letters": f"/cases/{rich.number}/letters/",
        "parties": f"/cases/{rich.number}/parties/",
        "related cases": f"/cases/{rich.number}/related/",
        "outstanding records": "/records/outstanding/",
        "letters to review": "/drafts/",
        "possible duplicates": "/duplicates/",
        "item changes": "/item-changes/",
        "next case": "/queues/assign/next/",
    }
    workspace = f"/reviews/{review.pk}/"
    assert review.reviewer is not None
    assert review.reviewer.user is not None
    return {
        "coordinator@demo.example": filters | searches | pages,
        review.reviewer.user.email: {
            "workspace": workspace,
            "workspace, an item": f"{workspace}?part=item-{opinion.item_id}",
            "my reviews": "/reviews/",
        },
    }


def keep_bars(bars: list[str], *, sizes: tuple[int, int]) -> None:
    """Keep the bars with the machine and the commit, in place of the last ones."""
    small, large = sizes
    engine = stage.database_engine()
    head = (
        f"{datetime.now():%Y-%m-%d} {engine}, {large:,} against {small:,} cases "
        f"({stage.describe_machine()})"
    )
    kept = stage.RESULTS / f"pages_{engine.lower()}_full.txt"
    kept.write_text("\n".join([head, *bars]) + "\n")


def list_bars(small: dict[str, Cost], large: dict[str, Cost]) -> Iterator[str]:
    """Yield the bars of what pages read at two sizes, and of their queries."""
    engine = stage.database_engine()
    what = "buffers" if engine == "PostgreSQL" else "steps"
    more = MORE_BUFFERS if engine == "PostgreSQL" else MORE_STEPS
    for name, cost in large.items():
        before = small[name]
        bound = max(RATIO * before.read, before.read + more)
        yield stage.format_bar(f"{engine} {what} {name}", cost.read, round(bound), at_least=False)
        if engine == "PostgreSQL":
            bound = max(RATIO * before.rows, before.rows + more)
            yield stage.format_bar(f"{engine} rows {name}", cost.rows, round(bound), at_least=False)
        most = QUERIES.get(name) or next(
            (most for begins, most in QUERIES.items() if name.startswith(begins)), None
        )
        if most:
            yield stage.format_bar(
                f"{engine} queries {name}",
                max(cost.queries, before.queries),
                most,
                at_least=False,
            )


def list_cpu_bars(client: Any) -> Iterator[str]:
    """Yield the CPU of the list and the case page, against the CPU before."""
    engine = stage.database_engine()
    kept = json.loads(page_cpu.BEFORE.read_text()) if page_cpu.BEFORE.exists() else {}
    if engine not in kept:
        print(f"The CPU before is not on file for {engine}.")
        return
    before = kept[engine]["yardsticks"]
    # The middle one of three, which are disturbed differently.
    rounds = [page_cpu.measure_pages(client, page_cpu.find_pages()) for _ in range(3)]
    for name in before:
        now = statistics.median(found[name] for found in rounds)
        yield stage.format_bar(
            f"{engine} CPU {name}", now / before[name], CPU_BOUND, at_least=False
        )


def main() -> None:
    stage.set_up()
    sizes = QUICK if "--quick" in sys.argv[1:] else FULL
    if sizes == QUICK:
        from cases import search
        from desk import queues

        queues.COUNTED, search.MOST_FOUND = QUICK_COUNTED, QUICK_FOUND
    from unittest import mock

    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from accounts.models import User
    from queues.models import StageDuration

    with mock.patch("sys.stdout"):
        call_command("seed_demo", "--render-here")
    for days, status in ((3, "SCREENING"), (25, "RECORDS_COMPLETE")):
        StageDuration.objects.create(
            measured_at=timezone.now(), status=status, median_days=days, cases=400
        )
    clients: dict[str, Any] = {}
    for user in User.objects.filter(is_active=True):
        clients[user.email] = Client()
        clients[user.email].force_login(user)
    here = str(connection.settings_dict["NAME"])
    databases, have = {}, 0
    for size in sizes:
        started = time.perf_counter()
        load_without_index(have, size)
        have = size
        print(f"{size:,} cases after {time.perf_counter() - started:.0f} s", flush=True)
        # The last size is measured in the original database, the earlier one in a copy.
        databases[size] = here if size == sizes[-1] else keep_copy(size)
    costs: dict[int, dict[str, Cost]] = {}
    cpu_bars: list[str] = []
    for size in sizes:
        switch_database(databases[size])
        costs[size] = {}
        for email, addresses in urls_now().items():
            for name, address in addresses.items():
                client = clients[email]
                client.get(address)  # what is looked up once for ever
                costs[size][name] = measure_request(client, address)
        if size == sizes[0]:
            cpu_bars = list(list_cpu_bars(clients["coordinator@demo.example"]))
    bars = [*list_bars(costs[sizes[0]], costs[sizes[1]]), *cpu_bars]
    print("\n".join(bars))
    if sizes == FULL:
        keep_bars(bars, sizes=sizes)


if __name__ == "__main__":
    main()
