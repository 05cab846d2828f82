"""``manage.py create_first_administrator``: create the first user of an installation."""

import os
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from accounts import services
from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.terminal import ask_password


class Command(BaseCommand):
    help = "Create the first administrator of a new installation; refused if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")
        parser.add_argument(
            "--password-from-env",
            metavar="NAME",
            help="take the password from this environment variable instead of asking",
        )

    def handle(
        self, *, email: str, name: str, password_from_env: str | None, **options: Any
    ) -> None:
        try:
            validate_email(email)
            password = (
                _password_from_environment(password_from_env)
                if password_from_env
                else _ask_for_password()
            )
            validate_password(password, User(email=email, name=name))
            services.create_first_administrator(
                email=email, name=name, password=password, by=None, at=timezone.now()
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except NotAllowed as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{name} is an administrator and can sign in as {email}.")


def _password_from_environment(name: str) -> str:
    password = os.environ.get(name, "")
    if not password:
        raise CommandError(f"{name} is not set in the environment, or is empty.")
    return password


def _ask_for_password() -> str:
    instead = "Put it into an environment variable and give its name with --password-from-env."
    password = ask_password("Password (at least 15 characters): ", instead=instead)
    if password != ask_password("Repeat the password: ", instead=instead):
        raise CommandError("The passwords differ. Start again.")
    return password
