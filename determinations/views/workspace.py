"""The reviewer's own pages: read and decide on one page, then sign."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

import records.viewer
from accounts.actions import Attempt, try_action
from accounts.refusals import Refused, refuse_if
from accounts.requests import StaffRequest, name_case_of_access, read_whole_number
from cases.case_rows import keep_rows, rows_of
from deadlines.days import format_time
from determinations import checks, policies
from determinations.composition import ADMINISTRATOR
from determinations.forms import CiteForm
from determinations.models import Determination, EvidenceRank, PartyTerm, QualityReview
from determinations.services import writing
from determinations.services.rule_texts import find_request_date, list_rule_texts
from eligibility.services.citations import find_stated_citations
from guidelines.citations import compose_citation_line
from reviewers.models import ReviewerAssignment
from reviewers.policies import annotate_access, can_open_file, keep_live_assignment

from .loading import render_preview_pdf

_NO_REVISION = -1  # a draft that was never saved has revision 0


@require_GET
def show_workspace(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Show the records on the left and the review to write on the right."""
    assignment = _load_own_assignment(request, assignment_id)
    why_not = policies.why_not_write(request.user, assignment)
    # Before the attestation page, which has nothing to say about a submitted review.
    if why_not and policies.is_submitted(assignment):
        messages.info(request, why_not)
        return redirect("determinations:my_reviews")
    if why_not:
        return redirect("reviewers:attest", assignment_id)
    # A GET saves nothing, so this page posts the opening as soon as it has loaded.
    if not writing.is_opened(assignment):
        context = {"assignment": assignment, "case": assignment.case}
        return render(request, "determinations/opening.html", context)
    part = request.GET.get("part", "")
    return render(
        request,
        "determinations/workspace.html",
        _build_workspace_context(request, assignment, part),
    )


@require_POST
def open_case_file(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Send the case file to the reviewer and start the review. opening.html posts this on load."""
    assignment = _load_own_assignment(request, assignment_id)
    attempt = try_action(
        lambda: writing.open_review(assignment_id=assignment.pk, by=request.user, at=timezone.now())
    )
    if attempt.refusal:
        messages.error(request, str(attempt.refusal))
    to = reverse("determinations:my_reviews") if attempt.refusal else _workspace_url(assignment)
    # htmx would put the target of an ordinary redirect into the part of the page that it replaces.
    return HttpResponseClientRedirect(to) if request.htmx else redirect(to)


@require_POST
def autosave_part(request: StaffRequest, assignment_id: int, part: str) -> HttpResponse:
    """Save what was typed as a draft. Called by autosave and by the Save button."""
    assignment = _load_own_assignment(request, assignment_id)
    now = timezone.now()
    attempt = try_action(
        lambda: writing.save_review_draft(
            assignment_id=assignment.pk,
            part=part,
            content=request.POST.dict(),
            # A form without a revision counts as one that has seen no draft.
            revision=_seen_revision(request) or 0,
            by=request.user,
            at=now,
        )
    )
    if attempt.refusal:
        return _render_refused_draft(request, assignment, part, attempt.refusal)
    saved = attempt.result
    if _wants_json(request):
        at = format_time(timezone.localtime(saved.saved_at))
        return JsonResponse({"revision": saved.revision, "saved_at": at})
    messages.success(request, "Saved.")
    return redirect(f"{_workspace_url(assignment)}?part={part}")


@require_POST
def leave_part(request: StaffRequest, assignment_id: int, part: str) -> HttpResponse:
    """Save a part as a numbered version and go to another part."""
    assignment = _load_own_assignment(request, assignment_id)
    revision = _seen_revision(request)
    attempt = try_action(
        lambda: writing.save_version(
            assignment_id=assignment.pk,
            part=part,
            # A form without a revision has no text: its draft is stored already.
            content=None if revision is None else request.POST.dict(),
            revision=revision or 0,
            by=request.user,
            at=timezone.now(),
            why="Left the part",
        )
    )
    if attempt.refusal:
        return _render_refused_draft(request, assignment, part, attempt.refusal)
    if _wants_json(request):
        return HttpResponse(status=204)
    return redirect(f"{_workspace_url(assignment)}?part={request.POST.get('to', '')}")


@require_GET
def show_checks(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Show what the review still lacks."""
    assignment = _load_open_assignment(request, assignment_id)
    context = {"assignment": assignment, "findings": writing.find_unfinished(assignment)}
    return render(request, "determinations/_checks.html", context)


@require_POST
def cite_source(request: StaffRequest, assignment_id: int, item_id: int) -> HttpResponse:
    """Add a citation to an item."""
    assignment = _load_own_assignment(request, assignment_id)
    # An item of another case answers 404, as if it did not exist.
    get_object_or_404(assignment.opinions, item_id=item_id)
    form = CiteForm(request.POST)

    # One action with the check of the form, so that both refusals appear beside the citations.
    def cite_authority() -> None:
        if not form.is_valid():
            refuse_if(
                " ".join(str(message) for messages in form.errors.values() for message in messages)
            )
        writing.add_citation(
            assignment_id=assignment.pk,
            item_id=item_id,
            recommendation_id=form.cleaned_data["recommendation"],
            as_printed=form.cleaned_data["as_printed"],
            by=request.user,
            at=timezone.now(),
        )

    return _render_citations(request, assignment, item_id, try_action(cite_authority))


@require_POST
def uncite_source(request: StaffRequest, assignment_id: int, citation_id: int) -> HttpResponse:
    """Remove a citation from an item."""
    assignment = _load_own_assignment(request, assignment_id)
    opinion = get_object_or_404(assignment.opinions, citations__pk=citation_id)
    attempt = try_action(
        lambda: writing.remove_citation(
            assignment_id=assignment.pk,
            citation_id=citation_id,
            by=request.user,
            at=timezone.now(),
        )
    )
    return _render_citations(request, assignment, opinion.item_id, attempt)


@require_POST
def preview_review(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Return a preview of the letter with this reviewer's review only."""
    assignment = _load_open_assignment(request, assignment_id)
    return render_preview_pdf(request, assignment.case, only_seat=assignment.seat)


@require_POST
def sign_and_submit(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Sign and submit the review, or show everything that is missing."""
    assignment = _load_own_assignment(request, assignment_id)
    part = request.POST.get("part", "")
    revision = _seen_revision(request)

    def save_and_submit() -> Determination | None:
        if revision is not None:  # a page without scripts sends what was typed along
            writing.save_version(
                assignment_id=assignment.pk,
                part=part,
                content=request.POST.dict(),
                revision=revision,
                by=request.user,
                at=timezone.now(),
                why="Submitted",
            )
        return writing.submit_review(
            assignment_id=assignment.pk, by=request.user, at=timezone.now()
        )

    # Two transactions: what was typed stays saved even if the submission is refused.
    attempt = try_action(save_and_submit)
    if attempt.done:
        status = (
            "It is now in QA review."
            if attempt.result
            else "It will go to QA review when all reviewers have submitted."
        )
        messages.success(request, f"Review of {assignment.case.number} submitted. {status}")
        return redirect("determinations:my_reviews")
    if isinstance(attempt.refusal, writing.DraftConflict):
        return _render_draft_conflict(request, assignment, part, attempt.refusal)
    if isinstance(attempt.refusal, writing.ReviewUnfinished):
        findings = attempt.refusal.findings
    else:
        findings = [checks.Blocker("refused", str(attempt.refusal), "")]
    assignment = _load_own_assignment(request, assignment_id)
    context = _build_workspace_context(request, assignment, part)
    context |= {"findings": findings, "refused": True}
    return render(request, "determinations/workspace.html", context, status=attempt.status)


def _seen_revision(request: StaffRequest) -> int | None:
    """Read the revision of the draft that the page showed; ``None`` if the form has no text.

    An invalid number gives a revision that no draft has, so that the text is compared and not
    saved.
    """
    if "revision" not in request.POST:
        return None
    revision = read_whole_number(request.POST["revision"])
    return _NO_REVISION if revision is None else revision


def _load_own_assignment(request: StaffRequest, assignment_id: int) -> ReviewerAssignment:
    """Load an assignment of this reviewer. Any other answers 404, as if it did not exist."""
    rows = ReviewerAssignment.objects.filter(pk=assignment_id, reviewer__user=request.user)
    assignment = annotate_access(
        rows.select_related("case__ur_decision", "reviewer", "review")
    ).first()
    if assignment is None:
        raise Http404("There is no such review.")
    # The address names the assignment; the access log names its case.
    name_case_of_access(request, assignment.case.number)
    if request.method in {"GET", "HEAD"}:
        keep_rows(assignment.case)
        keep_live_assignment(request.user, assignment)
    return assignment


def _load_open_assignment(request: StaffRequest, assignment_id: int) -> ReviewerAssignment:
    """Load an assignment of this reviewer whose case file is open to them, otherwise 404."""
    assignment = _load_own_assignment(request, assignment_id)
    if assignment.round != assignment.case.round or not can_open_file(
        request.user, assignment.case
    ):
        raise Http404("There is no such review.")
    return assignment


def _wants_json(request: StaffRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _workspace_url(assignment: ReviewerAssignment) -> str:
    return reverse("determinations:workspace", args=[assignment.pk])


def _build_workspace_context(
    request: StaffRequest,
    assignment: ReviewerAssignment,
    part: str,
    *,
    typed: dict[str, Any] | None = None,
) -> dict[str, Any]:
    drafts, opinions = writing.map_drafts(assignment), writing.list_opinions(assignment)
    parts = [checks.SUMMARY] + [f"item-{opinion.item_id}" for opinion in opinions]
    # The part comes from the address; an unknown one shows the summary.
    part = part if part in parts else checks.SUMMARY
    review = policies.find_review(assignment)
    target: Any = review
    opinion = None
    if part != checks.SUMMARY:
        opinion = next(one for one in opinions if f"item-{one.item_id}" == part)
        target = opinion
    names = (
        ("summary", "party_term")
        if opinion is None
        else ("outcome", "rationale", "basis", "why_not_higher")
    )
    stored = {name: getattr(target, name, "") for name in names}
    draft_content = drafts[part].content if part in drafts else {}
    # Later sources win: the stored version, then the draft, then what was just typed.
    values = (
        stored | draft_content | {name: typed[name] for name in names if typed and name in typed}
    )
    # After the last part comes the first again.
    next_part = parts[(parts.index(part) + 1) % len(parts)]
    # After a refused save the typed text is shown even if the case was unassigned meanwhile.
    is_open = can_open_file(request.user, assignment.case)
    return {
        "assignment": assignment,
        "case": assignment.case,
        "review": review,
        "opinions": opinions,
        "opinion": opinion,
        "item": opinion.item if opinion else None,
        "administrator_line": _describe_administrator_citations(opinion) if opinion else "",
        "citations": _list_live_citations(opinion) if opinion else [],
        "part": part,
        "next_part": next_part,
        "values": values,
        "revision": drafts[part].revision if part in drafts else 0,
        "saved_at": drafts[part].saved_at if part in drafts else None,
        "findings": writing.find_unfinished(assignment) if is_open else [],
        "bases": EvidenceRank.choices,
        "party_terms": PartyTerm.choices,
        **_describe_rank_rule(assignment, opinion),
        "returned": _find_last_return(assignment) if is_open else None,
        "today": timezone.localdate(),
        "viewer": records.viewer.build_embedded_viewer(
            request, assignment, url=_workspace_url(assignment), keep={"part": part}
        ),
    }


def _render_refused_draft(
    request: StaffRequest, assignment: ReviewerAssignment, part: str, refusal: Refused
) -> HttpResponse:
    """Show the page with the typed text and the refusal, or the refusal as JSON for autosave."""
    if isinstance(refusal, writing.DraftConflict):
        return _render_draft_conflict(request, assignment, part, refusal)
    if _wants_json(request):
        return JsonResponse({"error": str(refusal)}, status=refusal.status)
    messages.error(request, str(refusal))
    context = _build_workspace_context(request, assignment, part, typed=request.POST.dict())
    return render(request, "determinations/workspace.html", context, status=refusal.status)


def _render_draft_conflict(
    request: StaffRequest,
    assignment: ReviewerAssignment,
    part: str,
    conflict: writing.DraftConflict,
) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse(
            {
                "error": str(conflict),
                "revision": conflict.theirs.revision,
                "theirs": conflict.theirs.content,
                "yours": conflict.mine,
            },
            status=conflict.status,
        )
    context = _build_workspace_context(request, assignment, part)
    context |= {"conflict": conflict, "yours": conflict.mine, "theirs": conflict.theirs.content}
    return render(request, "determinations/workspace.html", context, status=conflict.status)


def _render_citations(
    request: StaffRequest, assignment: ReviewerAssignment, item_id: int, attempt: Attempt[Any]
) -> HttpResponse:
    """Show the citations after a change, with the refusal if there is one."""
    part = f"item-{item_id}"
    if not request.htmx and attempt.refusal:
        return _render_refused_draft(request, assignment, part, attempt.refusal)
    if not request.htmx:
        return redirect(f"{_workspace_url(assignment)}?part={part}")
    opinion = assignment.opinions.select_related("item").get(item_id=item_id)
    context = {
        "assignment": assignment,
        "item": opinion.item,
        "citations": _list_live_citations(opinion),
        "error": str(attempt.refusal or ""),
    }
    return render(request, "determinations/_citations.html", context, status=attempt.status)


def _list_live_citations(opinion: Any) -> list[Any]:
    # Filtered here, because a filter in the query would ignore rows that are loaded.
    live = [one for one in opinion.citations.all() if one.removed_at is None]
    return sorted(live, key=lambda one: one.position)


def _describe_administrator_citations(opinion: Any) -> str:
    stated = find_stated_citations(opinion.item)
    return compose_citation_line(stated.citations, who=ADMINISTRATOR) if stated else ""


def _describe_rank_rule(assignment: ReviewerAssignment, opinion: Any) -> dict[str, Any]:
    """Return the explanation of the first rank of evidence, and if that rule is unconfirmed."""
    if opinion is None:
        return {}
    texts = rows_of(assignment.case).once(("rule texts",), list_rule_texts)
    day = find_request_date(opinion.item)
    text = checks.find_rule_text(texts, checks.HIGHER_RANK, day)
    return {
        "rank_rule": checks.describe_rank_rule(texts, day),
        "rules_unconfirmed": text is not None and not text.is_confirmed,
    }


def _find_last_return(assignment: ReviewerAssignment) -> QualityReview | None:
    """Return the latest QA return that was addressed to this reviewer, or to all reviewers."""
    return (
        QualityReview.objects.filter(
            # A return without a seat is for all reviewers.
            Q(seat=None) | Q(seat=assignment.seat),
            determination__case=assignment.case,
            determination__round=assignment.round,
            result=QualityReview.Result.RETURNED,
        )
        .order_by("-number")
        .first()
    )
