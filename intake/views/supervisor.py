"""The supervisor's page of intake: receipts by channel, canceled forms, skipped scans."""

from datetime import date, timedelta

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.names import who
from accounts.requests import StaffRequest
from cases.models import Application, Channel, Origin
from intake.models import CanceledIntake, Scan, WhyNot

DAYS = 7  # days of receipts shown
CANCELED = timedelta(days=30)  # age of the oldest canceled form shown
MOST = 200  # rows in each list


@require_GET
def supervisor(request: StaffRequest) -> HttpResponse:
    """Show receipts by day and channel, canceled forms, skipped scans and refused files."""
    now = timezone.now()
    today = timezone.localdate(now)
    channel, reason = request.GET.get("channel", ""), request.GET.get("reason", "")
    canceled = (
        CanceledIntake.objects.filter(ended_at__gte=now - CANCELED)
        .select_related("draft__owner", "draft__scan__batch", "ended_by")
        .order_by("-ended_at", "-pk")
    )
    scans = Scan.objects.filter(state__in=[Scan.State.SKIPPED, Scan.State.REFUSED])
    scans = scans.select_related("batch").order_by("-settled_at", "-pk")
    if reason in WhyNot.values:
        canceled, scans = canceled.filter(reason=reason), scans.filter(why_skipped=reason)
    if channel in Channel.values:
        canceled = canceled.filter(draft__content__channel=[channel])
        scans = scans.filter(batch__channel=channel)
    context = {
        "arrivals": _arrivals(today),
        "canceled": [(row, *_names(row, request.user)) for row in canceled[:MOST]],
        "scans": scans[:MOST],
        "channels": Channel,
        "channel": channel,
        "reasons": WhyNot,
        "reason": reason,
        "today": today,
    }
    return render(request, "intake/intake_supervisor.html", context)


def _arrivals(today: date) -> list[tuple[date, list[int], int]]:
    """Count the applications received by each channel, for each of the last days."""
    first = today - timedelta(days=DAYS - 1)
    counted = (
        Application.objects.filter(case__received_on__gte=first, case__origin=Origin.OWN)
        .values_list("case__received_on", "channel")
        .annotate(number=Count("pk"))
    )
    found = {(day, channel): number for day, channel, number in counted}
    days = [today - timedelta(days=back) for back in range(DAYS)]
    rows = [(day, [found.get((day, channel), 0) for channel in Channel.values]) for day in days]
    return [(day, numbers, sum(numbers)) for day, numbers in rows]


def _names(row: CanceledIntake, reader: User) -> tuple[str, str]:
    return who(row.draft.owner, reader=reader), who(row.ended_by, reader=reader)
