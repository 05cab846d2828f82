"""The page for reading the UR decision and comparing it with the application."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data, seen_version
from cases.models import Case
from cases.views.acting import load_case
from eligibility import policies
from eligibility.forms.ur_decision import DifferencesForm, URDecisionForm
from eligibility.models import URReading
from eligibility.services import ur_decision as services


@require_http_methods(["GET", "HEAD", "POST"])
def read_ur_decision(request: StaffRequest, number: str) -> HttpResponse:
    """Show and record the reading of the UR decision, and list the differences."""
    case = load_case(request, number)
    form = _build_reading_form(request, case)
    attempt = run_action(
        request,
        form,
        lambda: services.record_ur_reading(
            case_id=case.pk,
            as_read=form.as_read(),
            outcomes=form.outcomes(),
            experimental=form.experimental(),
            rfa=form.rfa(),
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=case,
    )
    if attempt.done:
        messages.success(request, "UR decision saved.")
        return _redirect_to_open_work(case, attempt.result)
    differences = DifferencesForm(listed=services.list_differences(case))
    return _render_ur_decision_page(request, case, form, differences, attempt.status)


@require_POST
def answer_differences(request: StaffRequest, number: str) -> HttpResponse:
    """Record the answers to the differences."""
    case = load_case(request, number)
    differences = DifferencesForm(request.POST, listed=services.list_differences(case))
    attempt = run_action(
        request,
        differences,
        lambda: services.answer_differences(
            case_id=case.pk,
            answers=differences.difference_answers(),
            notes=differences.difference_notes(),
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "Answers saved.")
        return _redirect_to_open_work(case, attempt.result)
    return _render_ur_decision_page(
        request, case, _build_reading_form(None, case), differences, attempt.status
    )


def _build_reading_form(request: StaffRequest | None, case: Case) -> URDecisionForm:
    return URDecisionForm(
        posted_data(request) if request else None,
        items=list(case.items.order_by("position")),
        ur_decision=case.ur_decision,
        initial=URDecisionForm.initial_from(
            URReading.objects.filter(case=case).first(), case.ur_decision
        ),
        today=timezone.localdate(),
    )


def _redirect_to_open_work(
    case: Case, differences: list[services.ListedDifference]
) -> HttpResponse:
    """Redirect to the open differences, or to the eligibility page if there are none."""
    if any(one.answer is None for one in differences):
        return redirect("eligibility:ur_decision", case.number)
    return redirect("eligibility:eligibility", case.number)


def _render_ur_decision_page(
    request: StaffRequest,
    case: Case,
    form: URDecisionForm,
    differences: DifferencesForm,
    status: int,
) -> HttpResponse:
    context = {
        "case": case,
        "form": form,
        "differences": differences,
        "rows": differences.difference_rows(),
        "is_read": URReading.objects.filter(case=case).exists(),
        "why_not": policies.why_not_read_ur_decision(request.user, case),
        "today": timezone.localdate(),
    }
    return render(request, "eligibility/ur_decision.html", context, status=status)
