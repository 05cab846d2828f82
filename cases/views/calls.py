"""Pages of the telephone calls about a case: the log, a new call, and a correction."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data
from cases import policies
from cases.forms.calls import CallForm, NewCallForm
from cases.models import Case
from cases.services import calls as services
from deadlines.calendars import format_day
from deadlines.days import PACIFIC

from .acting import load_case

READ_AND_ANSWER = ["GET", "HEAD", "POST"]


@require_safe
def show_calls(request: StaffRequest, number: str) -> HttpResponse:
    """Show the calls about a case."""
    return _render_calls_page(request, load_case(request, number))


@require_http_methods(READ_AND_ANSWER)
def log_call(request: StaffRequest, number: str) -> HttpResponse:
    """Log a call about a case."""
    case, now = load_case(request, number), timezone.now()
    today = timezone.localdate(now)
    form = NewCallForm(
        posted_data(request),
        today=today,
        case=case,
        may_commit=not policies.why_not_record_commitment(request.user, case),
        initial={"direction": "RECEIVED", "called_at": now.astimezone(PACIFIC).time()},
    )
    attempt = run_action(
        request,
        form,
        lambda: services.log_call(
            case_id=case.pk,
            facts=form.facts(),
            promised=form.promised_date(),
            by=request.user,
            at=now,
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, "Call logged.")
        return redirect("cases:calls", number)
    return _render_calls_page(
        request, case, form=form, title="Log a call", button="Log call", status=attempt.status
    )


@require_http_methods(READ_AND_ANSWER)
def correct_call(request: StaffRequest, number: str, call_id: int) -> HttpResponse:
    """Correct a call that one logged oneself."""
    case, now = load_case(request, number), timezone.now()
    call = get_object_or_404(case.calls, pk=call_id)
    local = call.called_at.astimezone(PACIFIC)
    form = CallForm(
        posted_data(request),
        today=timezone.localdate(now),
        case=case,
        initial={
            "direction": call.direction,
            "party": call.party_id or "",
            "spoke_with": call.spoke_with,
            "number": call.number,
            "called_on": f"{local:%m/%d/%Y}",
            "called_at": local.time(),
            "summary": call.summary,
        },
    )
    attempt = run_action(
        request,
        form,
        lambda: services.correct_call(call_id=call.pk, facts=form.facts(), by=request.user, at=now),
    )
    if attempt.done:
        messages.success(request, "Call corrected. The first entry stays on the timeline.")
        return redirect("cases:calls", number)
    return _render_calls_page(
        request,
        case,
        form=form,
        title=f"Correct the call of {format_day(local.date())}",
        button="Save correction",
        why_not=policies.why_not_correct_call(request.user, case, call),
        status=attempt.status,
    )


def _render_calls_page(
    request: StaffRequest, case: Case, *, status: int = 200, **form: Any
) -> HttpResponse:
    calls = case.calls.select_related("party", "commitment", "recorded_by", "correction")
    context = {
        "case": case,
        "tab": "calls",
        "today": timezone.localdate(),
        "calls": [
            (call, not policies.why_not_correct_call(request.user, case, call))
            for call in calls.order_by("-called_at", "-pk")
        ],
        "why_not": policies.why_not_log_call(request.user, case),
        **form,
    }
    return render(request, "cases/calls.html", context, status=status)
