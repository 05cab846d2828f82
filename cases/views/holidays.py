"""Pages of the holidays: one year by calendar, confirmation, adding and ending."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.models import User
from accounts.requests import StaffRequest, posted_data, seen_version
from cases.services import date_recalculation
from deadlines import services
from deadlines.calendars import FIRST_DAY, LAST_DAY, CalendarName, describe_pattern
from deadlines.days import format_count
from deadlines.forms import ConfirmRowsForm, EndHolidayForm, HolidayForm, HolidayYearForm
from deadlines.models import HolidayRule

from .rules import hash_typed_values, summarize_changes

DAYS_SHOWN = 3
_SAVED = "No dates have moved yet. Recalculate open cases to apply it."


@dataclass(frozen=True)
class HolidayOfDay:
    """A holiday on the day on which it is observed."""

    row: HolidayRule
    falls_on: date
    observed_on: date

    @property
    def is_moved(self) -> bool:
        return self.falls_on != self.observed_on


@require_safe
def list_holidays(request: StaffRequest) -> HttpResponse:
    """Show the holidays of a year by calendar, and the rows of one calendar."""
    return _render_holidays_page(request, _read_filter(request))


@require_POST
def confirm_holidays(request: StaffRequest) -> HttpResponse:
    """Record that the selected holidays were compared with one text of the law."""
    chosen, now = _read_filter(request), timezone.now()
    # Rows of one calendar, because each has a text of its own.
    calendar = chosen.cleaned_data.get("calendar") if chosen.is_valid() else None
    form = ConfirmRowsForm(
        request.POST,
        rows=HolidayRule.objects.filter(calendar=calendar).order_by("pk"),
        today=timezone.localdate(now),
    )
    attempt = run_action(
        request,
        form,
        lambda: services.confirm_holidays(
            seen_versions=form.cleaned_data["rows"],
            compared_with=form.cleaned_data["compared_with"],
            on=form.cleaned_data["on"],
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        messages.success(request, f"{format_count(len(attempt.result), 'holiday')} confirmed.")
        shown = urlencode({name: chosen[name].value() for name in chosen.fields})
        return redirect(f"{reverse('cases:holidays')}?{shown}")
    return _render_holidays_page(request, chosen, form, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def add_holiday(request: StaffRequest) -> HttpResponse:
    """Preview what a new holiday would change; store it on the second submit.

    The hash of the typed values in the form shows that exactly these were previewed.
    """
    now = timezone.now()
    form = HolidayForm(
        posted_data(request),
        today=timezone.localdate(now),
        initial={"calendar": request.GET.get("calendar")},
    )

    def add_or_show() -> HolidayRule | dict[str, Any]:
        """Store the holiday, or return what it would change if that was not shown yet."""
        shown = hash_typed_values(form, "new")
        values = {name: form.cleaned_data[name] for name in form.fields if name != "why"}
        if request.POST.get("shown") == shown:
            why = form.cleaned_data["why"]
            return services.add_holiday(why=why, by=request.user, at=now, **values)
        row = services.preview_holiday(**values)
        return {
            "shown": shown,
            "days": _list_days_shown(row),
            **_summarize_effect(row, request.user),
        }

    attempt = run_action(request, form, add_or_show)
    if attempt.done and not isinstance(attempt.result, dict):
        messages.success(request, f"Holiday added. {_SAVED}")
        return redirect("cases:holiday", attempt.result.pk)
    context = attempt.result if attempt.done and isinstance(attempt.result, dict) else {}
    return render(
        request, "cases/add_holiday.html", {"form": form, **context}, status=attempt.status
    )


@require_safe
def show_holiday(request: StaffRequest, holiday_id: int) -> HttpResponse:
    """Show one holiday with its history and the form to end it."""
    return _render_holiday_page(request, _load_holiday(holiday_id))


@require_POST
def end_holiday(request: StaffRequest, holiday_id: int) -> HttpResponse:
    """Preview what the end of a holiday would change; store it on the second submit."""
    row, now = _load_holiday(holiday_id), timezone.now()
    form = EndHolidayForm(request.POST, today=timezone.localdate(now))

    def end_or_show() -> HolidayRule | dict[str, Any]:
        """Store the end, or return what it would change if that was not shown yet."""
        shown = hash_typed_values(form, holiday_id)
        effective_to = form.cleaned_data["effective_to"]
        if request.POST.get("shown") == shown:
            return services.end_holiday(
                holiday_id=holiday_id,
                effective_to=effective_to,
                why=form.cleaned_data["why"],
                seen_version=seen_version(request),
                by=request.user,
                at=now,
            )
        # A preview stores nothing, but one of an outdated row would mislead.
        row.refuse_if_stale(seen_version(request))
        ended = services.preview_holiday_end(row=row, effective_to=effective_to)
        return {"shown": shown, **_summarize_effect(ended, request.user)}

    attempt = run_action(request, form, end_or_show, row=row)
    if not attempt.done:
        return _render_holiday_page(request, row, form, status=attempt.status)
    if isinstance(attempt.result, dict):
        return _render_holiday_page(request, row, form, **attempt.result)
    messages.success(request, f"Last day saved. {_SAVED}")
    return redirect("cases:holiday", holiday_id)


def _read_filter(request: StaffRequest) -> HolidayYearForm:
    """Return the chosen year and calendar; by default this year and the first calendar."""
    default = {"year": str(timezone.localdate().year), "calendar": CalendarName.GOV6700.value}
    return HolidayYearForm(default | (posted_data(request) or request.GET).dict())


def _load_holiday(holiday_id: int) -> HolidayRule:
    """Return a holiday, or answer 404."""
    row: HolidayRule = get_object_or_404(
        HolidayRule.objects.select_related("confirmed_by"), pk=holiday_id
    )
    return row


def _list_days_of_year(rows: Iterable[HolidayRule], year: int) -> list[HolidayOfDay]:
    """List the holidays of a year by the day on which they are observed."""
    days = [
        HolidayOfDay(row, falls_on, observed_on)
        for row in rows
        for observed_on, falls_on in row.as_holiday().observed_in(year)
    ]
    return sorted(days, key=lambda one: (one.observed_on, one.row.name, one.row.pk))


def _group_by_day(days: Iterable[HolidayOfDay]) -> list[tuple[date, list[list[HolidayOfDay]]]]:
    """Group the holidays of a year: each day with one list for each calendar."""
    by_day: dict[date, dict[str, list[HolidayOfDay]]] = {}
    for one in days:
        calendars = by_day.setdefault(one.observed_on, {name: [] for name in CalendarName})
        calendars[one.row.calendar].append(one)
    return [(day, list(calendars.values())) for day, calendars in by_day.items()]


def _list_days_shown(row: HolidayRule) -> list[tuple[date, date]]:
    """Return the next days on which a holiday is observed, or the last ones if none is to come."""
    holiday, today = row.as_holiday(), timezone.localdate()
    days = sorted(
        day
        for year in range(FIRST_DAY.year, LAST_DAY.year + 1)
        for day in holiday.observed_in(year)
    )
    coming = [pair for pair in days if pair[0] >= today]
    return coming[:DAYS_SHOWN] or days[-DAYS_SHOWN:]


def _describe_days(row: HolidayRule) -> str:
    """Describe when a holiday falls and how it is moved off a weekend."""
    description = describe_pattern(row.pattern)
    moves = [
        *(["on a Sunday, the Monday after"] if row.sunday_moves_to_monday else []),
        *(["on a Saturday, the Friday before"] if row.saturday_moves_to_friday else []),
    ]
    return "; ".join([description[0].upper() + description[1:], *moves])


def _summarize_effect(row: HolidayRule, reader: User) -> dict[str, Any]:
    """Summarize which dates of open cases move if this row is stored."""
    law = services.rules_as_changed(rows=[row])
    return summarize_changes(
        date_recalculation.find_date_changes(on=timezone.localdate(), law=law), reader
    )


def _render_holidays_page(
    request: StaffRequest,
    chosen: HolidayYearForm,
    form: ConfirmRowsForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render the table of a year and the rows of one calendar with the form to confirm them."""
    context: dict[str, Any] = {
        "chosen": chosen,
        "calendars": [(name.value, name.label) for name in CalendarName],
        "form": form,
    }
    if not chosen.is_valid():
        # The rows are not listed: which of them are of the year is not known.
        return render(request, "cases/holidays.html", context, status=422)
    year, calendar = chosen.cleaned_data["year"], chosen.cleaned_data["calendar"]
    rows = list(
        HolidayRule.objects.select_related("confirmed_by").order_by("name", "effective_from", "pk")
    )
    days = _list_days_of_year(rows, year)
    # In the order of the year, as published lists are; rows without a day in it come last.
    of_year = {one.row.pk: place for place, one in enumerate(days)}
    listed = sorted(
        (row for row in rows if row.calendar == calendar),
        key=lambda row: of_year.get(row.pk, len(days)),
    )
    context |= {
        "year": year,
        "calendar": calendar,
        "calendar_label": CalendarName(calendar).label,
        "before": year - 1 if year > FIRST_DAY.year else None,
        "after": year + 1 if year < LAST_DAY.year else None,
        "days": _group_by_day(days),
        "listed": [(row, _describe_days(row), row.pk in of_year) for row in listed],
        "can_confirm": any(not row.is_confirmed and row.pk in of_year for row in listed),
        "unconfirmed": sum(not row.is_confirmed for row in rows),
        "form": form or ConfirmRowsForm(rows=listed, today=timezone.localdate()),
    }
    return render(request, "cases/holidays.html", context, status=status)


def _render_holiday_page(
    request: StaffRequest,
    row: HolidayRule,
    form: EndHolidayForm | None = None,
    *,
    status: int = 200,
    **preview: Any,
) -> HttpResponse:
    """Render a holiday with its history and the form to end it."""
    context = {
        "row": row,
        "when": _describe_days(row),
        "days": _list_days_shown(row),
        "history": row.history.select_related("history_user").order_by("-history_id"),
        "form": form or EndHolidayForm(today=timezone.localdate()),
        **preview,
    }
    return render(request, "cases/holiday.html", context, status=status)
