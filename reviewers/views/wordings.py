"""The page of the attestation's wordings."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.refusals import BadFact
from accounts.requests import StaffRequest
from accounts.versions import Stale
from cases.views.acting import add_error_of
from reviewers import policies
from reviewers.forms_wordings import WordingForm
from reviewers.services import wordings as wording_services
from reviewers.wordings import wordings

from .loading import REFUSALS, posted


@require_http_methods(["GET", "HEAD", "POST"])
def attestation(request: StaffRequest) -> HttpResponse:
    """What reviewers sign, now, later and before; the director publishes the next."""
    now = timezone.now()
    today = timezone.localdate(now)
    shown = wordings(on=today, reader=request.user)
    first = max(today, shown.latest.effective_from) if shown.latest else today
    initial = {"effective_from": first, **WordingForm.of(shown.latest)}
    form = WordingForm(posted(request), today=today, initial=initial)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            made = wording_services.publish(**form.facts(), by=request.user, at=now)
        except Stale as stale:
            form.add_error(None, str(stale))
            status, shown = 409, wordings(on=today, reader=request.user)
        except BadFact as refusal:
            add_error_of(form, refusal)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Wording {made.number} is published.")
            return redirect("reviewers:attestation")
    context = {
        "form": form,
        "shown": shown,
        "why_not": policies.why_not_publish_attestation(request.user),
        "today": today,
    }
    return render(request, "reviewers/wordings.html", context, status=status)
