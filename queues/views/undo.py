"""Take back the last action on a case: the button beside its message."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actions import render_refusal, try_action
from accounts.requests import StaffRequest
from cases.views.acting import load_case
from queues.services import undo


@require_POST
def undo_act(request: StaffRequest, number: str, act_id: int) -> HttpResponse:
    """Undo an action, or record a mark as sent as made in error."""
    case = load_case(request, number)
    act = get_object_or_404(case.undoable_acts, pk=act_id)
    attempt = try_action(lambda: undo.undo_act(act_id=act.pk, by=request.user, at=timezone.now()))
    if attempt.refusal:
        return render_refusal(request, attempt.refusal, back=case.get_absolute_url())
    label = act.get_kind_display()
    done = "Recorded as an error" if act.is_sent_mark else "Undone"
    messages.success(request, f"{case.number}: {done}: {label[0].lower()}{label[1:]}.")
    return redirect(case)
