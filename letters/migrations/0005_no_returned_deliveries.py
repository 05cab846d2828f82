"""A delivery is prepared or sent. Nothing ever stated that a letter came back.

SQLite rebuilds both tables for it and drops their triggers, so they are made again.
"""

from django.db import migrations, models

from accounts.append_only import GuardTables
from letters.frozen import FreezeColumns

STATES = [("PREPARED", "Prepared"), ("SENT", "Sent")]


class Migration(migrations.Migration):
    dependencies = [("letters", "0004_longer_recipient_names")]

    operations = [
        migrations.RemoveConstraint(
            model_name="delivery",
            name="delivery_sent_by_and_on_together",
        ),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(choices=STATES, default="PREPARED", max_length=12),
        ),
        migrations.AlterField(
            model_name="historicaldelivery",
            name="state",
            field=models.CharField(choices=STATES, default="PREPARED", max_length=12),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("sent_by__isnull", True), ("sent_on__isnull", True), ("state", "PREPARED")
                    ),
                    models.Q(
                        ("sent_by__isnull", False),
                        ("sent_method__gt", ""),
                        ("sent_on__isnull", False),
                        ("state", "SENT"),
                    ),
                    _connector="OR",
                ),
                name="delivery_sent_by_and_on_together",
            ),
        ),
        GuardTables(["letters_historicaldelivery"]),
        FreezeColumns(
            "letters_delivery",
            ["id", "letter_id", "recipient_role", "recipient_name", "channel", "address"],
        ),
    ]
