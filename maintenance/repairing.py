"""Base of the repair commands: a dry run by default, a reason, a person, a record."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.counting import count_noun
from accounts.models import User
from accounts.refusals import Refused

from .services.repairs import Change, repair


class RepairCommand(BaseCommand):
    """A command that changes only what the nightly run names.

    :ivar name: the name of the command, as the record keeps it.
    """

    name = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, help="why the repair is made")
        parser.add_argument("--by", required=True, metavar="E-MAIL", help="who makes it")
        parser.add_argument(
            "--apply", action="store_true", help="change the rows; without it they are only listed"
        )

    def handle(self, *, reason: str, by: str, apply: bool, **options: Any) -> None:
        user = User.objects.filter(email__iexact=by, is_active=True).first()
        if user is None:
            raise CommandError("Nobody signs in with this address.")
        try:
            changes = repair(
                command=self.name, reason=reason, apply=apply, by=user, at=timezone.now()
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        for change in changes:
            self.stdout.write(_describe(change))
        verb = "changed" if apply else "would be changed. Nothing was stored; --apply stores it"
        self.stdout.write(count_noun(len(changes), "row") + f" {verb}.")


def _describe(change: Change) -> str:
    where = f"{change.table}, row {change.row}"
    return (
        f"{where}, {change.column}: {change.sentence}"
        if change.column
        else (f"{where}: {change.sentence}")
    )
