"""Pages to assign a reviewer to a case or remove one."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import Attempt, run_action, try_action
from accounts.requests import StaffRequest, posted, seen_version
from accounts.services import note_look
from cases.models import Case, Party
from cases.party_facts import one_of_each
from cases.views.acting import load_case
from form_fields.reasons import ReasonForm
from reviewers import panel, policies
from reviewers.forms.choosing import AssignForm, SeatsForm, SettleForm, TakeBackForm
from reviewers.models import (
    CandidateList,
    ConflictResult,
    ReviewerAssignment,
)
from reviewers.models.assignment import approval_of, free_seats
from reviewers.services import assignment as assignments
from reviewers.services import conflicts as conflict_services
from reviewers.services import matching as matching_services
from reviewers.services import planning
from reviewers.services import seats as seat_services

# A candidate list younger than this is shown without ranking again.
FRESH = timedelta(minutes=1)


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: StaffRequest, number: str) -> HttpResponse:
    """Show the latest candidate list, and assign the case to a reviewer.

    Opening the page stores nothing. The page posts to ``rank`` as it loads, for a new ranking.
    """
    case = load_case(number)
    form = AssignForm(posted(request))
    if request.method != "POST":
        return _assign_page(request, case, form, ranks=False)
    goes_on = form.is_valid() and form.cleaned_data["go_on"]
    following = planning.after(case) if goes_on else ""
    tried = run_action(
        request,
        form,
        lambda: assignments.assign(
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
    if tried.done:
        messages.success(request, f"{case.number} was offered to {tried.result.reviewer_label}.")
        return redirect(_assign_next(request, following) if goes_on else case)
    return _assign_page(request, load_case(number), form, status=tried.status)


@require_POST
def rank(request: StaffRequest, number: str) -> HttpResponse:
    """Rank the panel for a case now, and store the list."""
    if request.htmx:
        return _assign_page(request, load_case(number), AssignForm())
    tried = _rank(request, load_case(number))
    if tried.refusal:
        messages.error(request, str(tried.refusal))
    return redirect("reviewers:assign", number)


def _rank(request: StaffRequest, case: Case) -> Attempt[CandidateList]:
    return try_action(
        lambda: matching_services.rank(case_id=case.pk, by=request.user, at=timezone.now())
    )


def _assign_next(request: StaffRequest, number: str) -> str:
    """Return the assignment page of the next case, already ranked, or the queue if none waits."""
    if number:
        _rank(request, load_case(number))  # if refused, the page shows why
        return reverse("reviewers:assign", args=[number])
    return reverse("desk:queue", args=["assign"])


@require_POST
def settle(request: StaffRequest, number: str, result_id: int) -> HttpResponse:
    """Resolve a possible conflict of a reviewer with a party of the case."""
    case = load_case(number)
    doubt = get_object_or_404(ConflictResult, pk=result_id, case=case)
    form = SettleForm(request.POST, prefix=str(doubt.pk))
    tried = run_action(
        request,
        form,
        lambda: conflict_services.settle(
            result_id=doubt.pk,
            result=form.cleaned_data["result"],
            note=form.cleaned_data["note"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if tried.done:
        messages.success(request, "The possible conflict is resolved.")
        return redirect("reviewers:assign", number)
    return _assign_page(request, case, AssignForm(), settling=form, status=tried.status)


@require_POST
def take_back(request: StaffRequest, number: str, assignment_id: int) -> HttpResponse:
    """Remove the reviewer from a case."""
    case = load_case(number)
    held = get_object_or_404(ReviewerAssignment, pk=assignment_id, case=case)
    form = TakeBackForm(request.POST)
    tried = run_action(
        request,
        form,
        lambda: assignments.remove(
            assignment_id=held.pk,
            reason=form.cleaned_data["reason"],
            bar=form.cleaned_data["bar"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if tried.done:
        messages.success(request, f"Reviewer removed. {case.number} waits for another one.")
        return redirect("reviewers:assign", number)
    return _assign_page(request, case, AssignForm(), taking_back=form, status=tried.status)


@require_POST
def approve_seats(request: StaffRequest, number: str) -> HttpResponse:
    """Record the approval of several reviewers for a case."""
    case = load_case(number)
    now = timezone.now()
    form = SeatsForm(request.POST, today=timezone.localdate(now))
    tried = run_action(
        request,
        form,
        lambda: seat_services.approve(
            case_id=case.pk, **form.cleaned_data, by=request.user, at=now
        ),
    )
    if tried.done:
        messages.success(request, f"The approval for {case.number} is saved.")
        return redirect("reviewers:assign", number)
    return _assign_page(
        request, load_case(number), AssignForm(), approving=form, status=tried.status
    )


@require_POST
def end_seats(request: StaffRequest, number: str) -> HttpResponse:
    """End the approval of several reviewers."""
    case = load_case(number)
    form = ReasonForm(request.POST)
    tried = run_action(
        request,
        form,
        lambda: seat_services.end_approval(
            case_id=case.pk,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if tried.done:
        messages.success(request, f"{case.number} has one reviewer again.")
        return redirect("reviewers:assign", number)
    return _assign_page(request, load_case(number), AssignForm(), ending=form, status=tried.status)


def _assign_page(
    request: StaffRequest,
    case: Case,
    form: AssignForm,
    *,
    settling: SettleForm | None = None,
    taking_back: TakeBackForm | None = None,
    approving: SeatsForm | None = None,
    ending: ReasonForm | None = None,
    ranks: bool = True,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    note_look(by=request.user, subject="case", reference=case.number, granted=True, at=now)
    why_not = policies.why_not_assign(request.user, case)
    listed = None
    if ranks and not why_not:
        ranked = _rank(request, case)
        if ranked.refusal:  # for example a conflict of this organization that was just found
            why_not = str(ranked.refusal)
        else:
            listed = ranked.result
        case = load_case(case.number)
    if listed is None:
        listed = case.candidate_lists.filter(round=case.round).order_by("-pk").first()
    eligible, excluded = panel.choices(listed) if listed else ([], [])
    parties = one_of_each(Party.objects.known_at(now).filter(case=case).order_by("pk"))
    live = policies.live_assignments(case)
    doubts = panel.doubts(case, excluded, live)
    context = {
        "case": case,
        "form": form,
        "listed": listed,
        "candidates": eligible[: assignments.SHOWN],
        "further": eligible[assignments.SHOWN :],
        "excluded": excluded,
        "excluded_counts": panel.counted(excluded),
        "doubts": [
            (doubt, settling if _is_about(settling, doubt) else SettleForm(prefix=str(doubt.pk)))
            for doubt in doubts
        ],
        "live": live,
        "taking_back": taking_back or TakeBackForm(),
        "past": policies.past_assignments(case),
        "why_not": why_not,
        "is_ranked": ranks or (listed is not None and now - listed.made_at < FRESH),
        "approval": approval_of(case),
        "free_seats": free_seats(case),
        "approving": approving or SeatsForm(today=timezone.localdate(now)),
        "ending": ending or ReasonForm(),
        "why_not_approve_seats": policies.why_not_approve_seats(request.user, case),
        "why_not_end_seats": policies.why_not_end_seats(request.user, case),
        "why_not_take_back": policies.why_not_take_back(request.user, case),
        "items": case.items.select_related("category", "parent").order_by("position"),
        "parties": parties,
        "employee": next((party for party in parties if party.role == "EMPLOYEE"), None),
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/assign.html", context, status=status)


def _is_about(form: SettleForm | None, doubt: ConflictResult) -> bool:
    return form is not None and form.prefix == str(doubt.pk)
