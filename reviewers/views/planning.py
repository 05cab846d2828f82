"""Pages that assign many cases at once: the waiting cases, and one reviewer's open cases."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from time import monotonic

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.requests import StaffRequest, posted_data
from cases.models import Case
from reviewers.forms.choosing import MoveForm, PlanForm
from reviewers.matching.planning import PlanStep
from reviewers.models import Reviewer
from reviewers.services import moving as move_services
from reviewers.services import planning as plan_services
from reviewers.services.planning import HasTime, PlanLineResult

from .panel import load_reviewer

# Seconds to build a plan, and again to execute it. The gunicorn timeout is 30.
TIME_LIMIT = 14


@dataclass(frozen=True)
class ProposedLine:
    """One line of a plan for display. ``value`` is the value of its checkbox."""

    step: PlanStep
    case: Case
    reviewer: Reviewer | None
    value: str
    is_ticked: bool


@require_http_methods(["GET", "HEAD", "POST"])
def batch_assign(request: StaffRequest) -> HttpResponse:
    """Show a plan for the waiting cases, then offer the selected ones."""
    form = PlanForm(posted_data(request))
    alone = _read_cases_to_replan(request)
    if form.is_bound and form.is_valid() and alone is None:
        outcomes = plan_services.execute_plan(
            choices=form.cleaned_data["choices"],
            by=request.user,
            at=timezone.now(),
            has_time=_start_time_limit(),
        )
        context = {
            "outcomes": outcomes,
            "left": [
                line
                for line, one in zip(request.POST.getlist("choices"), outcomes, strict=True)
                if one.is_left
            ],
            "waiting": plan_services.list_waiting_cases(request.user).count(),
        }
        return render(
            request, "reviewers/plan.html", context, status=_get_response_status(outcomes)
        )
    now = timezone.now()
    steps, waiting = plan_services.build_plan(
        by=request.user, at=now, only=alone, has_time=_start_time_limit()
    )
    context = {
        "form": form,
        "proposals": _build_proposals(
            [(step.case_id, step) for step in steps], _read_ticked_lines(request, alone)
        ),
        "without": sum(step.chosen is None for step in steps),
        "waiting": waiting,
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/plan.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def move_open_work(request: StaffRequest, code: str) -> HttpResponse:
    """Show a plan for a reviewer's open cases, then move the selected ones."""
    reviewer = load_reviewer(code)
    alone = _read_cases_to_replan(request)
    typed = {"reason": request.POST.get("reason", "")}
    # Planning the selected cases alone is no submission, so it shows no errors.
    form = MoveForm(posted_data(request)) if alone is None else MoveForm(initial=typed)
    outcomes: list[PlanLineResult] = []
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        outcomes = move_services.execute_move_plan(
            reviewer_id=reviewer.pk,
            choices=form.cleaned_data["choices"],
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
            has_time=_start_time_limit(),
        )
        status = _get_response_status(outcomes)
    # After the moves, so that the new plan counts them.
    now = timezone.now()
    lines, many = move_services.build_move_plan(
        reviewer_id=reviewer.pk,
        by=request.user,
        at=now,
        in_full=request.GET.get("all", ""),
        only=alone,
        has_time=_start_time_limit(),
    )
    context = {
        "reviewer": reviewer,
        "form": form,
        "outcomes": outcomes,
        "lines": list(
            zip(
                lines,
                _build_proposals(
                    [(line.assignment.pk, line.step) for line in lines],
                    None if outcomes else _read_ticked_lines(request, alone),
                ),
                strict=True,
            )
        ),
        "open_cases": many,
        "movable": any(line.step and line.step.chosen for line in lines),
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/move.html", context, status=status)


def _start_time_limit() -> HasTime:
    """Return a function that tells whether time is left.

    The request must end before a server or proxy timeout.
    """
    end = monotonic() + TIME_LIMIT
    return lambda: monotonic() < end


def _read_cases_to_replan(request: StaffRequest) -> list[int] | None:
    """Return the ids to plan alone, if that was requested and something is selected.

    The proposal for a case depends on the cases planned before it, so planning fewer cases may
    change it.
    """
    form = PlanForm(request.POST)
    if "alone" not in request.POST or not form.is_valid():
        return None
    return [case_id for case_id, _, _ in form.cleaned_data["choices"]]


def _read_ticked_lines(request: StaffRequest, alone: list[int] | None) -> list[str] | None:
    """Return the checkboxes of a refused form."""
    # On a new plan all lines are selected, because every proposal is new.
    is_refused = request.method == "POST" and alone is None
    return request.POST.getlist("choices") if is_refused else None


def _get_response_status(outcomes: Sequence[PlanLineResult]) -> int:
    """Return 409 if someone else was first, 422 if anything was refused, else 200."""
    if any(one.was_overtaken for one in outcomes):
        return 409
    return 200 if all(one.is_done or one.is_left for one in outcomes) else 422


def _build_proposals(
    steps: Sequence[tuple[int, PlanStep | None]], selected: Collection[str] | None
) -> list[ProposedLine | None]:
    """Build the displayed lines with their cases and proposed reviewers. Two queries.

    :param steps: pairs of the first number of the checkbox value and the step, if any.
    :param selected: checkbox values of a refused form; all are selected when left out.
    """
    reviewers = Reviewer.objects.in_bulk(
        [step.chosen.reviewer_id for _, step in steps if step and step.chosen]
    )
    # The plan holds only cases that its reader may see.
    cases = Case.objects.in_bulk([step.case_id for _, step in steps if step])
    lines: list[ProposedLine | None] = []
    for row_id, step in steps:
        if step is None:
            lines.append(None)
        elif step.chosen is None:
            lines.append(ProposedLine(step, cases[step.case_id], None, "", False))
        else:
            value = f"{row_id}:{step.version}:{step.chosen.reviewer_id}"
            is_ticked = selected is None or value in selected
            reviewer = reviewers[step.chosen.reviewer_id]
            lines.append(ProposedLine(step, cases[step.case_id], reviewer, value, is_ticked))
    return lines
