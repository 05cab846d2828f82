"""Background requests of the application form: known parties, form check, draft saving."""

import json
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import run_action, try_action
from accounts.requests import StaffRequest, posted_data, read_whole_number
from cases.diagnosis_codes import find_diagnosis_codes, read_diagnoses, split_last_diagnosis
from deadlines.days import format_time
from form_fields.dates import NotADate, read_date
from intake.forms.application import IntakeForm, read_form_key, read_typed_fields
from intake.forms.batches import CancelReasonForm
from intake.keying_time import read_opening
from intake.models import CancelReason, IntakeDraft
from intake.policies import why_not_cancel_draft
from intake.services import drafts, known_parties
from intake.services.checking import check_application_form as check_so_far

CANCEL_REASONS = [reason for reason in CancelReason if reason != CancelReason.LEFT]


@require_POST
def look_up_parties(request: StaffRequest) -> HttpResponse:
    """List known parties whose name begins with the text typed in a field."""
    name = request.headers.get("HX-Trigger-Name", "")
    parties = known_parties.find_known_parties(field=name, typed=request.POST.get(name, ""))
    return render(request, "intake/_known.html", {"found": parties})


@require_POST
def look_up_diagnoses(request: StaffRequest) -> HttpResponse:
    """List ICD-10-CM codes for the last of the diagnoses typed in a field."""
    before, last = split_last_diagnosis(request.POST.get("diagnosis", "")[:500])
    found = [
        {
            "name": one.code,
            "address": one.description,
            "fills_json": json.dumps({"diagnosis": f"{before}{one}"}),
        }
        for one in find_diagnosis_codes(last, on=_read_decision_day(request))
    ]
    return render(request, "intake/_known.html", {"found": found})


@require_POST
def read_typed_diagnoses(request: StaffRequest) -> HttpResponse:
    """Give the codes in the field that was just left their descriptions, for the page to show."""
    typed = request.POST.get("diagnosis", "")[:500]
    reading = read_diagnoses(typed, on=_read_decision_day(request))
    look = " bad" if reading.is_bad else ""
    return HttpResponse(
        format_html(
            '<span class="echo{}" data-read="{}">{}</span>', look, reading.text, reading.note
        )
    )


def _read_decision_day(request: StaffRequest) -> date:
    """Return the day of the UR decision on the form, or today: the codes are those of its year."""
    today = timezone.localdate()
    try:
        return read_date(request.POST.get("ur_decided", "")[:60], today=today)
    except NotADate:
        return today


@require_POST
def check_intake_form(request: StaffRequest) -> HttpResponse:
    """Check the form typed so far for duplicates, timeliness and completeness."""
    form = IntakeForm(request.POST, today=timezone.localdate())
    checked = check_so_far(
        values=form.valid_values(),
        items=form.items_entered,
        treatments=form.treatments,
        reader=request.user,
        today=form.today,
    )
    # The proposal from the drug list is shown elsewhere on the page, beside the priority.
    context = {"checked": checked, "form": form, "swaps_proposal": True}
    return render(request, "intake/_intake_check.html", context)


@require_POST
def save_draft(request: StaffRequest) -> HttpResponse:
    """Save the typed fields as a draft; the page's script calls this while a clerk types."""
    attempt = try_action(
        lambda: drafts.save_intake_draft(
            key=read_form_key(request.POST.get("key", "")),
            typed=read_typed_fields(request.POST),
            revision=read_whole_number(request.POST.get("revision", "")),
            scan_id=read_whole_number(request.POST.get("scan", "")),
            opened_at=read_opening(request.POST.get("opened", "")),
            by=request.user,
            at=timezone.now(),
        )
    )
    if attempt.refusal:
        reply: dict[str, Any] = {"error": str(attempt.refusal)}
        # Send both versions, so that the clerk can choose which one to keep.
        if isinstance(attempt.refusal, drafts.DraftChangedElsewhere):
            other = attempt.refusal.draft
            reply |= {
                "revision": other.revision,
                "yours": _join_texts(read_typed_fields(request.POST)),
                "theirs": _join_texts(other.content),
            }
        return JsonResponse(reply, status=attempt.status)
    draft = attempt.result
    at = format_time(timezone.localtime(draft.saved_at))
    # After a reload, the page of this address shows the draft. A scan's own page finds its draft.
    here = "" if draft.scan_id else f"{reverse('intake:intake')}?draft={draft.key}"
    return JsonResponse({"revision": draft.revision, "saved_at": at, "address": here})


@require_http_methods(["GET", "HEAD", "POST"])
def cancel_draft(request: StaffRequest, draft: UUID) -> HttpResponse:
    """Cancel an unfinished form for a coded reason."""
    row = get_object_or_404(IntakeDraft.objects.select_related("case", "scan__batch"), key=draft)
    form = CancelReasonForm(posted_data(request), reasons=CANCEL_REASONS)
    attempt = run_action(
        request,
        form,
        lambda: drafts.cancel_intake_draft(
            key=row.key,
            reason=CancelReason(form.cleaned_data["reason"]),
            note=form.cleaned_data["note"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "Form canceled. It is on the supervisor’s list.")
        return redirect("intake:my_intakes")
    context = {
        "form": form,
        "title": "Cancel this form",
        "button": "Cancel form",
        "why_not": why_not_cancel_draft(request.user, row),
        "back": reverse("intake:my_intakes"),
    }
    return render(request, "intake/why_not.html", context, status=attempt.status)


def _join_texts(typed: dict[str, list[str]]) -> dict[str, str]:
    return {name: "; ".join(texts) for name, texts in typed.items() if name not in {"key", "paper"}}
