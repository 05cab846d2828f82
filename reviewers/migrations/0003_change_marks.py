"""Changes after which what matching keeps between cases is no longer current."""

from django.db import migrations

from reviewers.change_marks import Watch, WatchTables

# Their rows only grow.
_FACTS = [
    "reviewers_certification",
    "reviewers_fileproof",
    "reviewers_leave",
    "reviewers_license",
    "reviewers_practicefact",
    "reviewers_sanctioncheck",
    "reviewers_training",
    "reviewers_treatmentexperience",
]


class Migration(migrations.Migration):
    dependencies = [
        ("reviewers", "0002_guards"),
        ("accounts", "0001_initial"),
        ("cases", "0001_initial"),
        ("directory", "0001_initial"),
    ]

    operations = [
        # What the compiled panel of a day is made from.
        WatchTables(
            "matching",
            [
                *(Watch(table, acts=("INSERT",)) for table in _FACTS),
                # All other affiliations are read for each case.
                Watch(
                    "reviewers_affiliation",
                    when="NEW.relation = 'UR_CONTRACT' OR NEW.corrects_id IS NOT NULL",
                    acts=("INSERT",),
                ),
                Watch("reviewers_reviewer"),
                Watch("reviewers_specialty"),
                Watch("reviewers_specialtyfit"),
                Watch("reviewers_condition"),
                Watch("reviewers_scopelimit"),
                Watch("reviewers_matchingrules"),
                Watch("reviewers_conflictlimits"),
                Watch("cases_treatmentcategory"),
                Watch("directory_sameperson"),
                Watch("directory_sameorganization"),
                Watch("directory_organizationparent"),
                Watch("directory_organizationofficer"),
                # A sign-in is often stored without a change of what matters here.
                Watch(
                    "accounts_user",
                    when="OLD.is_active <> NEW.is_active",
                    acts=("UPDATE OF is_active",),
                ),
            ],
        ),
        # The reviews that are counted for timeliness. Those issued today count from tomorrow on.
        WatchTables(
            "reviews",
            [
                Watch(
                    "reviewers_reviewerassignment",
                    when="NEW.state = 'FINISHED' AND NEW.reviewer_id IS NOT NULL "
                    "AND NEW.ended_at < now() - interval '1 day'",
                    when_on_sqlite="NEW.state = 'FINISHED' AND NEW.reviewer_id IS NOT NULL "
                    "AND NEW.ended_at < datetime('now', '-1 day')",
                    acts=("INSERT", "UPDATE"),
                ),
                Watch(
                    "cases_deadline",
                    when="EXISTS (SELECT 1 FROM reviewers_reviewerassignment "
                    "WHERE case_id = NEW.case_id AND state = 'FINISHED')",
                    acts=("INSERT", "UPDATE"),
                ),
            ],
        ),
    ]
