"""State what a UR decision cites, item by item, and that it cites nothing only when read so."""

from django.db import migrations, models

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_clock_rules"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="administratorcitation",
            name="administrator_citation_order",
        ),
        migrations.AddField(
            model_name="administratorcitation",
            name="removed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="disputeditem",
            name="administrator_cites_nothing",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="historicaladministratorcitation",
            name="removed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="historicaldisputeditem",
            name="administrator_cites_nothing",
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name="administratorcitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at__isnull", True)),
                fields=("item", "position"),
                name="administrator_citation_order",
            ),
        ),
        # SQLite rebuilt these tables and dropped their triggers.
        GuardTables(["cases_historicaladministratorcitation", "cases_historicaldisputeditem"]),
    ]
