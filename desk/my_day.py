"""My day: cases due, waiting, assigned, and changed since the person last looked."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet

from accounts.models import Look, User
from accounts.roles import Role
from cases import organization_facts
from cases.models import Case, Event
from queues.models import SavedView
from queues.services import claims, saved_views
from reviewers.services import payer_bias

from . import queues

SHOWN = 25
LOOKED_DAYS = 14  # how long a case that one has opened is watched for changes
LOOKED_CASES = 50
# Limits the reading for cases with very many events; the newest come first.
CHANGES_READ = 300


@dataclass(frozen=True)
class Changed:
    """A case that others changed after this person last opened it."""

    case: Case
    latest: Event
    acts: int


@dataclass(frozen=True)
class CountedView:
    """A saved view with the number of its cases, counted up to ``queues.VIEW_COUNTED``."""

    view: SavedView
    count: int


def load_my_day(user: User, *, today: date, at: datetime) -> dict[str, Any]:
    """Everything that the page shows. A fixed number of queries, plus one for each saved view."""
    # A case in review waits for one reviewer, not for the role; reviewers have their own list.
    roles = [role.value for role in user.roles - {Role.REVIEWER}]
    waiting = Case.objects.own().filter(next_role__in=roles, is_open=True)
    waiting = waiting.order_by("due_on", "pk").prefetch_related("items")
    # On a weekend, the Friday of the week that follows.
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    soon = waiting.filter(due_on__gt=today, due_on__lte=friday)
    # A case without an active deadline still has a ``due_on``, by which lists sort.
    due = waiting.filter(due_on__lte=today).exclude(due_deadline_kind="")
    resolves_conflicts = user.may("cases.resolve_own_conflicts")
    return {
        "due_today": list(due[:SHOWN]),
        "waiting": _cases_due_later(waiting, today=today),
        # Counts to one more than the page shows; an exact count would read every row.
        "due_this_week": soon[: queues.VIEW_COUNTED + 1].count(),
        "friday": friday,
        "in_hand": list(claims.list_own_claims(user=user, at=at)[:SHOWN]),
        "changed": changed_since_looked(user, at=at),
        "views": [
            CountedView(view, queues.count_saved_view(view, user=user, today=today, at=at))
            for view in saved_views.list_saved_views(user=user)[:SHOWN]
        ],
        "own_organization_questions": organization_facts.count_open_findings()
        if resolves_conflicts
        else 0,
        "steered": payer_bias.list_open_alerts() if user.may("reviewers.check_payer_bias") else [],
        "can_take": bool(claims.stages_for(user=user)),
    }


def _cases_due_later(waiting: QuerySet[Case], *, today: date) -> list[Case]:
    """Cases due after today, and cases without a due date, in order.

    Two queries, each by an index; one query for both would read every overdue case.
    """
    stopped = list(waiting.filter(due_deadline_kind="")[:SHOWN])
    later = list(waiting.filter(due_on__gt=today).exclude(due_deadline_kind="")[:SHOWN])
    return sorted([*stopped, *later], key=lambda case: (case.due_on, case.pk))[:SHOWN]


def changed_since_looked(user: User, *, at: datetime) -> list[Changed]:
    """Cases that this person opened lately and that others changed since. Three queries."""
    looks = Look.objects.filter(
        user=user, subject="case", granted=True, looked_at__gt=at - timedelta(days=LOOKED_DAYS)
    )
    latest = looks.values("reference").annotate(last=Max("looked_at")).order_by("-last")
    last_look = {row["reference"]: row["last"] for row in latest[:LOOKED_CASES]}
    if not last_look:
        return []
    acts = Event.objects.filter(
        case__in=list(Case.objects.own().filter(number__in=last_look).values_list("pk", flat=True)),
        # The earliest look limits the query; below, each case is compared with its own look.
        happened_at__gt=min(last_look.values()),
        happened_at__lte=at,
    )
    acts = acts.exclude(by=user).select_related("case").order_by("-happened_at", "-pk")
    found: dict[int, list[Event]] = {}
    for act in acts[:CHANGES_READ]:
        if act.happened_at > last_look[act.case.number]:
            found.setdefault(act.case_id, []).append(act)
    return [Changed(acts[0].case, acts[0], len(acts)) for acts in found.values()][:SHOWN]
