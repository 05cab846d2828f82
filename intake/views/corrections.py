"""The page for correcting a saved application: typed fields and the received date."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions import run_action
from accounts.refusals import Refused
from accounts.requests import StaffRequest, seen_version
from cases.formulary import propose_for_case
from cases.models import DuplicateProposal
from cases.policies import why_not_change_priority, why_not_resolve_duplicate
from cases.views.acting import load_case
from intake.forms.corrections import CorrectionForm, ReceivedForm
from intake.policies import why_not_correct_intake, why_not_correct_received
from intake.services import corrections


@require_http_methods(["GET", "HEAD", "POST"])
def correct_intake(request: StaffRequest, number: str) -> HttpResponse:
    """Correct the received date or the typed fields of an application; two forms on one page."""
    case, now = load_case(request, number), timezone.now()
    today = timezone.localdate(now)
    # Only the form of the received date has a field of this name.
    of_received = request.method == "POST" and "received" in request.POST
    received = timezone.localtime(case.received_at) if case.received_at else None
    stamp = {
        "received": f"{received:%m/%d/%Y}" if received else "",
        "received_time": f"{received:%H:%M}" if received else "",
    }
    form = ReceivedForm(request.POST if of_received else None, today=today, initial=stamp)
    typed = request.POST if request.method == "POST" and not of_received else None
    keyed = CorrectionForm(typed, case=case, today=today)
    sent: ReceivedForm | CorrectionForm = form if of_received else keyed

    def correct_what_was_sent() -> list[str]:
        if of_received:
            corrections.correct_received_date(
                case_id=case.pk,
                received_at=form.received_at(),
                why=form.cleaned_data["reason"],
                seen_version=seen_version(request),
                by=request.user,
                at=now,
            )
            return ["received date"]
        return corrections.correct_application(
            case_id=case.pk,
            values=keyed.values(),
            items=keyed.items,
            added=keyed.added,
            why=keyed.cleaned_data["why"],
            seen_version=seen_version(request),
            by=request.user,
            at=now,
        )

    attempt = run_action(request, sent, correct_what_was_sent, row=case)
    if attempt.done:
        changed = attempt.result
        done = f"Corrected: {', '.join(changed)}." if changed else "No changes."
        messages.success(request, done)
        return redirect("intake:correct", case.number)
    context = {
        "case": case,
        "form": sent if request.method == "POST" else form,
        "received": form,
        "keyed": keyed,
        "why_not": why_not_correct_intake(request.user, case),
        "why_not_received": why_not_correct_received(request.user, case),
        "proposal": propose_for_case(case),
        "may_change_priority": not why_not_change_priority(request.user, case),
        "is_stale": attempt.status == 409,
        "resolve_at": _find_page_to_resolve(request, attempt.refusal),
        "today": today,
    }
    return render(request, "intake/correct.html", context, status=attempt.status)


def _find_page_to_resolve(request: StaffRequest, refusal: Refused | None) -> str:
    """Return the address of the page on which the possible duplicate of a refusal is resolved.

    Empty if the refusal has another reason or the other case is hidden from this person.
    """
    if not isinstance(refusal, corrections.DecisionDisputed) or refusal.other is None:
        return ""
    earlier, later = sorted(refusal.pair)
    pair = DuplicateProposal.objects.select_related("case").get(case=later, other=earlier)
    if why_not_resolve_duplicate(request.user):
        # Their role does not open the comparison, but this page shows who has to resolve it.
        return reverse("cases:related", args=[pair.case.number])
    return reverse("cases:compare", args=[pair.case.number, pair.pk])
