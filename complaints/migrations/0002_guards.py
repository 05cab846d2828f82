"""Tables of this app that the database keeps append-only."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("complaints", "0001_initial")]

    operations = [
        GuardTables(["complaints_historicalcomplaint", "complaints_historicalcorrectiveaction"]),
    ]
