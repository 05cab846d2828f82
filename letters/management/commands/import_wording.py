"""``manage.py import_wording FILE``: imports a wording file (TOML) as a draft."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from accounts.refusals import NotAllowed
from letters import services


class Command(BaseCommand):
    help = "Import wording files (TOML) as drafts, which a medical director then publishes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="+", type=Path)
        parser.add_argument(
            "--publish-as", metavar="E-MAIL", help="publish at once, in the name of this user"
        )

    def handle(self, *, file: list[Path], publish_as: str | None, **options: Any) -> None:
        person = None
        if publish_as:
            person = User.objects.filter(email__iexact=publish_as, is_active=True).first()
            if person is None:
                raise CommandError(f"There is no active user {publish_as}.")
            if not person.may("letters.manage_wording"):
                raise CommandError(f"{person.email} may not publish wording.")
        for path in file:
            self._import(path, person)

    def _import(self, path: Path, person: User | None) -> None:
        now = timezone.now()
        try:
            created = services.import_wording(text=path.read_text("utf-8"), by=person, at=now)
            if person is not None and created.state == created.State.DRAFT:
                created = services.publish_wording(set_id=created.pk, by=person, at=now)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}: {error}") from error
        except services.WordingRefused as error:
            raise CommandError("\n".join(f"{path}: {one}" for one in error.problems)) from error
        except NotAllowed as error:
            raise CommandError(f"{path}: {error}") from error
        self.stdout.write(f"{created}: {created.get_state_display().lower()}")
