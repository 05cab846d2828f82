"""My day: cases due, waiting, assigned, and changed since the person last opened them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max

from accounts.models import AccessLogEntry, User
from accounts.roles import Role
from cases import organization_facts
from cases.case_rows import TITLES, list_column
from cases.models import Case, Event, PartyRole
from cases.passed_days import list_passed_days
from complaints import overview as complaints
from queues.models import SavedView
from queues.services import claims, saved_views
from queues.work_order import Key, read_keys
from reviewers.services import payer_bias
from reviewers.worklist import build_worklist

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
class WaitingCases:
    """A section of cases: the keys that were read, and the cases that the page shows."""

    keys: list[Key]
    shown: list[Case]

    @property
    def has_more(self) -> bool:
        return len(self.keys) > SHOWN


@dataclass(frozen=True)
class CountedView:
    """A saved view with the number of its cases, counted up to ``queues.VIEW_COUNTED``."""

    view: SavedView
    count: int


def load_my_day(user: User, *, today: date, at: datetime) -> dict[str, Any]:
    """Load everything that the page shows.

    The number of queries is fixed, plus one for each saved view.
    """
    # A case in review waits for one reviewer, not for the role; reviewers have their own list.
    roles = [role.value for role in user.roles - {Role.REVIEWER}]
    waiting = list_waiting_cases(user, roles, today=today)
    # On a weekend, the Friday of the week that follows.
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    resolves_conflicts = user.may("cases.resolve_own_conflicts")
    keeps_credentials = user.may("reviewers.manage_credentials")
    answers_complaints = user.may("complaints.answer_complaint")
    return {
        # No case waits for credentialing, so the page shows the files of reviewers instead.
        "has_case_work": bool(claims.stages_for(user=user)) or not keeps_credentials,
        "credentialing": build_worklist(on=today, known_at=at, reader=user)
        if keeps_credentials
        else None,
        "shown": f":{SHOWN}",
        "expedited": waiting["expedited"].shown,
        "expedited_has_more": waiting["expedited"].has_more,
        "due_today": waiting["due"].shown,
        "due_today_has_more": waiting["due"].has_more,
        "waiting": waiting["later"].shown,
        "waiting_has_more": waiting["later"].has_more,
        "undated": waiting["undated"].shown,
        "undated_has_more": waiting["undated"].has_more,
        # The keys are read up to one more than the page shows; an exact count would read every row.
        "due_this_week": sum(key.day <= friday for key in waiting["later"].keys),
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
        "overdue_complaints": list(complaints.list_overdue_answers(user, today=today)[:SHOWN])
        if answers_complaints
        else [],
        "overdue_actions": list(complaints.list_overdue_actions(user, today=today)[:SHOWN])
        if answers_complaints
        else [],
        "can_claim": bool(claims.stages_for(user=user)),
    }


def list_waiting_cases(user: User, roles: Sequence[str], *, today: date) -> dict[str, WaitingCases]:
    """List the open cases that wait for these roles, by section, most urgent first.

    Two queries, whatever the number of roles: the keys of all sections, then the cases shown.
    Expedited cases are a section of their own, whatever their day.
    """
    limit = max(SHOWN, queues.VIEW_COUNTED) + 1
    parts = []
    for role in roles:
        rows = Case.objects.own().visible_to(user).filter(next_role=role, is_open=True)
        rows = rows.order_by("list_day", "urgency", "pk")
        others = rows.not_expedited()
        # By an index each; one part for all of them would read every overdue case. The
        # ``list_day`` of a case without a due date is after those of all others.
        sections = {
            "expedited": rows.expedited(),
            "due": others.filter(list_day__lte=today),
            "later": others.filter(list_day__gt=today).exclude(due_deadline_kind=""),
            "undated": others.filter(due_deadline_kind=""),
        }
        parts += [(section, found[:limit]) for section, found in sections.items()]
    keys: dict[str, list[Key]] = {name: [] for name in ("expedited", "due", "later", "undated")}
    for section, key in read_keys(parts):
        keys[section].append(key)
    # An index gives the cases of one role in order, not those of several.
    ordered = {section: sorted(found)[:limit] for section, found in keys.items()}
    shown = [key.pk for found in ordered.values() for key in found[:SHOWN]]
    cases = {
        case.pk: case
        for case in Case.objects.visible_to(user)
        .filter(pk__in=shown)
        .only(*queues.COLUMNS_OF_CASE)
        .annotate(
            titles_json=list_column(**TITLES),
            worker_name=queues.party_name(PartyRole.EMPLOYEE),
        )
    }
    return {
        # A case may have changed since its key was read.
        section: WaitingCases(found, [cases[key.pk] for key in found[:SHOWN] if key.pk in cases])
        for section, found in ordered.items()
    }


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
