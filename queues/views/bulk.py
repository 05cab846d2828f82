"""Actions on the selected cases of a list; those that cannot be undone are confirmed first."""

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
from form_fields.reasons import NoteForm
from queues.services import bulk


@require_POST
def run_bulk(request: StaffRequest) -> HttpResponse:
    """Show what would happen to each selected case, or do it and show each result."""
    action = bulk.BULK_ACTIONS.get(request.POST.get("act", ""))
    if action is None:
        raise Http404("There is no such action.")
    if not request.user.may(action.permission):
        raise PermissionDenied
    back = find_return_url(request, "/")
    ids = [pk for pk in map(read_whole_number, request.POST.getlist("case")) if pk is not None]
    if not ids:
        return render_refusal(request, NotAllowed("Select at least one case first."), back=back)
    now = timezone.now()
    confirmed = not action.question or "confirmed" in request.POST
    form = _bulk_form(request, action, confirmed)
    if not confirmed or (form is not None and not form.is_valid()):
        rows = bulk.preview_bulk_action(action=action.name, case_ids=ids, user=request.user)
        context = {"action": action, "rows": rows, "form": form, "back": back, "most": bulk.MOST}
        context["possible"] = sum(not row.refusal for row in rows)
        # Tell the user, because the service uses only the first cases.
        context["left_out"] = max(0, len(set(ids)) - bulk.MOST)
        # A confirmed form that is shown again is invalid, hence 422.
        return render(request, "queues/bulk.html", context, status=422 if confirmed else 200)
    typed = form.cleaned_data if form is not None else {}
    rows = bulk.run_bulk_action(action=action.name, case_ids=ids, by=request.user, at=now, **typed)
    done = sum(not row.refusal for row in rows)
    refused = len(rows) - done
    context = {"action": action, "rows": rows, "back": back, "done": done, "refused": refused}
    # One refusal is enough for 422, although the other cases are done.
    status = NotAllowed.status if refused else 200
    return render(request, "queues/bulk_done.html", context, status=status)


def _bulk_form(
    request: StaffRequest, action: bulk.BulkAction, confirmed: bool
) -> forms.Form | None:
    """Return the form for what the user has to enter; unbound until the action is confirmed."""
    data = request.POST if confirmed else None
    if action.field == "text":
        return NoteForm(data)
    if action.field == "sent_on":
        return SentForm(data, today=timezone.localdate())
    return None
