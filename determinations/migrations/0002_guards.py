"""Append-only tables; the shipped rule texts, which may not overlap."""

from django.db import migrations

from accounts.append_only import GuardTables
from deadlines.migration_operations import RefuseOverlap
from determinations.shipped_rule_texts import load_rule_texts


class Migration(migrations.Migration):
    dependencies = [("determinations", "0001_initial")]

    operations = [
        GuardTables(
            [
                "determinations_historicalcredentialstatement",
                "determinations_historicaldecideditem",
                "determinations_historicaldetermination",
                "determinations_historicalopinion",
                "determinations_historicalopinioncitation",
                "determinations_historicalqualityreview",
                "determinations_historicalreview",
                "determinations_historicalruletext",
            ]
        ),
        migrations.RunPython(load_rule_texts, migrations.RunPython.noop),
        RefuseOverlap("determinations_ruletext", ["code"]),
    ]
