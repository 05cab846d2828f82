"""The supervisor's page of intake: receipts by channel, canceled forms, skipped scans."""

from datetime import date, timedelta

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.names import name_actor
from accounts.requests import StaffRequest
from cases.models import Case, Channel
from intake.models import CanceledIntake, CancelReason, Scan

DAYS_SHOWN = 7  # days of receipts shown
CANCELED_SHOWN = timedelta(days=30)  # age of the oldest canceled form shown
MAX_ROWS = 200  # rows in each list


@require_GET
def show_intake_desk(request: StaffRequest) -> HttpResponse:
    """Show receipts by day and channel, canceled forms, skipped scans and refused files."""
    now = timezone.now()
    today = timezone.localdate(now)
    channel, reason = request.GET.get("channel", ""), request.GET.get("reason", "")
    canceled = (
        CanceledIntake.objects.filter(ended_at__gte=now - CANCELED_SHOWN)
        .select_related("draft__owner", "draft__scan__batch", "ended_by")
        .order_by("-ended_at", "-pk")
    )
    scans = Scan.objects.filter(state__in=[Scan.State.SKIPPED, Scan.State.REFUSED])
    scans = scans.select_related("batch").order_by("-resolved_at", "-pk")
    if reason in CancelReason.values:
        canceled, scans = canceled.filter(reason=reason), scans.filter(why_skipped=reason)
    if channel in Channel.values:
        # A draft stores each field as a list of typed values.
        canceled = canceled.filter(draft__content__channel=[channel])
        scans = scans.filter(batch__channel=channel)
    context = {
        "arrivals": _count_receipts(today, request.user),
        "canceled": [(row, *_name_people(row, request.user)) for row in canceled[:MAX_ROWS]],
        "scans": scans[:MAX_ROWS],
        "channels": Channel,
        "channel": channel,
        "reasons": CancelReason,
        "reason": reason,
        "today": today,
    }
    return render(request, "intake/intake_supervisor.html", context)


def _count_receipts(today: date, reader: User) -> list[tuple[date, list[int], int]]:
    """Count the applications received through each channel on each of the last days.

    :returns: the day, the numbers in the order of ``Channel``, and their total.
    """
    first = today - timedelta(days=DAYS_SHOWN - 1)
    # Not the cases loaded from published decisions.
    counted = (
        Case.objects.own()
        .visible_to(reader)
        # An application that was split into several cases counts once.
        .filter(split_from=None, received_on__gte=first, application__isnull=False)
        .values_list("received_on", "application__channel")
        .annotate(number=Count("pk"))
    )
    # Days and channels without receipts have no row; the table shows them as 0.
    counts = {(day, channel): number for day, channel, number in counted}
    days = [today - timedelta(days=back) for back in range(DAYS_SHOWN)]
    rows = [(day, [counts.get((day, channel), 0) for channel in Channel.values]) for day in days]
    return [(day, numbers, sum(numbers)) for day, numbers in rows]


def _name_people(row: CanceledIntake, reader: User) -> tuple[str, str]:
    """Return the names of the clerk who keyed the application and of who canceled it."""
    return name_actor(row.draft.owner, reader=reader), name_actor(row.ended_by, reader=reader)
