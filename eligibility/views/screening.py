"""Pages for deciding eligibility, for recording UR citations, and for screening a case again."""

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data, seen_version
from cases import policies as case_policies
from cases.item_liability import read_liability
from cases.models import Case, DisputedItem
from cases.views.acting import answer_reason_form, load_case, report_done
from eligibility import policies
from eligibility.answers import EligibilityResult
from eligibility.forms.screening import CitationsForm, EligibilityForm
from eligibility.models import URReading
from eligibility.services import citations, screening
from eligibility.services.proposals import propose_eligibility
from eligibility.services.ur_decision import list_differences
from eligibility.shown_documents import has_papers, list_application_documents


@require_http_methods(["GET", "HEAD", "POST"])
def decide_eligibility(request: StaffRequest, number: str) -> HttpResponse:
    """Show the six facts with the proposed answers, and decide eligibility."""
    case = load_case(request, number)
    items = list(case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"))
    form = _build_eligibility_form(request, case, items)
    attempt = run_action(
        request,
        form,
        lambda: screening.read_and_decide(
            case_id=case.pk,
            keyed=form.keyed_decision(),
            difference_answers=form.difference_answers(),
            difference_notes=form.difference_notes(),
            answers=form.answers(),
            notes=form.notes(),
            reasons=form.reasons(),
            items=form.item_answers(),
            other_case=form.other_case(),
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=case,
    )
    if attempt.done:
        report_done(request, case, f"{case.number}: {attempt.result.note}")
        return redirect(case)
    if attempt.refusal is not None:
        # The UR decision may be on file now, although the decision was refused.
        form.renew(
            proposal=propose_eligibility(case, reader=request.user), listed=list_differences(case)
        )
    proposal, documents = form.proposal, list_application_documents(case)
    context = {
        "case": case,
        "form": form,
        "facts": form.facts(),
        "item_rows": form.item_rows(),
        "differences": form.difference_rows(),
        "documents": documents,
        "has_unfiled_papers": not documents and has_papers(case),
        "flags": proposal.flags,
        "proposed": EligibilityResult(proposal.conclusion.result).label,
        "reason": proposal.conclusion.sentence,
        "ended_items": case.items.exclude(ending=DisputedItem.Ending.PENDING).order_by("position"),
        "reading": URReading.objects.filter(case=case).first(),
        "open_differences": sum(one.answer is None for one in form.listed.values()),
        "requests": case.information_requests.select_related("party").order_by("-pk"),
        "parties": case.parties.current().true_on(timezone.localdate()),
        "application": case.application,
        "liability": read_liability(items, case.ur_decision),
        # Without the prefetch, each finding would cost two more queries.
        "decisions": case.eligibility_decisions.prefetch_related(
            "findings__item",
            Prefetch("findings__other_case", Case.objects.visible_to(request.user)),
        ).order_by("-attempt"),
        "why_not": policies.why_not_decide_eligibility(request.user, case),
        "may_split": len(items) > 1 and not case_policies.why_not_split(request.user, case),
        "today": timezone.localdate(),
    }
    return render(request, "eligibility/eligibility.html", context, status=attempt.status)


def _build_eligibility_form(
    request: StaffRequest, case: Case, items: list[DisputedItem]
) -> EligibilityForm:
    reading = URReading.objects.filter(case=case).first()
    return EligibilityForm(
        posted_data(request),
        items=items,
        proposal=propose_eligibility(case, reader=request.user),
        listed=list_differences(case),
        ur_decision=case.ur_decision,
        initial=EligibilityForm.initial_from(reading, case.ur_decision),
        today=timezone.localdate(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def record_citations(request: StaffRequest, number: str, position: int) -> HttpResponse:
    """Record the sources that the UR decision cites for one item."""
    case = load_case(request, number)
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
        title="Review eligibility again",
        button="Review eligibility",
        why_not=policies.why_not_screen_again,
        service=screening.screen_case_again,
        success_message="The case is back in screening.",
    )
