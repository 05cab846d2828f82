import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [
        ("reviewers", "0007_conditions_and_experience"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FairnessTest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first", models.DateField()),
                ("last", models.DateField()),
                (
                    "party_role",
                    models.CharField(
                        choices=[
                            ("EMPLOYEE", "Employee"),
                            ("EMPLOYEE_ATTORNEY", "Employee’s attorney"),
                            ("REPRESENTATIVE", "Designated representative"),
                            ("EMPLOYER", "Employer"),
                            ("CLAIMS_ADMINISTRATOR", "Claims administrator"),
                            ("INSURER", "Insurer"),
                            ("DEFENCE_ATTORNEY", "Claims administrator’s attorney"),
                            ("REQUESTING_PHYSICIAN", "Requesting physician"),
                            ("PHYSICIAN_GROUP", "Physician’s group"),
                            ("OTHER_PROVIDER", "Other provider"),
                            ("FACILITY", "Facility"),
                            ("UR_ORGANISATION", "UR organisation"),
                            ("UR_PHYSICIAN", "UR physician"),
                            ("MANUFACTURER", "Maker of the drug or device"),
                        ],
                        max_length=24,
                    ),
                ),
                ("choices", models.PositiveIntegerField()),
                ("compared", models.PositiveIntegerField()),
                ("unevenness", models.DecimalField(decimal_places=3, max_digits=16)),
                ("p", models.DecimalField(decimal_places=6, max_digits=7)),
                ("alarm", models.DecimalField(decimal_places=6, max_digits=7)),
                ("is_steered", models.BooleanField()),
                ("deals", models.PositiveIntegerField()),
                ("seed", models.PositiveIntegerField()),
                ("is_monthly", models.BooleanField(default=False)),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_monthly", True)),
                        fields=("first", "last", "party_role"),
                        name="fairness_monthly_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_monthly", False), ("made_by__isnull", True), _connector="OR"
                        ),
                        name="fairness_monthly_by_system",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first__lte", models.F("last"))),
                        name="fairness_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_steered", True), ("p__lt", models.F("alarm"))),
                            models.Q(("is_steered", False), ("p__gte", models.F("alarm"))),
                            _connector="OR",
                        ),
                        name="fairness_steered_iff_below",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FairnessNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("words", models.CharField(max_length=1000)),
                ("noted_at", models.DateTimeField()),
                (
                    "noted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="reviewers.fairnesstest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("words", ""), _negated=True),
                        name="fairness_note_says_something",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="reviewerassignment",
            index=models.Index(fields=["offered_at"], name="assignment_offered"),
        ),
        GuardTables(["reviewers_fairnesstest", "reviewers_fairnessnote"]),
    ]
