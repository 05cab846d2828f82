"""Pages of a case's dates: every clock with its sum, holds, extensions, promises, priority."""

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
    DayForm,
    EndHoldForm,
    ExtensionForm,
    HoldForm,
    MovedPromiseForm,
    PriorityForm,
    PromiseForm,
)
from cases.models import Case
from cases.services import (
    aftermath,
    clock_information,
    dwell,
    extensions,
    holds,
    priority,
    promises,
)
from deadlines.clocks import CLOCKS
from form_fields.fields import DatedForm

from .acting import load_case

_READ_AND_ANSWER = ["GET", "HEAD", "POST"]


@require_safe
def clocks(request: StaffRequest, number: str) -> HttpResponse:
    """Every clock of a case, and everything that moved or promised a date."""
    case, now = load_case(number), timezone.now()
    today = timezone.localdate(now)
    user = request.user
    held = list(case.holds.select_related("begun_by", "ended_by").order_by("starts_on", "pk"))
    context = {
        "case": case,
        "tab": "clocks",
        "today": today,
        "deadlines": case.deadlines.filter(replaced_at__isnull=True).order_by("due_on", "pk"),
        "information": clock_information.information_for(case=case, on=today),
        "lateness": clock_information.lateness(case=case, at=now),
        "holds": [(hold, hold.lasts_on(today), hold.can_end(today)) for hold in held],
        "held_days": _days_held(held),
        "extensions": case.extensions.order_by("recorded_at", "pk"),
        "days_left": extensions.days_left(case=case),
        "promises": [
            (one, promises.why_not_move(one))
            for one in case.promises.select_related("party", "letter").order_by("pk")
        ],
        "priority_changes": case.priority_changes.select_related("changed_by").order_by("pk"),
        "in_lists": dwell.totals(spells=dwell.in_lists(case=case, at=now)),
        "with_people": dwell.totals(
            spells=[
                *dwell.with_people(case=case, reader=user, at=now),
                *dwell.with_reviewers(case=case, at=now),
            ]
        ),
        "why_not_hold": policies.why_not_hold(user, case),
        "why_not_extend": policies.why_not_extend(user, case),
        "why_not_convert": policies.why_not_convert(user, case),
        "why_not_promise": policies.why_not_promise(user, case),
        "may_state_receipt": not policies.why_not_state_receipt(user, case),
    }
    return render(request, "cases/clocks.html", context)


def _days_held(rows: list[Any]) -> int:
    """Calendar days held, each day once."""
    days = {
        hold.starts_on.toordinal() + n
        for hold in rows
        if not hold.clock
        for n in range(max(0, hold.days))
    }
    return len(days)


@require_safe
def clock(request: StaffRequest, number: str, clock: str) -> HttpResponse:
    """One clock with its arithmetic, and every earlier sum of it."""
    case, today = load_case(number), timezone.localdate()
    if clock not in CLOCKS:
        raise Http404("There is no such clock.")
    sums = list(case.deadlines.filter(clock=clock).order_by("-pk"))
    told = [
        one for one in clock_information.information_for(case=case, on=today) if one.clock == clock
    ]
    if not sums and not told:
        raise Http404("This clock never ran on the case.")
    context = {
        "case": case,
        "tab": "clocks",
        "today": today,
        "clock": CLOCKS[clock],
        "current": [row for row in sums if row.replaced_at is None],
        "earlier": [row for row in sums if row.replaced_at is not None],
        "told": told,
    }
    return render(request, "cases/clock.html", context)


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
        return redirect("cases:clocks", case.number)
    context = {
        "case": case,
        "form": form,
        "title": title,
        "button": button,
        "why_not": why_not,
        "lead": lead,
        "tab": "clocks",
        "today": form.today,
    }
    return render(request, "cases/date_act.html", context, status=tried.status)


def _shown(day: date) -> str:
    return f"{day:%m/%d/%Y}"


@require_http_methods(_READ_AND_ANSWER)
def begin_hold(request: StaffRequest, number: str) -> HttpResponse:
    """Hold a case or one of its clocks."""
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
        "reason; the sum of each clock says which.",
        act=lambda: holds.begin_hold(case_id=case.pk, **form.cleaned_data, by=request.user, at=now),
        done="The hold is on file, and every clock was counted anew.",
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
        done="The hold has ended, and every clock was counted anew.",
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
        lead=f"Now: {case.get_priority_display().lower()}. Every open limit is counted anew.",
        act=lambda: priority.convert(case_id=case.pk, **form.facts(), by=request.user, at=now),
        done="The priority has changed, and every open limit was counted anew.",
    )


@require_http_methods(_READ_AND_ANSWER)
def promise(request: StaffRequest, number: str) -> HttpResponse:
    """Put on file that a party was told a date."""
    case, now = load_case(number), timezone.now()
    today = timezone.localdate(now)
    form = PromiseForm(posted(request), today=today, case=case, initial={"told_on": _shown(today)})
    return _act(
        request,
        case,
        form,
        title="A date promised to a party",
        button="Put it on file",
        why_not=policies.why_not_promise(request.user, case),
        act=lambda: promises.promise(case_id=case.pk, **form.facts(), by=request.user, at=now),
        done="The promised date is on file.",
    )


@require_http_methods(_READ_AND_ANSWER)
def move_promise(request: StaffRequest, number: str, promise_id: int) -> HttpResponse:
    """Tell a party a later date."""
    case, now = load_case(number), timezone.now()
    promised = get_object_or_404(case.promises.select_related("party"), pk=promise_id)
    today = timezone.localdate(now)
    form = MovedPromiseForm(
        posted(request), today=today, case=case, initial={"told_on": _shown(today)}
    )
    return _act(
        request,
        case,
        form,
        title="Move a promised date",
        button="Move the date",
        why_not=policies.why_not_promise(request.user, case) or promises.why_not_move(promised),
        lead=f"{promised.party.name} was promised by {_shown(promised.due_on)}: {promised.what}. "
        f"A date moves {promises.MOST_MOVES} times at most.",
        act=lambda: promises.move(promise_id=promised.pk, **form.facts(), by=request.user, at=now),
        done="The later date is on file.",
    )


@require_http_methods(_READ_AND_ANSWER)
def keep_promise(request: StaffRequest, number: str, promise_id: int) -> HttpResponse:
    """Note that what was promised was done."""
    case, now = load_case(number), timezone.now()
    promised = get_object_or_404(case.promises.select_related("party"), pk=promise_id)
    today = timezone.localdate(now)
    form = DayForm(posted(request), today=today, initial={"on": _shown(today)})
    return _act(
        request,
        case,
        form,
        title="Promise kept",
        button="Note it",
        why_not=policies.why_not_promise(request.user, case),
        lead=f"{promised.party.name}: {promised.what}, by {_shown(promised.due_on)}.",
        act=lambda: promises.keep(
            promise_id=promised.pk, kept_on=form.cleaned_data["on"], by=request.user, at=now
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
