"""Health checks: whether the process is alive and ready, and which version it is."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import redis
import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access_reserve import has_broken_entries
from accounts.storage_failures import DiskFull, find_storage_failure
from letters.models import Heartbeat

from . import __version__

logger = structlog.get_logger(__name__)

# The worker reports every minute, so one late report is no alarm.
SILENT_AFTER = timedelta(minutes=3)
# Clocks of two machines may differ a little.
CLOCK_SKEW = timedelta(minutes=1)
LEAST_FREE_BYTES = 64 * 1024 * 1024  # below this, an upload or a backup fills the disk


@require_safe
@login_not_required
def show_liveness(request: HttpRequest) -> HttpResponse:
    """Return whether this process answers. Uses no other service."""
    return HttpResponse("alive\n", content_type="text/plain; charset=utf-8")


@require_safe
@login_not_required
def show_readiness(request: HttpRequest) -> HttpResponse:
    """Return whether this process can serve pages; 503 if it cannot.

    The broker and the worker are reported only, because pages do not need them: letters wait in
    the database until they are back. The answer names no host, version or secret.
    """
    needed = {
        "database": _run_check(_can_query_database),
        "migrations": _run_check(_has_all_migrations),
        "files": _run_check(_can_write_files),
        "disk": _run_check(_has_free_space),
    }
    ready = all(outcome == "ok" for outcome in needed.values())
    reported = {"broker": "unknown", "worker": "unknown", "relay": "unknown"}
    # The reports are in a table that may not exist yet.
    if needed["migrations"] == "ok":
        reported = {
            "broker": _broker_state(),
            "worker": heartbeat_state("worker"),
            "relay": heartbeat_state("relay"),
        }
    # The other entries are stored, so the portal works; a person has to look at the file.
    reported["access_entries"] = "damaged" if has_broken_entries() else "ok"
    return JsonResponse({"ready": ready, **needed, **reported}, status=200 if ready else 503)


@require_safe
@login_not_required
def show_version(request: HttpRequest) -> HttpResponse:
    """Return the version of this process."""
    return JsonResponse({"version": __version__})


def _run_check(check: Callable[[], bool]) -> str:
    """Run one check: ``ok``, ``full`` or ``failed``. An exception is logged."""
    try:
        return "ok" if check() else "failed"
    except Exception as error:  # noqa: BLE001 - a health check must answer, not crash
        logger.error("health_check_failed", check=check.__name__, error=type(error).__name__)
        return "full" if isinstance(find_storage_failure(error), DiskFull) else "failed"


def _can_query_database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _has_all_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _can_write_files() -> bool:
    """Return whether a file with content can be written to the folder of files."""
    Path(settings.FILES_DIR).mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".readyz-", dir=settings.FILES_DIR)
    try:
        # An empty file needs no space on many file systems.
        os.write(handle, b"\0" * 4096)
        os.fsync(handle)
    finally:
        os.close(handle)
        Path(name).unlink()
    return True


def _has_free_space() -> bool:
    """Whether the disks of the files and of SQLite have space for the next hour of work.

    :raises OSError: ``ENOSPC`` if they do not.
    """
    folders = [Path(settings.FILES_DIR), Path(settings.VAR_DIR)]
    if connection.vendor == "sqlite":
        folders.append(Path(str(connection.settings_dict["NAME"])).parent)
    if min(shutil.disk_usage(folder).free for folder in folders) < LEAST_FREE_BYTES:
        raise OSError(errno.ENOSPC, "The disk is full.")
    return True


def _broker_state() -> str:
    if not settings.REDIS_URL:
        return "not set"
    try:
        client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        )
        try:
            client.ping()
        finally:
            client.close()
    except redis.RedisError:
        return "unavailable"
    return "ok"


def heartbeat_state(name: str) -> str:
    """Return whether a background process has worked lately; a running process may be stuck."""
    beat = Heartbeat.objects.filter(name=name).values_list("beaten_at", flat=True).first()
    if beat is None:
        return "never seen"
    age = timezone.now() - beat
    # A beat from the future was recorded before the clock was set back, so it proves nothing.
    return "ok" if -CLOCK_SKEW < age < SILENT_AFTER else "silent"
