"""Giving many cases away: the plan that is shown first, and carrying it out case by case."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import takewhile

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.refusals import Refused, StaleForm, refuse
from cases.lifecycle import Status
from cases.models import Case
from deadlines.days import local_day
from reviewers import policies
from reviewers.matching import planning
from reviewers.matching.candidates import PanelToday, gather, panel_today
from reviewers.matching.planning import Asked, Step
from reviewers.matching.track_record import rules_on
from reviewers.models import Reviewer, ReviewerAssignment

from .assignment import SHOWN, Outdated, assign, free_seat
from .conflicts import test_organization_first
from .matching import rank

AT_ONCE = 60

HasTime = Callable[[], bool]  # whether the one who asked still waits


def always() -> bool:
    """For those who wait for all of it."""
    return True


@dataclass(frozen=True)
class Outcome:
    """What became of one line of a plan."""

    case_number: str
    is_done: bool
    sentence: str
    was_overtaken: bool = False  # someone else was first, or what was shown is no longer so
    is_left: bool = False  # its turn did not come


def waiting() -> QuerySet[Case]:
    """The cases that wait for their first reviewer, by what is due first."""
    held = ReviewerAssignment.objects.filter(state__in=ReviewerAssignment.LIVE)
    return (
        Case.objects.filter(status=Status.RECORDS_COMPLETE)
        .exclude(pk__in=held.values("case"))
        .order_by("due_on", "pk")
    )


def after(case: Case) -> str:
    """The number of the case that waits next after this one, round again at the end, or empty."""
    numbers = list(waiting().values_list("number", flat=True))
    at = numbers.index(case.number) + 1 if case.number in numbers else 0
    others = [number for number in numbers[at:] + numbers[:at] if number != case.number]
    return others[0] if others else ""


def draw_up(
    *,
    by: User,
    at: datetime,
    only: Collection[int] | None = None,
    has_time: HasTime = always,
) -> tuple[list[Step], int]:
    """Who would get each case that waits for its first reviewer, by what is due first.

    Stores nothing.

    :param only: the cases to plan for as if no others waited; all of them when left out.
    :param has_time: asked before each case; the plan ends where the answer is no.
    :returns: the plan, and how many cases wait in all.
    :raises NotAllowed: wrong role.
    """
    refuse(policies.why_not_plan(by))
    today = panel_at(at)
    cases = waiting() if only is None else waiting().filter(pk__in=only)
    in_time = takewhile(lambda _: has_time(), cases[:AT_ONCE])
    steps = planning.plan(
        replace(asked(case, today), why_not=policies.why_not_assign(by, case)) for case in in_time
    )
    return list(steps), waiting().count()


def panel_at(at: datetime) -> PanelToday:
    """The panel as the cases of a plan find it, gathered once for all of them."""
    day = local_day(at)
    return panel_today(rules_on(day, known_at=at), on=day, known_at=at)


def asked(case: Case, today: PanelToday) -> Asked:
    """What the plan is asked about a case."""
    question, people = gather(case, today)
    is_overdue = case.due_on is not None and case.due_on < today.on
    return Asked(case.pk, case.version, question, people, is_overdue)


@dataclass(frozen=True)
class Act:
    """One line of a plan to be carried out; a case that is not there has no id."""

    case_id: int | None
    case_number: str
    act: Callable[..., str]


def carry_out(
    *,
    choices: Sequence[tuple[int, int, int]],
    by: User,
    at: datetime,
    has_time: HasTime = always,
) -> list[Outcome]:
    """Offer each case to whom the plan showed; a refusal stops that case alone.

    Every requirement is asked again for each, as for one case that is given away on its own page.

    :param choices: the case, the version of it that was shown, and the reviewer.
    :param has_time: asked before each; once the answer is no, the others stay as they are.
    """
    wanted = Case.objects.filter(pk__in=[case_id for case_id, _, _ in choices])
    numbers = dict(wanted.values_list("pk", "number"))
    return each_by_itself(
        acts=[
            Act(
                case_id if case_id in numbers else None,
                numbers.get(case_id, "?"),
                partial(_offer, case_id, version, reviewer_id),
            )
            for case_id, version, reviewer_id in choices
        ],
        by=by,
        at=at,
        has_time=has_time,
    )


def each_by_itself(
    *,
    acts: Sequence[Act],
    by: User,
    at: datetime,
    has_time: HasTime,
) -> list[Outcome]:
    """Do each line of a plan in a transaction of its own; what is refused leaves no trace.

    An affiliation of this organization that is found on the way stays on file, refusal or not.
    """
    outcomes: list[Outcome] = []
    for one in acts:
        if one.case_id is None:
            outcomes.append(Outcome(one.case_number, False, "There is no such case."))
        elif any(before.is_left for before in outcomes) or not has_time():
            outcomes.append(Outcome(one.case_number, False, "Not reached yet.", is_left=True))
        else:
            test_organization_first(case_id=one.case_id, by=by, at=at)
            outcomes.append(_alone(one.case_number, partial(one.act, by=by, at=at)))
    return outcomes


def _alone(number: str, act: Callable[[], str]) -> Outcome:
    try:
        with transaction.atomic():
            sentence = act()
    except StaleForm as overtaken:
        return Outcome(number, False, str(overtaken), was_overtaken=True)
    except Refused as refusal:
        return Outcome(number, False, str(refusal))
    return Outcome(number, True, sentence)


def refuse_if_changed(case: Case, seen_version: int, *, reader: User) -> None:
    """Stop at a locked case that is not as the plan showed it.

    :raises Outdated: with who changed it.
    """
    if case.version == seen_version:
        return
    latest = case.history.order_by("-history_id").first()
    who = latest.history_user.name_for(reader) if latest and latest.history_user else "The system"
    raise Outdated(
        f"{who} changed the case after the plan was drawn up. Look at the plan again, then tick it."
    )


def offer_as_shown(*, case_id: int, reviewer_id: int, by: User, at: datetime) -> ReviewerAssignment:
    """Offer a locked case to the one whom a plan showed, from a list of candidates made now.

    :raises Outdated: others come first by now, so that a choice of a person is asked for.
    :raises NotAllowed: a requirement refuses, or any other refusal of ``assign``.
    """
    listed = rank(case_id=case_id, by=by, at=at)
    reviewer = Reviewer.objects.filter(pk=reviewer_id).first()
    if reviewer is None:
        refuse("There is no such reviewer.")
    place = listed.candidates.filter(reviewer=reviewer_id).values_list("rank", flat=True).first()
    if place is not None and place > SHOWN:
        raise Outdated(
            f"{reviewer} is no longer one of the first three for this case. "
            "Plan it alone, then tick it again."
        )
    return assign(
        case_id=case_id,
        reviewer_id=reviewer_id,
        candidate_list_id=listed.pk,
        seen_version=None,  # compared before, with the case locked
        by=by,
        at=at,
    )


def _offer(case_id: int, seen_version: int, reviewer_id: int, *, by: User, at: datetime) -> str:
    case = Case.objects.lock(case_id)
    free_seat(case, reader=by)
    refuse_if_changed(case, seen_version, reader=by)
    made = offer_as_shown(case_id=case_id, reviewer_id=reviewer_id, by=by, at=at)
    return f"Offered to {made.reviewer}."
