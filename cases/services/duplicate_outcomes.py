"""Answers a possible duplicate, and moves a case that waits for the answer."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.lifecycle import Status
from cases.models import Case, CaseLink, DuplicateProposal, Event, URDecision

from . import duplicates, endings


@transaction.atomic
def decide_duplicate(
    *,
    proposal_id: int,
    answer: str,
    reason: str,
    item_ids: Sequence[int] = (),
    by: User,
    at: datetime,
) -> DuplicateProposal:
    """Record how two similar cases are related. A case in the stage “Possible duplicate” moves.

    The same application twice is closed. Any other answer about the case for whose UR decision it
    waits gives it a UR decision of its own and returns it to screening.

    :raises NotAllowed: as ``resolve_duplicate``, or this person may not close the case.
    """
    proposal = duplicates.resolve_duplicate(
        proposal_id=proposal_id, answer=answer, reason=reason, item_ids=item_ids, by=by, at=at
    )
    case = Case.objects.lock(proposal.case_id)
    if case.stage != Status.DUPLICATE:
        return proposal
    if proposal.answer == DuplicateProposal.Answer.DUPLICATE:
        endings.close_locked_case(case=case, reason=reason, by=by, at=at)
    elif case.duplicate_of_id == proposal.other_id:
        _separate_duplicate(case, proposal, reason.strip(), by=by, at=at)
    return proposal


def _separate_duplicate(
    case: Case, proposal: DuplicateProposal, reason: str, *, by: User, at: datetime
) -> None:
    """Give a case its own UR decision and return it to screening, whose deadline runs already."""
    refuse_if(policies.why_not_by_conflicts(by, case))
    case.ur_decision = _copy_decision(case, reason, by=by, at=at)
    case.store(by=by, at=at, why=reason, fields=["ur_decision"])
    case.move_to(Status.SCREENING, by=by, at=at, why=reason)
    # Afterward: a case in the stage of possible duplicates must name its lead.
    case.duplicate_of = None
    case.store(by=by, at=at, why=reason, fields=["duplicate_of"])
    # The link was made on receipt. An earlier request has a link of another kind.
    for link in case.links.filter(
        kind=CaseLink.Kind.DUPLICATE, other=proposal.other_id, ended_at=None
    ):
        link.ended_at = at
        link.store(by=by, at=at, why=reason, fields=["ended_at"])
    Event.objects.create(
        case=case,
        kind=Event.Kind.REOPENED,
        happened_at=at,
        by=by,
        sentence="Moved to screening: it is not the same application.",
        why=reason,
    )


def _copy_decision(case: Case, reason: str, *, by: User, at: datetime) -> URDecision:
    """Copy the UR decision of a case as another one that agrees in all printed facts."""
    decision = URDecision.objects.select_for_update(of=("self",)).get(cases=case)
    same = URDecision.objects.filter(
        claim_number_normal=decision.claim_number_normal,
        decided_on=decision.decided_on,
        reference_normal=decision.reference_normal,
    )
    latest = same.order_by("-running_number").values_list("running_number", flat=True)[0]
    columns = {
        field.attname: getattr(decision, field.attname)
        for field in URDecision._meta.concrete_fields
        if field.name not in {"id", "version"}
    }
    columns |= {"running_number": latest + 1, "different_because": reason[:300]}
    return URDecision(**columns).store(by=by, at=at, why=reason)
