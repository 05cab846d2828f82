"""Page of the attestation wordings."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data
from reviewers import policies
from reviewers.forms.wordings import WordingForm
from reviewers.services import wordings as wording_services
from reviewers.wordings import list_wordings


@require_http_methods(["GET", "HEAD", "POST"])
def edit_attestation_wording(request: StaffRequest) -> HttpResponse:
    """Show current, future and past wordings, and let the medical director publish the next."""
    now = timezone.now()
    today = timezone.localdate(now)
    wordings = list_wordings(on=today, reader=request.user)
    # A wording may not start before the latest one.
    first = max(today, wordings.latest.effective_from) if wordings.latest else today
    initial = {"effective_from": first, **WordingForm.of(wordings.latest)}
    form = WordingForm(posted_data(request), today=today, initial=initial)
    attempt = run_action(
        request,
        form,
        lambda: wording_services.publish_attestation_wording(
            **form.facts(), by=request.user, at=now
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"Wording {attempt.result.number} is published.")
        return redirect("reviewers:attestation")
    # Someone else may have published meanwhile, and the page has to show that wording.
    if attempt.refusal:
        wordings = list_wordings(on=today, reader=request.user)
    context = {
        "form": form,
        "shown": wordings,
        "why_not": policies.why_not_publish_attestation(request.user),
        "today": today,
    }
    return render(request, "reviewers/wordings.html", context, status=attempt.status)
