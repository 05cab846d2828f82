"""A reviewer's own pages: attest, decline, report a change."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import run_action
from accounts.refusals import StaleForm
from accounts.requests import StaffRequest, posted_data, read_whole_number
from cases.models import DisputedItem, Party
from cases.party_facts import select_latest_parties
from reviewers import panel, policies
from reviewers.forms.choosing import AttestForm, DeclineForm
from reviewers.forms.panel import ReportForm
from reviewers.models import AttestationWording, ReviewerAssignment
from reviewers.services import assignment as assignments
from reviewers.services import credentialing


@require_http_methods(["GET", "HEAD", "POST"])
def attest_independence(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Sign the conflict attestation for one case. Only then do its records open."""
    assignment = _load_own_assignment(request, assignment_id)
    now = timezone.now()
    wording = assignments.get_current_wording(now)
    questions = wording.questions if wording else []
    first = {"wording": wording.pk if wording else 0, "parties": assignment.case.party_list_version}
    form = AttestForm(_read_answers(request, wording), questions=questions, initial=first)
    if request.method != "POST":
        return _render_attest_page(request, assignment, form, wording=wording)
    form.is_valid()
    # Report changed questions before unanswered ones.
    outdated = policies.why_not_sign(wording, form.cleaned_data.get("wording"))
    if outdated:
        form.add_error(None, outdated)
    attempt = run_action(
        request,
        form,
        lambda: assignments.sign_attestation(
            assignment_id=assignment.pk,
            answers=form.answers(),
            wording_id=form.cleaned_data["wording"],
            seen_parties=form.cleaned_data["parties"],
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        return _redirect_after_attesting(request, attempt.result)
    # Loaded again, because the assignment may have ended while the form was open.
    assignment = _load_own_assignment(request, assignment_id)
    status = StaleForm.status if outdated else attempt.status
    return _render_attest_page(request, assignment, form, wording=wording, status=status)


def _read_answers(request: StaffRequest, wording: AttestationWording | None) -> QueryDict | None:
    """Return the posted answers.

    If the page showed an older wording, only answers to unchanged questions are kept.
    """
    sent = posted_data(request)
    seen_id = read_whole_number(sent.get("wording", "")) if sent is not None else None
    if sent is None or wording is None or seen_id in (None, wording.pk):
        return sent
    shown_wording = AttestationWording.objects.filter(pk=seen_id).first()
    questions = shown_wording.questions if shown_wording is not None else []
    data = sent.copy()
    for question in wording.questions:
        # The reviewer answered another text or none, so this question has to be answered again.
        if question not in questions:
            data.pop(f"answer_{question['code']}", None)
    return data


def _redirect_after_attesting(request: StaffRequest, after: ReviewerAssignment) -> HttpResponse:
    # The state alone is not enough: in quality assurance a conflict leaves it accepted.
    if policies.can_open_file(request.user, after.case):
        messages.success(request, f"You accepted {after.case.number}. Its records are open.")
        return redirect("determinations:workspace", after.pk)
    messages.success(
        request, f"Thank you. {after.case.number} will be assigned to another reviewer."
    )
    return redirect("determinations:my_reviews")


@require_POST
def decline_case(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Decline a case, with a reason."""
    assignment = _load_own_assignment(request, assignment_id)
    now = timezone.now()
    form = DeclineForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: assignments.decline_assignment(
            assignment_id=assignment.pk,
            reason=form.cleaned_data["reason"],
            conflict=form.cleaned_data["conflict"],
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        messages.success(request, f"You declined {assignment.case.number}.")
        return redirect("determinations:my_reviews")
    wording = assignments.get_current_wording(now)
    blank = AttestForm(
        questions=wording.questions if wording else [],
        initial={
            "wording": wording.pk if wording else 0,
            "parties": assignment.case.party_list_version,
        },
    )
    return _render_attest_page(
        request, assignment, blank, wording=wording, declining=form, status=attempt.status
    )


@require_http_methods(["GET", "HEAD", "POST"])
def report_change(request: StaffRequest) -> HttpResponse:
    """Let a reviewer report a change of credentials, practice or affiliations."""
    now = timezone.now()
    form = ReportForm(posted_data(request), today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: credentialing.report_change(**form.cleaned_data, by=request.user, at=now),
        once=True,
    )
    if attempt.done:
        messages.success(request, "Thank you. Credentialing will review your report.")
        return redirect("determinations:my_reviews")
    context = {"form": form, "today": timezone.localdate(now)}
    return render(request, "reviewers/report.html", context, status=attempt.status)


def _render_attest_page(
    request: StaffRequest,
    assignment: ReviewerAssignment,
    form: AttestForm,
    *,
    wording: Any,
    declining: DeclineForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    case = assignment.case
    context = {
        "assignment": assignment,
        "case": case,
        "form": form,
        "wording": wording,
        "questions": form.questions(),
        # A reviewer who no longer has the case sees nothing else of it.
        "parties": select_latest_parties(
            Party.objects.known_at(now).filter(case=case).order_by("pk")
        )
        if assignment.is_live
        else [],
        "items": case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position")
        if assignment.is_live
        else [],
        "surnames": panel.list_shared_surnames(assignment) if assignment.is_live else [],
        "signed": policies.find_live_attestation(assignment),
        "is_open": policies.can_open_file(request.user, case),
        "why_not": policies.why_not_answer(request.user, assignment),
        "why_not_decline": policies.why_not_decline(request.user, assignment),
        "declining": declining or DeclineForm(),
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/attest.html", context, status=status)


def _load_own_assignment(request: StaffRequest, assignment_id: int) -> ReviewerAssignment:
    """Load the assignment if it is this person's.

    Another reviewer's assignment gives the same 404 as one that does not exist.
    """
    assignment = (
        ReviewerAssignment.objects.select_related("case", "reviewer")
        .filter(pk=assignment_id, reviewer__user=request.user)
        .first()
    )
    if assignment is None:
        raise Http404("There is no such case for you.")
    return assignment
