"""Tables of this app that the database keeps append-only."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("reviewers", "0001_initial")]

    operations = [
        GuardTables(
            [
                "reviewers_affiliation",
                "reviewers_attestationwording",
                "reviewers_candidatelist",
                "reviewers_certification",
                "reviewers_conflictresult",
                "reviewers_payerbiasnote",
                "reviewers_payerbiastest",
                "reviewers_fileproof",
                "reviewers_historicalattestation",
                "reviewers_historicalattestationwording",
                "reviewers_historicalcondition",
                "reviewers_historicalconflictlimits",
                "reviewers_historicalmatchingrules",
                "reviewers_historicalreportedchange",
                "reviewers_historicalreviewer",
                "reviewers_historicalreviewerassignment",
                "reviewers_historicalscopelimit",
                "reviewers_historicalseatapproval",
                "reviewers_historicalspecialty",
                "reviewers_historicalspecialtyfit",
                "reviewers_leave",
                "reviewers_license",
                "reviewers_practicefact",
                "reviewers_reviewerbar",
                "reviewers_sanctioncheck",
                "reviewers_training",
                "reviewers_treatmentexperience",
            ]
        ),
    ]
