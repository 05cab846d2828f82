"""My day: cases due, waiting, assigned, and changed since the person last opened them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet

from accounts.models import AccessLogEntry, User
from accounts.roles import Role
from cases import organization_facts
from cases.case_rows import TITLES, list_column
from cases.models import Case, Event, PartyRole
from cases.passed_days import list_passed_days
from queues.models import SavedView
from queues.services import claims, saved_views
from reviewers.services import payer_bias

from . import queues

SHOWN = 25
ACCESSED_DAYS = 14  # how long a case that one has opened is watched for changes
ACCESSED_CASES = 50
# Limits the reading for cases with very many events; the newest come first.
CHANGES_READ = 300


@dataclass(frozen=True)
class Changed:
    """A case that others changed after this person last opened it."""

    case: Case
    latest: Event
    changes: int


@dataclass(frozen=True)
class CountedView:
    """A saved view with the number of its cases, counted up to ``queues.VIEW_COUNTED``."""

    view: SavedView
    count: int


def load_my_day(user: User, *, today: date, at: datetime) -> dict[str, Any]:
    """Load everything that the page shows.

    The number of queries is fixed, plus one for each saved view and four for each further role.
    """
    # A case in review waits for one reviewer, not for the role; reviewers have their own list.
    roles = [role.value for role in user.roles - {Role.REVIEWER}]
    waiting = [_list_cases_of_role(role, user) for role in roles]
    # On a weekend, the Friday of the week that follows.
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    resolves_conflicts = user.may("cases.resolve_own_conflicts")
    # One more than shown tells whether there are more, without counting all rows.
    # The ``list_day`` of a case without a due date is after those of all others.
    due_today = _merge_first([rows.filter(list_day__lte=today) for rows in waiting])
    # Two queries for a role, each by an index; one for both would read every overdue case.
    undated = _merge_first([rows.filter(due_deadline_kind="") for rows in waiting])
    later = _merge_first(
        [rows.filter(list_day__gt=today).exclude(due_deadline_kind="") for rows in waiting]
    )
    # Long enough to count the week up to one more than the page shows; an exact count would read
    # every row.
    this_week = [case for case in later if case.due_on <= friday]
    return {
        "due_today": due_today[:SHOWN],
        "due_today_has_more": len(due_today) > SHOWN,
        "waiting": later[:SHOWN],
        "waiting_has_more": len(later) > SHOWN,
        "undated": undated[:SHOWN],
        "undated_has_more": len(undated) > SHOWN,
        "due_this_week": len(this_week),
        "friday": friday,
        # From the day before, so that a commitment is not found only when it is late.
        "passed_days": list_passed_days(user, today=today, until=today + timedelta(days=1))[:SHOWN],
        "assigned": list(claims.list_own_claims(user=user, at=at)[:SHOWN]),
        "changed": list_changed_cases(user, at=at),
        "views": [
            CountedView(view, queues.count_saved_view(view, user=user, today=today, at=at))
            for view in saved_views.list_saved_views(user=user)[:SHOWN]
        ],
        "open_own_conflicts": organization_facts.count_open_findings(user)
        if resolves_conflicts
        else 0,
        "bias_alerts": payer_bias.list_open_alerts()
        if user.may("reviewers.run_payer_bias_test")
        else [],
        "can_claim": bool(claims.stages_for(user=user)),
    }


def _list_cases_of_role(role: str, user: User) -> QuerySet[Case]:
    """Select the open cases that wait for a role, most urgent first, with what a row shows."""
    rows = Case.objects.own().visible_to(user).filter(next_role=role, is_open=True)
    rows = rows.only(*queues.COLUMNS_OF_CASE).annotate(
        titles_json=list_column(**TITLES), worker_name=queues.party_name(PartyRole.EMPLOYEE)
    )
    return rows.order_by("list_day", "urgency", "pk")


def _merge_first(parts: list[QuerySet[Case]]) -> list[Case]:
    """Return the first cases of several ordered selections, in order.

    One query for each: an index gives the cases of one role in order, not those of several.
    """
    limit = max(SHOWN, queues.VIEW_COUNTED) + 1
    cases = [case for rows in parts for case in rows[:limit]]
    return sorted(cases, key=_sort_key)[:limit]


def _sort_key(case: Case) -> tuple[date, int, int]:
    return case.list_day, case.urgency, case.pk


def list_changed_cases(user: User, *, at: datetime) -> list[Changed]:
    """List cases that this person opened lately and others have changed since. Two queries."""
    accesses = AccessLogEntry.objects.filter(
        user=user, subject="case", granted=True, accessed_at__gt=at - timedelta(days=ACCESSED_DAYS)
    )
    latest = accesses.values("reference").annotate(last=Max("accessed_at")).order_by("-last")
    last_access = {row["reference"]: row["last"] for row in latest[:ACCESSED_CASES]}
    if not last_access:
        return []
    events = Event.objects.filter(
        case__in=Case.objects.own().visible_to(user).filter(number__in=list(last_access)),
        # The earliest access limits the query. Below, each case is compared with its own access.
        happened_at__gt=min(last_access.values()),
        happened_at__lte=at,
    )
    events = events.exclude(by=user).select_related("case").order_by("-happened_at", "-pk")
    by_case: dict[int, list[Event]] = {}
    for event in events[:CHANGES_READ]:
        if event.happened_at > last_access[event.case.number]:
            by_case.setdefault(event.case_id, []).append(event)
    changed = [Changed(group[0].case, group[0], len(group)) for group in by_case.values()]
    return changed[:SHOWN]
