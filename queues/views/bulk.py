"""Actions on the selected rows of a list; those that cannot be undone are confirmed first."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actions import render_refusal
from accounts.refusals import NotAllowed
from accounts.requests import StaffRequest, read_whole_number
from cases.views.acting import find_return_url
from correspondence.forms import SentForm
from form_fields.reasons import NoteForm, ReasonForm
from queues.forms.bulk import AssignForm
from queues.services import bulk, claims


@require_POST
def run_bulk(request: StaffRequest) -> HttpResponse:
    """Show what would happen to each selected row, or do it and show each result."""
    action = bulk.BULK_ACTIONS.get(request.POST.get("act", ""))
    if action is None:
        raise Http404("There is no such action.")
    if not request.user.may(action.permission):
        raise PermissionDenied
    back = find_return_url(request, "/")
    # The form names its fields by what is selected.
    posted = map(read_whole_number, request.POST.getlist(action.subject))
    ids = [pk for pk in posted if pk is not None]
    if not ids:
        refusal = NotAllowed(f"Select at least one {action.subject} first.")
        return render_refusal(request, refusal, back=back)
    now = timezone.now()
    confirmed = not action.question or "confirmed" in request.POST
    form = _bulk_form(request, action, ids, confirmed)
    if not confirmed or (form is not None and not form.is_valid()):
        rows = bulk.preview_bulk_action(action=action.name, row_ids=ids, user=request.user, at=now)
        context = {"action": action, "rows": rows, "form": form, "back": back}
        context["possible"] = sum(not row.refusal for row in rows)
        # Tell the user, because the service uses only the first rows.
        context["left_out"] = max(0, len(set(ids)) - action.most)
        # A confirmed form that is shown again is invalid, hence 422.
        return render(request, "queues/bulk.html", context, status=422 if confirmed else 200)
    rows = bulk.run_bulk_action(
        action=action.name, row_ids=ids, typed=_read_typed(form), by=request.user, at=now
    )
    done = sum(not row.refusal for row in rows)
    refused = len(rows) - done
    context = {"action": action, "rows": rows, "back": back, "done": done, "refused": refused}
    # One refusal is enough for 422, although the other cases are done.
    status = NotAllowed.status if refused else 200
    return render(request, "queues/bulk_done.html", context, status=status)


def _bulk_form(
    request: StaffRequest, action: bulk.BulkAction, ids: list[int], confirmed: bool
) -> forms.Form | None:
    """Return the form for what the user has to enter; unbound until the action is confirmed."""
    data = request.POST if confirmed else None
    match action.field:
        case "text":
            return NoteForm(data)
        case "reason":
            return ReasonForm(data)
        case "sent_on":
            return SentForm(data, today=timezone.localdate())
        case "person":
            people = claims.list_assignees(case_ids=ids, reader=request.user)
            return AssignForm(data, people=people, reader=request.user)
    return None


def _read_typed(form: forms.Form | None) -> dict[str, Any]:
    """Return what was typed, as the service of the action takes it."""
    if form is None:
        return {}
    if isinstance(form, AssignForm):
        return form.typed()
    return {name: value for name, value in form.cleaned_data.items() if value}
