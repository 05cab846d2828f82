"""Make the history of this app append-only in the database itself."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        GuardTables(
            [
                "accounts_accountevent",
                "accounts_look",
            ]
        )
    ]
