"""Pages of the matching rules and of a reviewer's offer limits."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data, seen_version
from reviewers import panel, policies
from reviewers.forms.matching import OfferLimitsForm, RulesForm
from reviewers.matching.track_record import get_matching_rules
from reviewers.models import Reviewer
from reviewers.services import rules as rule_services


@require_http_methods(["GET", "HEAD", "POST"])
def edit_matching_rules(request: StaffRequest) -> HttpResponse:
    """Show the matching rules in force and past, and let the medical director set new ones."""
    now = timezone.now()
    today = timezone.localdate(now)
    current_rules = get_matching_rules(today, known_at=now)
    form = RulesForm(
        posted_data(request), today=today, initial={"effective_from": today, **current_rules.values}
    )
    attempt = run_action(
        request,
        form,
        lambda: rule_services.set_matching_rules(
            effective_from=form.cleaned_data["effective_from"],
            weights=form.weights(),
            limits=form.limits(),
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=now,
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, "The matching rules are saved.")
        return redirect("reviewers:rules")
    context = {
        "form": form,
        "standing": panel.list_rule_values(current_rules),
        "changes": panel.list_rule_changes(),
        "why_not": policies.why_not_set_rules(request.user),
        "today": today,
    }
    return render(request, "reviewers/rules.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_offer_limits(request: StaffRequest, code: str) -> HttpResponse:
    """Set the treatments that a reviewer may be offered, and the days without offers."""
    row = get_object_or_404(Reviewer, code=code)
    initial = {
        "which": "all" if row.subjects is None else "listed",
        "subjects": row.subjects or [],
        "days_off": row.days_off,
    }
    form = OfferLimitsForm(posted_data(request), initial=initial)
    attempt = run_action(
        request,
        form,
        lambda: rule_services.limit_offers(
            reviewer_id=row.pk,
            subjects=form.chosen(),
            days_off=form.cleaned_data["days_off"],
            reason=form.cleaned_data["reason"],
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=row,
    )
    if attempt.done:
        messages.success(request, "The offer limits are saved. They apply to new offers only.")
        return redirect("reviewers:reviewer", code)
    context = {
        "form": form,
        "reviewer": row,
        "title": "Offer limits",
        "button": "Save",
        "version": row.version,
    }
    return render(request, "reviewers/form.html", context, status=attempt.status)
