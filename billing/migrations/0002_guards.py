"""An append-only table; the shipped fees, whose filing dates may not overlap."""

from django.db import migrations

from accounts.append_only import GuardTables
from billing.migration_operations import load_default_fees
from deadlines.migration_operations import RefuseOverlap


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        GuardTables(["billing_historicalfeerow"]),
        migrations.RunPython(load_default_fees, migrations.RunPython.noop),
        RefuseOverlap("billing_feerow", ["kind", "stage", "reviewer_license", "reviewers"]),
    ]
