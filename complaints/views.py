"""Pages of complaints: the log with its trend, recording one, and a complaint with its actions."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.names import name_actor
from accounts.refusals import Refused
from accounts.requests import StaffRequest, name_case_of_access, posted_data, seen_version
from cases.hidden_numbers import Concealer

from . import policies, services
from .forms import AnswerForm, ComplaintFilterForm, ComplaintForm, CorrectiveActionForm, DoneForm
from .models import Complaint, CorrectiveAction
from .overview import list_versions, load_trend

READ_AND_ANSWER = ["GET", "HEAD", "POST"]
MOST_LISTED = 100


@require_safe
def list_complaints(request: StaffRequest) -> HttpResponse:
    """List the complaints that the person may read, and how many were received by month."""
    today = timezone.localdate()
    form = ComplaintFilterForm(request.GET, today=today, auto_id="of_%s")
    status = 200 if form.is_valid() else Refused.status
    chosen = form.conditions()
    found = (
        Complaint.objects.visible_to(request.user)
        .with_state()
        .filter(**chosen)
        .select_related("case")
        .in_list_order()
    )
    rows = list(found[: MOST_LISTED + 1])  # one more than shown tells whether there are more
    reads_all = request.user.may("complaints.view_all_complaints")
    context = {
        "today": today,
        "form": form,
        "is_filtered": bool(chosen),
        "rows": [(row, row.is_overdue(today)) for row in rows[:MOST_LISTED]],
        "has_more": len(rows) > MOST_LISTED,
        "why_not": policies.why_not_record_complaint(request.user),
        "reads_all": reads_all,
        "trend": load_trend(request.user, today=today) if reads_all else None,
    }
    return render(request, "complaints/list.html", context, status=status)


@require_http_methods(READ_AND_ANSWER)
def record_complaint(request: StaffRequest) -> HttpResponse:
    """Record a complaint; a case number in the query string is filled in."""
    now = timezone.now()
    today = timezone.localdate(now)
    form = ComplaintForm(
        posted_data(request), today=today, initial={"case_number": request.GET.get("case", "")}
    )
    attempt = run_action(
        request,
        form,
        lambda: services.record_complaint(values=form.values(), by=request.user, at=now),
        once=True,
    )
    if attempt.done:
        due = attempt.result.answer_due_on
        messages.success(request, f"Complaint recorded. Answer due {due:%m/%d/%Y}.")
        return redirect(attempt.result)
    context = {
        "form": form,
        "complaint": None,
        "why_not": policies.why_not_record_complaint(request.user),
    }
    return render(request, "complaints/record.html", context, status=attempt.status)


@require_safe
def show_complaint(request: StaffRequest, complaint_id: int) -> HttpResponse:
    """Show a complaint with its answer, corrective actions and versions."""
    return _render_complaint(request, _load_complaint(request, complaint_id), at=timezone.now())


@require_http_methods(READ_AND_ANSWER)
def change_complaint(request: StaffRequest, complaint_id: int) -> HttpResponse:
    """Correct what was recorded of a complaint."""
    complaint, now = _load_complaint(request, complaint_id), timezone.now()
    form = ComplaintForm(
        posted_data(request),
        today=timezone.localdate(now),
        initial=ComplaintForm.initial_from(complaint),
    )
    attempt = run_action(
        request,
        form,
        lambda: services.change_complaint(
            complaint_id=complaint_id,
            values=form.values(),
            seen_version=seen_version(request),
            by=request.user,
            at=now,
        ),
        row=complaint,
    )
    if attempt.done:
        messages.success(request, "Complaint changed.")
        return redirect(complaint)
    context = {
        "form": form,
        "complaint": complaint,
        "why_not": policies.why_not_change_complaint(request.user, complaint),
    }
    return render(request, "complaints/record.html", context, status=attempt.status)


@require_POST
def answer_complaint(request: StaffRequest, complaint_id: int) -> HttpResponse:
    """Record the answer to a complaint, or correct it."""
    complaint, now = _load_complaint(request, complaint_id), timezone.now()
    form = AnswerForm(request.POST, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: services.answer_complaint(
            complaint_id=complaint_id,
            **form.cleaned_data,
            seen_version=seen_version(request),
            by=request.user,
            at=now,
        ),
        row=complaint,
    )
    if attempt.done:
        messages.success(request, "Answer saved.")
        return redirect(complaint)
    return _render_complaint(request, complaint, at=now, answer_form=form, status=attempt.status)


@require_POST
def add_action(request: StaffRequest, complaint_id: int) -> HttpResponse:
    """Add a corrective action to a complaint."""
    complaint, now = _load_complaint(request, complaint_id), timezone.now()
    form = CorrectiveActionForm(request.POST, reader=request.user, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: services.add_corrective_action(
            complaint_id=complaint_id,
            description=form.cleaned_data["description"],
            responsible_id=int(form.cleaned_data["responsible"]),
            due_on=form.cleaned_data["due_on"],
            by=request.user,
            at=now,
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, "Corrective action added.")
        return redirect(complaint)
    return _render_complaint(request, complaint, at=now, action_form=form, status=attempt.status)


@require_POST
def complete_action(request: StaffRequest, complaint_id: int, action_id: int) -> HttpResponse:
    """Record that a corrective action was done."""
    complaint, now = _load_complaint(request, complaint_id), timezone.now()
    action = get_object_or_404(complaint.actions, pk=action_id)
    form = _build_done_form(action, timezone.localdate(now), request)
    attempt = run_action(
        request,
        form,
        lambda: services.complete_corrective_action(
            action_id=action_id, **form.cleaned_data, by=request.user, at=now
        ),
    )
    if attempt.done:
        messages.success(request, "Corrective action done.")
        return redirect(complaint)
    return _render_complaint(
        request, complaint, at=now, done_forms={action_id: form}, status=attempt.status
    )


def _load_complaint(request: StaffRequest, complaint_id: int) -> Complaint:
    """Return a complaint that this person may read, or answer 404."""
    rows = Complaint.objects.visible_to(request.user).select_related(
        "case", "recorded_by", "answered_by"
    )
    complaint: Complaint | None = rows.filter(pk=complaint_id).first()
    if complaint is None:
        raise Http404("There is no such complaint.")
    if complaint.case is not None:
        name_case_of_access(request, complaint.case.number)
    return complaint


def _build_done_form(
    action: CorrectiveAction, today: date, request: StaffRequest | None = None
) -> DoneForm:
    """Build the form of one action; each has ids of its own, because a page shows several."""
    posted = request.POST if request else None
    return DoneForm(posted, today=today, auto_id=f"id_done_{action.pk}_%s")


def _render_complaint(
    request: StaffRequest,
    complaint: Complaint,
    *,
    at: datetime,
    answer_form: AnswerForm | None = None,
    action_form: CorrectiveActionForm | None = None,
    done_forms: dict[int, DoneForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page of a complaint with its forms, one of which may be bound."""
    today, reader = timezone.localdate(at), request.user
    actions = list(complaint.actions.select_related("responsible", "done_by").order_by("pk"))
    concealer = Concealer([complaint.text, complaint.answer], reader)
    answered = {"answer": complaint.answer, "answered_on": complaint.answered_on}
    context: dict[str, Any] = {
        "complaint": complaint,
        "state": complaint.state_with(actions),
        "is_overdue": complaint.is_overdue(today),
        "today": today,
        "text": concealer.conceal(complaint.text),
        "answer": concealer.conceal(complaint.answer),
        "recorded_by": name_actor(complaint.recorded_by, reader=reader),
        "actions": [
            (action, (done_forms or {}).get(action.pk) or _build_done_form(action, today))
            for action in actions
        ],
        "overdue_actions": {action.pk for action in actions if action.is_overdue(today)},
        "versions": list_versions(complaint, reader),
        "answer_form": answer_form
        or AnswerForm(today=today, initial=answered if complaint.answered_on else None),
        "action_form": action_form or CorrectiveActionForm(reader=reader, today=today),
        "refused_form": answer_form or action_form or next(iter((done_forms or {}).values()), None),
        "why_not_change": policies.why_not_change_complaint(reader, complaint),
        "why_not_answer": policies.why_not_answer_complaint(reader, complaint),
        "why_not_act": policies.why_not_keep_actions(reader, complaint),
    }
    return render(request, "complaints/complaint.html", context, status=status)
