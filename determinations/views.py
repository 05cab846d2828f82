"""Pages of the review: the workspace, quality assurance, issuing, sending and the versions."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import files.services
import letters.services
import records.viewer
from accounts.requests import StaffRequest
from accounts.services import note_look
from accounts.versions import Stale
from cases.forms.acts import ReasonForm
from cases.models import CannotMove, Case
from cases.paper_fields import whole_number
from cases.policies import NotAllowed
from cases.services.items import stated_for
from guidelines.citations import sentences
from reviewers.models import ReviewerAssignment
from reviewers.policies import may_open_file

from . import checks, history, policies
from .composition import ADMINISTRATOR
from .forms import CiteForm, QualityForm, SendForm
from .models import Basis, PartyTerm, QualityReview
from .services import issuing, sending, writing
from .services import quality as quality_services

REFUSALS = (NotAllowed, CannotMove, letters.services.Refused)


# --- The reviewer's workspace -----------------------------------------------------------------


@require_GET
def workspace(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Read and decide on one page: the records left, the writing right."""
    assignment = _own_assignment(request, assignment_id)
    why_not = policies.why_not_write(request.user, assignment)
    if why_not and policies.is_submitted(assignment):
        messages.info(request, why_not)
        return redirect("reviewers:my_reviews")
    if why_not:
        return redirect("reviewers:attest", assignment_id)
    now = timezone.now()
    writing.open_review(assignment_id=assignment.pk, by=request.user, at=now)
    note_look(
        by=request.user, subject="case", reference=assignment.case.number, granted=True, at=now
    )
    part = request.GET.get("part", "")
    return render(request, "determinations/workspace.html", _workspace(request, assignment, part))


@require_POST
def draft(request: StaffRequest, assignment_id: int, part: str) -> HttpResponse:
    """Keep what was typed. Called by the page while typing; also a plain Save button."""
    assignment = _own_assignment(request, assignment_id)
    now = timezone.now()
    try:
        saved = writing.save_draft(
            assignment_id=assignment.pk,
            part=part,
            content=request.POST.dict(),
            revision=whole_number(request.POST.get("revision", "")) or 0,
            by=request.user,
            at=now,
        )
    except writing.DraftConflict as conflict:
        return _draft_conflict(request, assignment, part, conflict)
    except REFUSALS as refusal:
        return _draft_refused(request, assignment, part, str(refusal))
    if _wants_json(request):
        at = f"{timezone.localtime(saved.saved_at):%H:%M:%S}"
        return JsonResponse({"revision": saved.revision, "saved_at": at})
    messages.success(request, "Saved.")
    return redirect(f"{_workspace_url(assignment)}?part={part}")


@require_POST
def leave(request: StaffRequest, assignment_id: int, part: str) -> HttpResponse:
    """Leaving a part keeps it and makes a numbered version; the answer is the part gone to."""
    assignment = _own_assignment(request, assignment_id)
    revision = whole_number(request.POST.get("revision", ""))
    try:
        writing.settle(
            assignment_id=assignment.pk,
            part=part,
            content=None if revision is None else request.POST.dict(),
            revision=revision or 0,
            by=request.user,
            at=timezone.now(),
            why="Left the part",
        )
    except writing.DraftConflict as conflict:
        return _draft_conflict(request, assignment, part, conflict)
    except REFUSALS as refusal:
        return _draft_refused(request, assignment, part, str(refusal))
    if _wants_json(request):
        return HttpResponse(status=204)
    return redirect(f"{_workspace_url(assignment)}?part={request.POST.get('to', '')}")


@require_GET
def checks_list(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """What the review still lacks, now."""
    assignment = _open_assignment(request, assignment_id)
    context = {"assignment": assignment, "findings": writing.unfinished(assignment)}
    return render(request, "determinations/_checks.html", context)


@require_POST
def cite(request: StaffRequest, assignment_id: int, item_id: int) -> HttpResponse:
    """Add an authority to an item."""
    assignment = _own_assignment(request, assignment_id)
    get_object_or_404(assignment.opinions, item_id=item_id)
    form = CiteForm(request.POST)
    error = ""
    if form.is_valid():
        try:
            writing.cite(
                assignment_id=assignment.pk,
                item_id=item_id,
                recommendation_id=form.cleaned_data["recommendation"],
                as_printed=form.cleaned_data["as_printed"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            error = str(refusal)
    else:
        error = " ".join(str(message) for found in form.errors.values() for message in found)
    return _citations(request, assignment, item_id, error)


@require_POST
def uncite(request: StaffRequest, assignment_id: int, citation_id: int) -> HttpResponse:
    """Take an authority out of an item."""
    assignment = _own_assignment(request, assignment_id)
    opinion = get_object_or_404(assignment.opinions, citations__pk=citation_id)
    error = ""
    try:
        writing.uncite(
            assignment_id=assignment.pk,
            citation_id=citation_id,
            by=request.user,
            at=timezone.now(),
        )
    except REFUSALS as refusal:
        error = str(refusal)
    return _citations(request, assignment, opinion.item_id, error)


@require_GET
def review_preview(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """The letter as it would look now, for its reviewer."""
    assignment = _open_assignment(request, assignment_id)
    return _preview_pdf(request, assignment.case, only_seat=assignment.seat)


@require_POST
def submit(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Sign the review and hand it to quality assurance; what is missing comes back all at once."""
    assignment = _own_assignment(request, assignment_id)
    findings: list[checks.Finding] = []
    part = request.POST.get("part", "")
    revision = whole_number(request.POST.get("revision", ""))
    try:
        if revision is not None:  # a page without scripts sends what was typed along
            writing.settle(
                assignment_id=assignment.pk,
                part=part,
                content=request.POST.dict(),
                revision=revision,
                by=request.user,
                at=timezone.now(),
                why="Submitted",
            )
        determination = writing.submit(
            assignment_id=assignment.pk, by=request.user, at=timezone.now()
        )
    except writing.DraftConflict as conflict:
        return _draft_conflict(request, assignment, part, conflict)
    except writing.Unfinished as unfinished:
        findings = unfinished.findings
    except REFUSALS as refusal:
        findings = [checks.Finding("refused", str(refusal), "")]
    else:
        where = (
            "is with quality assurance"
            if determination
            else "waits for the other reviewer; you have done your part"
        )
        messages.success(request, f"{assignment.case.number} {where}.")
        return redirect("reviewers:my_reviews")
    assignment = _own_assignment(request, assignment_id)
    context = _workspace(request, assignment, request.POST.get("part", ""))
    context |= {"findings": findings, "refused": True}
    return render(request, "determinations/workspace.html", context, status=422)


# --- Quality assurance ------------------------------------------------------------------------


@require_GET
def quality(request: StaffRequest, number: str) -> HttpResponse:
    """The review as submitted, with what changed since the last reading."""
    case = _case(number)
    return _quality_page(request, case, QualityForm(case=case))


@require_POST
def return_for_changes(request: StaffRequest, number: str) -> HttpResponse:
    """Send the review back with words."""
    case = _case(number)
    form = QualityForm(request.POST, case=case)
    if form.is_valid():
        try:
            quality_services.return_for_changes(
                case_id=case.pk,
                comment=form.cleaned_data["comment"],
                item_id=form.cleaned_data["item"],
                seat=form.cleaned_data["seat"],
                seen_version=_seen(request),
                by=request.user,
                at=timezone.now(),
            )
        except Stale as stale:
            form.add_error(None, str(stale))
            return _quality_page(request, case, form, status=409)
        except REFUSALS as refusal:
            form.add_error("comment", str(refusal))
        else:
            messages.success(request, f"{number} is back with its reviewer.")
            return redirect("desk:queue", "qa")
    return _quality_page(request, case, form, status=422)


@require_POST
def approve(request: StaffRequest, number: str) -> HttpResponse:
    """Find the review fit to be issued."""
    case = _case(number)
    form = QualityForm(request.POST, case=case)
    if form.is_valid():
        try:
            quality_services.approve(
                case_id=case.pk,
                comment=form.cleaned_data["comment"],
                seen_version=_seen(request),
                by=request.user,
                at=timezone.now(),
            )
        except Stale as stale:
            form.add_error(None, str(stale))
            return _quality_page(request, case, form, status=409)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{number} is approved and waits for the medical director.")
            return redirect("desk:queue", "qa")
    return _quality_page(request, case, form, status=422)


# --- Issuing and sending ----------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def issue(request: StaffRequest, number: str) -> HttpResponse:
    """The medical director issues; the page names every fact that the letter rests on."""
    case = _case(number)
    now = timezone.now()
    error = ""
    status = 200
    if request.method == "POST":
        try:
            issuing.issue(case_id=case.pk, seen_version=_seen(request), by=request.user, at=now)
        except Stale as stale:
            error, status = str(stale), 409
        except REFUSALS as refusal:
            error, status = str(refusal), 422
        else:
            messages.success(request, f"{number} is issued. The letter is being rendered.")
            return redirect("desk:letters", number)
        case = _case(number)
    context = _determination_context(request, case)
    context |= {
        "error": error,
        "why_not": policies.why_not_issue(request.user, case),
        "readiness": issuing.readiness(case, at=now),
        "back_form": ReasonForm(),
    }
    return render(request, "determinations/issue.html", context, status=status)


@require_GET
def preview(request: StaffRequest, number: str) -> HttpResponse:
    """The letter exactly as it would be issued now. Opening it is what makes issuing possible."""
    return _preview_pdf(request, _case(number))


@require_POST
def send_back(request: StaffRequest, number: str) -> HttpResponse:
    """Void the approval and put the case before quality assurance again."""
    case = _case(number)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            quality_services.send_back(
                case_id=case.pk,
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{number} is back with quality assurance.")
            return redirect(case)
    context = _determination_context(request, case)
    context |= {
        "why_not": policies.why_not_issue(request.user, case),
        "readiness": issuing.readiness(case, at=timezone.now()),
        "back_form": form,
    }
    return render(request, "determinations/issue.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def send(request: StaffRequest, number: str) -> HttpResponse:
    """State that the determination went out to its recipients; the last one closes the case."""
    case = _case(number)
    now = timezone.now()
    today = timezone.localdate(now)
    form = SendForm(request.POST or None, today=today, initial={"sent_on": f"{today:%m/%d/%Y}"})
    if request.method == "POST" and form.is_valid():
        try:
            sending.mark_determination_sent(
                case_id=case.pk, sent_on=form.cleaned_data["sent_on"], by=request.user, at=now
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{number} is sent and closed.")
            return redirect("desk:case", number)
    determination = policies.live_determination(case)
    letter = determination.letter if determination else None
    context = {
        "case": case,
        "form": form,
        "letter": letter,
        "deliveries": letter.deliveries.order_by("pk") if letter else [],
        "why_not": policies.why_not_send(request.user, case),
    }
    return render(
        request,
        "determinations/send.html",
        context,
        status=422 if request.method == "POST" else 200,
    )


@require_GET
def versions(request: StaffRequest, number: str) -> HttpResponse:
    """Every version of the determination, side by side, word by word."""
    case = _case(number)
    note_look(by=request.user, subject="case", reference=number, granted=True, at=timezone.now())
    context = _determination_context(request, case)
    context |= {"tab": "versions", "parts": history.parts_of(case, request.user)}
    return render(request, "determinations/versions.html", context)


# --- Shared by the pages above ------------------------------------------------------------------


def _own_assignment(request: StaffRequest, assignment_id: int) -> ReviewerAssignment:
    """The reviewer's own assignment; somebody else's looks exactly like one that is not there."""
    found = (
        ReviewerAssignment.objects.filter(pk=assignment_id, reviewer__user=request.user)
        .select_related("case", "reviewer")
        .first()
    )
    if found is None:
        raise Http404("There is no such review.")
    return found


def _open_assignment(request: StaffRequest, assignment_id: int) -> ReviewerAssignment:
    """The reviewer's own assignment while its file is open to them, and not after it ended."""
    assignment = _own_assignment(request, assignment_id)
    if assignment.round != assignment.case.round or not may_open_file(
        request.user, assignment.case
    ):
        raise Http404("There is no such review.")
    return assignment


def _case(number: str) -> Case:
    return get_object_or_404(Case.objects.select_related("ur_decision"), number=number)


def _seen(request: StaffRequest) -> int | None:
    return whole_number(request.POST.get("version", ""))


def _wants_json(request: StaffRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _workspace_url(assignment: ReviewerAssignment) -> str:
    from django.urls import reverse

    return reverse("determinations:workspace", args=[assignment.pk])


def _workspace(
    request: StaffRequest,
    assignment: ReviewerAssignment,
    part: str,
    *,
    typed: dict[str, Any] | None = None,
) -> dict[str, Any]:
    drafts = {one.part: one for one in assignment.drafts.all()}
    opinions = list(
        assignment.opinions.select_related("item", "item__parent")
        .prefetch_related("citations", "item__administrator_citations")
        .order_by("item__position")
    )
    parts = [checks.SUMMARY] + [f"item-{opinion.item_id}" for opinion in opinions]
    part = part if part in parts else checks.SUMMARY
    review = getattr(assignment, "review", None)
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
    kept = drafts[part].content if part in drafts else {}
    values = stored | kept | {name: typed[name] for name in names if typed and name in typed}
    next_part = parts[(parts.index(part) + 1) % len(parts)]
    # A refused save shows what was typed, also to someone from whom the case was taken back.
    is_open = may_open_file(request.user, assignment.case)
    return {
        "assignment": assignment,
        "case": assignment.case,
        "review": review,
        "opinions": opinions,
        "opinion": opinion,
        "item": opinion.item if opinion else None,
        "administrator_line": _administrator_line(opinion) if opinion else "",
        "citations": _live_citations(opinion) if opinion else [],
        "part": part,
        "next_part": next_part,
        "values": values,
        "revision": drafts[part].revision if part in drafts else 0,
        "saved_at": drafts[part].saved_at if part in drafts else None,
        "findings": writing.unfinished(assignment) if is_open else [],
        "bases": Basis.choices,
        "party_terms": PartyTerm.choices,
        "returned": _last_return(assignment) if is_open else None,
        "today": timezone.localdate(),
        "viewer": records.viewer.context(
            request, assignment, url=_workspace_url(assignment), keep={"part": part}
        ),
    }


def _draft_refused(
    request: StaffRequest, assignment: ReviewerAssignment, part: str, refusal: str
) -> HttpResponse:
    """The page again with what was typed; the sentence alone for the page's own saving."""
    if _wants_json(request):
        return JsonResponse({"error": refusal}, status=422)
    messages.error(request, refusal)
    context = _workspace(request, assignment, part, typed=request.POST.dict())
    return render(request, "determinations/workspace.html", context, status=422)


def _draft_conflict(
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
            status=409,
        )
    context = _workspace(request, assignment, part)
    context |= {"conflict": conflict, "yours": conflict.mine, "theirs": conflict.theirs.content}
    return render(request, "determinations/workspace.html", context, status=409)


def _citations(
    request: StaffRequest, assignment: ReviewerAssignment, item_id: int, error: str
) -> HttpResponse:
    if not request.htmx:
        if error:
            messages.error(request, error)
        return redirect(f"{_workspace_url(assignment)}?part=item-{item_id}")
    opinion = assignment.opinions.select_related("item").get(item_id=item_id)
    context = {
        "assignment": assignment,
        "item": opinion.item,
        "citations": _live_citations(opinion),
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "determinations/_citations.html", context, status=status)


def _live_citations(opinion: Any) -> list[Any]:
    return list(opinion.citations.filter(removed_at__isnull=True).order_by("position"))


def _administrator_line(opinion: Any) -> str:
    stated = stated_for(opinion.item)
    return sentences(stated.citations, who=ADMINISTRATOR) if stated else ""


def _last_return(assignment: ReviewerAssignment) -> QualityReview | None:
    """What quality assurance last asked of this reviewer, or of all of them."""
    return (
        QualityReview.objects.filter(
            Q(seat=None) | Q(seat=assignment.seat),
            determination__case=assignment.case,
            determination__round=assignment.round,
            result=QualityReview.Result.RETURNED,
        )
        .order_by("-number")
        .first()
    )


def _determination_context(request: StaffRequest, case: Case) -> dict[str, Any]:
    determination = policies.live_determination(case)
    assignments = case.assignments.filter(round=case.round, state__in=["ACCEPTED", "FINISHED"])
    reviews = []
    for assignment in assignments.select_related("review", "reviewer").order_by("seat"):
        opinions = (
            assignment.opinions.select_related("item")
            .prefetch_related("citations")
            .order_by("item__position")
        )
        reviews.append({"assignment": assignment, "opinions": list(opinions)})
    return {
        "case": case,
        "determination": determination,
        "reviews": reviews,
        "readings": list(
            determination.quality_reviews.select_related("checked_by", "item").order_by("number")
        )
        if determination
        else [],
        "sees_identity": request.user.may("reviewers.see_identity"),
        "today": timezone.localdate(),
    }


def _quality_page(
    request: StaffRequest, case: Case, form: QualityForm, *, status: int = 200
) -> HttpResponse:
    case.refresh_from_db()
    now = timezone.now()
    note_look(by=request.user, subject="case", reference=case.number, granted=True, at=now)
    context = _determination_context(request, case)
    context |= {
        "form": form,
        "why_not": policies.why_not_check_quality(request.user, case),
        "changes": issuing.changes_since_return(case),
        "readiness": issuing.readiness(case, at=now),
    }
    return render(request, "determinations/qa.html", context, status=status)


def _preview_pdf(
    request: StaffRequest, case: Case, *, only_seat: int | None = None
) -> HttpResponse:
    now = timezone.now()
    note_look(by=request.user, subject="letter", reference=case.number, granted=True, at=now)
    try:
        shown = issuing.preview(case_id=case.pk, only_seat=only_seat, by=request.user, at=now)
    except REFUSALS as refusal:
        return render(
            request,
            "determinations/no_preview.html",
            {"case": case, "why": str(refusal)},
            status=422,
        )
    response = HttpResponse(files.services.read_bytes(shown.file), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{case.number}-preview.pdf"'
    return response
