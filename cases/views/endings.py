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
from cases.models import Case, Event, ReceivedDocument
from cases.services import endings, notes
from cases.services.received_documents import DocumentOfAction
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
        service=endings.withdraw_case,
        success_message="Case withdrawn.",
        sender=ReceivedDocument.Sender.EMPLOYEE,
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
        service=endings.close_case,
        success_message="Case closed.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def terminate_items(request: StaffRequest, number: str) -> HttpResponse:
    """End the items that the claims administrator has authorized."""
    # Malformed ids are dropped; the service refuses those of other cases.
    item_ids = [pk for pk in map(read_whole_number, request.POST.getlist("item")) if pk is not None]

    def end_chosen(
        *, case_id: int, reason: str, document: DocumentOfAction | None, by: User, at: datetime
    ) -> Case:
        return endings.terminate_items(
            case_id=case_id, item_ids=item_ids, reason=reason, document=document, by=by, at=at
        )

    return answer_reason_form(
        request,
        number,
        title="Close: treatment authorized",
        button="End selected items",
        why_not=policies.why_not_end_early,
        service=end_chosen,
        success_message="The selected items have ended.",
        sender=ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
        extra={"choose_items": True, "chosen": item_ids},
    )


@require_POST
def add_note(request: StaffRequest, number: str) -> HttpResponse:
    """Add a note to the timeline."""
    case = load_case(request, number)
    form = NoteForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: notes.add_note(
            case_id=case.pk, text=form.cleaned_data["text"], by=request.user, at=timezone.now()
        ),
        field="text",
        once=True,
    )
    if attempt.done:
        messages.success(request, "Note added.")
        return redirect("desk:timeline", number)
    context = {"case": case, "form": form, "title": "Add note", "button": "Add note"}
    return render(request, "cases/reason.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def answer_note(request: StaffRequest, number: str, event_id: int) -> HttpResponse:
    """Answer a note in which one is mentioned."""
    case = load_case(request, number)
    note = get_object_or_404(case.events.filter(kind=Event.Kind.NOTE), pk=event_id)
    form = NoteForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: notes.answer_note(
            event_id=note.pk,
            text=form.cleaned_data["text"],
            by=request.user,
            at=timezone.now(),
        ),
        field="text",
        once=True,
    )
    if attempt.done:
        messages.success(request, "Answer added to the timeline.")
        return redirect("desk:notices")
    context = {
        "case": case,
        "form": form,
        "title": "Answer note",
        "button": "Answer",
        "quoted_note": note.sentence,
    }
    return render(request, "cases/reason.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def correct_note(request: StaffRequest, number: str, event_id: int) -> HttpResponse:
    """Correct one's own note by a second one. Both stay on the timeline."""
    case = load_case(request, number)
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
        field="text",
        once=True,
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
