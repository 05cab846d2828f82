"""Pages on which a reviewer is chosen for a case, or taken from it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.requests import StaffRequest
from accounts.services import note_look
from cases.forms.acts import ReasonForm
from cases.models import Case, Party
from cases.party_facts import one_of_each
from reviewers import panel, policies, seats
from reviewers.forms import (
    AssignForm,
    SeatsForm,
    SettleForm,
    TakeBackForm,
)
from reviewers.models import (
    ConflictResult,
    ReviewerAssignment,
)
from reviewers.services import assignment as assignments
from reviewers.services import conflicts as conflict_services
from reviewers.services import matching as matching_services
from reviewers.services import planning
from reviewers.services import seats as seat_services

from .loading import CONFLICTS, REFUSALS, load_case, posted


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: StaffRequest, number: str) -> HttpResponse:
    """Rank the panel for a case, and give the case to one of them."""
    case = load_case(number)
    form = AssignForm(posted(request))
    if request.method != "POST":
        return _assign_page(request, case, form)
    status = 422
    if form.is_valid():
        following = planning.after(case) if form.cleaned_data["go_on"] else ""
        try:
            made = assignments.assign(
                case_id=case.pk,
                reviewer_id=form.cleaned_data["reviewer"],
                candidate_list_id=form.cleaned_data["candidate_list"],
                seen_version=form.cleaned_data["version"],
                override_code=form.cleaned_data["override_code"],
                override_reason=form.cleaned_data["override_reason"],
                by=request.user,
                at=timezone.now(),
            )
        except CONFLICTS as conflict:
            form.add_error(None, str(conflict))
            status = 409
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.number} is offered to {made.reviewer}.")
            if form.cleaned_data["go_on"]:
                return redirect(_assign_next(following))
            return redirect(case)
    return _assign_page(request, load_case(number), form, status=status)


def _assign_next(number: str) -> str:
    """The page of choosing for a case, or the list of those that wait when there is none."""
    if number:
        return reverse("reviewers:assign", args=[number])
    return reverse("desk:queue", args=["assign"])


@require_POST
def settle(request: StaffRequest, number: str, result_id: int) -> HttpResponse:
    """Answer a possible conflict of a reviewer with a party of the case."""
    case = load_case(number)
    doubt = get_object_or_404(ConflictResult, pk=result_id, case=case)
    form = SettleForm(request.POST, prefix=str(doubt.pk))
    if form.is_valid():
        try:
            conflict_services.settle(
                result_id=doubt.pk,
                result=form.cleaned_data["result"],
                note=form.cleaned_data["note"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The possible conflict is settled.")
            return redirect("reviewers:assign", number)
    return _assign_page(request, case, AssignForm(), settling=form, status=422)


@require_POST
def take_back(request: StaffRequest, number: str, assignment_id: int) -> HttpResponse:
    """Take a case back from its reviewer."""
    case = load_case(number)
    held = get_object_or_404(ReviewerAssignment, pk=assignment_id, case=case)
    form = TakeBackForm(request.POST)
    if form.is_valid():
        try:
            assignments.remove(
                assignment_id=held.pk,
                reason=form.cleaned_data["reason"],
                bar=form.cleaned_data["bar"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.number} waits for another reviewer.")
            return redirect("reviewers:assign", number)
    return _assign_page(request, case, AssignForm(), taking_back=form, status=422)


@require_POST
def approve_seats(request: StaffRequest, number: str) -> HttpResponse:
    """Put on file that several reviewers are approved for a case."""
    case = load_case(number)
    now = timezone.now()
    form = SeatsForm(request.POST, today=timezone.localdate(now))
    if form.is_valid():
        try:
            seat_services.approve(case_id=case.pk, **form.cleaned_data, by=request.user, at=now)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.number} is decided by several reviewers.")
            return redirect("reviewers:assign", number)
    return _assign_page(request, load_case(number), AssignForm(), approving=form, status=422)


@require_POST
def end_seats(request: StaffRequest, number: str) -> HttpResponse:
    """Go back to one reviewer."""
    case = load_case(number)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            seat_services.end_approval(
                case_id=case.pk,
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.number} is decided by one reviewer.")
            return redirect("reviewers:assign", number)
    return _assign_page(request, load_case(number), AssignForm(), ending=form, status=422)


def _assign_page(
    request: StaffRequest,
    case: Case,
    form: AssignForm,
    *,
    settling: SettleForm | None = None,
    taking_back: TakeBackForm | None = None,
    approving: SeatsForm | None = None,
    ending: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    note_look(by=request.user, subject="case", reference=case.number, granted=True, at=now)
    why_not = policies.why_not_assign(request.user, case)
    listed = None
    if not why_not:
        try:
            listed = matching_services.rank(case_id=case.pk, by=request.user, at=now)
        except REFUSALS as refusal:  # a tie of this organisation that came to light just now
            why_not = str(refusal)
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
        "approval": seats.approval_of(case),
        "free_seats": seats.free_seats(case),
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
    fragment = request.htmx and not request.htmx.history_restore_request
    template = "reviewers/_candidates.html" if fragment else "reviewers/assign.html"
    return render(request, template, context, status=status)


def _is_about(form: SettleForm | None, doubt: ConflictResult) -> bool:
    return form is not None and form.prefix == str(doubt.pk)
