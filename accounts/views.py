"""Pages of accounts: one's own sign-ins, everybody's for auditors, and changes by two people."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import policies, services
from .actions import run_action
from .forms import ResetFactorForm, SettingsForm, SignInFilterForm
from .models import AccountEvent, AccountRequest, SignInEvent, User
from .refusals import Refused
from .requests import StaffRequest, posted_data, read_whole_number

PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
def change_settings(request: StaffRequest) -> HttpResponse:
    """Show and change what the signed-in person chooses for themselves."""
    # A row of its own: the page is drawn with the stored values until they are saved.
    own = User.objects.get(pk=request.user.pk)
    form = SettingsForm(posted_data(request), instance=own)
    attempt = run_action(
        request,
        form,
        lambda: services.change_settings(
            chosen=form.cleaned_data, by=request.user, at=timezone.now()
        ),
    )
    if attempt.done:
        messages.success(request, "Settings saved.")
        return redirect("accounts:settings")
    context = {"form": form, "mail_is_configured": settings.MAIL_IS_CONFIGURED}
    return render(request, "accounts/settings.html", context, status=attempt.status)


@require_safe
def show_my_sign_ins(request: StaffRequest) -> HttpResponse:
    """The sign-ins of the signed-in person, latest first, with address and device."""
    context = _page_of(SignInEvent.objects.filter(user=request.user), request)
    return render(request, "accounts/my_sign_ins.html", context)


@require_safe
def show_sign_ins(request: StaffRequest) -> HttpResponse:
    """The sign-ins of everybody, filtered by person, kind and day; failures are marked."""
    today = timezone.localdate()
    form = SignInFilterForm(request.GET, reader=request.user, today=today, auto_id="of_%s")
    status = 200 if form.is_valid() else Refused.status
    context = _page_of(form.filter_rows(SignInEvent.objects.all()), request)
    context |= {"form": form, "is_filtered": any(form.cleaned_data.values()), "today": today}
    return render(request, "accounts/sign_ins.html", context, status=status)


def _page_of(rows: QuerySet[SignInEvent], request: StaffRequest) -> dict[str, Any]:
    """One page of events by key: rows are only added, so the id orders them by time."""
    before = read_whole_number(request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.select_related("user").order_by("-pk")[: PAGE + 1])
    events = [(one, _name_of(one, request)) for one in found[:PAGE]]
    older = str(found[PAGE - 1].pk) if len(found) > PAGE else ""
    return {"events": events, "older": older, "is_first": before is None}


def _name_of(event: SignInEvent, request: StaffRequest) -> str:
    """Whose account it is, as the reader may see it; what was typed if there is none."""
    return event.user.name_for(request.user) if event.user else event.account


@require_safe
def show_account_changes(request: StaffRequest) -> HttpResponse:
    """Changes of accounts that wait for a second person, and the events of all accounts."""
    return _render_changes_page(request, ResetFactorForm())


@require_POST
def ask_factor_reset(request: StaffRequest) -> HttpResponse:
    """Ask a second person to reset the lost second factor of someone."""
    form = ResetFactorForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: services.ask_second_factor_reset(
            user_id=form.find_user_id(),
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
        field="email",
    )
    if attempt.done:
        messages.success(request, "The reset of the second factor is on record below.")
        return redirect("accounts:changes")
    return _render_changes_page(request, form, status=attempt.status)


@require_POST
def decide_change(request: StaffRequest, request_id: int) -> HttpResponse:
    """Confirm or decline a change of an account as the second person."""
    asked = get_object_or_404(AccountRequest, pk=request_id)
    confirm = request.POST.get("answer") == "confirm"
    attempt = run_action(
        request,
        None,
        lambda: services.decide_account_request(
            request_id=asked.pk, confirm=confirm, by=request.user, at=timezone.now()
        ),
    )
    if attempt.done:
        messages.success(request, "Confirmed." if confirm else "Declined.")
        return redirect("accounts:changes")
    return _render_changes_page(request, ResetFactorForm(), status=attempt.status)


def _render_changes_page(
    request: StaffRequest, form: ResetFactorForm, *, status: int = 200
) -> HttpResponse:
    reader = request.user
    # Nobody can decide about a person whom they may not know, so these people see every name.
    may_decide = reader.may("accounts.confirm_account_change")
    before = read_whole_number(request.GET.get("before", ""))
    waiting = AccountRequest.objects.filter(state=AccountRequest.State.OPEN)
    rows = AccountEvent.objects.select_related("user", "by").order_by("-pk")
    found = list((rows if before is None else rows.filter(pk__lt=before))[: PAGE + 1])
    context = {
        "waiting": [
            (
                one,
                one.user.name if may_decide else one.user.name_for(reader),
                # The address of a reviewer often contains their name.
                one.email if may_decide or not one.user.is_hidden_from(reader) else "",
                one.asked_by.name if may_decide else one.asked_by.name_for(reader),
                policies.why_not_decide(reader, one),
            )
            for one in waiting.select_related("user", "asked_by").order_by("pk")
        ],
        "events": [
            (one, one.user.name_for(reader), one.by.name_for(reader) if one.by else "The system")
            for one in found[:PAGE]
        ],
        "older": str(found[PAGE - 1].pk) if len(found) > PAGE else "",
        "is_first": before is None,
        "form": form,
    }
    return render(request, "accounts/changes.html", context, status=status)
