"""A recipient's name may be as long as a party's.

SQLite rebuilds both tables for it and drops their triggers, so they are made again.
"""

from django.db import migrations, models

from accounts.append_only import GuardTables
from letters.frozen import FreezeColumns


class Migration(migrations.Migration):
    dependencies = [("letters", "0003_freeze_words")]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="recipient_name",
            field=models.CharField(max_length=300),
        ),
        migrations.AlterField(
            model_name="historicaldelivery",
            name="recipient_name",
            field=models.CharField(max_length=300),
        ),
        GuardTables(["letters_historicaldelivery"]),
        FreezeColumns(
            "letters_delivery",
            ["id", "letter_id", "recipient_role", "recipient_name", "channel", "address"],
        ),
    ]
