"""Tables of this app that the database keeps append-only."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("queues", "0001_initial")]

    operations = [
        GuardTables(
            [
                "queues_historicalcaseskip",
                "queues_historicalsavedview",
                "queues_stageduration",
            ]
        ),
    ]
