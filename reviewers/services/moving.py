"""Moving one reviewer's open work to others: on paper first, then case by case."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import takewhile

from django.db.models import F

from accounts.models import User
from accounts.refusals import refuse
from cases.lifecycle import Status
from reviewers import policies
from reviewers.matching import planning
from reviewers.matching.candidates import PanelToday
from reviewers.matching.planning import Asked, Step
from reviewers.models import ReviewerAssignment

from . import assignment as assignments
from .assignment import Outdated
from .planning import (
    Act,
    HasTime,
    Outcome,
    always,
    asked,
    each_by_itself,
    offer_as_shown,
    panel_at,
    refuse_if_changed,
)

# A case that has come this far is in no one's hands, whatever its assignment says.
_OVER = [Status.ISSUED, Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED]


@dataclass(frozen=True)
class Line:
    """One open case of a reviewer: who would get it, or why it stays with them."""

    held: ReviewerAssignment
    step: Step | None
    why_not: str


def draw_up(
    *,
    reviewer_id: int,
    by: User,
    at: datetime,
    in_full: str = "",
    only: Collection[int] | None = None,
    has_time: HasTime = always,
) -> tuple[list[Line], int]:
    """Who would get each open case of a reviewer, by what is due first. Stores nothing.

    The reviewer is not asked, whatever the panel's rules say of them; neither is who has another
    seat of the same case. What the plan gives away counts as it goes.

    :param in_full: the number of a case for which everyone who is kept out is told of.
    :param only: the assignments to plan for as if there were no others; all when left out.
    :param has_time: asked before each case; the plan ends where the answer is no.
    :returns: the plan, and how many open cases there are in all.
    :raises NotAllowed: wrong role.
    """
    refuse(policies.why_not_plan(by))
    held = _open_work(reviewer_id)
    why_not = {one.pk: policies.why_not_move(by, one) for one in held}
    wanted = {one.pk for one in held} if only is None else set(only)
    movable = [one for one in held if one.pk in wanted and not why_not[one.pk]]
    in_time = takewhile(lambda _: has_time(), _asked_of_others(movable, panel_at(at)))
    steps = planning.plan(in_time, in_full=in_full)
    found = {one.pk: step for one, step in zip(movable, steps, strict=False)}
    lines = [Line(one, found.get(one.pk), why_not[one.pk]) for one in held]
    return [line for line in lines if line.step or line.why_not], len(held)


def carry_out(
    *,
    reviewer_id: int,
    choices: Sequence[tuple[int, int, int]],
    reason: str,
    by: User,
    at: datetime,
    has_time: HasTime = always,
) -> list[Outcome]:
    """Take each case back and offer it to whom the plan showed, both or neither.

    Every requirement is asked again for each; a refusal stops that case alone, which stays where it
    is.

    :param choices: the assignment, the version of its case that was shown, and who gets it.
    :param has_time: asked before each; once the answer is no, the others stay as they are.
    :raises NotAllowed: wrong role, or no reason.
    """
    refuse(policies.why_not_plan(by))
    refuse("" if reason.strip() else "Say why the work is moved.")
    theirs = ReviewerAssignment.objects.filter(
        reviewer=reviewer_id, pk__in=[pk for pk, _, _ in choices]
    )
    held = theirs.select_related("case").in_bulk()
    return each_by_itself(
        acts=[
            Act(
                held[pk].case_id if pk in held else None,
                held[pk].case.number if pk in held else "?",
                partial(_move, pk, version, to, reason),
            )
            for pk, version, to in choices
        ],
        by=by,
        at=at,
        has_time=has_time,
    )


def _open_work(reviewer_id: int) -> list[ReviewerAssignment]:
    """Every case in a reviewer's hands wherever it stands, with its case. Queries once."""
    return list(
        ReviewerAssignment.objects.filter(
            reviewer=reviewer_id,
            round=F("case__round"),
            state__in=ReviewerAssignment.LIVE,
        )
        .exclude(case__status__in=_OVER)
        .select_related("case")
        .order_by("case__due_on", "pk")
    )


def _asked_of_others(held: Sequence[ReviewerAssignment], today: PanelToday) -> Iterator[Asked]:
    """Each case, put to everyone but its reviewer."""
    seated: dict[int, set[int | None]] = defaultdict(set)
    for case_id, reviewer_id in ReviewerAssignment.objects.filter(
        case__in=[one.case_id for one in held],
        round=F("case__round"),
        state__in=ReviewerAssignment.LIVE,
    ).values_list("case_id", "reviewer_id"):
        seated[case_id].add(reviewer_id)
    for one in held:
        question = asked(one.case, today)
        yield replace(
            question,
            people=[
                replace(person, barred_because="has another seat of it")
                if person.profile.reviewer_id in seated[one.case_id]
                else person
                for person in question.people
                if person.profile.reviewer_id != one.reviewer_id
            ],
        )


def _move(
    assignment_id: int, seen_version: int, to: int, reason: str, *, by: User, at: datetime
) -> str:
    held = assignments.lock_assignment(assignment_id)
    _refuse_if_gone(held, reader=by)
    refuse_if_changed(held.case, seen_version, reader=by)
    if to == held.reviewer_id:
        refuse("The work is moved away from this reviewer. Choose someone else.")
    assignments.remove(assignment_id=assignment_id, reason=reason, to_another=True, by=by, at=at)
    made = offer_as_shown(case_id=held.case_id, reviewer_id=to, by=by, at=at)
    return f"Moved to {made.reviewer}."


def _refuse_if_gone(held: ReviewerAssignment, *, reader: User) -> None:
    """:raises Outdated: the case has left the reviewer; the message says how, and by whom."""
    if held.is_live:
        return
    latest = held.history.order_by("-history_id").first()
    who = latest.history_user.name_for(reader) if latest and latest.history_user else "the system"
    raise Outdated(
        f"The case is no longer with {held.reviewer}: {held.get_state_display().lower()}, by {who}."
    )
