"""``manage.py verify_history``: compare current rows with their versions, and read the guards."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.counting import count_noun
from accounts.verification import verify_history


class Command(BaseCommand):
    help = (
        "Compare every versioned row with its last version, roles with account events, and the "
        "guards of the database with the migrations. Fails if anything differs."
    )

    def handle(self, **options: Any) -> None:
        problems = verify_history()
        for problem in problems:
            self.stdout.write(str(problem))
        if problems:
            raise CommandError(
                f"{count_noun(len(problems), 'difference')} between the database and its history.",
                returncode=1,
            )
        self.stdout.write("Every row equals its last version, and every guard is in place.")
