"""Pages that end a case early, and the note that anybody may leave on it."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import run_action
from accounts.models import User
from accounts.requests import StaffRequest, posted, whole_number
from cases import policies
from cases.models import Case, Event
from cases.services import endings, notes
from form_fields.reasons import NoteForm

from .acting import act_with_reason, load_case


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: StaffRequest, number: str) -> HttpResponse:
    """End a case that the employee takes back."""
    return act_with_reason(
        request,
        number,
        title="Withdraw",
        button="Withdraw the case",
        why_not=policies.why_not_end_early,
        act=endings.withdraw,
        done="The case is withdrawn.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: StaffRequest, number: str) -> HttpResponse:
    """Close a case that ended before a determination."""
    return act_with_reason(
        request,
        number,
        title="Close",
        button="Close the case",
        why_not=policies.why_not_close,
        act=endings.close,
        done="The case is closed.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def terminate(request: StaffRequest, number: str) -> HttpResponse:
    """End the items that the claims administrator has authorized."""
    chosen = [pk for pk in map(whole_number, request.POST.getlist("item")) if pk is not None]

    def end_chosen(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
        return endings.terminate(case_id=case_id, item_ids=chosen, reason=reason, by=by, at=at)

    return act_with_reason(
        request,
        number,
        title="Treatment authorized",
        button="End the chosen items",
        why_not=policies.why_not_end_early,
        act=end_chosen,
        done="The chosen items are ended.",
        extra={"choose_items": True, "chosen": chosen},
    )


@require_POST
def note(request: StaffRequest, number: str) -> HttpResponse:
    """Put a note on the timeline."""
    case = load_case(number)
    form = NoteForm(request.POST)
    tried = run_action(
        request,
        form,
        lambda: notes.add_note(
            case_id=case.pk, text=form.cleaned_data["text"], by=request.user, at=timezone.now()
        ),
    )
    if tried.done:
        messages.success(request, "The note is on the timeline.")
        return redirect("desk:timeline", number)
    context = {"case": case, "form": form, "title": "Note", "button": "Add the note"}
    return render(request, "cases/reason.html", context, status=tried.status)


@require_http_methods(["GET", "HEAD", "POST"])
def correct_note(request: StaffRequest, number: str, event_id: int) -> HttpResponse:
    """Put a second note in place of one's own first; both stay on the timeline."""
    case = load_case(number)
    first = get_object_or_404(case.events.filter(kind=Event.Kind.NOTE), pk=event_id)
    form = NoteForm(posted(request), initial={"text": first.sentence})
    tried = run_action(
        request,
        form,
        lambda: notes.correct_note(
            event_id=first.pk,
            text=form.cleaned_data["text"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if tried.done:
        messages.success(request, "The corrected note is on the timeline, beside the first.")
        return redirect("desk:timeline", number)
    context = {
        "case": case,
        "form": form,
        "title": "Correct a note",
        "button": "Add the corrected note",
        "why_not": policies.why_not_correct_note(request.user, first),
    }
    return render(request, "cases/reason.html", context, status=tried.status)
