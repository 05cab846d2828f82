"""Make the history of this app append-only in the database itself."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("guidelines", "0001_initial")]

    operations = [
        GuardTables(
            [
                "guidelines_historicalapprovedparagraph",
                "guidelines_historicaledition",
                "guidelines_historicalguideline",
                "guidelines_historicalrecommendation",
                "guidelines_historicalsource",
            ]
        )
    ]
