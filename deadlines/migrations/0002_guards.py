"""Append-only tables; the shipped rules of deadlines and holidays, which may not overlap."""

from django.db import migrations

from accounts.append_only import GuardTables
from deadlines.migration_operations import RefuseOverlap, load_default_rules


class Migration(migrations.Migration):
    dependencies = [("deadlines", "0001_initial")]

    operations = [
        GuardTables(
            [
                "deadlines_historicaldeadlinerule",
                "deadlines_historicalholidayrule",
            ]
        ),
        migrations.RunPython(load_default_rules, migrations.RunPython.noop),
        RefuseOverlap("deadlines_deadlinerule", ["deadline_kind"]),
        RefuseOverlap("deadlines_holidayrule", ["calendar", "name"]),
    ]
