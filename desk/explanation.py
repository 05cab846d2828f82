"""Why a case is where it is: everything on file about its progress, for support staff."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import User
from accounts.names import name_actor
from cases.hidden_numbers import Concealer
from cases.models import Case, CaseLetter, CaseLink, ItemChange
from cases.models.restrictions import select_visible
from deadlines.kinds import DEADLINE_KINDS
from eligibility.models import InformationRequest
from jobs.models import JobRun
from letters.models import Letter
from maintenance.models import Finding
from queues.models import WorkClaim
from reviewers.models import ReviewerAssignment

from .access_log import AccessFilter, find_entries_of_case, list_visits
from .next_step import find_next_step
from .templatetags.page_tags import format_day
from .timeline import load_timeline

MOST = 50  # rows of each part; the case has pages of its own for the rest


@dataclass(frozen=True)
class Task:
    """Work that is open on the case."""

    what: str
    who: str
    since: Any


@dataclass(frozen=True)
class DeadlineLine:
    """One stored deadline, active or not."""

    label: str
    due_on: Any
    unknown: str
    notes: str  # its state, the round, and the internal target if that is another day


def explain_case(case: Case, reader: User) -> dict[str, Any]:
    """Collect the parts of the page. A fixed number of queries, whatever the case contains."""
    letters = Letter.objects.filter(reference=case.number).prefetch_related("steps")
    versions = list(case.history.select_related("history_user").order_by("-history_id")[:MOST])
    # Each of the two cases may be restricted on its own, with other cleared people.
    links = CaseLink.objects.filter(Q(case=case) | Q(other=case)).select_related("case", "other")
    why = [row.history_change_reason or "" for row in versions]
    conceal = Concealer(why, reader, own=case.number).conceal
    visits, _ = list_visits(find_entries_of_case(case.number, AccessFilter(), reader), reader)
    return {
        "next_step": find_next_step(case, reader).sentence,
        "tasks": list(_list_tasks(case, reader)),
        "entries": load_timeline(case, reader, limit=MOST).entries,
        "deadlines": [_describe_deadline(row) for row in case.deadlines.order_by("-pk")[:MOST]],
        "holds": case.holds.order_by("-pk")[:MOST],
        "commitments": case.commitments.select_related("party").order_by("-pk")[:MOST],
        "letters": letters.order_by("-created_at", "pk")[:MOST],
        "runs": JobRun.objects.of_case(case.number).order_by("-pk")[:MOST],
        "findings": Finding.objects.open().filter(reference=case.number).order_by("pk")[:MOST],
        "links": select_visible(links, reader, "case", "other").order_by("pk"),
        "versions": [
            (row, conceal(text), name_actor(row.history_user, reader=reader))
            for row, text in zip(versions, why, strict=True)
        ],
        "visits": visits[:MOST],
    }


def _list_tasks(case: Case, reader: User) -> list[Task]:
    """List the open work on a case. Five queries."""
    tasks = []
    claims = WorkClaim.objects.filter(case=case, released_at__isnull=True).select_related("by")
    for claim in claims:
        who = name_actor(claim.by, reader=reader)
        tasks.append(Task(f"Assigned from the list “{claim.queue}”", who, claim.claimed_at))
    for assignment in ReviewerAssignment.objects.filter(
        case=case, state__in=ReviewerAssignment.LIVE
    ).order_by("seat"):
        label = assignment.get_state_display()
        tasks.append(
            Task(f"Review: {label}", f"Reviewer, seat {assignment.seat}", assignment.offered_at)
        )
    for question in InformationRequest.objects.filter(
        case=case, closed_at__isnull=True
    ).select_related("party"):
        tasks.append(
            Task("Information requested", question.party.get_role_display(), question.asked_at)
        )
    for draft in case.case_letters.filter(state=CaseLetter.State.DRAFT):
        tasks.append(Task("Draft letter to review", draft.get_kind_display(), draft.drafted_at))
    for change in case.item_changes.filter(state=ItemChange.State.PROPOSED):
        tasks.append(Task("Item change to decide", "", change.proposed_at))
    return tasks


def _describe_deadline(row: Any) -> DeadlineLine:
    state = "Replaced" if row.replaced_at else "Satisfied" if row.met_at else "Active"
    kind = DEADLINE_KINDS.get(row.deadline_kind)
    notes = [state, f"round {row.round}"]
    if row.target_on and row.target_on != row.due_on:
        notes.append(f"internal target {format_day(row.target_on)}")
    return DeadlineLine(
        label=kind.label if kind else row.deadline_kind,
        due_on=row.due_on,
        unknown=row.unknown,
        notes=", ".join(notes),
    )
