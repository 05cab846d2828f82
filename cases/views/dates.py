"""Pages of a case's dates.

Every deadline with its sum, holds, extensions, commitments, priority.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted
from cases import policies
from cases.forms.dates import (
    CommitmentForm,
    DayForm,
    EndHoldForm,
    ExtensionForm,
    HoldForm,
    MovedCommitmentForm,
    PriorityForm,
)
from cases.models import Case
from cases.services import (
    aftermath,
    commitments,
    deadline_information,
    extensions,
    holds,
    priority,
    time_in_stage,
)
from deadlines.kinds import DEADLINE_KINDS
from form_fields.fields import DatedForm

from .acting import load_case

_READ_AND_ANSWER = ["GET", "HEAD", "POST"]


@require_safe
def deadline_kinds(request: StaffRequest, number: str) -> HttpResponse:
    """Every deadline of a case, and everything that moved or promised a date."""
    case, now = load_case(number), timezone.now()
    today = timezone.localdate(now)
    user = request.user
    held = list(case.holds.select_related("begun_by", "ended_by").order_by("starts_on", "pk"))
    context = {
        "case": case,
        "tab": "deadline_kinds",
        "today": today,
        "deadlines": case.deadlines.filter(replaced_at__isnull=True).order_by("due_on", "pk"),
        "information": deadline_information.information_for(case=case, on=today),
        "lateness": deadline_information.lateness(case=case, at=now),
        "holds": [(hold, hold.lasts_on(today), hold.can_end(today)) for hold in held],
        "held_days": _days_held(held),
        "extensions": case.extensions.order_by("recorded_at", "pk"),
        "days_left": extensions.days_left(case=case),
        "commitments": [
            (one, commitments.why_not_move(one))
            for one in case.commitments.select_related("party", "letter").order_by("pk")
        ],
        "priority_changes": case.priority_changes.select_related("changed_by").order_by("pk"),
        "in_lists": time_in_stage.totals(intervals=time_in_stage.in_lists(case=case, at=now)),
        "with_people": time_in_stage.totals(
            intervals=[
                *time_in_stage.with_people(case=case, reader=user, at=now),
                *time_in_stage.with_reviewers(case=case, at=now),
            ]
        ),
        "why_not_hold": policies.why_not_hold(user, case),
        "why_not_extend": policies.why_not_extend(user, case),
        "why_not_convert": policies.why_not_convert(user, case),
        "why_not_commitment": policies.why_not_commitment(user, case),
        "may_state_receipt": not policies.why_not_state_receipt(user, case),
    }
    return render(request, "cases/deadlines.html", context)


def _days_held(rows: list[Any]) -> int:
    """Calendar days held, each day once."""
    days = {
        hold.starts_on.toordinal() + n
        for hold in rows
        if not hold.deadline_kind
        for n in range(max(0, hold.days))
    }
    return len(days)


@require_safe
def deadline_kind(request: StaffRequest, number: str, deadline_kind: str) -> HttpResponse:
    """One deadline with its arithmetic, and every earlier sum of it."""
    case, today = load_case(number), timezone.localdate()
    if deadline_kind not in DEADLINE_KINDS:
        raise Http404("There is no such deadline.")
    sums = list(case.deadlines.filter(deadline_kind=deadline_kind).order_by("-pk"))
    told = [
        one
        for one in deadline_information.information_for(case=case, on=today)
        if one.deadline_kind == deadline_kind
    ]
    if not sums and not told:
        raise Http404("This deadline never ran on the case.")
    context = {
        "case": case,
        "tab": "deadline_kinds",
        "today": today,
        "deadline_kind": DEADLINE_KINDS[deadline_kind],
        "current": [row for row in sums if row.replaced_at is None],
        "earlier": [row for row in sums if row.replaced_at is not None],
        "told": told,
    }
    return render(request, "cases/deadline.html", context)


def _act(
    request: StaffRequest,
    case: Case,
    form: DatedForm,
    *,
    title: str,
    button: str,
    why_not: str,
    act: Callable[[], Any],
    done: str,
    lead: str = "",
) -> HttpResponse:
    """The common shape: a page with one form, which one service answers."""
    tried = run_action(request, form, act)
    if tried.done:
        messages.success(request, done)
        return redirect("cases:deadlines", case.number)
    context = {
        "case": case,
        "form": form,
        "title": title,
        "button": button,
        "why_not": why_not,
        "lead": lead,
        "tab": "deadline_kinds",
        "today": form.today,
    }
    return render(request, "cases/date_act.html", context, status=tried.status)


def _shown(day: date) -> str:
    return f"{day:%m/%d/%Y}"


@require_http_methods(_READ_AND_ANSWER)
def begin_hold(request: StaffRequest, number: str) -> HttpResponse:
    """Hold a case or one of its deadlines."""
    case, now = load_case(number), timezone.now()
    today = timezone.localdate(now)
    form = HoldForm(posted(request), today=today, case=case, initial={"starts_on": _shown(today)})
    return _act(
        request,
        case,
        form,
        title="Hold",
        button="Begin the hold",
        why_not=policies.why_not_hold(request.user, case),
        lead="A hold moves our own target. It moves the legal date only where the law names the "
        "reason; the sum of each deadline says which.",
        act=lambda: holds.begin_hold(case_id=case.pk, **form.cleaned_data, by=request.user, at=now),
        done="The hold is on file, and every deadline was counted again.",
    )


@require_http_methods(_READ_AND_ANSWER)
def end_hold(request: StaffRequest, number: str, hold_id: int) -> HttpResponse:
    """End a hold."""
    case, now = load_case(number), timezone.now()
    hold = get_object_or_404(case.holds, pk=hold_id)
    today = timezone.localdate(now)
    form = EndHoldForm(posted(request), today=today, hold=hold, initial={"ended_on": _shown(today)})
    over = "" if hold.can_end(today) else "This hold is over."
    return _act(
        request,
        case,
        form,
        title=f"End the hold: {hold.get_reason_display().lower()}",
        button="End the hold",
        why_not=policies.why_not_end_hold(request.user) or over,
        act=lambda: holds.end_hold(hold_id=hold.pk, **form.cleaned_data, by=request.user, at=now),
        done="The hold has ended, and every deadline was counted again.",
    )


@require_http_methods(_READ_AND_ANSWER)
def extend(request: StaffRequest, number: str) -> HttpResponse:
    """Put an extension that the Administrative Director approved on file."""
    case, now = load_case(number), timezone.now()
    form = ExtensionForm(posted(request), today=timezone.localdate(now))
    left = extensions.days_left(case=case)
    return _act(
        request,
        case,
        form,
        title="Extension for good cause",
        button="Put it on file",
        why_not=policies.why_not_extend(request.user, case),
        lead=f"{left} day{'' if left == 1 else 's'} can still be added to the determination.",
        act=lambda: extensions.extend(
            case_id=case.pk, **form.cleaned_data, by=request.user, at=now
        ),
        done="The extension is on file, and the legal date has moved.",
    )


@require_http_methods(_READ_AND_ANSWER)
def convert(request: StaffRequest, number: str) -> HttpResponse:
    """Make a case expedited, formulary or regular."""
    case, now = load_case(number), timezone.now()
    form = PriorityForm(posted(request), today=timezone.localdate(now), case=case)
    return _act(
        request,
        case,
        form,
        title="Priority",
        button="Change the priority",
        why_not=policies.why_not_convert(request.user, case),
        lead=f"Now: {case.get_priority_display().lower()}. Every open limit is counted again.",
        act=lambda: priority.convert(case_id=case.pk, **form.facts(), by=request.user, at=now),
        done="The priority has changed, and every open limit was counted again.",
    )


@require_http_methods(_READ_AND_ANSWER)
def commitment(request: StaffRequest, number: str) -> HttpResponse:
    """Put on file that a party was told a date."""
    case, now = load_case(number), timezone.now()
    today = timezone.localdate(now)
    form = CommitmentForm(
        posted(request), today=today, case=case, initial={"told_on": _shown(today)}
    )
    return _act(
        request,
        case,
        form,
        title="A date promised to a party",
        button="Put it on file",
        why_not=policies.why_not_commitment(request.user, case),
        act=lambda: commitments.commitment(
            case_id=case.pk, **form.facts(), by=request.user, at=now
        ),
        done="The commitment is on file.",
    )


@require_http_methods(_READ_AND_ANSWER)
def move_commitment(request: StaffRequest, number: str, commitment_id: int) -> HttpResponse:
    """Tell a party a later date."""
    case, now = load_case(number), timezone.now()
    commitment = get_object_or_404(case.commitments.select_related("party"), pk=commitment_id)
    today = timezone.localdate(now)
    form = MovedCommitmentForm(
        posted(request), today=today, case=case, initial={"told_on": _shown(today)}
    )
    return _act(
        request,
        case,
        form,
        title="Move a commitment",
        button="Move the date",
        why_not=policies.why_not_commitment(request.user, case)
        or commitments.why_not_move(commitment),
        lead=f"{commitment.party.name} expects, by {_shown(commitment.due_on)}: {commitment.what}. "
        f"A date moves {commitments.MOST_MOVES} times at most.",
        act=lambda: commitments.move(
            commitment_id=commitment.pk, **form.facts(), by=request.user, at=now
        ),
        done="The later date is on file.",
    )


@require_http_methods(_READ_AND_ANSWER)
def keep_commitment(request: StaffRequest, number: str, commitment_id: int) -> HttpResponse:
    """Note that what was promised was done."""
    case, now = load_case(number), timezone.now()
    commitment = get_object_or_404(case.commitments.select_related("party"), pk=commitment_id)
    today = timezone.localdate(now)
    form = DayForm(posted(request), today=today, initial={"on": _shown(today)})
    return _act(
        request,
        case,
        form,
        title="Commitment kept",
        button="Note it",
        why_not=policies.why_not_commitment(request.user, case),
        lead=f"{commitment.party.name}: {commitment.what}, by {_shown(commitment.due_on)}.",
        act=lambda: commitments.keep(
            commitment_id=commitment.pk, kept_on=form.cleaned_data["on"], by=request.user, at=now
        ),
        done="Noted.",
    )


@require_http_methods(_READ_AND_ANSWER)
def state_receipt(request: StaffRequest, number: str) -> HttpResponse:
    """State when the claims administrator received the determination."""
    case, now = load_case(number), timezone.now()
    form = DayForm(posted(request), today=timezone.localdate(now))
    return _act(
        request,
        case,
        form,
        title="The claims administrator received the determination",
        button="Put it on file",
        why_not=policies.why_not_state_receipt(request.user, case),
        lead="The time to authorize or to pay runs from this day.",
        act=lambda: aftermath.state_receipt(
            case_id=case.pk, received_on=form.cleaned_data["on"], by=request.user, at=now
        ),
        done="The day is on file.",
    )
