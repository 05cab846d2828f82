"""Moving one reviewer's open cases to others: a plan first, then case by case."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import takewhile

from django.db.models import F

from accounts.models import User
from accounts.refusals import refuse_if
from cases.lifecycle import Status
from cases.models.restrictions import select_visible
from reviewers import policies
from reviewers.matching import planning
from reviewers.matching.candidates import MatchingContext, RankingInput
from reviewers.matching.planning import PlanInput, PlanStep
from reviewers.models import ReviewerAssignment

from . import assignment as assignments
from .assignment import Outdated
from .planning import (
    HasTime,
    PlanAction,
    PlanLineResult,
    build_plan_inputs,
    has_unlimited_time,
    load_context_at,
    offer_planned_reviewer,
    refuse_if_changed,
    run_each_in_own_transaction,
)

# Cases in these statuses are no longer anyone's open work, even if an assignment is live.
_FINISHED_STATUSES = [Status.ISSUED, Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED]


@dataclass(frozen=True)
class MoveLine:
    """One open case of a reviewer: who would get it, or why it cannot be moved."""

    assignment: ReviewerAssignment
    step: PlanStep | None
    why_not: str


def build_move_plan(
    *,
    reviewer_id: int,
    by: User,
    at: datetime,
    in_full: str = "",
    only: Collection[int] | None = None,
    has_time: HasTime = has_unlimited_time,
) -> tuple[list[MoveLine], int]:
    """Propose a new reviewer for each open case of a reviewer, by due date. Stores nothing.

    The current reviewer is never proposed, and neither is a reviewer with another seat of the same
    case. Cases proposed earlier in the plan count as workload.

    :param in_full: the number of a case for which all ineligible reviewers are listed.
    :param only: assignment ids; plan only for these. All when left out.
    :param has_time: called before each case; the plan ends when it returns ``False``.
    :returns: the plan, and the total number of open cases.
    :raises NotAllowed: wrong role.
    """
    refuse_if(policies.why_not_plan(by))
    assignments = _list_open_assignments(reviewer_id, by)
    why_not = policies.map_reasons_not_to_move(by, assignments)
    selected_ids = {one.pk for one in assignments} if only is None else set(only)
    movable = [one for one in assignments if one.pk in selected_ids and not why_not[one.pk]]
    today = load_context_at(at)
    in_time = takewhile(lambda _: has_time(), _build_inputs_without_holder(movable, today))
    steps = planning.plan_assignments(in_time, work=today.work, in_full=in_full)
    # The plan is shorter than the list if the time ran out, hence not strict.
    step_of = {one.pk: step for one, step in zip(movable, steps, strict=False)}
    lines = [MoveLine(one, step_of.get(one.pk), why_not[one.pk]) for one in assignments]
    # A case that the plan did not reach has neither and is planned on the next load.
    return [line for line in lines if line.step or line.why_not], len(assignments)


def execute_move_plan(
    *,
    reviewer_id: int,
    choices: Sequence[tuple[int, int, int]],
    reason: str,
    by: User,
    at: datetime,
    has_time: HasTime = has_unlimited_time,
) -> list[PlanLineResult]:
    """Remove the reviewer from each case and offer it to the planned one, both or neither.

    Every requirement is checked again. A refusal affects only its own case, which is not moved.

    :param choices: assignment id, case version that was shown, and id of the new reviewer.
    :param has_time: called before each case; when it returns ``False``, the rest is not moved.
    :raises NotAllowed: wrong role, or no reason.
    """
    refuse_if(policies.why_not_plan(by))
    refuse_if("" if reason.strip() else "Enter why the cases are moved.")
    # The ids come from the form. Those of another reviewer are reported as unknown.
    open_assignments = select_visible(ReviewerAssignment.objects.all(), by).filter(
        reviewer=reviewer_id, pk__in=[pk for pk, _, _ in choices]
    )
    by_id = open_assignments.select_related("case").in_bulk()
    return run_each_in_own_transaction(
        acts=[
            PlanAction(
                by_id[pk].case_id if pk in by_id else None,
                by_id[pk].case.number if pk in by_id else "?",
                partial(_move_case, pk, version, to, reason),
            )
            for pk, version, to in choices
        ],
        by=by,
        at=at,
        has_time=has_time,
    )


def _list_open_assignments(reviewer_id: int, reader: User) -> list[ReviewerAssignment]:
    """Return the live assignments of a reviewer's open cases, by due date. One query."""
    return list(
        select_visible(ReviewerAssignment.objects.all(), reader)
        .filter(
            reviewer=reviewer_id,
            # A remand starts a new round, and work of an earlier one cannot be moved.
            round=F("case__round"),
            state__in=ReviewerAssignment.LIVE,
        )
        .exclude(case__status__in=_FINISHED_STATUSES)
        .select_related("case")
        .order_by("case__urgency", "case__due_on", "pk")
    )


def _build_inputs_without_holder(
    assignments: Sequence[ReviewerAssignment], today: MatchingContext
) -> Iterator[PlanInput]:
    """Build the plan input of each case, without its current reviewer."""
    # One query for all cases, because a plan may have many.
    seated: dict[int, set[int | None]] = defaultdict(set)
    for case_id, reviewer_id in ReviewerAssignment.objects.filter(
        case__in=[one.case_id for one in assignments],
        round=F("case__round"),
        state__in=ReviewerAssignment.LIVE,
    ).values_list("case_id", "reviewer_id"):
        seated[case_id].add(reviewer_id)
    inputs = build_plan_inputs([one.case for one in assignments], today)
    for one, (_, plan_input) in zip(assignments, inputs, strict=True):
        ranking = plan_input.ranking
        assert isinstance(ranking, RankingInput)  # noqa: S101
        holder = one.reviewer_id
        assert holder is not None  # noqa: S101  # selected by the reviewer
        others = [pk for pk in seated[one.case_id] if pk is not None]
        yield replace(plan_input, ranking=ranking.without_holder(holder, others))


def _move_case(
    assignment_id: int, seen_version: int, to: int, reason: str, *, by: User, at: datetime
) -> str:
    # Locked before the checks, so that nothing changes between them and the removal.
    assignment = assignments.lock_assignment(assignment_id)
    _refuse_if_gone(assignment, reader=by)
    refuse_if_changed(assignment.case, seen_version, reader=by)
    if to == assignment.reviewer_id:
        refuse_if("This reviewer already has the case. Choose another reviewer.")
    assignments.remove_reviewer(
        assignment_id=assignment_id, reason=reason, to_another=True, by=by, at=at
    )
    offered = offer_planned_reviewer(case_id=assignment.case_id, reviewer_id=to, by=by, at=at)
    return f"Moved to {offered.reviewer_label}."


def _refuse_if_gone(assignment: ReviewerAssignment, *, reader: User) -> None:
    """Refuse when the assignment has ended.

    :raises Outdated: the reviewer no longer has the case; the message says why and by whom.
    """
    if assignment.is_live:
        return
    latest = assignment.history.order_by("-history_id").first()
    name = latest.history_user.name_for(reader) if latest and latest.history_user else "the system"
    state = assignment.get_state_display().lower()
    raise Outdated(f"{assignment.reviewer} no longer has the case: {state} by {name}.")
