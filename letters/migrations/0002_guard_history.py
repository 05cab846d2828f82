"""Make the history of this app append-only in the database itself."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("letters", "0001_initial")]

    operations = [
        GuardTables(
            [
                "letters_historicaldelivery",
                "letters_historicalwordingsentence",
                "letters_historicalwordingset",
                "letters_letterfact",
                "letters_letterstep",
            ]
        )
    ]
