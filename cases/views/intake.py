"""Pages of the intake desk: one sheet, keyed beside its scan, becomes a case."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

import files.services
from accounts.requests import StaffRequest
from cases.forms.intake import (
    IntakeForm,
    ItemRow,
    new_key,
    paper_of,
    scan_of,
    sign_paper,
    sign_scan,
)
from cases.models import ApplicationPaper, Case
from cases.services import intake as intake_services
from cases.services.intake import Paper

from .acting import REFUSALS


@require_http_methods(["GET", "HEAD", "POST"])
def intake(request: StaffRequest) -> HttpResponse:
    """One sheet, keyed beside its scan, becomes a case."""
    now = timezone.now()
    today = timezone.localdate(now)
    if request.method != "POST":
        form = IntakeForm(today=today, initial={"key": new_key(), "received": f"{today:%m/%d/%Y}"})
        return render(request, "cases/intake.html", _intake_context(form, []))
    form = IntakeForm(request.POST, today=today)
    tickets, refused = _take_papers(request, form, now)
    if "more_rows" in request.POST:
        # Nobody has said yet that the form is complete, so nothing of it is checked.
        fresh = IntakeForm(today=today, initial=request.POST.dict())
        more = 0 if request.POST["more_rows"] == "scan" else 6  # "scan" only shows the scan
        fresh.rows = form.rows + [ItemRow() for _ in range(more)]
        context = _intake_context(fresh, tickets) | {"refusal": " ".join(refused)}
        return render(request, "cases/intake.html", context, status=422 if refused else 200)
    for sentence in refused:
        form.add_error(None, sentence)
    if form.is_valid():
        try:
            case = intake_services.receive(application=form.application(), by=request.user, at=now)
        except intake_services.SheetAlreadyEntered as known:
            messages.warning(request, str(known))
            return redirect(known.case)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            return _after_intake(request, case)
    return render(request, "cases/intake.html", _intake_context(form, tickets), status=422)


def _after_intake(request: StaffRequest, case: Case) -> HttpResponse:
    if case.duplicate_of_id:
        messages.warning(
            request,
            f"{case.number} is stored and linked to {case.duplicate_of}, which disputes the same "
            "UR decision. A coordinator decides.",
        )
    else:
        messages.success(request, f"{case.number} is stored and waits for screening.")
    return redirect("cases:intake" if "next" in request.POST else case.get_absolute_url())


@require_GET
def intake_paper(request: StaffRequest, ticket: str) -> HttpResponse:
    """A page of a scan that was handed in but not saved yet, to key from."""
    file = scan_of(ticket)
    if file is None:
        raise Http404("This scan is no longer at hand.")
    try:
        picture = files.services.page_png(file, page=1, width=900)
    except files.services.Refused as refusal:
        raise Http404(str(refusal)) from refusal
    return HttpResponse(picture, content_type="image/png")


@require_GET
def my_intakes(request: StaffRequest) -> HttpResponse:
    """What I entered today, newest first."""
    today = timezone.localdate()
    start = datetime.combine(today, datetime.min.time(), tzinfo=timezone.get_current_timezone())
    cases = (
        Case.objects.own()
        .filter(application__entered_by=request.user, application__entered_at__gte=start)
        .select_related("application", "duplicate_of")
        .prefetch_related("items", "parties")
        .order_by("-application__entered_at", "-pk")
    )
    return render(request, "cases/my_intakes.html", {"cases": cases, "today": today})


def _intake_context(form: IntakeForm, tickets: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "form": form,
        "tickets": tickets,
        "scan": next((one for one in tickets if one["kind"] == "APPLICATION"), None),
        "today": form.today,
    }


def _take_papers(
    request: StaffRequest, form: IntakeForm, now: datetime
) -> tuple[list[dict[str, str]], list[str]]:
    """Receive the uploads, and those that a refused form handed in before, so none is lost.

    The answer is a ticket for each paper at hand, and a sentence for each file that is refused.
    """
    tickets: list[dict[str, str]] = []
    refused: list[str] = []

    def keep(paper: Paper, ticket: str) -> None:
        if all((one.kind, one.file) != (paper.kind, paper.file) for one in form.papers):
            form.papers.append(paper)
            tickets.append(
                {
                    "ticket": ticket,
                    "scan": sign_scan(paper.file),
                    "name": paper.name,
                    "kind": paper.kind,
                }
            )

    for ticket in request.POST.getlist("paper"):
        if paper := paper_of(ticket):
            keep(paper, ticket)
    for field, kind in (
        ("scan", ApplicationPaper.Kind.APPLICATION),
        ("ur_decision_file", ApplicationPaper.Kind.UR_DECISION),
    ):
        upload = request.FILES.get(field)
        if not isinstance(upload, UploadedFile):
            continue
        try:
            file = files.services.receive(upload=upload, at=now)
        except files.services.Refused as refusal:
            refused.append(str(refusal))
            continue
        name = upload.name or "scan"
        keep(Paper(kind, file, name), sign_paper(file, name, kind))
    return tickets, refused
