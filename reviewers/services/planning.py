"""Giving many cases away: the plan that is shown first, and carrying it out case by case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.versions import Stale
from cases.deadlines import local_day
from cases.lifecycle import Status
from cases.models import CannotMove, Case
from cases.policies import NotAllowed
from reviewers import planning, policies
from reviewers.candidates import gather, panel_today
from reviewers.models import Reviewer, ReviewerAssignment
from reviewers.planning import Step
from reviewers.standing import rules_on

from .assignment import assign
from .matching import rank

AT_ONCE = 25


@dataclass(frozen=True)
class Outcome:
    """What became of one line of a plan."""

    case_number: str
    is_done: bool
    sentence: str


def draw_up(*, by: User, at: datetime) -> tuple[list[Step], bool]:
    """Who would get each case that waits for its first reviewer, by what is due first.

    Stores nothing.

    :returns: the plan, and whether more cases wait than it holds.
    :raises NotAllowed: wrong role.
    """
    policies.refuse(policies.why_not_plan(by))
    day = local_day(at)
    rules = rules_on(day, known_at=at)
    held = ReviewerAssignment.objects.filter(state__in=ReviewerAssignment.LIVE)
    waiting = list(
        Case.objects.filter(status=Status.RECORDS_COMPLETE)
        .exclude(pk__in=held.values("case"))
        .order_by("due_on", "pk")[: AT_ONCE + 1]
    )
    today = panel_today(rules, on=day, known_at=at)
    steps = planning.plan(
        (case.pk, case.version, *gather(case, today)) for case in waiting[:AT_ONCE]
    )
    return list(steps), len(waiting) > AT_ONCE


def carry_out(*, choices: Sequence[tuple[int, int, int]], by: User, at: datetime) -> list[Outcome]:
    """Offer each case to whom the plan showed; a refusal stops that case alone.

    Every gate is asked again for each, as for one case that is given away on its own page.

    :param choices: the case, the version of it that was shown, and the reviewer.
    """
    outcomes = []
    for case_id, version, reviewer_id in choices:
        number = Case.objects.values_list("number", flat=True).filter(pk=case_id).first()
        if number is None:
            outcomes.append(Outcome("?", False, "There is no such case."))
            continue
        try:
            with transaction.atomic():
                listed = rank(case_id=case_id, by=by, at=at)
                made = assign(
                    case_id=case_id,
                    reviewer_id=reviewer_id,
                    candidate_list_id=listed.pk,
                    seen_version=version,
                    by=by,
                    at=at,
                )
        except (NotAllowed, CannotMove, Stale, Reviewer.DoesNotExist) as refusal:
            outcomes.append(Outcome(number, False, str(refusal)))
        else:
            outcomes.append(Outcome(number, True, f"Offered to {made.reviewer}."))
    return outcomes
