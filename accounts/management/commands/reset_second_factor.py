"""``manage.py reset_second_factor EMAIL``: reset a lost second factor with two people."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import services
from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.terminal import ask_password

IN_A_TERMINAL = (
    "Two people type theirs, so run the command where both of them are: in a terminal of the "
    "server, for example through ssh -t or docker compose exec, and without a pipe."
)


class Command(BaseCommand):
    help = (
        "Reset the lost second factor of a user when nobody can sign in to do it. Two people type "
        "their passwords: one who asks, and an administrator or the medical director who confirms."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="whose second factor is lost")
        parser.add_argument("--asked-by", required=True, metavar="EMAIL")
        parser.add_argument("--confirmed-by", required=True, metavar="EMAIL")
        parser.add_argument(
            "--reason", required=True, help="why, and how the person was identified"
        )

    def handle(
        self, *, email: str, asked_by: str, confirmed_by: str, reason: str, **options: Any
    ) -> None:
        user = _find_user(email)
        people = [_find_user(address) for address in (asked_by, confirmed_by)]
        for one in people:
            typed = ask_password(f"Password of {one.email}: ", instead=IN_A_TERMINAL)
            if not one.check_password(typed):
                raise CommandError(f"This is not the password of {one.email}.")
        try:
            services.reset_second_factor_at_server(
                user_id=user.pk,
                reason=reason,
                by=people[0],
                confirmed_by=people[1],
                at=timezone.now(),
            )
        except NotAllowed as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{email} sets up a new second factor at the next sign-in.")


def _find_user(email: str) -> User:
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None:
        raise CommandError(f"No active user has the address {email}.")
    return user
