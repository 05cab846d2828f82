"""Append-only tables, and one group for each role of ``accounts.roles``."""

from typing import Any

from django.db import migrations

from accounts.append_only import GuardTables
from accounts.roles import Role


def make_groups(apps: Any, schema_editor: Any) -> None:
    group = apps.get_model("auth", "Group")
    for name in Role.values:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        # While there are few models: each of its changes renders all that point to the users.
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        GuardTables(
            [
                "accounts_accountevent",
                "accounts_accountversion",
                "accounts_accesslogentry",
                "accounts_signinevent",
                "accounts_historycount",
            ]
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
