"""Pages for entering an application: the form beside its scan, and the clerk's own entries."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Prefetch
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

import files.services
from accounts.actions import run_action, try_action
from accounts.requests import StaffRequest, read_whole_number
from cases.forms.addresses import KeyedAddress
from cases.models import Application, ApplicationPaper, Case, Channel
from cases.models.restrictions import is_hidden, select_visible
from cases.postal_addresses import read_postal_address
from cases.zip_codes import find_zip_code
from files.models import StoredFile
from intake.forms.application import (
    IntakeForm,
    ItemRow,
    list_form_differences,
    new_form_key,
    read_file_ticket,
    read_form_key,
    read_scan_ticket,
    read_typed_fields,
    rebuild_form_data,
    sign_file_ticket,
    sign_scan_ticket,
)
from intake.keying_time import measure_own_keying, read_opening, sign_opening
from intake.models import IntakeDraft, Scan
from intake.policies import why_not_skip_scan, why_not_use_rescanned
from intake.services import batches as batch_services
from intake.services import drafts, receiving
from intake.services.checking import FormCheck, check_application_form
from intake.services.known_parties import fill_in_known_parties
from intake.services.receiving import AttachedFile

KEYING_SHOWN = timedelta(days=30)  # of the clerk's own keying time


@require_http_methods(["GET", "HEAD", "POST"])
def enter_application(request: StaffRequest, scan: int | None = None) -> HttpResponse:
    """Show the form of a new application, and save it as a case.

    :param scan: the scan of a batch that is entered; ``None`` for a form without a batch.
    """
    now = timezone.now()
    today = timezone.localdate(now)
    keyed = _load_scan(scan)
    if keyed is not None and (elsewhere := _redirect_if_taken(request, keyed, now)):
        return elsewhere
    if request.method != "POST":
        draft = _find_draft(request, keyed, now)
        if draft is not None:
            return _render_typed_form(
                request, rebuild_form_data(draft.content), draft.revision, keyed, now
            )
        form = IntakeForm(today=today, initial=_initial_values(keyed, today))
        waiting = None if keyed else drafts.list_open_drafts(of=request.user, at=now).first()
        return _render_form(request, form, [], keyed, waiting=waiting)
    revision = read_whole_number(request.POST.get("revision", "")) or 0
    if "more_rows" in request.POST:
        return _render_typed_form(request, request.POST, revision, keyed, now)
    form = IntakeForm(request.POST, today=today)
    form.scan = keyed
    # Store the files even if the form is refused: a browser does not send a chosen file again.
    tickets, refused = _collect_files(request, form, now)
    # A draft is saved as typed, so the form is not validated before.
    if "save_draft" in request.POST:
        return _save_draft_and_leave(request, tickets, refused, keyed, now)
    for sentence in refused:
        form.add_error(None, sentence)
    attempt = run_action(
        request,
        form,
        lambda: receiving.receive_application(
            application=form.application(), by=request.user, at=now
        ),
    )
    if attempt.done:
        return _redirect_after_save(request, attempt.result, keyed, now)
    if isinstance(attempt.refusal, receiving.ScanAlreadyEntered):
        messages.warning(request, str(attempt.refusal))
        return redirect(attempt.refusal.case or "intake:my_intakes")
    if isinstance(attempt.refusal, receiving.FormSavedOtherwise):
        form.start_new_key()
        saved, revision = attempt.refusal.case, 0  # the new key has no draft yet
    else:
        saved = None
    return _render_form(
        request, form, tickets, keyed, revision=revision, saved=saved, status=attempt.status
    )


def _render_form(
    request: StaffRequest,
    form: IntakeForm,
    tickets: list[dict[str, Any]],
    scan: Scan | None,
    *,
    revision: int = 0,
    refusal: str = "",
    checked: FormCheck | None = None,
    saved: Case | None = None,
    waiting: IntakeDraft | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the form.

    :param saved: the case that was saved from this form with other contents.
    :param waiting: the clerk's latest unfinished form, which is offered on an empty one.
    """
    shown_file = next((one for one in tickets if one["kind"] == "APPLICATION"), None)
    if scan is not None and scan.file is not None:
        shown_file = _describe_file(scan.file, scan.name_received)
    if form.is_bound and checked is None:
        checked = check_application_form(
            values=form.valid_values(),
            items=form.items_entered,
            treatments=form.treatments,
            reader=request.user,
            today=form.today,
        )
    # F4 copies fields from the clerk's last application.
    own = select_visible(Application.objects.filter(entered_by=request.user), request.user, "cases")
    last = own.order_by("-entered_at").first()
    context = {
        "form": form,
        "tickets": tickets,
        "shown_file": shown_file,
        "scan": scan,
        "revision": revision,
        # A form that is shown again was opened before.
        "opened": request.POST.get("opened") or sign_opening(timezone.now()),
        "refusal": refusal,
        # The list of categories is sent once, and a script copies it into the other rows. Only a
        # browser without scripts asks the server for more rows.
        "every_list": request.POST.get("more_rows") == "1",
        "checked": checked,
        "ditto": last.printed if last else {},
        "today": form.today,
        "saved": saved,
        "waiting": waiting,
        "differences": list_form_differences(saved, form) if saved else [],
    }
    return render(request, "intake/intake.html", context, status=status)


def _render_typed_form(
    request: StaffRequest, typed: QueryDict, revision: int, scan: Scan | None, now: datetime
) -> HttpResponse:
    """Show a form with the typed values, without errors: the clerk has not submitted it yet."""
    today = timezone.localdate(now)
    # Two forms: a bound one reads the values, and an unbound one shows them without errors.
    read = IntakeForm(typed, today=today)
    tickets, refused = _collect_files(request, read, now, typed)
    row_count = typed.get("more_rows", "")
    values = {name: typed.get(name, "") for name in typed}
    if row_count == "known":
        values |= fill_in_known_parties(typed=values)
        values |= {
            name: read_postal_address(values[name], find_zip=find_zip_code).text
            for name, field in IntakeForm.base_fields.items()
            if isinstance(field, KeyedAddress) and values.get(name)
        }
    fresh = IntakeForm(today=today, initial=values)
    fresh.rows = read.rows + [ItemRow() for _ in range(6 if row_count == "1" else 0)]
    return _render_form(
        request,
        fresh,
        tickets,
        scan,
        revision=revision,
        refusal=" ".join(refused),
        checked=check_application_form(
            values=read.valid_values(),
            items=read.items_entered,
            treatments=read.treatments,
            reader=request.user,
            today=read.today,
        ),
        status=422 if refused else 200,
    )


def _find_draft(request: StaffRequest, scan: Scan | None, now: datetime) -> IntakeDraft | None:
    """Find this clerk's draft for the scan, or the draft named in the query string."""
    own_drafts = drafts.list_open_drafts(of=request.user, at=now)
    if scan is not None:
        return own_drafts.filter(scan=scan).first()
    try:
        return own_drafts.filter(scan=None, key=UUID(request.GET.get("draft", ""))).first()
    except ValueError:
        return None


def _save_draft_and_leave(
    request: StaffRequest,
    tickets: list[dict[str, Any]],
    refused: list[str],
    scan: Scan | None,
    now: datetime,
) -> HttpResponse:
    typed = read_typed_fields(request.POST) | {"paper": [one["ticket"] for one in tickets]}
    attempt = try_action(
        lambda: drafts.save_intake_draft(
            key=read_form_key(request.POST.get("key", "")),
            typed=typed,
            revision=read_whole_number(request.POST.get("revision", "")),
            scan_id=scan.pk if scan else None,
            opened_at=read_opening(request.POST.get("opened", "")),
            by=request.user,
            at=now,
        )
    )
    if attempt.refusal:
        form = IntakeForm(request.POST, today=timezone.localdate(now))
        refusal = str(attempt.refusal)
        return _render_form(request, form, tickets, scan, refusal=refusal, status=attempt.status)
    for sentence in refused:
        messages.error(request, sentence)
    messages.success(request, "Draft saved. Continue it from this page.")
    return redirect("intake:my_intakes")


def _load_scan(scan: int | None) -> Scan | None:
    if scan is None:
        return None
    rows = Scan.objects.select_related("batch", "file", "case", "claimed_by")
    row: Scan = get_object_or_404(rows.exclude(state=Scan.State.REFUSED), pk=scan)
    return row


def _redirect_if_taken(request: StaffRequest, scan: Scan, now: datetime) -> HttpResponse | None:
    """Redirect if this scan is already a case or someone else holds it.

    A submitted form is let through: the first clerk to save has entered the scan.
    """
    if scan.case is not None and scan.state != Scan.State.REPEATED:
        entered = receiving.ScanAlreadyEntered(scan.case, request.user)
        messages.warning(request, str(entered))
        return redirect(entered.case) if entered.case else redirect("intake:batch", scan.batch_id)
    if request.method != "POST" and (reason := why_not_use_rescanned(scan)):
        messages.warning(request, reason)
        return redirect("intake:batch", scan.batch_id)
    if scan.state == Scan.State.REPEATED:
        return redirect("intake:batch", scan.batch_id)
    in_other_hands = scan.is_held(at=now) and scan.claimed_by_id != request.user.pk
    if request.method != "POST" and in_other_hands:
        messages.error(request, why_not_skip_scan(request.user, scan, at=now))
        return redirect("intake:batch", scan.batch_id)
    return None


def _initial_values(scan: Scan | None, today: date) -> dict[str, Any]:
    """Return the initial values of a new form: the scan's channel and received date, or today."""
    if scan is None:
        return {"key": new_form_key(), "received": f"{today:%m/%d/%Y}"}
    return {
        "key": new_form_key(),
        "channel": scan.batch.channel,
        "received": f"{scan.received_on:%m/%d/%Y}",
    }


def _redirect_after_save(
    request: StaffRequest, case: Case, scan: Scan | None, now: datetime
) -> HttpResponse:
    # A form that is sent again gives its case, which may be restricted by now.
    is_case_hidden = is_hidden(case.pk, request.user)
    if is_case_hidden:
        messages.success(request, "This form is already saved.")
    elif case.duplicate_of_id and not is_hidden(case.duplicate_of_id, request.user):
        messages.warning(
            request,
            f"{case.number} was saved and linked to {case.duplicate_of}, which disputes the same "
            "UR decision. A coordinator will review the possible duplicate.",
        )
    else:
        messages.success(request, f"{case.number} was saved. Next step: eligibility review.")
    # "Save" opens the case; "Save and next" opens the next form or scan.
    if "next" not in request.POST:
        return redirect("intake:my_intakes" if is_case_hidden else case)
    if scan is None:
        return redirect("intake:intake")
    following = batch_services.claim_next_scan(by=request.user, at=now)
    if following is None:
        messages.info(request, "There are no more scans to enter.")
        return redirect("intake:batches")
    return redirect("intake:enter_scan", following.pk)


@require_GET
def show_scan_page(request: StaffRequest, ticket: str) -> HttpResponse:
    """Show one page of an uploaded scan as a picture, before its form is saved."""
    file = read_scan_ticket(ticket)
    if file is None:
        raise Http404("This scan is no longer available.")
    page = read_whole_number(request.GET.get("page", "1")) or 1
    image_attempt = try_action(lambda: files.services.render_page_png(file, page=page, width=900))
    if image_attempt.refusal:
        raise Http404(str(image_attempt.refusal))
    return HttpResponse(image_attempt.result, content_type="image/png")


@require_GET
def list_my_intakes(request: StaffRequest) -> HttpResponse:
    """List the user's entries of today, newest first, and their unfinished drafts."""
    now = timezone.now()
    today = timezone.localdate(now)
    start = datetime.combine(today, datetime.min.time(), tzinfo=timezone.get_current_timezone())
    cases = (
        Case.objects.own()
        .visible_to(request.user)
        .filter(
            split_from=None,
            application__entered_by=request.user,
            application__entered_at__gte=start,
        )
        .select_related("application")
        .prefetch_related(
            "items",
            "parties",
            # A case that duplicates a hidden one is shown without it.
            Prefetch("duplicate_of", Case.objects.visible_to(request.user)),
        )
        .order_by("-application__entered_at", "-pk")
    )
    channel = request.GET.get("channel", "")
    if channel in Channel.values:
        cases = cases.filter(application__channel=channel)
    context = {
        "cases": cases,
        "drafts": drafts.list_open_drafts(of=request.user, at=now),
        "keying": measure_own_keying(clerk=request.user, since=now - KEYING_SHOWN),
        "channels": Channel,
        "channel": channel,
        "today": today,
    }
    return render(request, "intake/my_intakes.html", context)


def _describe_file(file: StoredFile, name: str) -> dict[str, Any]:
    """Return the ticket, name and pages of a file that is shown beside the form."""
    pages = range(1, (file.pages or 1) + 1)
    return {"viewing_ticket": sign_scan_ticket(file), "name": name, "pages": pages}


def _collect_files(
    request: StaffRequest, form: IntakeForm, now: datetime, typed: QueryDict | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Collect the uploaded files, and those uploaded before with a refused form.

    :returns: a ticket for each accepted file, and a sentence for each refused file.
    """
    tickets: list[dict[str, Any]] = []
    refused: list[str] = []

    def keep(paper: AttachedFile, ticket: str) -> None:
        # After a refusal the clerk may choose the same file again; attach it once.
        if all((one.kind, one.file) != (paper.kind, paper.file) for one in form.papers):
            form.papers.append(paper)
            tickets.append(
                _describe_file(paper.file, paper.name) | {"ticket": ticket, "kind": paper.kind}
            )

    for ticket in (typed or request.POST).getlist("paper"):
        if paper := read_file_ticket(ticket):
            keep(paper, ticket)
    for field, kind in (
        ("scan", ApplicationPaper.Kind.APPLICATION),
        ("ur_decision_file", ApplicationPaper.Kind.UR_DECISION),
    ):
        upload = request.FILES.get(field)
        if not isinstance(upload, UploadedFile):
            continue
        attempt = try_action(partial(files.services.receive_upload, upload=upload, at=now))
        if attempt.refusal:
            refused.append(str(attempt.refusal))
            continue
        name = upload.name or "scan"
        if attempt.result.warning:
            messages.warning(request, f"“{name}”: {attempt.result.warning}")
        keep(AttachedFile(kind, attempt.result, name), sign_file_ticket(attempt.result, name, kind))
    return tickets, refused
