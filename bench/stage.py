"""Set-up of the benchmarks: a portal with a temporary database."""

import atexit
import os
import platform
import shutil
import statistics
import tempfile
from datetime import datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def set_up() -> None:
    """Start Django on an empty, migrated database; ``DATABASE_URL`` selects another engine."""
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
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def database_engine() -> str:
    """The name of the database engine in the results."""
    from django.db import connection

    return "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"


def percentile_95(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


def print_and_keep(name: str, line: str) -> None:
    """Print a line of results with the machine, and append it to the results."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    kept = f"{datetime.now():%Y-%m-%d} {line} ({machine})"
    print(kept)
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.txt").open("a") as file:
        file.write(kept + "\n")
