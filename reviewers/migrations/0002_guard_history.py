"""Make the history of this app append-only in the database itself."""

from django.db import migrations

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [("reviewers", "0001_initial")]

    operations = [
        GuardTables(
            [
                "reviewers_affiliation",
                "reviewers_candidate",
                "reviewers_candidatelist",
                "reviewers_certification",
                "reviewers_conflictresult",
                "reviewers_historicalattestation",
                "reviewers_historicalattestationwording",
                "reviewers_historicalreviewer",
                "reviewers_historicalreviewerassignment",
                "reviewers_historicalspecialty",
                "reviewers_historicalspecialtyfit",
                "reviewers_leave",
                "reviewers_licence",
                "reviewers_practicefact",
                "reviewers_reviewerbar",
                "reviewers_sanctioncheck",
                "reviewers_training",
            ]
        )
    ]
