"""The page of the service of a letter on one recipient: its dates, corrections and outcome."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import run_action
from accounts.requests import StaffRequest, seen_version
from cases import policies
from cases.forms.served_letters import CorrectServiceForm, OutcomeForm
from cases.models import Case
from cases.services import service_corrections
from letters.models import Service

from .acting import load_case


@require_safe
def show_service(request: StaffRequest, number: str, service_id: int) -> HttpResponse:
    """Show how and when a letter was served on a recipient, and the deadline of that recipient."""
    case = load_case(request, number)
    return _render_service_page(request, case, _load_service(case, service_id))


@require_POST
def correct_service(request: StaffRequest, number: str, service_id: int) -> HttpResponse:
    """Correct the day, the method or the state, and compute the deadlines again."""
    case, now = load_case(request, number), timezone.now()
    service = _load_service(case, service_id)
    form = CorrectServiceForm(request.POST, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: service_corrections.correct_service_of_letter(
            case_id=case.pk,
            service_id=service_id,
            seen_version=seen_version(request),
            by=request.user,
            at=now,
            **form.cleaned_data,
        ),
        row=service,
    )
    if attempt.done:
        messages.success(request, "Service corrected. Its deadlines were calculated again.")
        return redirect("cases:service", number, service_id)
    return _render_service_page(request, case, service, status=attempt.status, correct_form=form)


@require_POST
def record_outcome(request: StaffRequest, number: str, service_id: int) -> HttpResponse:
    """Record that the letter was delivered or came back."""
    case, now = load_case(request, number), timezone.now()
    service = _load_service(case, service_id)
    form = OutcomeForm(request.POST, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: service_corrections.record_outcome_of_service(
            case_id=case.pk,
            service_id=service_id,
            by=request.user,
            at=now,
            **form.cleaned_data,
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, "Outcome saved.")
        return redirect("cases:service", number, service_id)
    return _render_service_page(request, case, service, status=attempt.status, outcome_form=form)


def _load_service(case: Case, service_id: int) -> Service:
    """Return a service of this case, or answer 404."""
    rows = Service.objects.select_related("letter", "served_by")
    return get_object_or_404(rows, pk=service_id, letter__reference=case.number)


def _render_service_page(
    request: StaffRequest, case: Case, service: Service, *, status: int = 200, **bound: Any
) -> HttpResponse:
    """Render the page with its two forms, one of which may be bound."""
    today = timezone.localdate()
    party = case.parties.filter(pk=service.recipient_id).first()
    initial = CorrectServiceForm.initial_from(service, party)
    deadlines = case.deadlines.filter(service=service, replaced_at__isnull=True)
    context = {
        "case": case,
        "tab": "letters",
        "service": service,
        "deadlines": list(deadlines.order_by("due_on", "pk")),
        "events": service.events.select_related("recorded_by").order_by("-recorded_at", "-pk"),
        "correct_form": CorrectServiceForm(today=today, initial=initial, auto_id="correct-%s"),
        "outcome_form": OutcomeForm(today=today, auto_id="outcome-%s"),
        "why_not": policies.why_not_correct_service(request.user),
        "today": today,
        **bound,
    }
    return render(request, "cases/service.html", context, status=status)
