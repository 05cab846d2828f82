"""Fill the rules of the clocks and the holidays, and let the database refuse overlaps."""

from django.db import migrations

from cases.clock_rows import RefuseOverlap, load_default_rules


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_guard_history")]

    operations = [
        migrations.RunPython(load_default_rules, migrations.RunPython.noop),
        RefuseOverlap("cases_clockrule", ["clock"]),
        RefuseOverlap("cases_holidayrule", ["calendar", "name"]),
    ]
