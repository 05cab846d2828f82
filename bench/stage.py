"""Set-up of the benchmarks: a portal with a temporary database."""

import atexit
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def set_up(*apps: str, **changes: str) -> None:
    """Start Django on an empty, migrated database; ``DATABASE_URL`` selects another engine.

    :param apps: migrate only these and what they need, which takes a second instead of a minute.
    :param changes: variables of the environment that a bench sets otherwise.
    """
    room = tempfile.mkdtemp(prefix="imr-bench-")
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    os.environ |= {
        "VAR_DIR": room,
        "DEBUG": "0",
        "DEMO": "1",
        "SECRET_KEY": "a-key-for-benches-that-guards-nothing-0123456789-abcdefgh",
        "ALLOWED_HOSTS": "testserver",
        "SECURE_SSL_REDIRECT": "0",
        "SECOND_FACTOR_REQUIRED": "0",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    } | changes
    import django
    from django.core.management import call_command

    django.setup()
    if not apps and _load_kept_database():
        return
    for app in apps or ("",):
        call_command("migrate", *filter(None, [app]), verbosity=0)


def _load_kept_database() -> bool:
    """Load the migrated database that the tests keep, if it is of these migrations.

    Migrations take most of a minute of CPU time, which a quick run does not have.
    """
    from django.db import connection

    from tests.pristine import pristine

    kept = pristine().kept
    if not kept.is_file():
        return False
    connection.close()
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        shutil.copyfile(kept, name)
        return True
    programs = os.pathsep.join(
        [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
    )
    program = shutil.which("pg_restore", path=programs)
    if program is None:
        return False
    load = [program, "--no-owner", "--dbname", os.environ["DATABASE_URL"], str(kept)]
    return subprocess.run(load, check=False, capture_output=True).returncode == 0


def database_engine() -> str:
    """The name of the database engine in the results."""
    from django.db import connection

    return "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"


def percentile_95(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


def run_yardstick() -> int:
    """Do a fixed amount of plain Python work, in whose multiples results are kept.

    A multiple of it can be compared with one measured at another commit or on another machine. It
    makes no objects that the garbage collector follows: a collection takes longer the more a
    process holds. Do not change it: all kept multiples would become wrong.
    """
    found: dict[str, int] = {}
    for number in range(30_000):
        word = f"{number % 977}-{number % 13}"
        found[word] = found.get(word, 0) + len(word)
    return len(" ".join(sorted(found)))


def time_yardstick() -> float:
    """Return the CPU seconds of one yardstick."""
    began = time.process_time()
    run_yardstick()
    return time.process_time() - began


def find_commit() -> str:
    """The commit that was measured; "no commit" outside of a repository."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=RESULTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "no commit"


COMMIT = find_commit()  # before the bench runs, which may take long


def format_bar(name: str, figure: float, bound: float, *, at_least: bool) -> str:
    """Return the line of one bar: ``BAR name figure bound ok`` or ``missed``.

    :param at_least: the figure has to reach the bound; otherwise it may not be above it.
    """
    is_met = figure >= bound if at_least else figure <= bound
    key = "-".join(re.findall(r"[\w./%]+", name))
    return f"BAR {key} {figure:.4g} {bound:g} {'ok' if is_met else 'missed'}"


def print_bar(name: str, figure: float, bound: float, *, at_least: bool, keep_in: str = "") -> str:
    """Print the line of one bar and return it.

    :param keep_in: the name of the results in which the line replaces that of the last run.
    """
    line = format_bar(name, figure, bound, at_least=at_least)
    print(line, flush=True)
    if keep_in:
        kept = RESULTS / f"{keep_in}.txt"
        before = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
        key = line.split()[1]
        rest = [one for one in before if one.split()[1] != key]
        lines = sorted([*rest, f"{line} ({describe_machine()})"])
        kept.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return line


def describe_machine() -> str:
    """The machine, the Python and the commit that a figure was taken on."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"{machine}, {COMMIT}"


def print_and_keep(name: str, line: str) -> None:
    """Print a line of results with the machine and the commit, and append it to the results."""
    kept = f"{datetime.now():%Y-%m-%d} {line} ({describe_machine()})"
    print(kept)
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.txt").open("a") as file:
        file.write(kept + "\n")


def read_cpu() -> float:
    """Read the CPU seconds of this process and of its PostgreSQL backend.

    Wall time counts the other work of the machine, and CPU time of the client alone leaves out what
    the database does.
    """
    from django.db import connection

    seconds = time.process_time()
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        backend = connection.connection.info.backend_pid
        # In nanoseconds; /proc/PID/stat counts in ticks of 10 ms, too coarse for one statement.
        seconds += int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9
    return seconds


def time_cpu(act: Callable[[], Any]) -> float:
    """Return the CPU milliseconds of a call."""
    began = read_cpu()
    act()
    return (read_cpu() - began) * 1000


def measure_yardstick(times: int = 9) -> float:
    """Return the median CPU milliseconds of the yardstick."""
    return statistics.median(time_cpu(run_yardstick) for _ in range(times))


def show_figures(figures: dict[str, Any], *, keep_in: str = "") -> None:
    """Print figures with the machine and the commit.

    :param keep_in: the name of the results that they replace.
    """
    text = json.dumps({"machine": describe_machine(), **figures}, indent=1)
    if keep_in:
        (RESULTS / f"{keep_in}.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def read_figures(name: str) -> dict[str, Any]:
    """Read figures that were kept earlier."""
    figures: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return figures
