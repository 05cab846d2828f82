"""Pages to issue a determination, return it to QA review, mark it as sent, and see its versions."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions import run_action, try_action
from accounts.requests import StaffRequest, posted_data, seen_version
from cases.services import served_letters
from cases.views.acting import load_case, report_done
from determinations import history, policies
from determinations.forms import SendForm
from determinations.services import issuing as issue_services
from determinations.services import quality as quality_services
from determinations.services import sending
from form_fields.reasons import ReasonForm

from .loading import build_determination_context, render_preview_pdf


@require_http_methods(["GET", "HEAD", "POST"])
def issue_case(request: StaffRequest, number: str) -> HttpResponse:
    """Show the review with all facts that support the letter, and issue the determination."""
    case = load_case(request, number)
    now = timezone.now()
    error, status = "", 200
    if request.method == "POST":
        attempt = try_action(
            lambda: issue_services.issue_determination(
                case_id=case.pk, seen_version=seen_version(request), by=request.user, at=now
            )
        )
        error, status = str(attempt.refusal), attempt.status
        if attempt.done:
            messages.success(request, f"{number} issued. The letter is being generated.")
            return redirect("desk:letters", number)
        case = load_case(request, number)
    context = build_determination_context(request, case)
    context |= {
        "error": error,
        "why_not": policies.why_not_issue(request.user, case),
        "readiness": issue_services.check_readiness(case, at=now),
        "back_form": ReasonForm(),
    }
    return render(request, "determinations/issue.html", context, status=status)


@require_POST
def preview_case_letter(request: StaffRequest, number: str) -> HttpResponse:
    """Return the letter exactly as it would be issued now. Issuing requires this preview."""
    return render_preview_pdf(request, load_case(request, number))


@require_POST
def return_to_quality(request: StaffRequest, number: str) -> HttpResponse:
    """Void the approval and return the case to QA review."""
    case = load_case(request, number)
    form = ReasonForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: quality_services.void_approval(
            case_id=case.pk,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, f"{number} returned to QA review.")
        return redirect(case)
    context = build_determination_context(request, case)
    context |= {
        "why_not": policies.why_not_issue(request.user, case),
        "readiness": issue_services.check_readiness(case, at=timezone.now()),
        "back_form": form,
    }
    return render(request, "determinations/issue.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def send_determination(request: StaffRequest, number: str) -> HttpResponse:
    """Mark the determination as sent to its recipients, which closes the case."""
    case = load_case(request, number)
    now = timezone.now()
    today = timezone.localdate(now)
    form = SendForm(posted_data(request), today=today)
    attempt = run_action(
        request,
        form,
        lambda: sending.mark_determination_sent(
            case_id=case.pk, sent_on=form.cleaned_data["sent_on"], by=request.user, at=now
        ),
    )
    if attempt.done:
        report_done(request, case, f"{number} marked as sent. The case is closed.")
        return redirect("desk:case", number)
    determination = policies.live_determination(case)
    letter = determination.letter if determination else None
    context = {
        "case": case,
        "form": form,
        "letter": letter,
        "services": served_letters.list_services(letter=letter) if letter else [],
        "why_not": policies.why_not_mark_sent(request.user, case),
    }
    return render(
        request,
        "determinations/send.html",
        context,
        status=attempt.status,
    )


@require_GET
def show_versions(request: StaffRequest, number: str) -> HttpResponse:
    """Show all versions of the determination with their differences."""
    case = load_case(request, number)
    context = build_determination_context(request, case)
    context |= {"tab": "versions", "parts": history.list_review_parts(case, request.user)}
    return render(request, "determinations/versions.html", context)
