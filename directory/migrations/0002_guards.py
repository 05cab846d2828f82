"""Tables of this app that the database keeps append-only."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial")]

    operations = [
        GuardTables(
            [
                "directory_historicalorganization",
                "directory_historicalperson",
                "directory_organisationname",
                "directory_organisationofficer",
                "directory_organisationparent",
                "directory_personname",
                "directory_sameorganization",
                "directory_sameperson",
            ]
        ),
    ]
