"""Make the demonstration: people, a panel, a case in every state and a first issued letter."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

import letters.services
from determinations.models import Determination
from imr_portal.demo import loading, office
from imr_portal.management.commands.seed_reference import load_reference
from letters.models import Letter


class Command(BaseCommand):
    help = "Make the demonstration, once. Letters are rendered by a running relay and worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--render-here", action="store_true", help="render letters in this process instead"
        )
        parser.add_argument(
            "--patience", type=int, default=120, help="seconds to wait for a letter (120)"
        )

    def handle(self, *, render_here: bool, patience: int, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This database is not a demonstration. Set DEMO=1 if it is to be.")
        # A later run only prints the sign-ins.
        if not loading.is_loaded():
            now = timezone.now()
            # A wording set cannot be published before it was imported.
            load_reference(at=now - loading.HISTORY)
            self.patience = patience
            loading.load_demonstration(
                now=now,
                wait_for_letters=self._render if render_here else self._wait,
                report=lambda words: self.stdout.write(f"  {words} …"),
            )
        self._tell()

    def _render(self, number: str) -> None:
        for letter_id in letters.services.claim_due_letters(at=timezone.now()):
            letters.services.render_letter(letter_id=letter_id, at=timezone.now(), now=timezone.now)

    def _wait(self, number: str) -> None:
        until = time.monotonic() + self.patience
        waiting = Letter.objects.filter(reference=number).exclude(state=Letter.State.FILED)
        while waiting.exists():
            failed = waiting.filter(state=Letter.State.FAILED).first()
            if failed is not None:
                raise CommandError(f"A letter of {number} failed: {failed.failure}")
            if time.monotonic() > until:
                raise CommandError(
                    f"The letters of {number} are not filed after {self.patience} seconds. "
                    "Are the relay and the worker running?"
                )
            time.sleep(0.2)

    def _tell(self) -> None:
        self.stdout.write("Sign-ins (password " + office.PASSWORD + "):")
        for key, (name, roles) in office.PEOPLE.items():
            labels = ", ".join(role.label for role in roles)
            self.stdout.write(f"  {key}@{office.DOMAIN:<14} {name}, {labels}")
        issued = Determination.objects.filter(
            state=Determination.State.ISSUED, letter__state=Letter.State.FILED
        ).first()
        if issued is not None and issued.letter is not None:
            self.stdout.write(
                f"First letter: case {issued.case}, {issued.letter.get_absolute_url()}"
            )
