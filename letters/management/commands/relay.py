"""``manage.py relay``: publishes due letters to the workers until stopped."""

import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from letters.relay import Relay


class Command(BaseCommand):
    help = "Publish due letters to the workers, and queue lost letters again, until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run one round, then stop")
        parser.add_argument(
            "--interval", type=float, default=0.5, help="seconds between rounds (default 0.5)"
        )

    def handle(self, *, once: bool, interval: float, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("REDIS_URL is not set. Set it to the broker's address.")
        stopping = threading.Event()

        def stop(number: int, frame: FrameType | None) -> None:
            stopping.set()

        relay = Relay(read_clock=timezone.now, wait=stopping.wait, interval=interval)
        if once:
            relay.turn()
            return
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        self.stdout.write("Relay ready.")
        self.stdout.flush()
        relay.run()
        self.stdout.write("Relay stopped.")
