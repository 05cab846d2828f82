"""``manage.py restore_clearance CASE E-MAIL --reason``: give a restricted case a keeper again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from accounts.refusals import NotAllowed
from cases.models import Case
from cases.services import restrictions


class Command(BaseCommand):
    help = "Clear a medical director or supervisor for a case whose clearances nobody can keep."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("case", help="The number, or the id that the nightly run names.")
        parser.add_argument("email")
        parser.add_argument("--reason", required=True)

    def handle(self, *, case: str, email: str, reason: str, **options: Any) -> None:
        key = "pk" if case.isascii() and case.isdecimal() and len(case) <= 18 else "number"
        row = Case.objects.filter(**{key: case}).first()
        person = User.objects.filter(email__iexact=email, is_active=True).first()
        if row is None or person is None:
            raise CommandError(f"There is no {f'user {email}' if row else f'case {case}'}.")
        try:
            restrictions.restore_clearance(
                case_id=row.pk, user_id=person.pk, reason=reason, by=None, at=timezone.now()
            )
        except NotAllowed as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{email} is cleared for case {case}.")
