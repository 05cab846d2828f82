"""The reviewer's list of cases, and the statistics of one reviewer for the organization."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

import reviewers.panel
from accounts.requests import StaffRequest
from determinations.dashboard import list_review_cards
from determinations.forms import PeriodForm
from determinations.record import load_reviewer_record
from reviewers.matching.track_record import get_matching_rules
from reviewers.models import Reviewer
from reviewers.profiles import load_profile

YEAR = timedelta(days=365)


@require_safe
def show_my_reviews(request: StaffRequest) -> HttpResponse:
    """Show the cases that are offered or assigned to the signed-in reviewer, and no others."""
    now = timezone.now()
    today = timezone.localdate(now)
    # Found by the signed-in user and never by a number in the address.
    own = Reviewer.objects.filter(user=request.user)
    me = reviewers.panel.annotate_workload(own, on=today).first()
    profile = load_profile(me, on=today, known_at=now) if me else None
    cards = list_review_cards(request.user)
    context = {
        "me": me,
        "cards": cards,
        "offers": [card for card in cards if card.work.is_offer],
        "own": [card for card in cards if not card.work.is_offer],
        "hindrances": reviewers.panel.list_blocking_reasons(
            profile, me, rules=get_matching_rules(today, known_at=now)
        )
        if profile
        else [],
        "taken": reviewers.panel.list_recently_removed(request.user, now=now),
        "lapsing": reviewers.panel.list_expiring_facts(profile) if profile else [],
        "today": today,
    }
    return render(request, "determinations/my_reviews.html", context)


@require_safe
def show_reviewer_record(request: StaffRequest, code: str) -> HttpResponse:
    """Show turnaround, late decisions and QA returns of one reviewer over a period."""
    reviewer = get_object_or_404(Reviewer, code=code)
    today = timezone.localdate()
    query = {name: request.GET[name] for name in ("first", "last") if request.GET.get(name)}
    # Unbound without a period, so that the first visit shows no errors.
    form = PeriodForm(query or None, today=today, initial={"first": today - YEAR, "last": today})
    first, last = today - YEAR, today
    if form.is_bound and form.is_valid():
        first = form.cleaned_data["first"] or first
        last = form.cleaned_data["last"] or last
    context = {
        "reviewer": reviewer,
        "form": form,
        "first": first,
        "last": last,
        "record": load_reviewer_record(reviewer, first=first, last=last, reader=request.user),
        "today": today,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "determinations/reviewer_record.html", context, status=status)
