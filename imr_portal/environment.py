"""Read environment variables strictly, with a sentence if a value is invalid."""

import contextlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from django.core.exceptions import ImproperlyConfigured

LOCK_TIMEOUT = "15s"  # for each wait for a lock of PostgreSQL


def read_text(name: str, default: str | None = None) -> str:
    """Read a text; without a default it has to be set."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name} in the environment. It has no default.")
    return value


def read_flag(name: str, default: bool) -> bool:
    """Read a yes or no: 1, 0, true or false. Anything else is an error, never yes."""
    value = os.environ.get(name)
    if value is None:
        return default
    flags = {"1": True, "true": True, "0": False, "false": False}
    if value.lower() not in flags:
        raise ImproperlyConfigured(f"{name} is {value!r}. Write 1 or 0.")
    return flags[value.lower()]


def read_number(name: str, default: int) -> int:
    """Read a whole number."""
    value = os.environ.get(name)
    if value is None:
        return default
    try:
        return int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {value!r}. Write a whole number.") from error


def read_list(name: str, default: str = "") -> list[str]:
    """Read a list separated by commas, without empty entries."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def keep_files_private() -> None:
    """Let only this account read the files that this process creates; they are medical records."""
    os.umask(0o077)


def make_private_folder(folder: Path) -> str:
    """Create a folder that only this account opens, and return its path.

    If it cannot be created, the system checks report it; commands that need no files still run.
    """
    with contextlib.suppress(OSError):
        for missing in [*reversed(folder.parents), folder]:
            if not missing.exists():
                missing.mkdir(mode=0o700, exist_ok=True)
    return str(folder)


def database_settings(name: str, *, default_file: Path) -> dict[str, Any]:
    """Read Django's settings of one database from a URL; SQLite in a file if it is not set.

    Accepted: ``postgresql://user:password@host:port/name`` (a host that begins with ``/`` is
    given as ``?host=/run/postgresql``) and ``sqlite:///absolute/path``.
    """
    url = os.environ.get(name, "")
    if not url:
        return sqlite_settings(default_file)
    parts = urlparse(url)
    if parts.scheme == "sqlite":
        return sqlite_settings(Path(parts.path))
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"{name} begins with {parts.scheme!r}. Use postgresql:// or sqlite://."
        )
    # Split by hand, because parse_qs would decode a value that is decoded below.
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    host = unquote(query.pop("host", "")) or parts.hostname or ""
    options = {key: unquote(value) for key, value in query.items()}
    # A page that waits longer for another transaction is answered with 503, and its form is kept.
    # What the URL says comes later and wins.
    options["options"] = f"-c lock_timeout={LOCK_TIMEOUT} {options.get('options', '')}".strip()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "")),
        # Connections are kept for a minute. They are checked before use, because the server may
        # have restarted in between.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def sqlite_settings(file: Path) -> dict[str, Any]:
    """Return settings of SQLite: commits survive a power failure; writers wait and do not fail.

    ``synchronous=FULL`` is necessary: with NORMAL, every commit since the last checkpoint is lost
    in a power failure. ``recursive_triggers`` makes INSERT OR REPLACE fire the triggers of
    append-only tables.
    """
    make_private_folder(file.parent)
    # Databases of earlier versions were readable by every account of the machine.
    for each in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        with contextlib.suppress(OSError):
            each.chmod(0o600)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": {
            # Writers wait for each other up to 20 seconds.
            "timeout": 20,
            # A transaction that begins with reading would fail at its first write if another one
            # wrote in between.
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=FULL;"
                "PRAGMA foreign_keys=ON;"
                "PRAGMA recursive_triggers=ON;"
            ),
        },
    }
