"""The index by which injured workers are found by name."""

from django.db import migrations

from cases.name_index import IndexEmployeeNames


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_guards")]

    operations = [IndexEmployeeNames()]
