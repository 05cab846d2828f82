"""A row of any model of ours, made from its fields alone: for tests that walk every table.

Journeys reach their states by the services; these rows only have to satisfy the constraints.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from django.apps import apps
from django.conf import settings
from django.db import models

from accounts.versions import Versioned
from deadlines.models import DeadlineRule
from determinations.models import RuleText

AT = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
ROOMS = [
    name
    for name in settings.INSTALLED_APPS
    if (settings.BASE_DIR / name / "models.py").exists()
    or (settings.BASE_DIR / name / "models").is_dir()
]
_serial = count(1)

# What a constraint asks beyond the types of the columns.
BESIDES: dict[str, dict] = {
    "cases.Case": {"next_role": "INTAKE", "received_at": AT, "received_on": DAY},
    "intake.Scan": {"file": "files.StoredFile"},
    "cases.Deadline": {"due_on": DAY},
    "cases.Hold": {"planned_end": DAY + timedelta(days=3)},
    "cases.TimeExtension": {"days": 2},
    "cases.Commitment": {"letter_reference": "Letter of 2 March"},
    "cases.PriorityChange": {"old": "REGULAR", "new": "FORMULARY"},
    "deadlines.HolidayRule": {"pattern": "12-25"},
    "cases.OrganizationMember": {"kind": "OFFICER", "person": "directory.Person"},
    "cases.MemberAffiliation": {"organization": "directory.Organization"},
    "cases.OwnConflictResult": {"relation": "NONE"},
    "cases.Party": {"organization": "directory.Organization"},
    "files.StoredFile": {"state": "CLEAN"},
    "complaints.Complaint": {"party_name": "A worker"},
    "reviewers.Affiliation": {"organization": "directory.Organization"},
    "reviewers.Condition": {"codes": "M10"},
    "reviewers.PracticeFact": {"kind": "START", "valid_from": DAY},
    "reviewers.ReviewerAssignment": {"reviewer": "reviewers.Reviewer", "offered_at": AT},
    "reviewers.SeatApproval": {"seats": 2},
    "determinations.QualityReview": {"comment": "Read."},
    "records.Document": {"record_page": 1},
}


# Rows that the database lets no one change after they are written.
WRITTEN_ONCE = {"letters.WordingSentence", "reviewers.AttestationWording"}


def our_models() -> list[type[models.Model]]:
    """Every concrete model of ours, in a steady order; not the tables of versions."""
    return [
        model
        for room in ROOMS
        for model in apps.get_app_config(room).get_models()
        if not hasattr(model, "history_id") and not model._meta.proxy
    ]


def tracked_models() -> list[type[Versioned]]:
    return [model for model in our_models() if issubclass(model, Versioned)]


def unsaved(model: type[models.Model]) -> models.Model:
    """A row that satisfies every constraint, with what it needs stored and itself not yet."""
    values = {}
    besides = BESIDES.get(model._meta.label, {})
    if model is DeadlineRule:
        besides = _rule_before_the_first()
    if model is RuleText:
        besides = _days_before_the_first(RuleText.objects.all())
    for field in model._meta.concrete_fields:
        if field.primary_key and not isinstance(field, models.UUIDField):
            continue
        if field.name in besides:
            value = besides[field.name]
            related = isinstance(field, models.ForeignKey)
            values[field.name] = stored(apps.get_model(value)) if related else value
        elif not (field.null or field.blank or field.has_default()):
            values[field.name] = _value(field)
    return model(**values)


def _rule_before_the_first() -> dict:
    """Deadline rules leave neither gap nor overlap: one ends where the next begins."""
    rules = DeadlineRule.objects.filter(deadline_kind="records_expedited").order_by(
        "effective_from"
    )
    besides = {"deadline_kind": "records_expedited", "kind": "HOURS", "length": 24}
    return {**besides, **_days_before_the_first(rules)}


def _days_before_the_first(rules: models.QuerySet) -> dict:
    first = rules.order_by("effective_from").values_list("effective_from", flat=True).first()
    if first is None:
        return {}
    return {
        "effective_from": first - timedelta(days=10),
        "effective_to": first - timedelta(days=1),
    }


def stored(model: type[models.Model]) -> models.Model:
    row = unsaved(model)
    if isinstance(row, Versioned):
        return row.store(by=None, at=AT)
    row.save()
    return row


def _value(field: models.Field):
    if isinstance(field, models.ForeignKey):
        return stored(field.related_model)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.EmailField):
        return f"row{next(_serial)}@example.org"
    if isinstance(field, models.CharField | models.TextField):
        return f"r{next(_serial)}"[: field.max_length or 20]
    if isinstance(field, models.UUIDField):
        return uuid4()
    if isinstance(field, models.DateTimeField):
        return AT
    if isinstance(field, models.DateField):
        return DAY
    if isinstance(field, models.TimeField):
        return AT.time()
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.DecimalField):
        return Decimal(1)
    if isinstance(field, models.IntegerField):
        return next(_serial)
    if isinstance(field, models.JSONField):
        return {}
    raise AssertionError(f"say how to fill {field} in tests/every_row.py")


def everything_stored():
    """Every row of every table of ours and of its versions, to compare before and after."""
    ours = {model._meta.app_label for model in our_models()}
    return {
        model._meta.label: [
            tuple(map(str, row)) for row in model._base_manager.order_by("pk").values_list()
        ]
        for model in apps.get_models()
        if model._meta.app_label in ours
    }
