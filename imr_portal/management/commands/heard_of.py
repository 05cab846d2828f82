"""``manage.py heard_of worker``: fails when a background process has not worked lately."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imr_portal import health


class Command(BaseCommand):
    help = "Say whether a background process was at work within the last three minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=["relay", "worker"])

    def handle(self, *, name: str, **options: Any) -> str:
        said = health.heartbeat(name)
        if said != "ok":
            raise CommandError(f"The {name} is {said}.")
        return f"The {name} is at work."
