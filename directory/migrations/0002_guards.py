"""Tables of this app that the database keeps append-only, and the indexes of names."""

from django.db import migrations

from accounts.append_only import GuardTables
from directory.name_index import IndexDirectoryNames


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial")]

    operations = [
        GuardTables(
            [
                "directory_historicalorganization",
                "directory_historicalperson",
                "directory_organizationname",
                "directory_organizationofficer",
                "directory_organizationparent",
                "directory_personname",
                "directory_sameorganization",
                "directory_sameperson",
            ]
        ),
        IndexDirectoryNames(),
    ]
