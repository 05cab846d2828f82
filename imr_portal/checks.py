"""System checks: find wrong configuration and say what to do.

Checks that need the database run if ``--database`` names it, and before migrations.
``manage.py check --deploy --database default`` runs all of them; production starts only if they
pass (see ``compose.yaml`` and ``docs/operations.md``).
"""

import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.core.checks import Warning as Caution
from django.db import connections
from django.db.utils import DatabaseError
from django.utils import timezone

from accounts.counting import count_noun
from accounts.guards import find_missing_guards
from accounts.models import User

from . import support

SHORTEST_TIMEOUT = 20  # seconds that a writer on SQLite has to wait for another at least


# --- databases: commits must survive a power failure, and history must be append-only --------------


@register(Tags.security, deploy=True)
def check_virus_scanner(**options: Any) -> list[CheckMessage]:
    """Say that uploads are not scanned for viruses, because nothing else shows it."""
    if settings.CLAMD_SOCKET:
        return []
    return [
        Info(
            "No virus scanner is set: uploads are accepted on the checks of the parser alone.",
            hint="Set CLAMD_SOCKET to the socket of a ClamAV daemon.",
            id="imr_portal.I006",
        )
    ]


@register(Tags.database)
def check_sqlite_durability(
    databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Check that connections to SQLite have the pragmas that ``environment.sqlite_settings`` sets."""
    return [
        Error(
            f"SQLite ({alias}): {fault}.",
            hint="Take the database's settings from imr_portal.environment.sqlite_settings unchanged: "
            "without them a power failure loses commits, or history can be rewritten.",
            id="imr_portal.E001",
        )
        for alias in databases or []
        if connections[alias].vendor == "sqlite"
        for fault in find_sqlite_faults(alias)
    ]


def find_sqlite_faults(alias: str) -> Iterator[str]:
    """Find wrong settings of a connection to SQLite."""
    connection = connections[alias]
    required: dict[str, set[str | int]] = {
        "journal_mode": {"wal"},
        "synchronous": {2, 3},  # FULL, EXTRA
        "foreign_keys": {1},
        "recursive_triggers": {1},
    }
    with connection.cursor() as cursor:
        for pragma, good in required.items():
            cursor.execute(f"PRAGMA {pragma}")
            value = cursor.fetchone()[0]
            if value not in good:
                yield f"{pragma} is {value}"
    options = connection.settings_dict["OPTIONS"]
    if options.get("transaction_mode") != "IMMEDIATE":
        yield "transactions do not begin IMMEDIATE"
    if options.get("timeout", 5) < SHORTEST_TIMEOUT:
        yield f"writers wait less than {SHORTEST_TIMEOUT} seconds for each other"


@register(Tags.database)
def check_postgresql_durability(
    databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Check that the server writes to disk before it reports a commit."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            with connection.cursor() as cursor:
                cursor.execute(f"SHOW {name}")
                value = cursor.fetchone()[0]
            if value == "off":
                messages.append(
                    Error(
                        f"PostgreSQL ({alias}): {name} is off, so a crash loses commits.",
                        hint=f"Set {name} = on for this server, and restart it.",
                        id="imr_portal.E002",
                    )
                )
    return messages


@register(Tags.database, deploy=True)
def check_application_role(
    databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Check that the role of the application owns no tables and is no superuser.

    An owner could turn off the triggers that make tables append-only.
    """
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            is_superuser = cursor.fetchone()[0]
            cursor.execute(
                "SELECT count(*) FROM pg_tables "
                "WHERE schemaname = current_schema() AND tableowner = current_user"
            )
            owned = cursor.fetchone()[0]
        if is_superuser or owned:
            excess_rights = "is a superuser" if is_superuser else f"owns {owned} tables"
            messages.append(
                Error(
                    f"PostgreSQL ({alias}): the role that the portal signs in with {excess_rights}.",
                    hint="Migrate as the owner, then run manage.py grant_application_role ROLE "
                    "and put that role into DATABASE_URL.",
                    id="imr_portal.E003",
                )
            )
    return messages


@register(Tags.database, deploy=True)
def check_guards(databases: Sequence[str] | None = None, **options: Any) -> list[CheckMessage]:
    """Check that every trigger that keeps history append-only is in place and enabled."""
    return [
        Error(
            f"{table} ({alias}): the guard {name} is missing, disabled or changed.",
            hint="Find out who changed the database and when, run manage.py verify_history, and "
            "create the guard again as its migration does.",
            id="imr_portal.E020",
        )
        for alias in databases or []
        for table, name in find_missing_guards(connections[alias])
    ]


@register(Tags.database, deploy=True)
def check_no_demo_users(
    databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Check that there are no active demonstration users, whose password is public."""
    if not databases:
        return []
    try:
        count = User.objects.filter(is_demo=True, is_active=True).count()
    except DatabaseError:  # before the first migration there are no tables
        return []
    if not count:
        return []
    return [
        Error(
            f"This database has {count} demonstration users, whose password is public.",
            hint="Production begins with an empty database: manage.py migrate, then "
            "manage.py create_first_administrator.",
            id="imr_portal.E004",
        )
    ]


@register(Tags.database, deploy=True)
def check_postgresql_version(
    databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Check that the vendor still supports the version of the database server."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SHOW server_version")
                number = cursor.fetchone()[0].split()[0]
            messages += support_messages({"postgresql": number})
    return messages


@register(Tags.database, deploy=True)
def list_unconfirmed_law(
    databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """List rules, holidays and editions that no one has confirmed yet.

    Not an error: the portal uses them, and its pages say that they are unconfirmed.
    """
    if not databases:
        return []
    messages: list[CheckMessage] = []
    # Found by their columns, so that a new table of rules cannot be forgotten.
    for model in apps.get_models():
        names = {field.name for field in model._meta.get_fields()}
        # Tables of versions have the same columns.
        if not {"confirmed_on", "confirmed_by"} <= names or hasattr(model, "history_type"):
            continue
        rows = model._default_manager.filter(confirmed_on__isnull=True)
        try:
            count = rows.count()
            examples = [str(row) for row in rows.order_by("pk")[:5]]
        # Before the first migration there are no tables.
        except DatabaseError:
            continue
        if count:
            nouns = model._meta.verbose_name, model._meta.verbose_name_plural
            rows_are = count_noun(count, f"{nouns[0]} is,{nouns[1]} are")
            more = f", and {count - len(examples)} more" if count > len(examples) else ""
            messages.append(
                Info(
                    f"{rows_are} unconfirmed: {'; '.join(examples)}{more}.",
                    hint="Have someone who knows the law confirm each row on its page.",
                    id="imr_portal.I005",
                )
            )
    return messages


# --- settings --------------------------------------------------------------------------------------


@register(Tags.security, deploy=True)
def check_secret_key(**options: Any) -> list[CheckMessage]:
    """Check that SECRET_KEY is not the sample key, which is public."""
    if settings.SECRET_KEY != settings.SAMPLE_SECRET_KEY:
        return []
    return [
        Error(
            "SECRET_KEY is the sample one.",
            hint="Set SECRET_KEY to at least 50 random characters that no one has seen.",
            id="imr_portal.E006",
        )
    ]


@register(Tags.security, deploy=True)
def check_demo_settings_off(**options: Any) -> list[CheckMessage]:
    """Check that settings of the demonstration are off in production."""
    messages: list[CheckMessage] = []
    if settings.DEBUG or settings.DEMO:
        messages.append(
            Error(
                "DEBUG or DEMO is on: error pages show internals, and anyone can sign in.",
                hint="Leave DEBUG and DEMO unset in production.",
                id="imr_portal.E007",
            )
        )
    if settings.ALLOW_SAMPLE_WORDING:
        messages.append(
            Error(
                "Letters may be issued in the sample wording that comes with the portal.",
                hint="Leave ALLOW_SAMPLE_WORDING unset, import the organization's own wording "
                "with manage.py import_wording, and have it published.",
                id="imr_portal.E012",
            )
        )
    if not settings.SECOND_FACTOR_REQUIRED:
        messages.append(
            Error(
                "A password alone opens medical records.",
                hint="Leave SECOND_FACTOR_REQUIRED unset in production, or set it to 1.",
                id="imr_portal.E008",
            )
        )
    return messages


@register(Tags.security, deploy=True)
def check_broker(**options: Any) -> list[CheckMessage]:
    """Check that REDIS_URL is set; letters and the limits on sign-in attempts need it."""
    if settings.REDIS_URL:
        return []
    return [
        Error(
            "REDIS_URL is not set: letters would never be generated, and each web process would "
            "count failed sign-ins separately.",
            hint="Set REDIS_URL to a Redis or Valkey that is private to this portal, with "
            "maxmemory-policy noeviction.",
            id="imr_portal.E009",
        )
    ]


@register("celery")
def check_celery_settings(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """Check the Celery settings that keep messages from being lost or processed twice at once."""
    from .celery import app

    return [
        Error(
            f"Celery: {fault}.",
            hint="See imr_portal/celery.py: each of these settings prevents letters from being "
            "lost or duplicated.",
            id="imr_portal.E010",
        )
        for fault in find_celery_faults(app.conf)
    ]


def find_celery_faults(conf: Any) -> Iterator[str]:
    """Find wrong Celery settings."""
    for name in ("task_acks_late", "task_reject_on_worker_lost", "task_ignore_result"):
        if not conf[name]:
            yield f"{name} is off"
    if conf.worker_prefetch_multiplier != 1:
        yield "a worker takes more messages than it works on"
    if list(conf.accept_content) != ["json"] or conf.task_serializer != "json":
        yield "messages other than JSON are accepted"
    transport = conf.broker_transport_options
    visibility = transport.get("visibility_timeout", 3600)
    if not (conf.task_soft_time_limit and conf.task_time_limit):
        yield "a task may run forever"
    elif not conf.task_soft_time_limit < conf.task_time_limit < visibility:
        yield "the time limits are not below the visibility timeout"
    if not conf.worker_soft_shutdown_timeout:
        yield "a worker that has to stop drops its task at once"
    for name in ("socket_timeout", "socket_connect_timeout"):
        if not 0 < transport.get(name, 0) <= 2:
            yield f"{name} is not set, or above 2 seconds"
    if not transport.get("unacked_restore_interval"):
        yield "lost messages are looked for too rarely"


@register(Tags.files)
def check_files_dir(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """Check that uploaded files are not stored where static files are served."""
    location = settings.FILES_DIR
    if Path(location).is_relative_to(settings.STATIC_ROOT):
        return [
            Caution(
                "FILES_DIR is inside STATIC_ROOT, which is served to everyone.",
                hint="Set FILES_DIR to a folder of its own.",
                id="imr_portal.W011",
            )
        ]
    return []


# --- vendors' support ------------------------------------------------------------------------------


@register(deploy=True)
def check_versions_in_use(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """Check that the vendors still support the versions of Python and the libraries."""
    return support_messages({"python": platform.python_version(), **find_library_versions()})


def find_library_versions() -> dict[str, str]:
    """Return the installed version of every library in the table of support."""
    versions = {}
    for product in {line.product for line in support.LINES}:
        try:
            versions[product] = version(product)
        except PackageNotFoundError:
            continue  # a server, or a library that is not installed
    return dict(sorted(versions.items()))


def support_messages(in_use: Mapping[str, str]) -> list[CheckMessage]:
    """Return a warning for each version whose support has ended or is unknown."""
    return [
        Caution(
            problem,
            hint="See docs/dependencies.md, Vendor support.",
            id="imr_portal.W013",
        )
        for problem in support.find_support_problems(in_use, today=timezone.localdate())
    ]
