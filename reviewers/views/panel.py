"""Pages of the whole panel: the roster, the credentialing worklist and the conflict limits."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data
from directory.affiliations import STATUTE_LIMITS
from form_fields.reasons import ReasonForm
from reviewers import panel, policies
from reviewers.forms.matching import LimitsForm
from reviewers.forms.panel import AsOfForm, read_as_of
from reviewers.matching.track_record import get_conflict_limits
from reviewers.models import (
    ConflictLimits,
    Kin,
    ReportedChange,
    Reviewer,
)
from reviewers.services import conflicts, credentialing
from reviewers.worklist import build_worklist


@require_safe
def show_roster(request: StaffRequest) -> HttpResponse:
    """List the panel with specialties, licenses and the reasons that block new cases."""
    now = timezone.now()
    today = timezone.localdate(now)
    find = request.GET.get("find", "")[:100]
    # Empty fields are left out, so that the blank form means today.
    query = {name: request.GET[name] for name in ("on", "known") if request.GET.get(name)}
    form = AsOfForm(query or None, today=today, initial={"on": today, "known": today})
    on, known_at = read_as_of(form, today=today, now=now)
    lines, next_code = panel.list_roster(
        on=on,
        known_at=known_at,
        find=find,
        after=request.GET.get("after", "")[:12],
        with_work=not query,
    )
    context = {
        "form": form,
        "on": on,
        "known_at": known_at,
        "is_as_of": bool(query),
        "lines": lines,
        "find": find,
        "next_code": next_code,
        "is_keeper": request.user.may("reviewers.manage_credentials"),
        "today": today,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "reviewers/panel.html", context, status=status)


@require_safe
def show_worklist(request: StaffRequest) -> HttpResponse:
    """Show the credentialing worklist: reports, blocked reviewers, verifications and gaps."""
    return _render_worklist_page(request)


def _render_worklist_page(
    request: StaffRequest,
    *,
    resolving: ReasonForm | None = None,
    refused_report: int | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    context = {
        "waiting": build_worklist(on=today, known_at=now, reader=request.user),
        "form": resolving,
        "refused_report": refused_report,
        "is_keeper": request.user.may("reviewers.manage_credentials"),
        "today": today,
    }
    return render(request, "reviewers/worklist.html", context, status=status)


@require_POST
def answer_report(request: StaffRequest, report_id: int) -> HttpResponse:
    """Resolve a change that a reviewer reported."""
    report = get_object_or_404(ReportedChange, pk=report_id)
    # The page has one form for each report, and ids must not repeat.
    form = ReasonForm(request.POST, auto_id=f"found-{report.pk}-%s")
    form.fields["reason"].error_messages["required"] = "Enter what you found at the source."
    attempt = run_action(
        request,
        form,
        lambda: credentialing.resolve_report(
            report_id=report.pk,
            note=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "The report is resolved.")
        return redirect("reviewers:worklist")
    return _render_worklist_page(
        request, resolving=form, refused_report=report.pk, status=attempt.status
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit_conflict_limits(request: StaffRequest) -> HttpResponse:
    """Show the conflict limits in force and past, and let the medical director set new ones."""
    now = timezone.now()
    today = timezone.localdate(now)
    current_limits = get_conflict_limits(today, known_at=now)
    initial = {
        "effective_from": today,
        "holding_percent": current_limits.holding_percent,
        "kin": sorted(current_limits.kin),
        "source": current_limits.source,
    }
    form = LimitsForm(posted_data(request), today=today, initial=initial)
    attempt = run_action(
        request,
        form,
        lambda: conflicts.set_conflict_limits(**form.cleaned_data, by=request.user, at=now),
        once=True,
    )
    if attempt.done:
        messages.success(request, "The conflict limits are saved.")
        return redirect("reviewers:limits")
    context = {
        "form": form,
        "standing": current_limits,
        "standing_kin": [label for value, label in Kin.choices if value in current_limits.kin],
        "statute": STATUTE_LIMITS,
        "statute_kin": [label for value, label in Kin.choices if value in STATUTE_LIMITS.kin],
        "levels": panel.count_affiliation_levels(current_limits, on=today, known_at=now),
        "rows": ConflictLimits.objects.order_by("-effective_from"),
        "kin_labels": dict(Kin.choices),
        "why_not": policies.why_not_set_limits(request.user),
        "today": today,
    }
    return render(request, "reviewers/limits.html", context, status=attempt.status)


def load_reviewer(code: str) -> Reviewer:
    return get_object_or_404(Reviewer.objects.select_related("user"), code=code)
