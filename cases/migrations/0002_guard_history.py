"""Make the history of this app append-only in the database itself."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [
        GuardTables(
            [
                "cases_event",
                "cases_historicaladministratorcitation",
                "cases_historicalapplication",
                "cases_historicalapplicationpaper",
                "cases_historicalassignmentnotice",
                "cases_historicalcase",
                "cases_historicalcaselink",
                "cases_historicalclockrule",
                "cases_historicaldeadline",
                "cases_historicaldisputeditem",
                "cases_historicaleligibilitydecision",
                "cases_historicaleligibilityfinding",
                "cases_historicalholidayrule",
                "cases_historicalorganisation",
                "cases_historicalperson",
                "cases_historicaltreatmentcategory",
                "cases_historicalurdecision",
                "cases_organisationname",
                "cases_organisationparent",
                "cases_party",
                "cases_personname",
                "cases_sameorganisation",
                "cases_sameperson",
            ]
        )
    ]
