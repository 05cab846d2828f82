"""``manage.py check_heartbeat worker``: fail if a background process has not worked lately."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imr_portal import health


class Command(BaseCommand):
    help = "Check whether a background process has worked within the last three minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=["relay", "worker"])

    def handle(self, *, name: str, **options: Any) -> str:
        state = health.heartbeat_state(name)
        if state != "ok":
            raise CommandError(f"The {name} is {state}.")
        return f"The {name} is at work."
