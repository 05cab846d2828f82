"""Pages of matching: weights and limits, and what somebody receives."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.requests import StaffRequest
from accounts.versions import Stale
from cases.policies import NotAllowed
from reviewers import panel, policies
from reviewers.forms_matching import ReceivesForm, RulesForm
from reviewers.models import Reviewer
from reviewers.services import rules as rule_services
from reviewers.standing import rules_on


@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: StaffRequest) -> HttpResponse:
    """The weights and limits of matching, now and before; the director sets the next."""
    now = timezone.now()
    today = timezone.localdate(now)
    standing = rules_on(today, known_at=now)
    posted = request.POST if request.method == "POST" else None
    form = RulesForm(posted, today=today, initial={"effective_from": today, **standing.values})
    if posted is not None and form.is_valid():
        try:
            rule_services.set_weights(
                effective_from=form.cleaned_data["effective_from"],
                weights=form.weights(),
                limits=form.limits(),
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=now,
            )
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The rules are set.")
            return redirect("reviewers:rules")
    context = {
        "form": form,
        "standing": panel.rules_in_words(standing),
        "changes": panel.changes_of_rules(),
        "why_not": policies.why_not_set_rules(request.user),
        "today": today,
    }
    return render(request, "reviewers/rules.html", context, status=200 if posted is None else 422)


@require_http_methods(["GET", "HEAD", "POST"])
def receives(request: StaffRequest, code: str) -> HttpResponse:
    """Which treatments a reviewer may be offered, and on which days."""
    row = get_object_or_404(Reviewer, code=code)
    initial = {
        "which": "all" if row.subjects is None else "listed",
        "subjects": row.subjects or [],
        "days_off": row.days_off,
    }
    form = ReceivesForm(request.POST if request.method == "POST" else None, initial=initial)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            rule_services.limit_offers(
                reviewer_id=row.pk,
                subjects=form.chosen(),
                days_off=form.cleaned_data["days_off"],
                reason=form.cleaned_data["reason"],
                seen_version=form.cleaned_data["version"],
                by=request.user,
                at=timezone.now(),
            )
        except Stale as stale:
            form.add_error(None, str(stale))
            status, row = 409, get_object_or_404(Reviewer, code=code)
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Offers follow this from now on. Open cases stay.")
            return redirect("reviewers:reviewer", code)
    context = {
        "form": form,
        "reviewer": row,
        "title": "What they receive",
        "button": "Save",
        "version": row.version,
    }
    return render(request, "reviewers/form.html", context, status=status)
