"""Store what the rules proposed and why a person differs; what UR says; questions to parties."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from accounts.append_only import GuardTables


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_holds_and_dates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DifferenceAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("key", models.CharField(max_length=32)),
                ("field", models.CharField(max_length=16)),
                ("on_application", models.TextField(blank=True)),
                ("on_ur_decision", models.TextField(blank=True)),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("SAME", "The same"),
                            ("TYPING_ERROR", "Typing error"),
                            ("DIFFERENT", "Really different"),
                        ],
                        max_length=12,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="HistoricalDifferenceAnswer",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("history_change_reason", models.TextField(blank=True, default="")),
                ("key", models.CharField(max_length=32)),
                ("field", models.CharField(max_length=16)),
                ("on_application", models.TextField(blank=True)),
                ("on_ur_decision", models.TextField(blank=True)),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("SAME", "The same"),
                            ("TYPING_ERROR", "Typing error"),
                            ("DIFFERENT", "Really different"),
                        ],
                        max_length=12,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
            ],
            options={
                "verbose_name": "historical difference answer",
                "verbose_name_plural": "historical difference answers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalInformationRequest",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("history_change_reason", models.TextField(blank=True, default="")),
                ("facts", models.JSONField(default=list)),
                ("question", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("received_on", models.DateField()),
                ("due_on", models.DateField()),
                ("answered_on", models.DateField(blank=True, null=True)),
                ("answer", models.TextField(blank=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
            ],
            options={
                "verbose_name": "historical information request",
                "verbose_name_plural": "historical information requests",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalURReading",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("history_change_reason", models.TextField(blank=True, default="")),
                ("employee", models.CharField(blank=True, max_length=300)),
                ("claim_number", models.CharField(blank=True, max_length=60)),
                ("date_of_injury", models.DateField(blank=True, null=True)),
                ("date_of_injury_printed", models.CharField(blank=True, max_length=60)),
                ("items", models.JSONField(blank=True, default=list)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
            ],
            options={
                "verbose_name": "historical ur reading",
                "verbose_name_plural": "historical ur readings",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="InformationRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("facts", models.JSONField(default=list)),
                ("question", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("received_on", models.DateField()),
                ("due_on", models.DateField()),
                ("answered_on", models.DateField(blank=True, null=True)),
                ("answer", models.TextField(blank=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="URReading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("employee", models.CharField(blank=True, max_length=300)),
                ("claim_number", models.CharField(blank=True, max_length=60)),
                ("date_of_injury", models.DateField(blank=True, null=True)),
                ("date_of_injury_printed", models.CharField(blank=True, max_length=60)),
                ("items", models.JSONField(blank=True, default=list)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="disputeditem",
            name="ur_outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("DENIED", "Denied as not medically necessary"),
                    ("MODIFIED", "Modified as not medically necessary"),
                    ("APPROVED", "Approved"),
                    ("AMOUNT", "Approved; only the payment is disputed"),
                    ("CONDITIONAL", "Not certified, information was missing"),
                    ("NOT_IN", "Not in the decision"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="eligibilitydecision",
            name="proposed",
            field=models.CharField(
                blank=True,
                choices=[
                    ("ELIGIBLE", "Eligible"),
                    ("INELIGIBLE", "Ineligible"),
                    ("DEFERRED", "Deferred"),
                    ("INCOMPLETE", "A fact is missing"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="eligibilitydecision",
            name="why_different",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="eligibilityfinding",
            name="facts_used",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="eligibilityfinding",
            name="letter_sentence",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="eligibilityfinding",
            name="other_case",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="findings_elsewhere",
                to="cases.case",
            ),
        ),
        migrations.AddField(
            model_name="eligibilityfinding",
            name="proposed",
            field=models.CharField(
                blank=True,
                choices=[("YES", "Yes"), ("NO", "No"), ("UNKNOWN", "Unknown")],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="eligibilityfinding",
            name="sentence",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="eligibilityfinding",
            name="source",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="historicaldisputeditem",
            name="ur_outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("DENIED", "Denied as not medically necessary"),
                    ("MODIFIED", "Modified as not medically necessary"),
                    ("APPROVED", "Approved"),
                    ("AMOUNT", "Approved; only the payment is disputed"),
                    ("CONDITIONAL", "Not certified, information was missing"),
                    ("NOT_IN", "Not in the decision"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="historicaleligibilitydecision",
            name="proposed",
            field=models.CharField(
                blank=True,
                choices=[
                    ("ELIGIBLE", "Eligible"),
                    ("INELIGIBLE", "Ineligible"),
                    ("DEFERRED", "Deferred"),
                    ("INCOMPLETE", "A fact is missing"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="historicaleligibilitydecision",
            name="why_different",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="historicaleligibilityfinding",
            name="facts_used",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="historicaleligibilityfinding",
            name="letter_sentence",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="historicaleligibilityfinding",
            name="other_case",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="cases.case",
            ),
        ),
        migrations.AddField(
            model_name="historicaleligibilityfinding",
            name="proposed",
            field=models.CharField(
                blank=True,
                choices=[("YES", "Yes"), ("NO", "No"), ("UNKNOWN", "Unknown")],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="historicaleligibilityfinding",
            name="sentence",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="historicaleligibilityfinding",
            name="source",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="historicalurdecision",
            name="liability_notice_method",
            field=models.CharField(
                blank=True,
                choices=[
                    ("in_hand", "In hand"),
                    ("mail_ca", "Mail, California address"),
                    ("mail_us", "Mail, another state"),
                    ("fax", "Fax"),
                    ("electronic", "Electronic"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="historicalurdecision",
            name="liability_resolved_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="urdecision",
            name="liability_notice_method",
            field=models.CharField(
                blank=True,
                choices=[
                    ("in_hand", "In hand"),
                    ("mail_ca", "Mail, California address"),
                    ("mail_us", "Mail, another state"),
                    ("fax", "Fax"),
                    ("electronic", "Electronic"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="urdecision",
            name="liability_resolved_on",
            field=models.DateField(null=True),
        ),
        migrations.AddConstraint(
            model_name="eligibilityfinding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", "YES"), ("proposed", "NO"), _negated=True),
                    models.Q(("note", ""), _negated=True),
                    _connector="OR",
                ),
                name="eligibility_overruled_with_note",
            ),
        ),
        migrations.AddField(
            model_name="differenceanswer",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="difference_answers",
                to="cases.case",
            ),
        ),
        migrations.AddField(
            model_name="historicaldifferenceanswer",
            name="case",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="cases.case",
            ),
        ),
        migrations.AddField(
            model_name="historicaldifferenceanswer",
            name="history_user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="historicalinformationrequest",
            name="case",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="cases.case",
            ),
        ),
        migrations.AddField(
            model_name="historicalinformationrequest",
            name="history_user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="historicalinformationrequest",
            name="party",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="cases.party",
            ),
        ),
        migrations.AddField(
            model_name="historicalurreading",
            name="case",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="cases.case",
            ),
        ),
        migrations.AddField(
            model_name="historicalurreading",
            name="history_user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="informationrequest",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="information_requests",
                to="cases.case",
            ),
        ),
        migrations.AddField(
            model_name="informationrequest",
            name="party",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.party"
            ),
        ),
        migrations.AddField(
            model_name="urreading",
            name="case",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ur_reading",
                to="cases.case",
            ),
        ),
        migrations.AddConstraint(
            model_name="differenceanswer",
            constraint=models.UniqueConstraint(
                fields=("case", "key"), name="difference_answer_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="informationrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answered_on__isnull", True), ("closed_at__isnull", False), _connector="OR"
                ),
                name="information_answer_closes",
            ),
        ),
        # New tables of versions, and those that SQLite has rebuilt without their triggers.
        GuardTables(
            [
                "cases_historicaldifferenceanswer",
                "cases_historicaldisputeditem",
                "cases_historicaleligibilitydecision",
                "cases_historicaleligibilityfinding",
                "cases_historicalinformationrequest",
                "cases_historicalurdecision",
                "cases_historicalurreading",
            ]
        ),
    ]
