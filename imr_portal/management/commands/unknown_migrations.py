"""``manage.py unknown_migrations``: what the database has applied and this code does not have."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


class Command(BaseCommand):
    help = (
        "List the migrations that the database has applied and that this code does not have, one "
        "a line. Nothing is listed for a database that this code can migrate."
    )

    def handle(self, *args: Any, **options: Any) -> str:
        known = MigrationLoader(None).disk_migrations
        applied = MigrationRecorder(connection).applied_migrations()
        return "\n".join(
            f"{app}.{name}" for app, name in sorted(applied) if (app, name) not in known
        )
