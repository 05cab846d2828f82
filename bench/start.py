"""What it costs to start: the CPU of ``migrate``, and the memory of ``script/server``.

``migrate`` runs on an empty SQLite database in a process of its own, and is measured in yardsticks
of the same process, so that a busy or slow machine changes little. The memory is the PSS of every
process of ``script/server`` together, after the demonstration is loaded, all its letters are
filed, and each page of a round was opened often enough for every web process. PSS counts a page
that several processes share once.

    script/bench start             ten rounds
    script/bench start --quick     three rounds
    script/bench start migrate     one part; the other is memory
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from . import stage
from .fault_verdicts import Bar

ROOT = Path(__file__).resolve().parent.parent
BEFORE = stage.RESULTS / "start_before.json"  # in yardsticks; measured by this bench
MOST_OF_BEFORE = 0.35
MOST_MIB = 550
ROUNDS, QUICK_ROUNDS = 10, 3
MIGRATE_RUNS = 3
LETTERS_TIMEOUT = 240
PAGES = ("/", "/queues/assign/", "/queues/eligibility/", "/jump/?q=maria", "/drafts/")


def measure_migrate(runs: int) -> float:
    """Return the median CPU of ``migrate`` on an empty database, in yardsticks."""
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="imr-bench-") as room:
            done = subprocess.run(
                [sys.executable, "-c", "from bench import start; start.print_migrate_cpu()"],
                cwd=ROOT,
                env={**os.environ, **_list_changes(room)},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        cpu = json.loads(done.stdout.splitlines()[-1])
        multiple = cpu["migrate"] / cpu["yardstick"]
        found.append(multiple)
        print(
            f"migrate: {cpu['migrate']:.2f} s of CPU beside a yardstick of "
            f"{1000 * cpu['yardstick']:.1f} ms: {multiple:.0f} yardsticks",
            flush=True,
        )
    return statistics.median(found)


def print_migrate_cpu() -> None:
    """Migrate the empty database of the environment; print the CPU of that and of a yardstick."""
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    yardsticks = [stage.time_yardstick() for _ in range(5)]
    began = time.process_time()
    execute_from_command_line(["manage.py", "migrate", "--no-input", "--verbosity", "0"])
    seconds = time.process_time() - began
    yardsticks += [stage.time_yardstick() for _ in range(5)]
    print(json.dumps({"migrate": seconds, "yardstick": statistics.median(yardsticks)}))


def _list_changes(room: str) -> dict[str, str]:
    """The environment of the demonstration in a folder of its own."""
    return {
        "VAR_DIR": room,
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "DEBUG": "1",
        "DEMO": "1",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "imr_portal.settings",
    }


def measure_memory(rounds: int) -> dict[str, float]:
    """Return the PSS in MiB of each process of a used demonstration, by its command."""
    from tests import processes

    room = tempfile.mkdtemp(prefix="imr-bench-")
    os.environ |= _list_changes(room)
    port = str(processes.free_port())
    server = processes.Process(
        "server",
        [sys.executable, ROOT / "script" / "run_demo.py"],
        folder=room,
        env={**os.environ, "PORT": port},
    )
    try:
        server.start().says("Ctrl-C stops everything", seconds=300)
        use_demonstration(f"http://127.0.0.1:{port}", rounds)
        return read_memory(server.pid)
    finally:
        server.send(signal.SIGINT)
        server.stop(seconds=30)
        shutil.rmtree(room, ignore_errors=True)


def use_demonstration(url: str, rounds: int) -> None:
    """Wait until all letters are filed, and open pages as the coordinator."""
    import django

    django.setup()
    from django.db import connection

    from accounts.models import User
    from letters.models import Letter
    from tests.journeys.visitors import Visitor
    from tests.processes import wait_until

    with closing(connection):
        wait_until(
            lambda: not Letter.objects.exclude(state=Letter.State.FILED).exists(),
            what="all letters are filed",
            seconds=LETTERS_TIMEOUT,
            every=1,
        )
        filed = Letter.objects.count()
        visitor = Visitor(
            SimpleNamespace(url=url), User.objects.get(email="coordinator@demo.example")
        )
    statuses = [visitor.get(page).status for _ in range(rounds) for page in PAGES]
    print(f"{filed} letters filed, {len(statuses)} pages opened, statuses {sorted({*statuses})}")
    if {*statuses} != {200}:
        sys.exit("A page of the demonstration did not open.")


def read_memory(pid: int) -> dict[str, float]:
    """Read the PSS in MiB of a process and of all that it started, by command and process id."""
    found: dict[str, float] = {}
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        proc = Path(f"/proc/{one}")
        pss = next(
            line for line in (proc / "smaps_rollup").read_text().splitlines() if "Pss:" in line
        )
        words = (proc / "cmdline").read_text().replace("\0", " ").split()
        command = " ".join(Path(word).name for word in words[:6])
        found[f"{one} {command}"] = int(pss.split()[1]) / 1024
        for task in (proc / "task").iterdir():
            waiting += map(int, (task / "children").read_text().split())
    return found


def list_migrate_bars(*, quick: bool) -> list[Bar]:
    """Measure ``migrate`` against its CPU before."""
    now = measure_migrate(1 if quick else MIGRATE_RUNS)
    before: dict[str, Any] = json.loads(BEFORE.read_text())
    return [Bar("start.migrate_cpu_of_before", now / before["migrate"], MOST_OF_BEFORE)]


def list_memory_bars(*, quick: bool) -> list[Bar]:
    """Measure the memory of all processes of the demonstration."""
    found = measure_memory(QUICK_ROUNDS if quick else ROUNDS)
    for command, mib in sorted(found.items(), key=lambda pair: -pair[1]):
        print(f"{mib:7.1f} MiB {command}")
    return [Bar("start.server_pss_mib", sum(found.values()), MOST_MIB)]


PARTS = {"migrate": list_migrate_bars, "memory": list_memory_bars}


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench start")
    parser.add_argument("part", nargs="?", choices=PARTS, help="both without one")
    parser.add_argument("--quick", action="store_true", help="a small run; kept nowhere")
    asked = parser.parse_args()
    bars = []
    for name in [asked.part] if asked.part else PARTS:
        bars += PARTS[name](quick=asked.quick)
    for bar in bars:
        print(bar)
    if not asked.quick:
        stage.print_and_keep("start", "; ".join(map(str, bars)))
    if not all(bar.is_met for bar in bars):
        sys.exit("A bar was missed.")


if __name__ == "__main__":
    main()
