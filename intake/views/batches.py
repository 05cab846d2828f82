"""Pages of the post that came in: batches of scans, and who keys which sheet."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions import run_action
from accounts.names import who
from accounts.requests import StaffRequest, posted
from cases.models import Channel
from intake.forms.batches import PARKING, BatchForm, WhyNotForm
from intake.models import Batch, Sheet, WhyNot
from intake.policies import why_not_park
from intake.services import batches as batch_services

RECENT = timedelta(days=2)  # a batch that is done stays in sight so long


@require_http_methods(["GET", "HEAD", "POST"])
def batches(request: StaffRequest) -> HttpResponse:
    """The post at hand, oldest first, and the way to take more in."""
    now = timezone.now()
    today = timezone.localdate(now)
    form = BatchForm(posted(request), today=today, initial={"received": f"{today:%m/%d/%Y}"})
    tried = run_action(
        request,
        form,
        lambda: batch_services.open_batch(
            channel=Channel(form.cleaned_data["channel"]),
            received_on=form.cleaned_data["received"],
            uploads=request.FILES.getlist("scans"),
            note=form.cleaned_data["note"],
            by=request.user,
            at=now,
        ),
    )
    if tried.done:
        return _after_opening(request, tried.result)
    channel = request.GET.get("channel", "")
    rows = Batch.objects.in_work(since=now - RECENT).counted()
    if channel in Channel.values:
        rows = rows.filter(channel=channel)
    held = Sheet.objects.held(at=now).select_related("claimed_by", "batch").order_by("claimed_at")
    last = Sheet.objects.filter(state=Sheet.State.ENTERED).order_by("-settled_at").first()
    context = {
        "form": form,
        "batches": rows,
        "held": [(sheet, who(sheet.claimed_by, reader=request.user)) for sheet in held],
        "free": Sheet.objects.free(at=now).count(),
        "last": last,
        "channels": Channel,
        "channel": channel,
        "today": today,
    }
    return render(request, "intake/batches.html", context, status=tried.status)


def _after_opening(request: StaffRequest, batch: Batch) -> HttpResponse:
    states = list(batch.sheets.values_list("state", flat=True))
    ready = states.count(Sheet.State.WAITING)
    messages.success(request, f"{batch} is taken in with {ready} of {len(states)} to enter.")
    for sheet in batch.sheets.filter(state=Sheet.State.REFUSED):
        messages.error(request, sheet.refusal)
    for sheet in batch.sheets.filter(state=Sheet.State.REPEATED).select_related("case", "same_as"):
        at_hand = f"as {sheet.case}" if sheet.case else f"in {sheet.same_as}"
        messages.warning(request, f"“{sheet.name_received}” is at hand already, {at_hand}.")
    return redirect("intake:batch", batch.pk)


@require_GET
def batch(request: StaffRequest, batch: int) -> HttpResponse:
    """The sheets of one batch, and what became of each."""
    return _batch_page(request, batch)


def _batch_page(request: StaffRequest, batch: int, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    found = get_object_or_404(Batch.objects.counted(), pk=batch)
    sheets = found.sheets.select_related(
        "case", "file", "claimed_by", "batch", "same_as__case", "same_as__batch"
    ).order_by("position")
    rows = [
        (sheet, who(sheet.claimed_by, reader=request.user) if sheet.is_held(at=now) else "")
        for sheet in sheets
    ]
    context = {"batch": found, "rows": rows, "today": timezone.localdate(now)}
    return render(request, "intake/batch.html", context, status=status)


@require_POST
def next_sheet(request: StaffRequest) -> HttpResponse:
    """Claim the next sheet and open it."""
    sheet = batch_services.claim_next(by=request.user, at=timezone.now())
    if sheet is None:
        messages.info(request, "No sheet waits: all are entered, set aside or in other hands.")
        return redirect("intake:batches")
    return redirect("intake:enter_sheet", sheet.pk)


@require_POST
def claim_sheet(request: StaffRequest, sheet: int) -> HttpResponse:
    """Claim this sheet and open it."""
    row = _load(sheet)
    tried = run_action(
        request,
        None,
        lambda: batch_services.claim(sheet_id=row.pk, by=request.user, at=timezone.now()),
    )
    if tried.done:
        return redirect("intake:enter_sheet", row.pk)
    return _batch_page(request, row.batch_id, status=tried.status)


@require_POST
def release_sheet(request: StaffRequest, sheet: int) -> HttpResponse:
    """Lay a sheet down for somebody else."""
    row = _load(sheet)
    tried = run_action(
        request,
        None,
        lambda: batch_services.release(sheet_id=row.pk, by=request.user, at=timezone.now()),
    )
    if tried.done:
        messages.success(request, f"{row} waits for the next clerk.")
        return redirect("intake:batch", row.batch_id)
    return _batch_page(request, row.batch_id, status=tried.status)


@require_POST
def unpark_sheet(request: StaffRequest, sheet: int) -> HttpResponse:
    """Put a sheet back among those that wait."""
    row = _load(sheet)
    tried = run_action(
        request,
        None,
        lambda: batch_services.unpark(sheet_id=row.pk, by=request.user, at=timezone.now()),
    )
    if tried.done:
        messages.success(request, f"{row} waits again.")
        return redirect("intake:batch", row.batch_id)
    return _batch_page(request, row.batch_id, status=tried.status)


@require_http_methods(["GET", "HEAD", "POST"])
def park_sheet(request: StaffRequest, sheet: int) -> HttpResponse:
    """Set a sheet aside with a coded reason."""
    row, now = _load(sheet), timezone.now()
    form = WhyNotForm(posted(request), reasons=PARKING)
    tried = run_action(
        request,
        form,
        lambda: batch_services.park(
            sheet_id=row.pk,
            reason=WhyNot(form.cleaned_data["reason"]),
            note=form.cleaned_data["note"],
            by=request.user,
            at=now,
        ),
    )
    if tried.done:
        messages.success(request, f"{row} is set aside. The supervisor sees it.")
        return redirect("intake:batches")
    context = {
        "form": form,
        "title": f"Set aside: {row}",
        "button": "Set aside",
        "why_not": why_not_park(request.user, row, at=now),
        "back": reverse("intake:enter_sheet", args=[row.pk]),
    }
    return render(request, "intake/why_not.html", context, status=tried.status)


def _load(sheet: int) -> Sheet:
    row: Sheet = get_object_or_404(Sheet.objects.select_related("batch"), pk=sheet)
    return row
