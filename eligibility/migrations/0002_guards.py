"""Tables of this app that the database keeps append-only."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("eligibility", "0001_initial")]

    operations = [
        GuardTables(
            [
                "eligibility_historicaldifferenceanswer",
                "eligibility_historicaleligibilitydecision",
                "eligibility_historicaleligibilityfinding",
                "eligibility_historicalinformationrequest",
                "eligibility_historicalurreading",
            ]
        ),
    ]
