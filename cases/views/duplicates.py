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
from accounts.services import write_access_entry
from accounts.visibility import list_hidden_references
from cases import consolidated_items, policies
from cases.application_cases import select_cases_of_application
from cases.forms.duplicates import ConsolidateForm, ResolveDuplicateForm
from cases.models import Case, DisputedItem, DuplicateProposal
from cases.models.restrictions import hidden_cases, select_visible
from cases.open_work import list_open_pairs
from cases.services import case_deadlines, duplicate_outcomes
from cases.services import consolidation as consolidation_services
from cases.services import duplicates as duplicate_services

from .acting import answer_reason_form, load_case

PAIRS_PER_PAGE = 50


@require_safe
def list_possible_duplicates(request: StaffRequest) -> HttpResponse:
    """List the open possible duplicates: expedited cases first, then most certain first."""
    pairs = list_open_pairs(request.user)
    context = {
        "rows": pairs[:PAIRS_PER_PAGE],
        "more": len(pairs) > PAIRS_PER_PAGE,
        "today": timezone.localdate(),
    }
    return render(request, "cases/possible_duplicates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def compare_cases(request: StaffRequest, number: str, proposal_id: int) -> HttpResponse:
    """Compare two cases side by side, and record how they are related."""
    case = load_case(request, number)
    proposal = get_object_or_404(
        select_visible(
            DuplicateProposal.objects.select_related("other__ur_decision", "resolved_by"),
            request.user,
            "other",
        ),
        pk=proposal_id,
        case=case,
    )
    now = timezone.now()
    form = ResolveDuplicateForm(posted_data(request), case=case)
    attempt = run_action(
        request,
        form,
        lambda: duplicate_outcomes.decide_duplicate(
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
    case = load_case(request, number)
    attempt = run_action(
        request,
        None,
        lambda: duplicate_services.search_duplicates_again(
            case_id=case.pk, by=request.user, at=timezone.now()
        ),
    )
    if attempt.done:
        count = len(attempt.result)
        message = f"New possible duplicates: {count}." if count else "No new possible duplicates."
        messages.success(request, message)
        return redirect("cases:related", number)
    return _render_related_page(request, case, status=attempt.status)


@require_safe
def show_related_cases(request: StaffRequest, number: str) -> HttpResponse:
    """Show related cases: possible duplicates, consolidation, earlier decisions."""
    return _render_related_page(request, load_case(request, number))


def _record_hidden_lead(request: StaffRequest, number: str) -> None:
    """Record in the access log that a restricted case was asked for by its number."""
    if number in list_hidden_references(request.user):
        write_access_entry(
            by=request.user, subject="case", reference=number, case_number=number,
            granted=False, at=timezone.now(),
        )  # fmt: skip


@require_POST
def consolidate_case(request: StaffRequest, number: str) -> HttpResponse:
    """Consolidate a case into another."""
    case = load_case(request, number)
    form = ConsolidateForm(request.POST)

    def consolidate_with_lead() -> Case:
        lead_number = form.cleaned_data["lead"].strip().upper()
        lead = Case.objects.visible_to(request.user).filter(number=lead_number).first()
        if lead is None:
            _record_hidden_lead(request, lead_number)
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
    return _render_related_page(
        request, load_case(request, number), form=form, status=attempt.status
    )


@require_http_methods(["GET", "HEAD", "POST"])
def separate_case(request: StaffRequest, number: str) -> HttpResponse:
    """Separate a case from a consolidation."""
    return answer_reason_form(
        request,
        number,
        title="Separate from the consolidation",
        button="Separate case",
        why_not=lambda user, _: policies.why_not_consolidate(user),
        service=consolidation_services.separate_case,
        success_message="The case is separated. Its notices are due.",
    )


def _render_related_page(
    request: StaffRequest, case: Case, *, form: ConsolidateForm | None = None, status: int = 200
) -> HttpResponse:
    """Render the page of related cases."""
    items = list(case.items.select_related("case").order_by("position"))
    hidden = set(hidden_cases(request.user).values_list("case", flat=True))
    lead = consolidated_items.find_lead_case(case)
    context = {
        "case": case,
        "tab": "related",
        "today": timezone.localdate(),
        "application_cases": _list_application_cases(request, case),
        "may_split": sum(one.ending == DisputedItem.Ending.PENDING for one in items) > 1
        and not policies.why_not_split(request.user, case),
        "may_merge_back": case.split_from_id is not None
        and not policies.why_not_merge_back(request.user, case),
        "proposals": select_visible(
            case.possible_duplicates.select_related("other", "resolved_by"), request.user, "other"
        ).order_by("-pk"),
        # Pairs are stored with the later case; the earlier one lists them too.
        "later_proposals": select_visible(
            DuplicateProposal.objects.filter(other=case).select_related("case", "resolved_by"),
            request.user,
            "case",
        ).order_by("-pk"),
        "lead": lead if lead and lead.pk not in hidden else None,
        "followers": [
            one for one in consolidated_items.list_consolidated_cases(case) if one.pk not in hidden
        ],
        "could_follow": [
            one
            for one in consolidation_services.find_consolidation_candidates(case)
            if one.case.pk not in hidden
        ],
        "earlier": [(item, _list_earlier_decisions(item, hidden)) for item in items],
        "form": form or ConsolidateForm(),
        "why_not_consolidate": policies.why_not_consolidate(request.user),
        "why_not_resolve": policies.why_not_resolve_duplicate(request.user),
    }
    return render(request, "cases/related.html", context, status=status)


def _list_application_cases(
    request: StaffRequest, case: Case
) -> list[tuple[Case, list[DisputedItem]]]:
    """List the cases of the application with the items that each decides; none if it is one."""
    others = list(select_cases_of_application(case).visible_to(request.user))
    if not others:
        return []
    decided: dict[int, list[DisputedItem]] = {}
    rows = DisputedItem.objects.filter(case__in=[case, *others])
    for item in rows.exclude(ending=DisputedItem.Ending.MOVED).order_by("position"):
        decided.setdefault(item.case_id, []).append(item)
    cases = sorted([case, *others], key=lambda one: one.pk)
    return [(one, decided.get(one.pk, [])) for one in cases]


def _list_earlier_decisions(
    item: DisputedItem, hidden: set[int]
) -> list[tuple[DisputedItem, date | None]]:
    """List earlier decisions on similar treatment, each with the end of its twelve months."""
    lines = []
    for one in duplicate_services.find_earlier_decisions(item):
        if one.case_id in hidden:
            continue
        decided = one.case.ur_decision.decided_on if one.case.ur_decision else None
        lines.append((one, _find_bar_end(decided) if decided else None))
    return lines


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
    case_facts, other_facts = (
        duplicate_services.read_application_facts(case),
        duplicate_services.read_application_facts(other),
    )
    pairs: list[tuple[str, Any, Any]] = [
        ("Injured worker", case_facts.employee, other_facts.employee),
        ("Date of birth", case_facts.born, other_facts.born),
        # As printed: a person may see what folding hides.
        ("Claim number", case.claim_number, other.claim_number),
        ("Date of injury", case.injury_printed, other.injury_printed),
        ("Date of UR decision", case_facts.ur_decided, other_facts.ur_decided),
        ("UR reference", case_facts.ur_reference, other_facts.ur_reference),
        ("Requesting physician", case_facts.physician, other_facts.physician),
        ("Received", case.received_on, other.received_on),
        ("Status", case.stage.label, other.stage.label),
        ("Treatments", list(case_facts.items), list(other_facts.items)),
    ]
    return [
        {
            "label": label,
            "case_value": one,
            "other_value": two,
            "differs": one != two,
            "is_day": isinstance(one or two, date),
            "is_list": isinstance(one, list),
        }
        for label, one, two in pairs
    ]
