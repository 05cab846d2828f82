"""Make one group for each role of ``accounts.roles``, as they stood when this was written."""

from typing import Any

from django.db import migrations

ROLES = [
    "ADMINISTRATOR",
    "INTAKE",
    "SUPERVISOR",
    "COORDINATOR",
    "CREDENTIALING",
    "REVIEWER",
    "QA",
    "DIRECTOR",
    "MAILROOM",
    "GUIDELINE_ADMIN",
    "AUDITOR",
]


def make_groups(apps: Any, schema_editor: Any) -> None:
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_guard_history"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
