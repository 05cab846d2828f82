"""No two editions of a guideline count on the same day."""

from django.db import migrations

from guidelines.apart import KeepEditionsApart


class Migration(migrations.Migration):
    dependencies = [("guidelines", "0002_guard_history")]

    operations = [KeepEditionsApart()]
