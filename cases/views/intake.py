"""Pages of the intake desk: one sheet, keyed beside its scan, becomes a case."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
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
from cases.models import ApplicationPaper, Case, Sheet
from cases.paper_fields import whole_number
from cases.policies import why_not_park
from cases.services import batches as batch_services
from cases.services import intake as intake_services
from cases.services.intake import Paper
from files.models import StoredFile

from .acting import REFUSALS


@require_http_methods(["GET", "HEAD", "POST"])
def intake(request: StaffRequest, sheet: int | None = None) -> HttpResponse:
    """One sheet, keyed beside its scan, becomes a case."""
    now = timezone.now()
    today = timezone.localdate(now)
    keyed = _sheet_to_key(sheet)
    if keyed is not None and (elsewhere := _refuse_sheet(request, keyed, now)):
        return elsewhere
    if request.method != "POST":
        form = IntakeForm(today=today, initial=_first_values(keyed, today))
        return render(request, "cases/intake.html", _intake_context(form, [], keyed))
    form = IntakeForm(request.POST, today=today)
    form.sheet = keyed
    tickets, refused = _take_papers(request, form, now)
    if "more_rows" in request.POST:
        # Nobody has said yet that the form is complete, so nothing of it is checked.
        fresh = IntakeForm(today=today, initial=request.POST.dict())
        more = 0 if request.POST["more_rows"] == "scan" else 6  # "scan" only shows the scan
        fresh.rows = form.rows + [ItemRow() for _ in range(more)]
        context = _intake_context(fresh, tickets, keyed) | {"refusal": " ".join(refused)}
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
            return _after_intake(request, case, keyed, now)
    return render(request, "cases/intake.html", _intake_context(form, tickets, keyed), status=422)


def _sheet_to_key(sheet: int | None) -> Sheet | None:
    if sheet is None:
        return None
    rows = Sheet.objects.select_related("batch", "file", "case", "claimed_by")
    found: Sheet = get_object_or_404(rows.exclude(state=Sheet.State.REFUSED), pk=sheet)
    return found


def _refuse_sheet(request: StaffRequest, sheet: Sheet, now: datetime) -> HttpResponse | None:
    """Where to go instead, if this sheet is a case already or in other hands.

    A form that was typed is let through: whoever saves first has entered the sheet.
    """
    if sheet.case is not None and sheet.state != Sheet.State.REPEATED:
        entered = intake_services.SheetAlreadyEntered(sheet.case)
        messages.warning(request, str(entered))
        return redirect(sheet.case)
    if sheet.state == Sheet.State.REPEATED:
        return redirect("cases:batch", sheet.batch_id)
    in_other_hands = sheet.is_held(at=now) and sheet.claimed_by_id != request.user.pk
    if request.method != "POST" and in_other_hands:
        messages.error(request, why_not_park(request.user, sheet, at=now))
        return redirect("cases:batch", sheet.batch_id)
    return None


def _first_values(sheet: Sheet | None, today: date) -> dict[str, Any]:
    """What stands on a fresh form: the sheet's channel and stamp, or today's."""
    if sheet is None:
        return {"key": new_key(), "received": f"{today:%m/%d/%Y}"}
    return {
        "key": new_key(),
        "channel": sheet.batch.channel,
        "received": f"{sheet.received_on:%m/%d/%Y}",
    }


def _after_intake(
    request: StaffRequest, case: Case, sheet: Sheet | None, now: datetime
) -> HttpResponse:
    if case.duplicate_of_id:
        messages.warning(
            request,
            f"{case.number} is stored and linked to {case.duplicate_of}, which disputes the same "
            "UR decision. A coordinator decides.",
        )
    else:
        messages.success(request, f"{case.number} is stored and waits for screening.")
    if "next" not in request.POST:
        return redirect(case)
    if sheet is None:
        return redirect("cases:intake")
    following = batch_services.claim_next(by=request.user, at=now)
    if following is None:
        messages.info(request, "No other sheet waits.")
        return redirect("cases:batches")
    return redirect("cases:enter_sheet", following.pk)


@require_GET
def intake_paper(request: StaffRequest, ticket: str) -> HttpResponse:
    """A page of a scan that was handed in but not saved yet, to key from."""
    file = scan_of(ticket)
    if file is None:
        raise Http404("This scan is no longer at hand.")
    try:
        page = whole_number(request.GET.get("page", "1")) or 1
        picture = files.services.page_png(file, page=page, width=900)
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


def _intake_context(
    form: IntakeForm, tickets: list[dict[str, Any]], sheet: Sheet | None
) -> dict[str, Any]:
    scan = next((one for one in tickets if one["kind"] == "APPLICATION"), None)
    if sheet is not None and sheet.file is not None:
        scan = _shown(sheet.file, sheet.name_received)
    return {"form": form, "tickets": tickets, "scan": scan, "sheet": sheet, "today": form.today}


def _shown(file: StoredFile, name: str) -> dict[str, Any]:
    """What the page needs to show a file beside the form."""
    return {"scan": sign_scan(file), "name": name, "pages": range(1, (file.pages or 1) + 1)}


def _take_papers(
    request: StaffRequest, form: IntakeForm, now: datetime
) -> tuple[list[dict[str, Any]], list[str]]:
    """Receive the uploads, and those that a refused form handed in before, so none is lost.

    The answer is a ticket for each paper at hand, and a sentence for each file that is refused.
    """
    tickets: list[dict[str, Any]] = []
    refused: list[str] = []

    def keep(paper: Paper, ticket: str) -> None:
        if all((one.kind, one.file) != (paper.kind, paper.file) for one in form.papers):
            form.papers.append(paper)
            tickets.append(_shown(paper.file, paper.name) | {"ticket": ticket, "kind": paper.kind})

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
