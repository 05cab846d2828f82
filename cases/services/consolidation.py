"""Several cases decided together: only for the same employee, physician and date of injury.

Nothing moves: each item stays in its own case, which follows its lead (8 CCR 9792.10.4(a)).
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse
from cases import duplicates, policies
from cases.lifecycle import Status
from cases.models import Case, CaseLink, Event, Role
from cases.together import CONSOLIDATED, consolidated_into
from deadlines.days import local_day

from . import case_deadlines, own_conflicts
from .duplicates import Similar, find_similar, read_application_facts

_JOINED, _PARTED = Event.Kind.CONSOLIDATED, Event.Kind.SEPARATED


def could_follow(lead: Case) -> list[Similar]:
    """Other eligible cases that may be consolidated with this one. Five queries."""
    similar = find_similar(facts=read_application_facts(lead), but=lead)
    return [
        one
        for one in similar
        if one.possible_duplicate.belongs
        and one.case.stage == Status.ELIGIBLE
        and not why_not(one.case, lead)
    ]


def why_not(case: Case, lead: Case) -> str:
    """Why one case cannot follow another; empty when it can. Queries."""
    for one in (case, lead):
        if one.stage != Status.ELIGIBLE:
            return (
                f"Case {one.number} stands at “{one.stage.label}”. Only eligible cases whose "
                "notices are not made yet are consolidated."
            )
        if one.notices.filter(round=one.round).exists():
            return f"The notices of {one.number} are made already; they name its treatments alone."
    if case.pk == lead.pk:
        return "A case is not consolidated with itself."
    if consolidated_into(case):
        return f"Other cases follow {case.number}. Let that one lead."
    if not _same_people(case, lead):
        return (
            "Cases are consolidated only for the same employee, requesting physician and date of "
            "injury (8 CCR 9792.10.4(a))."
        )
    if _administrator(case) != _administrator(lead):
        return "The cases have different claims administrators, whom one notice would not reach."
    return ""


@transaction.atomic
def consolidate(*, case_id: int, lead_id: int, reason: str, by: User, at: datetime) -> Case:
    """Let a case follow another into one determination. The links say why, both ways.

    :raises NotAllowed: wrong role, no reason, or the two may not be consolidated.
    """
    locked = Case.objects.lock_all([case_id, lead_id])
    case, lead = locked[case_id], locked[lead_id]
    refuse(policies.why_not_consolidate(by))
    refuse("" if reason.strip() else "Say why the cases are decided together.")
    refuse(why_not(case, lead))
    CaseLink(kind=CONSOLIDATED, case=case, other=lead, reason=reason.strip()[:500]).store(
        by=by, at=at, why=reason
    )
    case.move_to(Status.CONSOLIDATED, by=by, at=at, why=reason)
    case_deadlines.stop(case=case, why=f"Consolidated into {lead.number}", by=by, at=at)
    # Whoever has the lead open has not seen that it decides more now.
    lead.store(by=by, at=at, why=f"{case.number} follows", fields=[])
    _tell(case, _JOINED, f"Follows {lead.number}; its items stay here.", reason, by=by, at=at)
    _tell(lead, _JOINED, f"{case.number} follows this case.", reason, by=by, at=at)
    # One determination for the parties of both.
    own_conflicts.examine(case=lead, by=by, at=at)
    return case


@transaction.atomic
def separate(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """Take a case out of a consolidation before its lead is noticed; its own notices fall due.

    :raises NotAllowed: wrong role, no reason, not consolidated, or the lead's notices are made.
    """
    lead_of = CaseLink.objects.filter(kind=CONSOLIDATED, ended_at=None, case=case_id)
    # The lead first, as where a lead ends: so that no two callers block each other.
    lead = Case.objects.filter(pk__in=lead_of.values("other")).lock_first()
    case = Case.objects.lock(case_id)
    refuse(policies.why_not_consolidate(by))
    refuse("" if reason.strip() else "Say why the case goes its own way.")
    link = lead_of.filter(other=lead).first()
    if lead is None or link is None or case.stage != Status.CONSOLIDATED:
        raise NotAllowed(f"Case {case.number} is not consolidated into another.")
    if lead.stage != Status.ELIGIBLE or lead.notices.filter(round=lead.round).exists():
        refuse(
            f"The notices of {lead.number} name these treatments already, so it has to decide them."
        )
    link.ended_at = at
    link.store(by=by, at=at, why=reason, fields=["ended_at"])
    case.move_to(Status.ELIGIBLE, by=by, at=at, why=reason)
    _start_notices_deadline(case, by=by, at=at)
    lead.store(by=by, at=at, why=f"{case.number} goes its own way", fields=[])
    _tell(case, _PARTED, f"Follows {lead.number} no longer.", reason, by=by, at=at)
    _tell(lead, _PARTED, f"{case.number} follows no longer.", reason, by=by, at=at)
    return case


def release_followers(*, lead: Case, by: User | None, at: datetime) -> list[Case]:
    """Let the cases that followed a lead which ends early go their own way: their rights go on."""
    released = []
    for link in lead.linked_from.filter(kind=CONSOLIDATED, ended_at=None).order_by("pk"):
        case = Case.objects.lock(link.case_id)
        link.ended_at = at
        link.store(by=by, at=at, why="The lead ended early", fields=["ended_at"])
        if case.stage == Status.CONSOLIDATED:
            case.move_to(Status.ELIGIBLE, by=by, at=at, why=f"{lead.number} ended early")
            _start_notices_deadline(case, by=by, at=at)
            sentence = f"{lead.number} ended early, so this case goes its own way."
            _tell(case, _PARTED, sentence, "", by=by, at=at)
            released.append(case)
    return released


def close_with_lead(*, lead: Case, by: User, at: datetime) -> list[Case]:
    """Close the cases whose items their lead has decided. Called when its letter has gone out."""
    closed = []
    for case in consolidated_into(lead):
        case = Case.objects.lock(case.pk)
        if case.stage != Status.CONSOLIDATED:
            continue
        case.decided_on = lead.decided_on
        case.store(by=by, at=at, why="Decided in its lead", fields=["decided_on"])
        case.move_to(Status.CLOSED, by=by, at=at, why=f"Decided in {lead.number}")
        _tell(case, _JOINED, f"Decided in {lead.number} and closed.", "", by=by, at=at)
        closed.append(case)
    return closed


def _start_notices_deadline(case: Case, *, by: User | None, at: datetime) -> None:
    """The notices fall due again from the day on which the case stands alone again."""
    given = {"found_eligible": local_day(at).isoformat()}
    case_deadlines.start(case=case, deadline_kind="noarfi", given=given, by=by, at=at)


def _same_people(case: Case, lead: Case) -> bool:
    if case.date_of_injury is None or case.date_of_injury != lead.date_of_injury:
        return False
    return duplicates.compare(read_application_facts(case), read_application_facts(lead)).belongs


def _administrator(case: Case) -> int | None:
    party = case.parties.current().filter(role=Role.CLAIMS_ADMINISTRATOR).order_by("-pk").first()
    return party.organization_id if party else None


def _tell(
    case: Case, kind: Event.Kind, sentence: str, why: str, *, by: User | None, at: datetime
) -> None:
    Event.objects.create(
        case=case, kind=kind, happened_at=at, by=by, sentence=sentence, why=why.strip()
    )
