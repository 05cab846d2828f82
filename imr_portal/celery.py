"""The Celery application: workers and the scheduler that pokes them.

The broker carries hints; the rows are the truth (``docs/letters.md``). So nothing here may lose
work silently: a message is acknowledged after the work, a dead child's message comes back, and
nothing waits on the broker for long.
"""

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imr_portal.settings")


def broker_url(url: str) -> str:
    """Kombu's spelling of a Redis address: it has its own for unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


def _settings() -> dict[str, Any]:
    """Read on first use: Django's settings may not be loaded when this file is imported."""
    from django.conf import settings

    visibility: int = settings.CELERY_VISIBILITY_TIMEOUT
    return {
        "broker_url": broker_url(settings.REDIS_URL) if settings.REDIS_URL else "memory://",
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": visibility,
            # How often lost messages are looked for: every second, not every 100.
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_default_queue": "imr",
        "worker_prefetch_multiplier": 1,
        # A task longer than the visibility timeout would run twice at once.
        "task_soft_time_limit": max(1, visibility * 2 // 3 - 1),
        "task_time_limit": max(2, visibility * 2 // 3),
        "worker_soft_shutdown_timeout": 10,
        "worker_enable_soft_shutdown_on_idle": True,
        "worker_max_tasks_per_child": 500,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "timezone": "UTC",  # a schedule in local time skips an hour in spring and doubles one
        "enable_utc": True,
        "beat_schedule_filename": str(settings.VAR_DIR / "scheduler"),
        "beat_schedule": {
            "letters.sweep": {"task": "letters.sweep", "schedule": 60.0},
            "letters.heartbeat": {"task": "letters.heartbeat", "schedule": 60.0},
            # by night in Los Angeles
            "queues.measure_stage_durations": {
                "task": "queues.measure_stage_durations",
                "schedule": crontab(hour="11", minute="10"),
            },
            "intake.close_forgotten_drafts": {
                "task": "intake.close_forgotten_drafts",
                "schedule": 3600.0,
            },
            "cases.examine_own_organization": {
                "task": "cases.examine_own_organization",
                "schedule": 600.0,
            },
            # each hour of the night: what one turn leaves, or misses, the next makes
            "reviewers.check_payer_bias": {
                "task": "reviewers.check_payer_bias",
                "schedule": crontab(hour="8-13", minute="40"),
            },
        },
    }


app = Celery("imr_portal", log="imr_portal.celery_logs:CeleryLogging")
app.add_defaults(_settings)
app.autodiscover_tasks()
