"""Page for resuming a deferred case."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.requests import StaffRequest, posted_data, posted_files
from cases.models import ReceivedDocument
from cases.views.acting import load_case, run_with_document
from eligibility import policies
from eligibility.forms.information import LiabilityForm
from eligibility.services import information as services


@require_http_methods(["GET", "HEAD", "POST"])
def resolve_liability(request: StaffRequest, number: str) -> HttpResponse:
    """Resume a deferred case after notice that the liability dispute is resolved."""
    case = load_case(request, number)
    now = timezone.now()
    form = LiabilityForm(posted_data(request), posted_files(request), today=timezone.localdate(now))
    attempt = run_with_document(
        request,
        form,
        case=case,
        action=lambda document: services.resolve_liability(
            case_id=case.pk,
            notice_on=form.cleaned_data["notice_on"],
            method=form.cleaned_data["method"],
            how=form.cleaned_data["how"],
            document=document,
            by=request.user,
            at=now,
        ),
        sender=ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
        button="Resume eligibility review",
        at=now,
    )
    if attempt.done:
        messages.success(request, "The case is back in screening.")
        return redirect(case)
    context = {
        "case": case,
        "form": form,
        "title": "Liability dispute resolved",
        "button": "Resume eligibility review",
        "why_not": policies.why_not_resolve_liability(request.user, case),
        "today": timezone.localdate(),
    }
    return render(request, "cases/reason.html", context, status=attempt.status)
