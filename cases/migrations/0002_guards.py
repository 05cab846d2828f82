"""Tables of this app that the database keeps append-only."""

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
                "cases_historicalcaseclearance",
                "cases_historicalcaseletter",
                "cases_historicalcaselettercopy",
                "cases_historicalcaselink",
                "cases_historicalcaserestriction",
                "cases_historicalreceiveddocument",
                "cases_historicaldeadline",
                "cases_historicaldisputeditem",
                "cases_historicalhold",
                "cases_historicalitemchange",
                "cases_historicalduplicateproposal",
                "cases_historicalprioritychange",
                "cases_historicalcommitment",
                "cases_historicaltimeextension",
                "cases_historicaltreatmentcategory",
                "cases_historicalundoableact",
                "cases_historicalurdecision",
                "cases_organizationmember",
                "cases_ownconflictresult",
                "cases_memberaffiliation",
                "cases_party",
                "cases_phonecall",
            ]
        ),
    ]
