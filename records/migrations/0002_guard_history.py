"""Make the history of this app append-only in the database itself."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]

    operations = [
        GuardTables(
            [
                "records_dispatch",
                "records_historicaldocument",
                "records_historicalreadmark",
            ]
        )
    ]
