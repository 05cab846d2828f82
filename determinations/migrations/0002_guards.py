"""Tables of this app that the database keeps append-only."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("determinations", "0001_initial")]

    operations = [
        GuardTables(
            [
                "determinations_historicalcredentialstatement",
                "determinations_historicaldecideditem",
                "determinations_historicaldetermination",
                "determinations_historicalopinion",
                "determinations_historicalopinioncitation",
                "determinations_historicalqualityreview",
                "determinations_historicalreview",
            ]
        ),
    ]
