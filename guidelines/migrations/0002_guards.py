"""Append-only tables; no two editions of a guideline count on the same day."""

from django.db import migrations

from accounts.append_only import GuardTables
from guidelines.apart import KeepEditionsApart


class Migration(migrations.Migration):
    dependencies = [("guidelines", "0001_initial")]

    operations = [
        GuardTables(
            [
                "guidelines_historicalapprovedparagraph",
                "guidelines_historicaldruglistedition",
                "guidelines_historicaledition",
                "guidelines_historicalguideline",
                "guidelines_historicallisteddrug",
                "guidelines_historicalrecommendation",
                "guidelines_historicalsource",
            ]
        ),
        KeepEditionsApart(),
    ]
