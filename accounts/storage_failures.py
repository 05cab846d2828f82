"""Failures of the disk and the database that pass by themselves: a full disk, a busy database.

``accounts.actions`` and the middleware turn these errors into refusals with status 503. Nothing was
stored, and what was typed is kept. The messages say what to do.
"""

import errno
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import structlog
from django.db import Error, connection, connections

from .refusals import Refused

Result = TypeVar("Result")
logger = structlog.get_logger(__name__)

TRIES = 3
SECONDS_OF_TRIES = 5  # no further try begins later, so that an answer comes within 10 seconds
SQLITE_SECONDS = 7  # how long a page waits for the lock of SQLite, once
_MILLISECONDS_AFTER_FAILURE = 200  # for each further wait of the same page

_FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
# The primary result codes of SQLite.
_SQLITE_BUSY = {5, 6}  # BUSY, LOCKED
_SQLITE_DISK = {8, 10, 13, 14}  # READONLY, IOERR, FULL, CANTOPEN
# PostgreSQL: deadlock, serialization failure, lock not available, query canceled.
_POSTGRESQL_BUSY = {"40P01", "40001", "55P03", "57014"}
_POSTGRESQL_NO_RESOURCES = "53"  # the class: no memory, too many connections
# The server was shut down, crashed, is starting, or its connection failed (a class).
_POSTGRESQL_LOST = ("57P0", "08")
_POSTGRESQL_DISK = {"53100", "58030"}  # disk full, I/O error


class StorageFailed(Refused):
    """Nothing was stored, because the disk or the database failed. It may work later."""

    status = 503
    kind = "failed"


class DiskFull(StorageFailed):
    kind = "disk_full"

    def __init__(self) -> None:
        super().__init__(
            "Not saved: the disk of the server is full or cannot be written. What you typed is "
            "kept on this page. Tell operations, then save again."
        )


class DatabaseBusy(StorageFailed):
    kind = "database_busy"

    def __init__(self) -> None:
        super().__init__(
            "Not saved: The database is busy. What you typed is kept on this page. Save again."
        )


class DatabaseLost(StorageFailed):
    """The connection broke. If it broke in a commit, it is unknown whether that was stored."""

    kind = "database_lost"

    def __init__(self) -> None:
        super().__init__(
            "The database did not answer, so this may not be saved. What you typed is kept on this "
            "page. Look in another tab whether it was saved, and if not, save again."
        )


class AccessNotRecorded(Exception):
    """Personal facts are not shown, because the access to them could not be recorded."""


def find_storage_failure(error: BaseException | None) -> StorageFailed | None:
    """The refusal for an error of the disk or of a busy database; ``None`` for other errors."""
    for one in _list_causes(error):
        sqlite = getattr(one, "sqlite_errorcode", None)
        state = getattr(one, "sqlstate", None)
        number = one.errno if isinstance(one, OSError) else None
        # The extended codes of SQLite have the primary one in their last byte.
        code = sqlite & 0xFF if isinstance(sqlite, int) else None
        if number in _FULL_DISK or code in _SQLITE_DISK or state in _POSTGRESQL_DISK:
            return DiskFull()
        if code in _SQLITE_BUSY or state in _POSTGRESQL_BUSY:
            return DatabaseBusy()
        if isinstance(state, str) and state.startswith(_POSTGRESQL_NO_RESOURCES):
            return DatabaseBusy()
        if _is_lost_connection(one, state):
            return DatabaseLost()
    return None


def _is_lost_connection(error: BaseException, state: str | None) -> bool:
    if isinstance(state, str):
        return state.startswith(_POSTGRESQL_LOST)
    # psycopg gives no state if the server does not answer. Errors of SQLite have no such attribute.
    of_connection = type(error).__name__ in {"OperationalError", "InterfaceError"}
    return of_connection and hasattr(error, "sqlstate")


def run_with_retries(action: Callable[[], Result]) -> Result:
    """Run the action, and run it again if the database was busy. A failed try stored nothing.

    :raises StorageFailed: the disk is full, or the database was busy in every try.
    """
    began = time.monotonic()
    for attempt in range(1, TRIES + 1):
        try:
            return action()
        except (Error, OSError) as error:
            failure = find_storage_failure(error)
            if failure is None:
                raise
            logger.error(
                "storage_failed", kind=failure.kind, attempt=attempt, error=type(error).__name__
            )
            last = attempt == TRIES or time.monotonic() - began > SECONDS_OF_TRIES
            # In a transaction of the caller, the failed try has spoiled the transaction.
            # An action whose commit may have been stored must not run twice.
            ends = isinstance(failure, DiskFull | DatabaseLost)
            if last or ends or _is_in_transaction():
                stop_waiting()
                _drop_lost_connection(failure)
                raise failure from error
            # At random, so that those who waited together do not try together again.
            time.sleep(random.uniform(0.05, 0.2) * attempt)  # noqa: S311 - not a secret
    raise AssertionError("unreachable")


def limit_sqlite_waits() -> None:
    """Let the pages of this process wait for SQLite less long than the background jobs."""
    if connection.vendor == "sqlite":
        # Of the settings, which every thread reads when it connects.
        connections.settings[connection.alias]["OPTIONS"]["timeout"] = SQLITE_SECONDS


def stop_waiting() -> None:
    """Let this page wait no more for SQLite, after it has waited once; the next page waits again.

    Otherwise the action, the entry of the access log and the session would each wait in turn.
    """
    if connection.vendor == "sqlite" and connection.connection is not None:
        # It ends with the connection, which Django closes after each request.
        connection.connection.execute(f"PRAGMA busy_timeout = {_MILLISECONDS_AFTER_FAILURE}")


def keep_sqlite_open() -> None:
    """Open a connection to SQLite for the whole life of this process; do nothing on PostgreSQL.

    The last connection that is closed removes SQLite's two helper files, and on a full disk the
    next one could not create them, so that not even reading would work. The connection belongs to
    the main thread, which serves no requests and so never closes it.
    """
    if connection.vendor != "sqlite":
        return
    try:
        connection.ensure_connection()
    except Error as error:
        logger.error("sqlite_not_opened", error=type(error).__name__)


def _drop_lost_connection(failure: StorageFailed) -> None:
    """Close a broken connection, so that the form can be read from a server that restarted."""
    lost = isinstance(failure, DatabaseLost) and not _is_in_transaction()
    if lost and not connection.is_usable():
        connection.close()


def _is_in_transaction() -> bool:
    return connection.in_atomic_block


def _list_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
