"""``manage.py unknown_migrations``: list applied migrations that this code does not have."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


class Command(BaseCommand):
    help = (
        "List the migrations that are applied in the database but missing in this code, one per "
        "line. The list is empty for a database that this code can migrate."
    )

    def handle(self, *args: Any, **options: Any) -> str:
        # Without a connection, so that only the files of this code are read.
        disk_migrations = MigrationLoader(None).disk_migrations
        applied = MigrationRecorder(connection).applied_migrations()
        return "\n".join(
            f"{app}.{name}" for app, name in sorted(applied) if (app, name) not in disk_migrations
        )
