"""Pages to propose item changes, and for a second person to decide about them."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actions import run_action
from accounts.names import name_actor
from accounts.requests import StaffRequest, posted_data, seen_version
from cases import policies
from cases.forms.item_changes import DecideForm, ItemChangeReasonForm, ItemForm
from cases.models import Case, DisputedItem
from cases.open_work import select_proposed_changes
from cases.services import item_changes as services

from .acting import load_case

READ_AND_ANSWER = ["GET", "HEAD", "POST"]
MOST_LISTED = 100


@require_safe
def list_item_changes(request: StaffRequest) -> HttpResponse:
    """List the item changes that await a second person: expedited ones first, then the oldest."""
    # One more than is shown tells whether there are more.
    waiting = select_proposed_changes(request.user)[: MOST_LISTED + 1]
    rows = [
        (
            change,
            name_actor(change.proposed_by, reader=request.user),
            # The proposer sees the change but cannot decide about it.
            change.proposed_by != request.user,
        )
        for change in waiting
    ]
    context = {
        "rows": rows[:MOST_LISTED],
        "more": len(rows) > MOST_LISTED,
        "today": timezone.localdate(),
    }
    return render(request, "cases/item_changes.html", context)


@require_http_methods(READ_AND_ANSWER)
def propose_item(request: StaffRequest, number: str) -> HttpResponse:
    """Propose an additional disputed item."""
    case, now = load_case(request, number), timezone.now()
    form = ItemForm(posted_data(request), today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: services.propose_item(
            case_id=case.pk,
            facts=form.facts(),
            why=form.cleaned_data["why"],
            by=request.user,
            at=now,
        ),
        once=True,
    )
    if attempt.done:
        return _redirect_after_proposal(request, case)
    return _render_proposal_page(
        request,
        case,
        form,
        title="Add item",
        why_not=policies.why_not_add_item(request.user, case),
        status=attempt.status,
    )


@require_http_methods(READ_AND_ANSWER)
def propose_item_change(request: StaffRequest, number: str, position: int) -> HttpResponse:
    """Propose new values for an item."""
    case, now = load_case(request, number), timezone.now()
    item = get_object_or_404(case.items, position=position)
    form = ItemForm(
        posted_data(request), today=timezone.localdate(now), initial=ItemForm.initial_from(item)
    )
    attempt = run_action(
        request,
        form,
        lambda: services.propose_item_change(
            item_id=item.pk,
            facts=form.facts(),
            seen_version=seen_version(request),
            why=form.cleaned_data["why"],
            by=request.user,
            at=now,
        ),
        row=item,
    )
    if attempt.done:
        return _redirect_after_proposal(request, case)
    return _render_proposal_page(
        request,
        case,
        form,
        title=f"Change item {position}",
        item=item,
        why_not=policies.why_not_propose_item_change(request.user, case, item),
        status=attempt.status,
    )


@require_http_methods(READ_AND_ANSWER)
def propose_item_withdrawal(request: StaffRequest, number: str, position: int) -> HttpResponse:
    """Propose to withdraw an item."""
    case, now = load_case(request, number), timezone.now()
    item = get_object_or_404(case.items, position=position)
    form = ItemChangeReasonForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: services.propose_item_withdrawal(
            item_id=item.pk,
            seen_version=seen_version(request),
            why=form.cleaned_data["why"],
            by=request.user,
            at=now,
        ),
        row=item,
    )
    if attempt.done:
        return _redirect_after_proposal(request, case)
    return _render_proposal_page(
        request,
        case,
        form,
        title=f"Withdraw item {position}",
        item=item,
        why_not=policies.why_not_propose_item_change(request.user, case, item),
        status=attempt.status,
    )


@require_http_methods(READ_AND_ANSWER)
def show_item_change(request: StaffRequest, number: str, change_id: int) -> HttpResponse:
    """Show a proposed change, and record the decision of the second person."""
    case, now = load_case(request, number), timezone.now()
    change = get_object_or_404(case.item_changes.select_related("item"), pk=change_id)
    form = DecideForm(posted_data(request))

    def answer() -> str:
        if request.POST.get("answer") == "accept":
            services.accept_item_change(change_id=change.pk, by=request.user, at=now)
            return "Change accepted."
        services.refuse_item_change(
            change_id=change.pk, reason=form.cleaned_data["reason"], by=request.user, at=now
        )
        return "Change refused. The item did not change."

    attempt = run_action(request, form, answer)
    if attempt.done:
        messages.success(request, attempt.result)
        return redirect(case)
    # Someone else may have decided in the meantime, so the row is read again.
    if attempt.refusal:
        change = get_object_or_404(case.item_changes.select_related("item"), pk=change_id)
    context = {
        "case": case,
        "tab": "items",
        "today": timezone.localdate(now),
        "change": change,
        "differences": services.list_item_differences(change),
        "proposed_by": name_actor(change.proposed_by, reader=request.user),
        "decided_by": name_actor(change.decided_by, reader=request.user)
        if change.decided_by
        else "",
        "form": form,
        "why_not": policies.why_not_decide_item_change(request.user, change)
        or policies.why_not_change_items(case),
    }
    return render(request, "cases/item_change.html", context, status=attempt.status)


def _redirect_after_proposal(request: StaffRequest, case: Case) -> HttpResponse:
    """Confirm a proposal and return to the case."""
    messages.success(request, "Change proposed. A second person must decide about it.")
    return redirect(case)


def _render_proposal_page(
    request: StaffRequest,
    case: Case,
    form: Any,
    *,
    title: str,
    why_not: str,
    item: DisputedItem | None = None,
    status: int,
) -> HttpResponse:
    """Render the form of a proposal."""
    context = {
        "case": case,
        "tab": "items",
        "today": timezone.localdate(),
        "form": form,
        "title": title,
        "item": item,
        "why_not": why_not,
    }
    return render(request, "cases/propose_item.html", context, status=status)
