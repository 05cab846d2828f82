"""Pages of the assignment audit: all payer-bias tests, and one test with its pairs."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions import run_action, run_prepared_action
from accounts.names import name_actor
from accounts.requests import StaffRequest, posted_data, read_whole_number
from reviewers import policies
from reviewers.forms.matching import BiasNoteForm, PeriodForm
from reviewers.matching.assignment_history import list_bias_tests, list_deviating_pairs
from reviewers.matching.payer_bias import ALARM
from reviewers.models import PayerBiasTest
from reviewers.services import payer_bias


@require_http_methods(["GET", "HEAD", "POST"])
def show_bias_tests(request: StaffRequest) -> HttpResponse:
    """List all tests, newest first, and let the medical director test a period."""
    now = timezone.now()
    today = timezone.localdate(now)
    form = PeriodForm(posted_data(request), today=today)
    attempt = run_prepared_action(
        request,
        form,
        prepare=lambda: payer_bias.compute_bias_tests(**form.cleaned_data, by=request.user, at=now),
        store=lambda tests: payer_bias.store_bias_tests(tests=tests, by=request.user, at=now),
        field="last",
        button="Run test",
    )
    if attempt.done:
        # Each kind of payer has a test of its own; most assignments are in the largest.
        tested = max(test.choices for test in attempt.result)
        messages.success(request, f"Tested {tested:,} assignments.")
        return redirect("reviewers:payer_bias")
    tests, next_id = list_bias_tests(read_whole_number(request.GET.get("before", "")))
    context = {
        "form": form,
        "lines": [(test, name_actor(test.made_by, reader=request.user)) for test in tests],
        "next_id": next_id,
        "why_not": policies.why_not_check_payer_bias(request.user),
        "in_a_hundred": round(ALARM * 100),
    }
    return render(request, "reviewers/payer_bias.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def show_bias_test(request: StaffRequest, test_id: int) -> HttpResponse:
    """Show one test with the pairs that deviate most and its notes, and add a note."""
    test = get_object_or_404(PayerBiasTest.objects.select_related("made_by"), pk=test_id)
    form = BiasNoteForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: payer_bias.add_bias_note(
            test_id=test.pk,
            words=form.cleaned_data["words"],
            by=request.user,
            at=timezone.now(),
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, "The note is saved. A test with a note is not listed on My day.")
        return redirect("reviewers:payer_bias_test", test.pk)
    notes = test.notes.select_related("noted_by").order_by("pk")
    context = {
        "test": test,
        "made_by": name_actor(test.made_by, reader=request.user),
        # Without an alert the pairs differ by chance, and showing them would accuse someone.
        "pairs": list_deviating_pairs(test, reader=request.user) if test.is_steered else [],
        "notes": [(note, name_actor(note.noted_by, reader=request.user)) for note in notes],
        "sees_identity": request.user.may("reviewers.view_identity"),
        "form": form,
        "why_not": policies.why_not_check_payer_bias(request.user),
    }
    return render(request, "reviewers/payer_bias_test.html", context, status=attempt.status)
