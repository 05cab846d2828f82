"""``manage.py seed_guidelines``: the guidelines that the product ships."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from guidelines import services


class Command(BaseCommand):
    help = "Add the shipped guidelines, editions and sections that are missing; changes nothing."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        filled = services.seed(by=None, at=timezone.now())
        if verbosity:
            self.stdout.write(f"{filled}.")
