"""Pages of received scans: batches, and the clerk who enters each scan."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions import run_action, run_prepared_action
from accounts.counting import count_noun
from accounts.names import name_actor
from accounts.requests import StaffRequest, posted_data
from cases.models import Channel
from cases.models.restrictions import hidden_cases, select_visible
from intake.forms.batches import SKIP_REASONS, BatchForm, CancelReasonForm, RescanForm
from intake.models import Batch, CancelReason, Scan
from intake.policies import why_not_mark_rescanned, why_not_skip_scan
from intake.services import batches as batch_services

REPLACEMENTS_SHOWN = 200  # the files received last
RECENT = timedelta(days=2)  # a finished batch stays in the list this long


@require_http_methods(["GET", "HEAD", "POST"])
def list_batches(request: StaffRequest) -> HttpResponse:
    """List the batches with scans to enter, oldest first, and receive new batches."""
    now = timezone.now()
    today = timezone.localdate(now)
    form = BatchForm(posted_data(request), today=today, initial={"received": f"{today:%m/%d/%Y}"})
    attempt = run_prepared_action(
        request,
        form,
        prepare=lambda: batch_services.check_uploads(
            uploads=request.FILES.getlist("scans"), by=request.user, at=now
        ),
        store=lambda uploads: batch_services.open_batch(
            channel=Channel(form.cleaned_data["channel"]),
            received_on=form.cleaned_data["received"],
            uploads=uploads,
            note=form.cleaned_data["note"],
            by=request.user,
            at=now,
        ),
        button="Receive",
    )
    if attempt.done:
        return _report_new_batch(request, attempt.result)
    channel = request.GET.get("channel", "")
    rows = Batch.objects.in_work(since=now - RECENT).counted()
    if channel in Channel.values:
        rows = rows.filter(channel=channel)
    claimed_scans = (
        Scan.objects.held(at=now).select_related("claimed_by", "batch").order_by("claimed_at")
    )
    entered = select_visible(Scan.objects.filter(state=Scan.State.ENTERED), request.user)
    last = entered.order_by("-resolved_at").first()
    context = {
        "form": form,
        "batches": rows,
        "claimed_scans": [
            (scan, name_actor(scan.claimed_by, reader=request.user)) for scan in claimed_scans
        ],
        "free": Scan.objects.free(at=now).count(),
        "last": last,
        "channels": Channel,
        "channel": channel,
        "today": today,
    }
    return render(request, "intake/batches.html", context, status=attempt.status)


def _report_new_batch(request: StaffRequest, batch: Batch) -> HttpResponse:
    states = list(batch.scans.values_list("state", flat=True))
    ready = states.count(Scan.State.WAITING)
    messages.success(
        request, f"{batch} received: {ready} of {count_noun(len(states), 'scan')} to enter."
    )
    for scan in batch.scans.filter(state=Scan.State.REFUSED):
        messages.error(request, scan.refusal)
    for scan in batch.scans.filter(state=Scan.State.REPEATED).select_related("case", "same_as"):
        where = f"as {scan.case}" if scan.case else f"in {scan.same_as}"
        messages.warning(request, f"“{scan.name_received}” is already on file {where}.")
    return redirect("intake:batch", batch.pk)


@require_GET
def show_batch(request: StaffRequest, batch: int) -> HttpResponse:
    """Show the scans of one batch and the state of each."""
    return _render_batch_page(request, batch)


def _render_batch_page(request: StaffRequest, batch: int, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    batch_row = get_object_or_404(Batch.objects.counted(), pk=batch)
    # Each row shows these relations; loaded one by one they would cost several queries per scan.
    scans = batch_row.scans.select_related(
        "case",
        "file",
        "claimed_by",
        "batch",
        "same_as__case",
        "same_as__batch",
        "rescanned_as__batch",
    ).order_by("position")
    hidden = set(hidden_cases(request.user).values_list("case", flat=True))
    for scan in scans:
        for shown in filter(None, (scan, scan.same_as)):
            # Not stored: the page then names no case.
            shown.case = None if shown.case_id in hidden else shown.case
    rows = [
        (scan, name_actor(scan.claimed_by, reader=request.user) if scan.is_held(at=now) else "")
        for scan in scans
    ]
    context = {
        "batch": batch_row,
        "rows": rows,
        "slips": batch_row.scans.to_rescan().count(),
        "today": timezone.localdate(now),
    }
    return render(request, "intake/batch.html", context, status=status)


@require_GET
def print_rescan_slips(request: StaffRequest, batch: int) -> HttpResponse:
    """Show a slip to print for each file of a batch that has to be scanned again."""
    row = get_object_or_404(Batch, pk=batch)
    context = {"batch": row, "slips": row.scans.to_rescan().select_related("batch", "file")}
    return render(request, "intake/rescan_slips.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def mark_rescanned(request: StaffRequest, scan: int) -> HttpResponse:
    """Choose the file that came instead of one that had to be scanned again."""
    row, now = _load_scan(scan), timezone.now()
    replacements = batch_services.find_replacements(scan=row, by=request.user)
    form = RescanForm(posted_data(request), replacements=list(replacements[:REPLACEMENTS_SHOWN]))
    attempt = run_action(
        request,
        form,
        lambda: batch_services.mark_scan_rescanned(
            scan_id=row.pk, new_scan_id=form.cleaned_data["new_scan"], by=request.user, at=now
        ),
    )
    if attempt.done:
        messages.success(request, f"{row} was scanned again as {attempt.result.rescanned_as}.")
        return redirect("intake:batch", row.batch_id)
    context = {
        "form": form,
        "title": f"New file of {row}",
        "button": "Save",
        "why_not": why_not_mark_rescanned(request.user, row),
        "back": reverse("intake:batch", args=[row.batch_id]),
    }
    return render(request, "intake/why_not.html", context, status=attempt.status)


@require_POST
def open_next_scan(request: StaffRequest) -> HttpResponse:
    """Claim the next scan and open it."""
    scan = batch_services.claim_next_scan(by=request.user, at=timezone.now())
    if scan is None:
        messages.info(request, "No scan to enter: all are entered, skipped or assigned.")
        return redirect("intake:batches")
    return redirect("intake:enter_scan", scan.pk)


@require_POST
def claim_scan(request: StaffRequest, scan: int) -> HttpResponse:
    """Claim this scan and open it."""
    row = _load_scan(scan)
    attempt = run_action(
        request,
        None,
        lambda: batch_services.claim_scan(scan_id=row.pk, by=request.user, at=timezone.now()),
    )
    if attempt.done:
        return redirect("intake:enter_scan", row.pk)
    return _render_batch_page(request, row.batch_id, status=attempt.status)


@require_POST
def release_scan(request: StaffRequest, scan: int) -> HttpResponse:
    """Release a scan, so that another clerk can enter it."""
    row = _load_scan(scan)
    attempt = run_action(
        request,
        None,
        lambda: batch_services.release_scan(scan_id=row.pk, by=request.user, at=timezone.now()),
    )
    if attempt.done:
        messages.success(request, f"{row} released to the next clerk.")
        return redirect("intake:batch", row.batch_id)
    return _render_batch_page(request, row.batch_id, status=attempt.status)


@require_POST
def return_scan(request: StaffRequest, scan: int) -> HttpResponse:
    """Return a skipped scan to the queue."""
    row = _load_scan(scan)
    attempt = run_action(
        request,
        None,
        lambda: batch_services.return_scan_to_queue(
            scan_id=row.pk, by=request.user, at=timezone.now()
        ),
    )
    if attempt.done:
        messages.success(request, f"{row} returned to the queue.")
        return redirect("intake:batch", row.batch_id)
    return _render_batch_page(request, row.batch_id, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def skip_scan(request: StaffRequest, scan: int) -> HttpResponse:
    """Skip a scan for a coded reason."""
    row, now = _load_scan(scan), timezone.now()
    form = CancelReasonForm(posted_data(request), reasons=SKIP_REASONS)
    attempt = run_action(
        request,
        form,
        lambda: batch_services.skip_scan(
            scan_id=row.pk,
            reason=CancelReason(form.cleaned_data["reason"]),
            note=form.cleaned_data["note"],
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        messages.success(request, f"{row} skipped. It is on the supervisor’s list.")
        return redirect("intake:batches")
    context = {
        "form": form,
        "title": f"Skip {row}",
        "button": "Skip",
        "why_not": why_not_skip_scan(request.user, row, at=now),
        "back": reverse("intake:enter_scan", args=[row.pk]),
    }
    return render(request, "intake/why_not.html", context, status=attempt.status)


def _load_scan(scan: int) -> Scan:
    row: Scan = get_object_or_404(Scan.objects.select_related("batch"), pk=scan)
    return row
