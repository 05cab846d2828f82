"""Pages that end a case before a determination, and notes on the timeline."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import run_action
from accounts.models import User
from accounts.requests import StaffRequest, posted_data, read_whole_number
from cases import policies
from cases.models import Case, Event
from cases.services import endings, notes
from form_fields.reasons import NoteForm

from .acting import answer_reason_form, load_case


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_case(request: StaffRequest, number: str) -> HttpResponse:
    """Withdraw a case at the request of the employee."""
    return answer_reason_form(
        request,
        number,
        title="Withdraw case",
        button="Withdraw case",
        why_not=policies.why_not_end_early,
        act=endings.withdraw_case,
        done="Case withdrawn.",
        extra={"is_final": True},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def close_case(request: StaffRequest, number: str) -> HttpResponse:
    """Close a case that ended before a determination."""
    return answer_reason_form(
        request,
        number,
        title="Close case",
        button="Close case",
        why_not=policies.why_not_close,
        act=endings.close_case,
        done="Case closed.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def terminate_items(request: StaffRequest, number: str) -> HttpResponse:
    """End the items that the claims administrator has authorized."""
    # Malformed ids are dropped; the service refuses those of other cases.
    chosen = [pk for pk in map(read_whole_number, request.POST.getlist("item")) if pk is not None]

    def end_chosen(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
        return endings.terminate_items(
            case_id=case_id, item_ids=chosen, reason=reason, by=by, at=at
        )

    return answer_reason_form(
        request,
        number,
        title="Close: treatment authorized",
        button="End selected items",
        why_not=policies.why_not_end_early,
        act=end_chosen,
        done="The selected items have ended.",
        extra={"choose_items": True, "chosen": chosen},
    )


@require_POST
def add_note(request: StaffRequest, number: str) -> HttpResponse:
    """Add a note to the timeline."""
    case = load_case(number)
    form = NoteForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: notes.add_note(
            case_id=case.pk, text=form.cleaned_data["text"], by=request.user, at=timezone.now()
        ),
    )
    if attempt.done:
        messages.success(request, "Note added.")
        return redirect("desk:timeline", number)
    context = {"case": case, "form": form, "title": "Add note", "button": "Add note"}
    return render(request, "cases/reason.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def correct_note(request: StaffRequest, number: str, event_id: int) -> HttpResponse:
    """Correct one's own note by a second one. Both stay on the timeline."""
    case = load_case(number)
    first = get_object_or_404(case.events.filter(kind=Event.Kind.NOTE), pk=event_id)
    form = NoteForm(posted_data(request), initial={"text": first.sentence})
    attempt = run_action(
        request,
        form,
        lambda: notes.correct_note(
            event_id=first.pk,
            text=form.cleaned_data["text"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "Corrected note added.")
        return redirect("desk:timeline", number)
    context = {
        "case": case,
        "form": form,
        "title": "Correct note",
        "button": "Add corrected note",
        "why_not": policies.why_not_correct_note(request.user, first),
    }
    return render(request, "cases/reason.html", context, status=attempt.status)
