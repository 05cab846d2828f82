"""Pages of possible duplicates, consolidation and related cases."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action, try_action
from accounts.refusals import BadFact
from accounts.requests import StaffRequest, posted_data
from accounts.services import record_look
from cases import consolidated_items, policies
from cases.forms.duplicates import ConsolidateForm, ResolveDuplicateForm
from cases.models import Case, DisputedItem, DuplicateProposal
from cases.services import case_deadlines
from cases.services import consolidation as consolidation_services
from cases.services import duplicates as duplicate_services

from .acting import answer_reason_form, load_case

PAIRS_PER_PAGE = 50


@require_safe
def list_possible_duplicates(request: StaffRequest) -> HttpResponse:
    """List the open possible duplicates, most certain first."""
    rows = DuplicateProposal.objects.filter(answer="").select_related("case", "other")
    order = ["SAME", "LIKELY", "POSSIBLE", "NO"]
    # Bands do not sort by alphabet, so a limited number of rows is sorted here.
    found = sorted(rows.order_by("pk")[: 4 * PAIRS_PER_PAGE], key=lambda row: order.index(row.band))
    context = {
        "rows": found[:PAIRS_PER_PAGE],
        "more": len(found) > PAIRS_PER_PAGE,
        "today": timezone.localdate(),
    }
    return render(request, "cases/possible_duplicates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def compare_cases(request: StaffRequest, number: str, proposal_id: int) -> HttpResponse:
    """Compare two cases side by side, and record how they are related."""
    case = load_case(number)
    proposal = get_object_or_404(
        DuplicateProposal.objects.select_related("other__ur_decision", "resolved_by"),
        pk=proposal_id,
        case=case,
    )
    now = timezone.now()
    # The page shows both cases, so both looks are recorded.
    for seen in (number, proposal.other.number):
        record_look(by=request.user, subject="case", reference=seen, granted=True, at=now)
    form = ResolveDuplicateForm(posted_data(request), case=case)
    attempt = run_action(
        request,
        form,
        lambda: duplicate_services.resolve_duplicate(
            proposal_id=proposal.pk,
            answer=form.cleaned_data["answer"],
            reason=form.cleaned_data["reason"],
            item_ids=form.cleaned_data["items"],
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        messages.success(request, f"Resolved: {attempt.result.get_answer_display().lower()}.")
        return redirect(case)
    context = {
        "case": case,
        "proposal": proposal,
        "lines": _build_comparison_lines(case, proposal.other),
        "form": form,
        "why_not": policies.why_not_resolve_duplicate(request.user),
    }
    return render(request, "cases/compare.html", context, status=attempt.status)


@require_POST
def search_again(request: StaffRequest, number: str) -> HttpResponse:
    """Search for possible duplicates of a case again."""
    case = load_case(number)
    attempt = run_action(
        request,
        None,
        lambda: duplicate_services.search_duplicates_again(
            case_id=case.pk, by=request.user, at=timezone.now()
        ),
    )
    if attempt.done:
        found = len(attempt.result)
        words = f"New possible duplicates: {found}." if found else "No new possible duplicates."
        messages.success(request, words)
        return redirect("cases:related", number)
    return _render_related_page(request, case, status=attempt.status)


@require_safe
def show_related_cases(request: StaffRequest, number: str) -> HttpResponse:
    """Show related cases: possible duplicates, consolidation, earlier decisions."""
    return _render_related_page(request, load_case(number))


@require_POST
def consolidate_case(request: StaffRequest, number: str) -> HttpResponse:
    """Consolidate a case into another."""
    case = load_case(number)
    form = ConsolidateForm(request.POST)

    def consolidate_with_lead() -> Case:
        lead = Case.objects.filter(number=form.cleaned_data["lead"].strip().upper()).first()
        if lead is None:
            raise BadFact("lead", "There is no case with this number. Check it.")
        consolidation_services.consolidate_case(
            case_id=case.pk,
            lead_id=lead.pk,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        )
        return lead

    attempt = run_action(request, form, consolidate_with_lead)
    if attempt.done:
        messages.success(request, f"{number} is consolidated into {attempt.result}.")
        return redirect("cases:related", number)
    return _render_related_page(request, load_case(number), form=form, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def separate_case(request: StaffRequest, number: str) -> HttpResponse:
    """Separate a case from a consolidation."""
    return answer_reason_form(
        request,
        number,
        title="Separate from the consolidation",
        button="Separate case",
        why_not=lambda user, _: policies.why_not_consolidate(user),
        act=consolidation_services.separate_case,
        done="The case is separated. Its notices are due.",
    )


def _render_related_page(
    request: StaffRequest, case: Case, *, form: ConsolidateForm | None = None, status: int = 200
) -> HttpResponse:
    """Render the page of related cases."""
    record_look(
        by=request.user, subject="case", reference=case.number, granted=True, at=timezone.now()
    )
    items = list(case.items.select_related("case").order_by("position"))
    context = {
        "case": case,
        "tab": "related",
        "today": timezone.localdate(),
        "proposals": case.possible_duplicates.select_related("other", "resolved_by").order_by(
            "-pk"
        ),
        "lead": consolidated_items.find_lead_case(case),
        "followers": consolidated_items.list_consolidated_cases(case),
        "could_follow": consolidation_services.find_consolidation_candidates(case),
        "earlier": [(item, _list_earlier_decisions(item)) for item in items],
        "form": form or ConsolidateForm(),
        "why_not_consolidate": policies.why_not_consolidate(request.user),
        "why_not_resolve": policies.why_not_resolve_duplicate(request.user),
    }
    return render(request, "cases/related.html", context, status=status)


def _list_earlier_decisions(item: DisputedItem) -> list[tuple[DisputedItem, date | None]]:
    """List earlier decisions on similar treatment, each with the end of its twelve months."""
    found = []
    for one in duplicate_services.find_earlier_decisions(item):
        decided = one.case.ur_decision.decided_on if one.case.ur_decision else None
        found.append((one, _find_bar_end(decided) if decided else None))
    return found


def _find_bar_end(decided: date) -> date | None:
    """Return the last day on which a UR decision is in effect (Labor Code 4610(k))."""
    # No rule may cover the day; the page then shows no end instead of failing.
    attempt = try_action(
        lambda: case_deadlines.compute_rule_sum(
            deadline_kind="twelve_month_bar", given={"ur_denied": decided.isoformat()}
        )
    )
    return attempt.result.due_on if attempt.done else None


def _build_comparison_lines(case: Case, other: Case) -> list[dict[str, Any]]:
    """Build the rows of the comparison, with a mark where the cases differ."""
    mine, theirs = (
        duplicate_services.read_application_facts(case),
        duplicate_services.read_application_facts(other),
    )
    pairs: list[tuple[str, Any, Any]] = [
        ("Injured worker", mine.employee, theirs.employee),
        ("Date of birth", mine.born, theirs.born),
        # As printed: a person may see what folding hides.
        ("Claim number", case.claim_number, other.claim_number),
        ("Date of injury", mine.injured, theirs.injured),
        ("Date of UR decision", mine.ur_decided, theirs.ur_decided),
        ("UR reference", mine.ur_reference, theirs.ur_reference),
        ("Requesting physician", mine.physician, theirs.physician),
        ("Received", case.received_on, other.received_on),
        ("Status", case.stage.label, other.stage.label),
        ("Treatments", list(mine.items), list(theirs.items)),
    ]
    return [
        {
            "label": label,
            "mine": one,
            "theirs": two,
            "differs": one != two,
            "is_day": isinstance(one or two, date),
            "is_list": isinstance(one, list),
        }
        for label, one, two in pairs
    ]
