"""Pages that act on a case before the review: intake, eligibility, notices, early ends.

A view loads, checks the form, makes one call and answers. What the case refuses is the form again
with 422 and everything that was typed; what someone else changed meanwhile is 409.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import files.services
import letters.services
from accounts.models import User
from accounts.requests import StaffRequest
from accounts.versions import Stale

from . import policies
from .forms import (
    CitationsForm,
    EligibilityForm,
    IntakeForm,
    ItemRow,
    NoteForm,
    ReasonForm,
    SentForm,
    new_key,
    paper_of,
    scan_of,
    sign_paper,
    sign_scan,
)
from .models import ApplicationPaper, CannotMove, Case
from .paper_fields import DatedForm, whole_number
from .services import intake as intake_services
from .services import items as item_services
from .services import notices as notice_services
from .services import screening
from .services.intake import Paper

REFUSALS = (policies.NotAllowed, CannotMove, letters.services.Refused)


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


@require_http_methods(["GET", "HEAD", "POST"])
def eligibility(request: StaffRequest, number: str) -> HttpResponse:
    """Six facts, each yes, no or unknown; the finding follows from them."""
    case = _case(number)
    form = EligibilityForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                decision = screening.decide_eligibility(
                    case_id=case.pk,
                    answers=form.answers(),
                    notes=form.notes(),
                    seen_version=_seen(request),
                    by=request.user,
                    at=timezone.now(),
                )
            except Stale as stale:
                form.add_error(None, str(stale))
                status = 409
            except REFUSALS as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"{case.number}: {decision.note}")
                return redirect(case)
        case.refresh_from_db()
        status = 409 if status == 409 else 422
    context = {
        "case": case,
        "form": form,
        "facts": form.facts(),
        "items": case.items.order_by("position"),
        "parties": case.parties.current(),
        "application": getattr(case, "application", None),
        "decisions": case.eligibility_decisions.prefetch_related("findings").order_by("-attempt"),
        "why_not": policies.why_not_decide_eligibility(request.user, case),
        "today": timezone.localdate(),
    }
    return render(request, "cases/eligibility.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def administrator_citations(request: StaffRequest, number: str, position: int) -> HttpResponse:
    """What the UR decision cites for one item; the letter prints it."""
    case = _case(number)
    item = get_object_or_404(case.items, position=position)
    stated = item_services.stated_for(item)
    initial = (
        CitationsForm.initial_from(stated.citations, nothing=stated.nothing) if stated else None
    )
    form = CitationsForm(request.POST or None, initial=initial)
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        try:
            item_services.record_administrator_citations(
                item_id=item.pk,
                cited=item_services.AdministratorCited(
                    form.citations(), form.cleaned_data["nothing"]
                ),
                seen_version=_seen(request),
                by=request.user,
                at=timezone.now(),
            )
        except Stale as stale:
            form.add_error(None, str(stale))
            item.refresh_from_db()
            status = 409
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Item {position}: what the UR decision cites is stated.")
            return redirect(case)
    context = {
        "case": case,
        "item": item,
        "form": form,
        "rows": form.rows(),
        "why_not": policies.why_not_record_citations(request.user, case),
        "stands": item_services.stated_for(item) if status == 409 else None,
    }
    return render(request, "cases/citations.html", context, status=status)


@require_GET
def notices(request: StaffRequest, number: str) -> HttpResponse:
    """The notices of assignment: made, rendered, sent."""
    case = _case(number)
    return _notices_page(request, case, SentForm(today=timezone.localdate()))


@require_POST
def make_notices(request: StaffRequest, number: str) -> HttpResponse:
    """Make one notice for each recipient."""
    case = _case(number)
    now = timezone.now()
    form = SentForm(today=timezone.localdate(now))
    try:
        made = notice_services.make_notices(case_id=case.pk, by=request.user, at=now)
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
        return _notices_page(request, case, form, status=422)
    messages.success(request, f"{len(made)} notices are being rendered.")
    return redirect("cases:notices", number)


@require_POST
def mark_notices_sent(request: StaffRequest, number: str) -> HttpResponse:
    """State that the notices went out, on which day."""
    case = _case(number)
    now = timezone.now()
    form = SentForm(request.POST, today=timezone.localdate(now))
    if form.is_valid():
        try:
            notice_services.mark_notices_sent(
                case_id=case.pk,
                sent_on=form.cleaned_data["sent_on"],
                by=request.user,
                at=now,
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The notices are marked as sent; the records clock runs.")
            return redirect(case)
    return _notices_page(request, case, form, status=422)


def _notices_page(
    request: StaffRequest, case: Case, form: DatedForm, *, status: int = 200
) -> HttpResponse:
    case.refresh_from_db()
    rows = case.notices.filter(round=case.round).select_related("party", "letter", "delivery")
    context = {
        "case": case,
        "form": form,
        "notices": rows.order_by("pk"),
        "recipients": notice_services.recipients(case),
        "why_not_make": policies.why_not_make_notices(request.user, case),
        "why_not_send": policies.why_not_mark_notices_sent(request.user, case),
        "today": timezone.localdate(),
    }
    return render(request, "cases/notices.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def screen_again(request: StaffRequest, number: str) -> HttpResponse:
    """Put an ineligible, deferred or doubtful case before screening again."""
    return _act_with_reason(
        request,
        number,
        title="Screen again",
        button="Screen again",
        why_not=policies.why_not_reopen,
        act=screening.screen_again,
        done="The case is back in screening.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: StaffRequest, number: str) -> HttpResponse:
    """End a case that the employee takes back."""
    return _act_with_reason(
        request,
        number,
        title="Withdraw",
        button="Withdraw the case",
        why_not=policies.why_not_end_early,
        act=screening.withdraw,
        done="The case is withdrawn.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: StaffRequest, number: str) -> HttpResponse:
    """Close a case that ended before a determination."""
    return _act_with_reason(
        request,
        number,
        title="Close",
        button="Close the case",
        why_not=policies.why_not_close,
        act=screening.close,
        done="The case is closed.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def terminate(request: StaffRequest, number: str) -> HttpResponse:
    """End the items that the claims administrator has authorised."""
    chosen = [pk for pk in map(whole_number, request.POST.getlist("item")) if pk is not None]

    def end_chosen(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
        return screening.terminate(case_id=case_id, item_ids=chosen, reason=reason, by=by, at=at)

    return _act_with_reason(
        request,
        number,
        title="Treatment authorised",
        button="End the chosen items",
        why_not=policies.why_not_end_early,
        act=end_chosen,
        done="The chosen items are ended.",
        extra={"choose_items": True, "chosen": chosen},
    )


@require_POST
def note(request: StaffRequest, number: str) -> HttpResponse:
    """Put a note on the timeline."""
    case = _case(number)
    form = NoteForm(request.POST)
    if form.is_valid():
        screening.add_note(
            case_id=case.pk, text=form.cleaned_data["text"], by=request.user, at=timezone.now()
        )
        messages.success(request, "The note is on the timeline.")
        return redirect("desk:timeline", number)
    context = {"case": case, "form": form, "title": "Note", "button": "Add the note"}
    return render(request, "cases/reason.html", context, status=422)


def _act_with_reason(
    request: StaffRequest,
    number: str,
    *,
    title: str,
    button: str,
    why_not: Callable[[User, Case], str],
    act: Callable[..., Any],
    done: str,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """The common shape of an act that needs nothing but a reason."""
    case = _case(number)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(
                case_id=case.pk,
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(case)
    context = {
        "case": case,
        "form": form,
        "title": title,
        "button": button,
        "why_not": why_not(request.user, case),
        "items": case.items.filter(ending="PENDING").order_by("position"),
        **(extra or {}),
    }
    return render(
        request, "cases/reason.html", context, status=422 if request.method == "POST" else 200
    )


def _case(number: str) -> Case:
    return get_object_or_404(Case.objects.select_related("ur_decision"), number=number)


def _seen(request: StaffRequest) -> int | None:
    return whole_number(request.POST.get("version", ""))


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
