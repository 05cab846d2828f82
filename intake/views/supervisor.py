"""The supervisor's page of intake: backlog, receipts, clerks, canceled forms, skipped scans."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Min
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.names import name_actor
from accounts.requests import StaffRequest
from cases.models import Case, Channel
from files.refusal_codes import RefusalCode
from intake.keying_time import list_clerks
from intake.models import CanceledIntake, CancelReason, Scan

DAYS_SHOWN = 7  # days of receipts shown
CANCELED_SHOWN = timedelta(days=30)  # age of the oldest canceled form shown
MAX_ROWS = 200  # rows in each list


@require_GET
def show_intake_desk(request: StaffRequest) -> HttpResponse:
    """Show the backlog, receipts, the work of each clerk, canceled forms and skipped scans."""
    now = timezone.now()
    today = timezone.localdate(now)
    channel, reason = request.GET.get("channel", ""), request.GET.get("reason", "")
    canceled = (
        CanceledIntake.objects.filter(ended_at__gte=now - CANCELED_SHOWN)
        .select_related("draft__owner", "draft__scan__batch", "ended_by")
        .order_by("-ended_at", "-pk")
    )
    scans = Scan.objects.failed()
    if reason in {*CancelReason.values, *RefusalCode.values}:
        canceled, scans = canceled.filter(reason=reason), Scan.objects.failed_because(reason)
    # A file that was scanned again needs nothing more.
    scans = scans.filter(rescanned_as=None).select_related("batch", "file")
    scans = scans.order_by("-resolved_at", "-pk")
    if channel in Channel.values:
        # A draft stores each field as a list of typed values.
        canceled = canceled.filter(draft__content__channel=[channel])
        scans = scans.filter(batch__channel=channel)
    days = [today - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    arrivals, backlog = _count_receipts(today, request.user), _count_backlog()
    waiting = Scan.objects.filter(state=Scan.State.WAITING).select_related("batch")
    oldest = waiting.order_by("received_on", "pk").first()
    clerks = list_clerks(reader=request.user, days=days)
    context = {
        "arrivals": arrivals,
        "most_arrivals": max((total for _, _, total in arrivals), default=0),
        "backlog": backlog,
        "backlog_total": sum(line.waiting for line in backlog),
        "most_backlog": max((line.waiting for line in backlog), default=0),
        "oldest": oldest,
        "oldest_days": (today - oldest.received_on).days if oldest else 0,
        "clerks": clerks,
        "days": days,
        "most_per_day": max((number for line in clerks for number in line.per_day), default=0),
        "longest_keying": max((line.median_seconds or 0 for line in clerks), default=0),
        "canceled": [(row, *_name_people(row, request.user)) for row in canceled[:MAX_ROWS]],
        "scans": scans[:MAX_ROWS],
        "channels": Channel,
        "channel": channel,
        "reasons": CancelReason,
        "refusal_codes": [one for one in RefusalCode.choices if one[0] not in CancelReason.values],
        "reason": reason,
        "today": today,
    }
    return render(request, "intake/intake_supervisor.html", context)


@dataclass(frozen=True)
class ChannelBacklog:
    """The scans of one channel that nobody has entered yet."""

    label: str
    waiting: int
    oldest: date | None


def _count_backlog() -> list[ChannelBacklog]:
    """Count the scans to enter by channel, in the order of ``Channel``. One query."""
    counted = (
        Scan.objects.filter(state=Scan.State.WAITING)
        .values_list("batch__channel")
        .annotate(number=Count("pk"), oldest=Min("received_on"))
        .order_by()
    )
    by_channel = {channel: (number, oldest) for channel, number, oldest in counted}
    return [
        ChannelBacklog(channel.label, *by_channel.get(channel.value, (0, None)))
        for channel in Channel
    ]


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
