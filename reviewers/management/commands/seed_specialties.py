"""``manage.py seed_specialties``: add the default specialties, map and attestation wording."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from reviewers.seeds import seed_specialties


class Command(BaseCommand):
    help = "Add the default specialties, the specialty map and the attestation wording."

    def handle(self, **options: Any) -> str:
        added = seed_specialties(by=None, at=timezone.now())
        line = (
            f"Added {added['specialties']} specialties, {added['fits']} lines of the map and "
            f"{added['wordings']} attestation wording(s)."
        )
        if added["waiting"]:
            line += (
                f" {added['waiting']} entries were skipped because their treatment category is "
                "missing. Add the categories, then run this again."
            )
        return line
