"""``manage.py seed_specialties``: add the default specialties, map and attestation wording."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.counting import count_noun
from reviewers.seeds import seed_specialties


class Command(BaseCommand):
    help = "Add the default specialties, the specialty map and the attestation wording."

    def handle(self, **options: Any) -> str:
        added = seed_specialties(by=None, at=timezone.now())
        line = (
            f"Added {count_noun(added['specialties'], 'specialty,specialties')}, "
            f"{count_noun(added['fits'], 'line')} of the map and "
            f"{count_noun(added['wordings'], 'attestation wording')}."
        )
        if added["waiting"]:
            line += (
                f" {count_noun(added['waiting'], 'entry was,entries were')} skipped because the "
                "treatment category is missing. Add the categories, then run this again."
            )
        return line
