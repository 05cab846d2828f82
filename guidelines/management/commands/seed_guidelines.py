"""``manage.py seed_guidelines``: add the guidelines and drugs that come with the product."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from guidelines import services


class Command(BaseCommand):
    help = (
        "Add the shipped guidelines, editions and sections that are missing, and the short drug "
        "list if none is on file. Changes no row."
    )

    def handle(self, *, verbosity: int, **options: Any) -> None:
        filled = services.seed_guidelines(by=None, at=timezone.now())
        if verbosity:
            self.stdout.write(f"{filled}.")
        drugs = services.seed_drug_list(by=None, at=timezone.now())
        if verbosity:
            self.stdout.write(f"Drug list: {drugs}.")
