"""Pages of QA: read a submitted review, return it for changes or approve it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.actions import run_action
from accounts.requests import StaffRequest, seen_version
from cases.models import Case
from cases.views.acting import load_case, report_done
from determinations import policies
from determinations.forms import QualityForm
from determinations.services import issuing
from determinations.services import quality as quality_services

from .loading import build_determination_context


@require_GET
def show_quality_review(request: StaffRequest, number: str) -> HttpResponse:
    """Show the review as submitted, with the changes since the last QA review."""
    case = load_case(request, number)
    return _render_quality_page(request, case, QualityForm(case=case))


@require_POST
def return_for_changes(request: StaffRequest, number: str) -> HttpResponse:
    """Return the review to its reviewer with a comment."""
    case = load_case(request, number)
    form = QualityForm(request.POST, case=case)
    attempt = run_action(
        request,
        form,
        lambda: quality_services.return_review(
            case_id=case.pk,
            comment=form.cleaned_data["comment"],
            item_id=form.cleaned_data["item"],
            seat=form.cleaned_data["seat"],
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=case,
        field="comment",
    )
    if attempt.done:
        messages.success(request, f"{number} returned to the reviewer for changes.")
        return redirect("desk:queue", "qa")
    return _render_quality_page(request, case, form, status=attempt.status)


@require_POST
def approve_case(request: StaffRequest, number: str) -> HttpResponse:
    """Approve the review, so that the determination can be issued."""
    case = load_case(request, number)
    form = QualityForm(request.POST, case=case)
    attempt = run_action(
        request,
        form,
        lambda: quality_services.approve_review(
            case_id=case.pk,
            comment=form.cleaned_data["comment"],
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=case,
    )
    if attempt.done:
        report_done(request, case, f"{number} approved. The medical director can issue it.")
        return redirect("desk:queue", "qa")
    return _render_quality_page(request, case, form, status=attempt.status)


def _render_quality_page(
    request: StaffRequest, case: Case, form: QualityForm, *, status: int = 200
) -> HttpResponse:
    # The forms of the page must carry the version that is stored now.
    case.refresh_from_db()
    now = timezone.now()
    context = build_determination_context(request, case)
    context |= {
        "form": form,
        "why_not": policies.why_not_check_quality(request.user, case),
        "changes": issuing.list_changes_since_return(case),
        "readiness": issuing.check_readiness(case, at=now),
    }
    return render(request, "determinations/qa.html", context, status=status)
