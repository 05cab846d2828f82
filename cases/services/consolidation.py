"""Consolidation of cases with the same employee, physician and date of injury.

One lead case decides the items of all. Each item stays in its own case (8 CCR 9792.10.4(a)).
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases import duplicates, policies
from cases.consolidated_items import CONSOLIDATED, list_consolidated_cases
from cases.lifecycle import Status
from cases.models import Case, CaseLink, Event, PartyRole
from deadlines.days import local_day

from . import case_deadlines, own_conflicts, restrictions
from .duplicates import SimilarCase, find_similar_cases, read_application_facts

_CONSOLIDATED_KIND, _SEPARATED_KIND = Event.Kind.CONSOLIDATED, Event.Kind.SEPARATED


def find_consolidation_candidates(lead: Case) -> list[SimilarCase]:
    """List the eligible cases that may be consolidated into this one. Five queries."""
    similar = find_similar_cases(facts=read_application_facts(lead), excluded_case=lead)
    return [
        one
        for one in similar
        if one.possible_duplicate.can_consolidate
        and one.case.stage == Status.ELIGIBLE
        # Last, because only this condition queries.
        and not why_not_consolidate_pair(one.case, lead)
    ]


def why_not_consolidate_pair(case: Case, lead: Case) -> str:
    """Say why one case cannot be consolidated into another; empty if it can. Queries."""
    for one in (case, lead):
        if one.stage != Status.ELIGIBLE:
            return (
                f"Case {one.number} is in the “{one.stage.label}” stage. "
                "Only eligible cases without notices can be consolidated."
            )
        # Notices name the treatments of the review, so they must not exist yet.
        if one.notices.filter(round=one.round).exists():
            return f"The notices of {one.number} already exist and name only its own treatments."
    if case.pk == lead.pk:
        return "A case cannot be consolidated with itself."
    # No chains: the lead that decides a case must be one step away.
    if list_consolidated_cases(case):
        return f"Other cases are consolidated into {case.number}. Make that one the lead case."
    if not _same_people(case, lead):
        return (
            "Cases can be consolidated only if employee, requesting physician and date of injury "
            "are the same (8 CCR 9792.10.4(a))."
        )
    if _find_administrator_id(case) != _find_administrator_id(lead):
        return "The cases have different claims administrators, so one notice cannot serve both."
    return ""


@transaction.atomic
def consolidate_case(*, case_id: int, lead_id: int, reason: str, by: User, at: datetime) -> Case:
    """Consolidate a case into a lead case, which decides the items of both.

    :raises NotAllowed: wrong role, no reason, or the two may not be consolidated.
    """
    # Both, before any check: either could get notices in the meantime.
    locked = Case.objects.lock_all([case_id, lead_id])
    case, lead = locked[case_id], locked[lead_id]
    refuse_if(policies.why_not_consolidate(by))
    refuse_if("" if reason.strip() else "Enter why the cases are consolidated.")
    refuse_if(why_not_consolidate_pair(case, lead))
    CaseLink(kind=CONSOLIDATED, case=case, other=lead, reason=reason.strip()[:500]).store(
        by=by, at=at, why=reason
    )
    restrictions.spread_restriction(case=case, other=lead, by=by, at=at)
    case.move_to(Status.CONSOLIDATED, by=by, at=at, why=reason)
    # From now on the deadlines of the lead count for these items.
    case_deadlines.stop_deadlines(case=case, why=f"Consolidated into {lead.number}", by=by, at=at)
    # A new version of the lead, so that pages opened before this change are refused.
    lead.store(by=by, at=at, why=f"{case.number} consolidated", fields=[])
    _record_link_event(
        case,
        _CONSOLIDATED_KIND,
        f"Consolidated into {lead.number}. The items stay in this case.",
        reason,
        by=by,
        at=at,
    )
    _record_link_event(
        lead,
        _CONSOLIDATED_KIND,
        f"{case.number} was consolidated into this case.",
        reason,
        by=by,
        at=at,
    )
    # The lead now has the parties of both cases.
    own_conflicts.check_own_conflicts(case=lead, by=by, at=at)
    return case


@transaction.atomic
def separate_case(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """Separate a case from its lead before the notices of the lead. Its own notices become due.

    :raises NotAllowed: wrong role, no reason, not consolidated, or the lead has notices.
    """
    open_links = CaseLink.objects.filter(kind=CONSOLIDATED, ended_at=None, case=case_id)
    # Lock the lead first, as ending a lead does: with one order, callers cannot deadlock.
    lead = Case.objects.filter(pk__in=open_links.values("other")).lock_first()
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_consolidate(by))
    refuse_if("" if reason.strip() else "Enter why the case is separated.")
    # Read again under the locks: someone else may have separated the case.
    link = open_links.filter(other=lead).first()
    if lead is None or link is None or case.stage != Status.CONSOLIDATED:
        raise NotAllowed(f"Case {case.number} is not consolidated into another.")
    if lead.stage != Status.ELIGIBLE or lead.notices.filter(round=lead.round).exists():
        refuse_if(
            f"The notices of {lead.number} already name these treatments, so it must decide them."
        )
    link.ended_at = at
    link.store(by=by, at=at, why=reason, fields=["ended_at"])
    case.move_to(Status.ELIGIBLE, by=by, at=at, why=reason)
    _start_notices_deadline(case, by=by, at=at)
    # Pages of the lead that were opened before this change are refused.
    lead.store(by=by, at=at, why=f"{case.number} separated", fields=[])
    _record_link_event(
        case, _SEPARATED_KIND, f"Separated from {lead.number}.", reason, by=by, at=at
    )
    _record_link_event(
        lead, _SEPARATED_KIND, f"{case.number} was separated from this case.", reason, by=by, at=at
    )
    return case


def release_consolidated_cases(*, lead: Case, by: User | None, at: datetime) -> list[Case]:
    """Separate the cases of a lead that ends early, so that their reviews continue."""
    released = []
    for link in lead.linked_from.filter(kind=CONSOLIDATED, ended_at=None).order_by("pk"):
        # After the lead, which the caller has locked: the same order as in separate_case.
        case = Case.objects.lock(link.case_id)
        link.ended_at = at
        link.store(by=by, at=at, why="The lead ended early", fields=["ended_at"])
        # A case that ended on its own stays ended; only its link ends.
        if case.stage == Status.CONSOLIDATED:
            case.move_to(Status.ELIGIBLE, by=by, at=at, why=f"{lead.number} ended early")
            _start_notices_deadline(case, by=by, at=at)
            sentence = f"{lead.number} ended early, so this case was separated from it."
            _record_link_event(case, _SEPARATED_KIND, sentence, "", by=by, at=at)
            released.append(case)
    return released


def close_consolidated_cases(*, lead: Case, by: User, at: datetime) -> list[Case]:
    """Close the cases whose items their lead has decided. Called when its letter was sent."""
    closed = []
    for case in list_consolidated_cases(lead):
        # The list was read before the lock.
        case = Case.objects.lock(case.pk)
        # The case may have been withdrawn or terminated on its own.
        if case.stage != Status.CONSOLIDATED:
            continue
        case.decided_on = lead.decided_on
        case.store(by=by, at=at, why="Decided in its lead", fields=["decided_on"])
        case.move_to(Status.CLOSED, by=by, at=at, why=f"Decided in {lead.number}")
        _record_link_event(
            case, _CONSOLIDATED_KIND, f"Decided in {lead.number} and closed.", "", by=by, at=at
        )
        closed.append(case)
    return closed


def _start_notices_deadline(case: Case, *, by: User | None, at: datetime) -> None:
    """Start the deadline for the notices on the day on which the case was separated."""
    # Not the day of the eligibility decision: the period from it may have passed in the meantime.
    given = {"found_eligible": local_day(at).isoformat()}
    case_deadlines.start_deadline(case=case, deadline_kind="noarfi", given=given, by=by, at=at)


def _same_people(case: Case, lead: Case) -> bool:
    """Check the conditions of 8 CCR 9792.10.4(a): employee, physician, date of injury."""
    # Two unknown dates are not the same date.
    if case.date_of_injury is None or case.injury_printed != lead.injury_printed:
        return False
    return duplicates.compare_applications(
        read_application_facts(case), read_application_facts(lead)
    ).can_consolidate


def _find_administrator_id(case: Case) -> int | None:
    """Return the organization id of the claims administrator."""
    party = (
        case.parties.current().filter(role=PartyRole.CLAIMS_ADMINISTRATOR).order_by("-pk").first()
    )
    return party.organization_id if party else None


def _record_link_event(
    case: Case, kind: Event.Kind, sentence: str, why: str, *, by: User | None, at: datetime
) -> None:
    """Write the event of a consolidation or separation."""
    Event.objects.create(
        case=case, kind=kind, happened_at=at, by=by, sentence=sentence, why=why.strip()
    )
