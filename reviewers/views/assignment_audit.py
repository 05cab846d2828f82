"""Pages of the assignment audit: all payer-bias tests, and one test with its pairs."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions import run_action
from accounts.names import who
from accounts.requests import StaffRequest, posted, whole_number
from reviewers import policies
from reviewers.forms.matching import LookedIntoForm, PeriodForm
from reviewers.matching.history_of_choices import deviations, tests_before
from reviewers.matching.payer_bias import ALARM
from reviewers.models import PayerBiasTest
from reviewers.services import payer_bias


@require_http_methods(["GET", "HEAD", "POST"])
def results(request: StaffRequest) -> HttpResponse:
    """List all tests, newest first, and let the medical director test a period."""
    now = timezone.now()
    today = timezone.localdate(now)
    form = PeriodForm(posted(request), today=today)
    tried = run_action(
        request,
        form,
        lambda: payer_bias.check_period(**form.cleaned_data, by=request.user, at=now),
        field="last",
    )
    if tried.done:
        messages.success(request, f"Tested {tried.result[0].choices:,} assignments.")
        return redirect("reviewers:payer_bias")
    tests, next_id = tests_before(whole_number(request.GET.get("before", "")))
    context = {
        "form": form,
        "lines": [(test, who(test.made_by, reader=request.user)) for test in tests],
        "next_id": next_id,
        "why_not": policies.why_not_check_payer_bias(request.user),
        "in_a_hundred": round(ALARM * 100),
    }
    return render(request, "reviewers/payer_bias.html", context, status=tried.status)


@require_http_methods(["GET", "HEAD", "POST"])
def result(request: StaffRequest, test_id: int) -> HttpResponse:
    """Show one test with the pairs that deviate most and its notes, and add a note."""
    test = get_object_or_404(PayerBiasTest.objects.select_related("made_by"), pk=test_id)
    form = LookedIntoForm(posted(request))
    tried = run_action(
        request,
        form,
        lambda: payer_bias.note(
            test_id=test.pk,
            words=form.cleaned_data["words"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if tried.done:
        messages.success(request, "The note is saved. The alert is removed from My day.")
        return redirect("reviewers:payer_bias_test", test.pk)
    notes = test.notes.select_related("noted_by").order_by("pk")
    context = {
        "test": test,
        "made_by": who(test.made_by, reader=request.user),
        "pairs": deviations(test, reader=request.user) if test.is_steered else [],
        "notes": [(note, who(note.noted_by, reader=request.user)) for note in notes],
        "sees_identity": request.user.may("reviewers.see_identity"),
        "form": form,
        "why_not": policies.why_not_check_payer_bias(request.user),
    }
    return render(request, "reviewers/payer_bias_test.html", context, status=tried.status)
