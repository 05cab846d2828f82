"""The Celery application: workers and their scheduler.

Messages only announce work; the rows in the database are authoritative (``docs/letters.md``). No
message may be lost silently: it is acknowledged after the work, the message of a dead worker
returns to the queue, and connections to the broker have short timeouts.
"""

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imr_portal.settings")


def broker_url(url: str) -> str:
    """Return a Redis URL as Kombu writes it, which differs for unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


# Every scheduled job, by its name. ``jobs.kinds`` describes each of them.
BEAT_SCHEDULE: dict[str, Any] = {
    # Finds the letters whose message was lost, as the relay does.
    "letters.sweep": {"task": "letters.sweep", "schedule": 15.0},
    "files.delete_leftovers": {"task": "files.delete_leftovers", "schedule": 3600.0},
    "letters.heartbeat": {"task": "letters.heartbeat", "schedule": 60.0},
    "desk.write_exports": {"task": "desk.write_exports", "schedule": 15.0},
    "jobs.start_requested": {"task": "jobs.start_requested", "schedule": 20.0},
    # Crontabs and not seconds, so that two schedulers are due at the same moments.
    # 3:10 or 4:10 AM in Los Angeles
    "queues.measure_stage_durations": {
        "task": "queues.measure_stage_durations",
        "schedule": crontab(hour="11", minute="10"),
    },
    # 1:30 or 2:30 AM in Los Angeles
    "maintenance.run_nightly_checks": {
        "task": "maintenance.run_nightly_checks",
        "schedule": crontab(hour="9", minute="30"),
    },
    "intake.close_forgotten_drafts": {
        "task": "intake.close_forgotten_drafts",
        "schedule": crontab(minute="5"),
    },
    "cases.examine_own_organization": {
        "task": "cases.examine_own_organization",
        "schedule": crontab(minute="*/10"),
    },
    "queues.release_lost_claims": {
        "task": "queues.release_lost_claims",
        "schedule": crontab(minute="*/10"),
    },
    "reviewers.remind_due_reviews": {
        "task": "reviewers.remind_due_reviews",
        "schedule": crontab(minute="20"),
    },
    # hourly at night, so that a later run makes up for one that was missed or incomplete
    "reviewers.run_payer_bias_test": {
        "task": "reviewers.run_payer_bias_test",
        "schedule": crontab(hour="8-13", minute="40"),
    },
}


def _celery_settings() -> dict[str, Any]:
    """Return the settings, read on first use, because Django's may not be loaded at import time."""
    from django.conf import settings

    visibility: int = settings.CELERY_VISIBILITY_TIMEOUT
    return {
        # Without a broker, tasks stay in this process; the checks refuse that in production.
        "broker_url": broker_url(settings.REDIS_URL) if settings.REDIS_URL else "memory://",
        "broker_connection_retry_on_startup": True,
        # Never give up: a worker that did would need a restart after each failure of the broker.
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": visibility,
            # Look for lost messages every second, not every 100 seconds.
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            # Short, so that a broker that does not answer is noticed within seconds.
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        # Nothing but JSON, because loading a pickled message can run any code.
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        # Rows hold all results; in the broker they would only use memory.
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        # Acknowledge after the work, so that the message of a dead worker is delivered again.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_default_queue": "imr",
        # A slow letter must not hold up messages that its worker has taken in advance.
        "worker_prefetch_multiplier": 1,
        # A task longer than the visibility timeout would run twice at once.
        "task_soft_time_limit": max(1, visibility * 2 // 3 - 1),
        "task_time_limit": max(2, visibility * 2 // 3),
        # A worker that has to stop gets the time to finish its letter.
        "worker_soft_shutdown_timeout": 10,
        "worker_enable_soft_shutdown_on_idle": True,
        # Limits what a memory leak in a library can take: a child ends after so many messages, or
        # after the one that took it above so many KiB. Letters need about 150 MiB.
        "worker_max_tasks_per_child": 500,
        "worker_max_memory_per_child": 256 * 1024,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        # A schedule in local time would skip or repeat an hour when the clocks change.
        "timezone": "UTC",
        "enable_utc": True,
        "beat_schedule_filename": str(settings.VAR_DIR / "scheduler"),
        "beat_schedule": BEAT_SCHEDULE,
    }


app = Celery("imr_portal", log="imr_portal.celery_logs:CeleryLogging")
app.add_defaults(_celery_settings)
app.autodiscover_tasks()
