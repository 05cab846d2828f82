"""Load the reference data that comes with the product."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

import letters.services
from cases.seeds import seed_categories
from reviewers.seeds import seed_specialties

SHIPPED_WORDING = Path(letters.services.__file__).parent / "wording"


class Command(BaseCommand):
    help = (
        "Add the shipped treatment categories, specialties, attestation and guidelines that are "
        "missing, and the sample wording as drafts. A second run changes nothing."
    )

    def handle(self, **options: Any) -> None:
        load_reference(at=timezone.now())
        self.stdout.write("The reference data is loaded.")


def load_reference(*, at: datetime) -> None:
    """Add what is missing of the reference data, as loaded at a moment."""
    seed_categories(by=None, at=at)
    seed_specialties(by=None, at=at)
    call_command("seed_guidelines", verbosity=0)
    for path in sorted(SHIPPED_WORDING.glob("*.toml")):
        letters.services.import_wording(text=path.read_text("utf-8"), by=None, at=at)
