"""``manage.py relay``: publishes due letters to the workers until stopped.

With ``--schedule FILE`` Celery's scheduler runs in a thread of the same process. That saves the
memory of a second process with all models; on a large installation it is a process of its own.
"""

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType
from typing import Any

import structlog
from celery import current_app
from celery.beat import Service
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from letters.relay import Relay

logger = structlog.get_logger(__name__)

SCHEDULER_STOP_TIMEOUT = 5.0  # seconds; without a broker the scheduler waits for it and is left


class SchedulerThread(threading.Thread):
    """Celery's scheduler in a thread.

    :param schedule: the file in which it keeps what it sent when.
    :param on_end: called when it ends for any reason, so that the process ends too.
    """

    def __init__(self, schedule: str, *, on_end: Callable[[], None]) -> None:
        super().__init__(name="scheduler", daemon=True)
        # It sleeps a second at most, so that it stops soon.
        self.service = Service(current_app, max_interval=1, schedule_filename=schedule)
        self.on_end = on_end

    def run(self) -> None:
        """Send the messages of due jobs until stopped."""
        try:
            self.service.start()
        except Exception:
            logger.exception("relay_scheduler_failed")
        finally:
            self.on_end()

    def stop(self) -> None:
        """Stop it, and wait until its file is written."""
        self.service.stop()
        self.join(SCHEDULER_STOP_TIMEOUT)


class Command(BaseCommand):
    help = "Publish due letters to the workers, and queue lost letters again, until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run one round, then stop")
        parser.add_argument(
            "--interval", type=float, default=0.5, help="seconds between rounds (default 0.5)"
        )
        parser.add_argument(
            "--schedule",
            metavar="FILE",
            help="also run the scheduler of jobs, which keeps its times in this file",
        )

    def handle(self, *, once: bool, interval: float, schedule: str | None, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("REDIS_URL is not set. Set it to the broker's address.")
        stopping = threading.Event()
        asked = False

        def stop(number: int, frame: FrameType | None) -> None:
            nonlocal asked
            asked = True
            stopping.set()

        relay = Relay(read_clock=timezone.now, wait=stopping.wait, interval=interval)
        if once:
            relay.run_once()
            return
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        scheduler = SchedulerThread(schedule, on_end=stopping.set) if schedule else None
        if scheduler:
            scheduler.start()
        self.stdout.write("Relay ready.")
        self.stdout.flush()
        relay.run()
        if scheduler:
            scheduler.stop()
        if not asked:
            # Whoever supervises this process starts both parts again.
            raise CommandError("The scheduler has ended, so the relay ends too.")
        self.stdout.write("Relay stopped.")
