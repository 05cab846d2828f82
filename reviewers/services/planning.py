"""Batch assignment: the plan that is shown first, and executing it case by case."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import takewhile

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.refusals import Refused, StaleForm, refuse_if
from cases.lifecycle import Status
from cases.models import Case
from deadlines.days import local_day
from reviewers import policies
from reviewers.matching import planning
from reviewers.matching.candidates import (
    MatchingContext,
    gather_ranking_inputs,
    load_matching_context,
)
from reviewers.matching.planning import PlanInput, PlanStep
from reviewers.models import Reviewer, ReviewerAssignment

from .assignment import SHOWN_CANDIDATES, Outdated, assign_reviewer, get_free_seat
from .conflicts import check_own_conflicts_first
from .matching import rank_panel

CASES_PER_PLAN = 60  # cases in one plan

HasTime = Callable[[], bool]  # whether the request still has time for another case


def has_unlimited_time() -> bool:
    """Return ``True``: for callers without a time limit."""
    return True


@dataclass(frozen=True)
class PlanLineResult:
    """The result of one line of a plan."""

    case_number: str
    is_done: bool
    sentence: str
    was_overtaken: bool = False  # someone else was first, or the plan is out of date
    is_left: bool = False  # the time was over before its turn


def list_waiting_cases(reader: User) -> QuerySet[Case]:
    """Return the cases that wait for their first reviewer: expedited first, then by due date."""
    live = ReviewerAssignment.objects.filter(state__in=ReviewerAssignment.LIVE)
    return (
        Case.objects.visible_to(reader)
        .filter(status=Status.RECORDS_COMPLETE)
        # RECORDS_COMPLETE includes cases with one of several seats assigned; staff assign those.
        .exclude(pk__in=live.values("case"))
        .order_by("urgency", "due_on", "pk")
    )


def find_next_waiting(case: Case, reader: User) -> str:
    """Return the number of the next waiting case after this one, or an empty string.

    After the last case, the list starts again from the first.
    """
    numbers = list(list_waiting_cases(reader).values_list("number", flat=True))
    at = numbers.index(case.number) + 1 if case.number in numbers else 0
    others = [number for number in numbers[at:] + numbers[:at] if number != case.number]
    return others[0] if others else ""


def build_plan(
    *,
    by: User,
    at: datetime,
    only: Collection[int] | None = None,
    has_time: HasTime = has_unlimited_time,
) -> tuple[list[PlanStep], int]:
    """Propose a reviewer for each case that waits for its first one, by due date.

    Stores nothing.

    :param only: case ids; plan only for these. All waiting cases when left out.
    :param has_time: called before each case; the plan ends when it returns ``False``.
    :returns: the plan, and the total number of waiting cases.
    :raises NotAllowed: wrong role.
    """
    refuse_if(policies.why_not_plan(by))
    today = load_context_at(at)
    cases = list_waiting_cases(by) if only is None else list_waiting_cases(by).filter(pk__in=only)
    planned = build_plan_inputs(cases[:CASES_PER_PLAN], today)
    # A case that cannot be assigned stays in the plan, with the reason.
    reasons = policies.map_reasons_not_to_assign(by, [case for case, _ in planned])
    inputs = (replace(one, why_not=reasons[case.pk]) for case, one in planned)
    steps = planning.plan_assignments(takewhile(lambda _: has_time(), inputs), work=today.work)
    return list(steps), list_waiting_cases(by).count()


def load_context_at(at: datetime) -> MatchingContext:
    """Load the panel, rules and specialty map once for all cases of a plan."""
    return load_matching_context(on=local_day(at), known_at=at)


def build_plan_inputs(
    cases: Iterable[Case], today: MatchingContext
) -> list[tuple[Case, PlanInput]]:
    """Build the plan inputs of some cases. Three queries and the one of the cases."""
    rows = list(cases)
    return [
        (
            case,
            PlanInput(
                case.pk,
                case.version,
                case_input,
                is_overdue=case.due_on is not None and case.due_on < today.on,
            ),
        )
        for case, case_input in zip(rows, gather_ranking_inputs(rows, today), strict=True)
    ]


@dataclass(frozen=True)
class PlanAction:
    """One line of a plan to execute. ``case_id`` is ``None`` if there is no such case."""

    case_id: int | None
    case_number: str
    service: Callable[..., str]


def execute_plan(
    *,
    choices: Sequence[tuple[int, int, int]],
    by: User,
    at: datetime,
    has_time: HasTime = has_unlimited_time,
) -> list[PlanLineResult]:
    """Offer each case to the planned reviewer. A refusal affects only its own case.

    Every requirement is checked again, as on the page of a single case.

    :param choices: case id, case version that was shown, and reviewer id.
    :param has_time: called before each case; when it returns ``False``, the rest is not offered.
    """
    planned_cases = Case.objects.visible_to(by).filter(
        pk__in=[case_id for case_id, _, _ in choices]
    )
    numbers = dict(planned_cases.values_list("pk", "number"))
    return run_each_in_own_transaction(
        acts=[
            PlanAction(
                case_id if case_id in numbers else None,
                numbers.get(case_id, "?"),
                partial(_offer_case, case_id, version, reviewer_id),
            )
            for case_id, version, reviewer_id in choices
        ],
        by=by,
        at=at,
        has_time=has_time,
    )


def run_each_in_own_transaction(
    *,
    acts: Sequence[PlanAction],
    by: User,
    at: datetime,
    has_time: HasTime,
) -> list[PlanLineResult]:
    """Run each line of a plan in its own transaction. A refused line is rolled back.

    A conflict of this organization that is found is kept even if the line is refused.
    """
    outcomes: list[PlanLineResult] = []
    for one in acts:
        if one.case_id is None:
            outcomes.append(PlanLineResult(one.case_number, False, "There is no such case."))
        # After one line is left, the rest is left too, so that the order of the plan is kept.
        elif any(before.is_left for before in outcomes) or not has_time():
            outcomes.append(
                PlanLineResult(one.case_number, False, "Not processed yet.", is_left=True)
            )
        else:
            check_own_conflicts_first(case_id=one.case_id, by=by, at=at)
            outcomes.append(
                _run_in_own_transaction(one.case_number, partial(one.service, by=by, at=at))
            )
    return outcomes


def _run_in_own_transaction(number: str, service: Callable[[], str]) -> PlanLineResult:
    try:
        with transaction.atomic():
            sentence = service()
    # Before ``Refused``, which is its base class.
    except StaleForm as overtaken:
        return PlanLineResult(number, False, str(overtaken), was_overtaken=True)
    except Refused as refusal:
        return PlanLineResult(number, False, str(refusal))
    return PlanLineResult(number, True, sentence)


def refuse_if_changed(case: Case, seen_version: int, *, reader: User) -> None:
    """Refuse when a locked case has changed since the plan was shown.

    :raises Outdated: the message says who changed it.
    """
    if case.version == seen_version:
        return
    latest = case.history.order_by("-history_id").first()
    name = latest.history_user.name_for(reader) if latest and latest.history_user else "The system"
    raise Outdated(
        f"{name} changed the case after this plan was made. "
        "Review the new plan, then select the case again."
    )


def offer_planned_reviewer(
    *, case_id: int, reviewer_id: int, by: User, at: datetime
) -> ReviewerAssignment:
    """Offer a locked case to the planned reviewer, from a candidate list made now.

    :raises Outdated: the reviewer is no longer one of the first three, so a person must choose.
    :raises NotAllowed: a requirement refuses, or any other refusal of ``assign_reviewer``.
    """
    # An assignment names the list that it was chosen from, so the list is made now.
    candidate_list = rank_panel(case_id=case_id, by=by, at=at)
    reviewer = Reviewer.objects.filter(pk=reviewer_id).first()
    if reviewer is None:
        refuse_if("There is no such reviewer.")
    listed = candidate_list.find_candidate(reviewer_id)
    place = listed.rank if listed else None
    # A lower rank needs a reason, and the form of a plan has no field for it.
    if place is not None and place > SHOWN_CANDIDATES:
        raise Outdated(
            f"{reviewer} is no longer one of the first three for this case. "
            "Plan this case alone, then select it again."
        )
    return assign_reviewer(
        case_id=case_id,
        reviewer_id=reviewer_id,
        candidate_list_id=candidate_list.pk,
        seen_version=None,  # already compared, with the case locked
        by=by,
        at=at,
    )


def _offer_case(
    case_id: int, seen_version: int, reviewer_id: int, *, by: User, at: datetime
) -> str:
    case = Case.objects.lock(case_id)
    # Checked before the version, because its message names the person who was faster.
    get_free_seat(case, reader=by)
    refuse_if_changed(case, seen_version, reader=by)
    offered = offer_planned_reviewer(case_id=case_id, reviewer_id=reviewer_id, by=by, at=at)
    return f"Offered to {offered.reviewer_label}."
