"""``manage.py seed_specialties``."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from reviewers.seeds import seed_specialties


class Command(BaseCommand):
    help = "Add the specialties, the first map of treatments to them, and the attestation."

    def handle(self, **options: Any) -> str:
        added = seed_specialties(by=None, at=timezone.now())
        line = (
            f"Added {added['specialties']} specialties, {added['fits']} lines of the map and "
            f"{added['wordings']} attestation wording(s)."
        )
        if added["waiting"]:
            line += (
                f" {added['waiting']} entries wait for their treatment category; "
                "run this again when the categories are there."
            )
        return line
