"""What the pages show of complaints: lists, versions, people, and how many were received."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from accounts.names import name_actor
from accounts.roles import PERMISSIONS
from cases.models import Case
from cases.models.restrictions import select_visible

from .models import Complaint, CorrectiveAction
from .trend import MONTHS, Trend, build_trend, first_of_month


@dataclass(frozen=True)
class Version:
    """One version of a complaint or of a corrective action: what happened, by whom, the changes."""

    at: datetime
    who: str
    what: str
    changes: list[tuple[str, str, str]]  # what, from, to


def list_people_responsible(reader: User) -> list[User]:
    """List who may be responsible for a corrective action: staff whom the reader may know."""
    roles = sorted(PERMISSIONS["complaints.view_complaint"])
    staff = User.objects.filter(is_active=True, groups__name__in=roles).distinct()
    return [person for person in staff.order_by("name", "pk") if not person.is_hidden_from(reader)]


def list_overdue_answers(user: User, *, today: date) -> QuerySet[Complaint]:
    """List complaints whose limit has passed without an answer, the oldest limit first."""
    rows: QuerySet[Complaint] = Complaint.objects.visible_to(user).overdue(today)
    return rows.order_by("answer_due_on", "pk")


def list_overdue_actions(user: User, *, today: date) -> QuerySet[CorrectiveAction]:
    """List corrective actions that should have been done before today, the oldest first."""
    visible = Complaint.objects.visible_to(user)
    rows = CorrectiveAction.objects.overdue(today).filter(complaint__in=visible)
    found: QuerySet[CorrectiveAction] = rows.select_related("complaint", "responsible")
    return found.order_by("due_on", "pk")


def list_complaints_of_case(case: Case, user: User) -> QuerySet[Complaint]:
    """List the complaints about a case that a person may read, the latest received first."""
    rows: QuerySet[Complaint] = Complaint.objects.visible_to(user).with_state().filter(case=case)
    return rows.order_by("-received_on", "-pk")


def load_trend(user: User, *, today: date) -> Trend:
    """Count the complaints of this month and the months before it. One query."""
    rows = Complaint.objects.visible_to(user).filter(
        received_on__gte=first_of_month(today, MONTHS - 1), received_on__lte=today
    )
    facts = rows.values_list("received_on", "category", "answer_due_on", "answered_on")
    return build_trend(facts, today=today, categories=Complaint.Category.choices)


def list_versions(complaint: Complaint, reader: User) -> list[Version]:
    """List every version of a complaint and of its corrective actions, the latest first."""
    visible = set(select_visible(complaint.history.all(), reader).values_list("pk", flat=True))
    found = _describe_versions(
        list(complaint.history.select_related("case", "history_user").order_by("history_id")),
        Complaint,
        reader,
        visible,
    )
    for number, action in enumerate(complaint.actions.order_by("pk"), start=1):
        rows = action.history.select_related("responsible", "history_user")
        found += _describe_versions(
            list(rows.order_by("history_id")),
            CorrectiveAction,
            reader,
            label=f"Corrective action {number}: ",
        )
    return sorted(found, key=lambda one: one.at, reverse=True)


_NOT_SHOWN = {"id", "version", "complaint", "recorded_at", "recorded_by", "answered_by", "done_by"}


def _describe_versions(
    rows: list[Any],
    model: type[Complaint] | type[CorrectiveAction],
    reader: User,
    visible: set[int] | None = None,
    *,
    label: str = "",
) -> list[Version]:
    """Describe versions, each with what it changed.

    :param visible: the ids of the versions whose case the reader may see; all if ``None``.
    """
    fields = [one for one in model._meta.concrete_fields if one.name not in _NOT_SHOWN]
    found: list[Version] = []
    before: dict[str, str] = {}
    for row in rows:
        is_shown = visible is None or row.pk in visible
        shown = {
            str(one.verbose_name).capitalize(): _describe_value(row, one.name, reader, is_shown)
            for one in fields
        }
        changes = [
            (name, before[name], value)
            for name, value in shown.items()
            if before and before[name] != value
        ]
        what = f"{label}{row.history_change_reason}"
        who = name_actor(row.history_user, reader=reader)
        found.append(Version(row.history_date, who, what, changes))
        before = shown
    return found


def _describe_value(row: Any, name: str, reader: User, is_shown: bool) -> str:
    value = getattr(row, name)
    if value is None:
        return ""
    if isinstance(value, User):
        return name_actor(value, reader=reader)
    if isinstance(value, Case):
        return value.number if is_shown else "another case"
    if isinstance(value, date):
        return f"{value:%b} {value.day}, {value.year}"
    display = getattr(row, f"get_{name}_display", None)
    return str(display() if display else value)
