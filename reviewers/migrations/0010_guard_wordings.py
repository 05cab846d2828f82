"""What reviewers sign is never edited: the database refuses it."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("reviewers", "0009_assignments_by_state")]

    operations = [GuardTables(["reviewers_attestationwording"])]
