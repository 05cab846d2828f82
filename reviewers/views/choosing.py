"""Pages to assign a reviewer to a case or remove one."""

from datetime import timedelta

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import Attempt, run_action, try_action
from accounts.requests import StaffRequest, posted_data, seen_version
from cases.models import Case, Party
from cases.party_facts import select_latest_parties
from cases.views.acting import load_case, report_done
from form_fields.reasons import ReasonForm
from reviewers import panel, policies
from reviewers.forms.choosing import (
    AssignForm,
    ConflictResolutionForm,
    RemoveReviewerForm,
    SeatsForm,
)
from reviewers.models import (
    CandidateList,
    ConflictResult,
    ReviewerAssignment,
)
from reviewers.services import assignment as assignments
from reviewers.services import conflicts as conflict_services
from reviewers.services import matching as matching_services
from reviewers.services import planning
from reviewers.services import seats as seat_services

# A candidate list younger than this is shown without ranking again.
MAX_RANKING_AGE = timedelta(minutes=1)


@require_http_methods(["GET", "HEAD", "POST"])
def choose_reviewer(request: StaffRequest, number: str) -> HttpResponse:
    """Show the latest candidate list, and assign the case to a reviewer.

    A GET stores only the entry in the access log. The page posts to ``rank_reviewers`` as it loads,
    for a new ranking.
    """
    case = load_case(request, number)
    form = AssignForm(posted_data(request))
    if request.method != "POST":
        return _render_assign_page(request, case, form, rank_now=False)
    opens_next = form.is_valid() and form.cleaned_data["open_next"]
    # Looked up before the assignment, while this case is still in the list of waiting cases.
    next_number = planning.find_next_waiting(case, request.user) if opens_next else ""
    attempt = run_action(
        request,
        form,
        lambda: assignments.assign_reviewer(
            case_id=case.pk,
            reviewer_id=form.cleaned_data["reviewer"],
            candidate_list_id=form.cleaned_data["candidate_list"],
            seen_version=seen_version(request),
            override_code=form.cleaned_data["override_code"],
            override_reason=form.cleaned_data["override_reason"],
            by=request.user,
            at=timezone.now(),
        ),
        row=case,
    )
    if attempt.done:
        text = f"{case.number} was offered to {attempt.result.reviewer_label}."
        report_done(request, case, text)
        return redirect(_get_next_address(request, next_number) if opens_next else case)
    # Loaded again, because the case may have changed while the action waited.
    return _render_assign_page(request, load_case(request, number), form, status=attempt.status)


@require_POST
def rank_reviewers(request: StaffRequest, number: str) -> HttpResponse:
    """Rank the panel for a case now, and store the list."""
    # htmx replaces the list in the page. Without it, a redirect avoids a second POST on reload.
    if request.htmx:
        return _render_assign_page(request, load_case(request, number), AssignForm())
    attempt = _rank_case(request, load_case(request, number))
    if attempt.refusal:
        messages.error(request, str(attempt.refusal))
    return redirect("reviewers:assign", number)


def _rank_case(request: StaffRequest, case: Case) -> Attempt[CandidateList]:
    return try_action(
        lambda: matching_services.rank_panel(case_id=case.pk, by=request.user, at=timezone.now())
    )


def _get_next_address(request: StaffRequest, number: str) -> str:
    """Return the assignment page of the next case, already ranked, or the queue if none waits."""
    if number:
        _rank_case(request, load_case(request, number))  # if refused, the page shows why
        return reverse("reviewers:assign", args=[number])
    return reverse("desk:queue", args=["assign"])


@require_POST
def answer_conflict(request: StaffRequest, number: str, result_id: int) -> HttpResponse:
    """Resolve a possible conflict of a reviewer with a party of the case."""
    case = load_case(request, number)
    # The result has to belong to the case of the address, which the access log records.
    possible_conflict = get_object_or_404(ConflictResult, pk=result_id, case=case)
    form = ConflictResolutionForm(request.POST, prefix=str(possible_conflict.pk))
    attempt = run_action(
        request,
        form,
        lambda: conflict_services.resolve_conflict(
            result_id=possible_conflict.pk,
            result=form.cleaned_data["result"],
            note=form.cleaned_data["note"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "The possible conflict is resolved.")
        return redirect("reviewers:assign", number)
    return _render_assign_page(
        request, case, AssignForm(), conflict_form=form, status=attempt.status
    )


@require_POST
def remove_reviewer(request: StaffRequest, number: str, assignment_id: int) -> HttpResponse:
    """Remove the reviewer from a case."""
    case = load_case(request, number)
    assignment = get_object_or_404(ReviewerAssignment, pk=assignment_id, case=case)
    form = RemoveReviewerForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: assignments.remove_reviewer(
            assignment_id=assignment.pk,
            reason=form.cleaned_data["reason"],
            bar=form.cleaned_data["bar"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, f"Reviewer removed. {case.number} waits for another one.")
        return redirect("reviewers:assign", number)
    return _render_assign_page(request, case, AssignForm(), remove_form=form, status=attempt.status)


@require_POST
def approve_seats(request: StaffRequest, number: str) -> HttpResponse:
    """Record the approval of several reviewers for a case."""
    case = load_case(request, number)
    now = timezone.now()
    form = SeatsForm(request.POST, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: seat_services.approve_reviewer_seats(
            case_id=case.pk, **form.cleaned_data, by=request.user, at=now
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"The approval for {case.number} is saved.")
        return redirect("reviewers:assign", number)
    return _render_assign_page(
        request, load_case(request, number), AssignForm(), approve_form=form, status=attempt.status
    )


@require_POST
def end_seat_approval(request: StaffRequest, number: str) -> HttpResponse:
    """End the approval of several reviewers."""
    case = load_case(request, number)
    form = ReasonForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: seat_services.end_seat_approval(
            case_id=case.pk,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, f"The approval is canceled. One reviewer decides {case.number}.")
        return redirect("reviewers:assign", number)
    return _render_assign_page(
        request, load_case(request, number), AssignForm(), end_form=form, status=attempt.status
    )


def _render_assign_page(
    request: StaffRequest,
    case: Case,
    form: AssignForm,
    *,
    conflict_form: ConflictResolutionForm | None = None,
    remove_form: RemoveReviewerForm | None = None,
    approve_form: SeatsForm | None = None,
    end_form: ReasonForm | None = None,
    rank_now: bool = True,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    why_not = policies.why_not_assign(request.user, case)
    candidate_list = None
    if rank_now and not why_not:
        ranked = _rank_case(request, case)
        if ranked.refusal:  # for example a conflict of this organization that was just found
            why_not = str(ranked.refusal)
        else:
            candidate_list = ranked.result
        # Ranking checks the organization's own conflicts, which may have changed the case.
        case = load_case(request, case.number)
    # Without a new ranking, the latest list of this round is shown.
    if candidate_list is None:
        candidate_list = case.candidate_lists.filter(round=case.round).order_by("-pk").first()
    eligible, excluded = panel.split_candidates(candidate_list) if candidate_list else ([], [])
    parties = select_latest_parties(Party.objects.known_at(now).filter(case=case).order_by("pk"))
    assignments_of_case = policies.read_case_assignments(case)
    live, seats = assignments_of_case.live, assignments_of_case.seats
    # On the case as well, because the bar above the page names the body parts.
    items = case.items.select_related("category__parent", "parent").order_by("position")
    prefetch_related_objects([case], Prefetch("items", queryset=items))
    possible_conflicts = panel.list_open_conflicts(case, excluded, live)
    context = {
        "case": case,
        "form": form,
        "candidate_list": candidate_list,
        "candidates": eligible[: assignments.SHOWN_CANDIDATES],
        "further": eligible[assignments.SHOWN_CANDIDATES :],
        "excluded": excluded,
        "excluded_counts": panel.count_exclusion_reasons(excluded),
        # A refused form is shown with its errors. The other questions get an empty form.
        "possible_conflicts": [
            (
                possible_conflict,
                conflict_form
                if _is_form_for(conflict_form, possible_conflict)
                else ConflictResolutionForm(prefix=str(possible_conflict.pk)),
            )
            for possible_conflict in possible_conflicts
        ],
        "live": live,
        "remove_form": remove_form or RemoveReviewerForm(),
        "past": assignments_of_case.ended,
        "why_not": why_not,
        "item_changes": policies.list_open_item_changes(case) if why_not else [],
        "is_ranked": rank_now
        or (candidate_list is not None and now - candidate_list.made_at < MAX_RANKING_AGE),
        "approval": seats.approval,
        "free_seats": seats.free,
        "approve_form": approve_form or SeatsForm(today=timezone.localdate(now)),
        "end_form": end_form or ReasonForm(),
        "why_not_approve_seats": policies.why_not_approve_seats(request.user, case, seats),
        "why_not_end_seats": policies.why_not_end_seats(request.user, case, seats),
        "why_not_remove": policies.why_not_remove_reviewer(request.user, case),
        "items": case.items.all(),
        "parties": parties,
        "employee": next((party for party in parties if party.role == "EMPLOYEE"), None),
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/assign.html", context, status=status)


def _is_form_for(form: ConflictResolutionForm | None, possible_conflict: ConflictResult) -> bool:
    return form is not None and form.prefix == str(possible_conflict.pk)
