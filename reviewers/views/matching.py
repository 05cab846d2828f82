"""Pages of matching: the plan over many cases, weights and limits, what somebody receives."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.requests import StaffRequest
from accounts.versions import Stale
from cases.policies import NotAllowed
from reviewers import panel, policies
from reviewers.forms_matching import PlanForm, ReceivesForm, RulesForm
from reviewers.models import Reviewer
from reviewers.planning import Step
from reviewers.services import planning as plan_services
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
def plan(request: StaffRequest) -> HttpResponse:
    """Who would get each case that waits, before anything moves; then give away what is ticked."""
    form = PlanForm(request.POST if request.method == "POST" else None)
    outcomes, status = [], 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            outcomes = plan_services.carry_out(
                choices=form.cleaned_data["choices"], by=request.user, at=timezone.now()
            )
            status = 200 if all(one.is_done for one in outcomes) else 422
    now = timezone.now()
    steps, more = plan_services.draw_up(by=request.user, at=now)
    context = {
        "form": form,
        "outcomes": outcomes,
        "steps": _with_reviewers(steps),
        "more": more,
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/plan.html", context, status=status)


def _with_reviewers(steps: Sequence[Step]) -> list[tuple[Step, Reviewer | None]]:
    """Each step with who is proposed for it. One query."""
    found = Reviewer.objects.in_bulk([step.chosen.reviewer_id for step in steps if step.chosen])
    return [(step, found[step.chosen.reviewer_id] if step.chosen else None) for step in steps]


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
