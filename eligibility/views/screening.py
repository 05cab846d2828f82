"""Pages for deciding eligibility, for recording UR citations, and for screening a case again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data, seen_version
from cases.models import DisputedItem
from cases.views.acting import answer_reason_form, load_case
from eligibility import policies
from eligibility.answers import EligibilityResult
from eligibility.forms.screening import CitationsForm, EligibilityForm
from eligibility.models import URReading
from eligibility.services import citations, screening
from eligibility.services.proposals import propose_eligibility
from eligibility.services.ur_decision import list_open_differences


@require_http_methods(["GET", "HEAD", "POST"])
def decide_eligibility(request: StaffRequest, number: str) -> HttpResponse:
    """Show the six facts with the proposed answers, and decide eligibility."""
    case = load_case(number)
    items = list(case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"))
    proposal = propose_eligibility(case)
    form = EligibilityForm(posted_data(request), items=items, proposal=proposal)
    attempt = run_action(
        request,
        form,
        lambda: screening.decide_eligibility(
            case_id=case.pk,
            answers=form.answers(),
            notes=form.notes(),
            reasons=form.reasons(),
            items=form.item_answers(),
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=case,
    )
    if attempt.done:
        messages.success(request, f"{case.number}: {attempt.result.note}")
        return redirect(case)
    context = {
        "case": case,
        "form": form,
        "facts": form.facts(),
        "item_rows": form.item_rows(),
        "flags": proposal.flags,
        "proposed": EligibilityResult(proposal.conclusion.result).label,
        "because": proposal.conclusion.sentence,
        "ended_items": case.items.exclude(ending=DisputedItem.Ending.PENDING).order_by("position"),
        "reading": URReading.objects.filter(case=case).first(),
        "open_differences": len(list_open_differences(case)),
        "requests": case.information_requests.select_related("party").order_by("-pk"),
        "parties": case.parties.current().on(timezone.localdate()),
        "application": getattr(case, "application", None),
        # Without the prefetch, each finding would cost two more queries.
        "decisions": case.eligibility_decisions.prefetch_related(
            "findings__item", "findings__other_case"
        ).order_by("-attempt"),
        "why_not": policies.why_not_decide_eligibility(request.user, case),
        "today": timezone.localdate(),
    }
    return render(request, "eligibility/eligibility.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def record_citations(request: StaffRequest, number: str, position: int) -> HttpResponse:
    """Record the sources that the UR decision cites for one item."""
    case = load_case(number)
    item = get_object_or_404(case.items, position=position)
    stated = citations.find_stated_citations(item)
    initial = (
        CitationsForm.initial_from(stated.citations, nothing=stated.nothing) if stated else None
    )
    form = CitationsForm(posted_data(request), initial=initial)
    attempt = run_action(
        request,
        form,
        lambda: citations.record_administrator_citations(
            item_id=item.pk,
            cited=citations.AdministratorCitations(form.citations(), form.cleaned_data["nothing"]),
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=item,
    )
    if attempt.done:
        messages.success(request, f"Item {position}: UR citations saved.")
        return redirect(case)
    context = {
        "case": case,
        "item": item,
        "form": form,
        "rows": form.rows(),
        "why_not": policies.why_not_record_citations(request.user, case),
        # After a conflict, the page also shows what the other person saved.
        "saved": citations.find_stated_citations(item) if attempt.status == 409 else None,
    }
    return render(request, "eligibility/citations.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def screen_again(request: StaffRequest, number: str) -> HttpResponse:
    """Return an ineligible, deferred, waiting or duplicate case to screening."""
    return answer_reason_form(
        request,
        number,
        title="Screen again",
        button="Screen again",
        why_not=policies.why_not_screen_again,
        act=screening.screen_case_again,
        done="The case is back in screening.",
    )
