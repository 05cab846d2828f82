"""The page of a case's notices of assignment (NOARFI): make them, and mark them as sent."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.actions import run_action
from accounts.counting import count_noun
from accounts.requests import StaffRequest
from cases.models import Case, Priority
from cases.views.acting import load_case, report_done
from correspondence import policies
from correspondence.forms import SentForm
from correspondence.services import notices as notice_services
from form_fields.fields import DatedForm


@require_GET
def show_notices(request: StaffRequest, number: str) -> HttpResponse:
    """Show the notices of assignment, or their recipients if they are not made yet."""
    case = load_case(request, number)
    return _render_notices_page(request, case, _build_sent_form(case, today=timezone.localdate()))


@require_POST
def make_notices(request: StaffRequest, number: str) -> HttpResponse:
    """Make one notice for each recipient."""
    case = load_case(request, number)
    now = timezone.now()
    form = _build_sent_form(case, today=timezone.localdate(now))
    attempt = run_action(
        request,
        None,
        lambda: notice_services.make_notices(case_id=case.pk, by=request.user, at=now),
    )
    if attempt.done:
        messages.success(
            request, f"{count_noun(len(attempt.result), 'notice is,notices are')} being generated."
        )
        return redirect("correspondence:notices", number)
    return _render_notices_page(request, case, form, status=attempt.status)


@require_POST
def mark_notices_sent(request: StaffRequest, number: str) -> HttpResponse:
    """Record the date on which the notices were sent."""
    case = load_case(request, number)
    now = timezone.now()
    form = _build_sent_form(case, request.POST, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: notice_services.mark_notices_sent(
            case_id=case.pk,
            sent_on=form.cleaned_data["sent_on"],
            received_at=form.received_at(),
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        report_done(request, case, "Notices marked as sent. The records deadline is running.")
        return redirect(case)
    return _render_notices_page(request, case, form, status=attempt.status)


def _build_sent_form(case: Case, *data: Any, today: date) -> SentForm:
    return SentForm(*data, today=today, expedited=case.priority == Priority.EXPEDITED)


def _render_notices_page(
    request: StaffRequest, case: Case, form: DatedForm, *, status: int = 200
) -> HttpResponse:
    # A refused action may have found another state than the page had loaded.
    case.refresh_from_db()
    rows = case.notices.filter(round=case.round).select_related("party", "letter", "service")
    context = {
        "case": case,
        "form": form,
        "notices": rows.order_by("pk"),
        "recipients": notice_services.list_notice_recipients(case, on=timezone.localdate()),
        "why_not_make": policies.why_not_make_notices(request.user, case),
        "why_not_send": policies.why_not_mark_notices_sent(request.user, case),
        "today": timezone.localdate(),
    }
    return render(request, "correspondence/notices.html", context, status=status)
