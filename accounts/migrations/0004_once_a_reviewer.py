"""Remember who is or was a reviewer, so that the name stays hidden for good."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="ever_reviewer",
            field=models.BooleanField(
                default=False, editable=False, verbose_name="is or was a reviewer"
            ),
        ),
    ]
