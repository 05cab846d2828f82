"""``manage.py seed_guidelines``: add the guidelines that come with the product."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from guidelines import services


class Command(BaseCommand):
    help = "Add the shipped guidelines, editions and sections that are missing. Changes no row."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        filled = services.seed_guidelines(by=None, at=timezone.now())
        if verbosity:
            self.stdout.write(f"{filled}.")
