"""Pages that keep the rules of deadlines: what is in force, since when, and who compared it."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted, seen_version
from cases.services import recounting
from cases.services.recounting import DateChange
from deadlines import services
from deadlines.forms import ConfirmForm, RecountForm, SupersedeForm
from deadlines.kinds import DEADLINE_KINDS
from deadlines.models import DeadlineRule

MOST_SHOWN = 100


@require_safe
def deadline_rules(request: StaffRequest) -> HttpResponse:
    """Every deadline with its rows in order of time."""
    by_deadline_kind: dict[str, list[DeadlineRule]] = {name: [] for name in DEADLINE_KINDS}
    for row in DeadlineRule.objects.select_related("confirmed_by").order_by("effective_from", "pk"):
        by_deadline_kind.setdefault(row.deadline_kind, []).append(row)
    listed = [(DEADLINE_KINDS[name].label, rows) for name, rows in by_deadline_kind.items() if rows]
    context = {"deadline_kinds": listed, "unconfirmed": DeadlineRule.objects.unconfirmed().count()}
    return render(request, "cases/deadline_rules.html", context)


@require_safe
def deadline_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """One row: what it says, its history, and the forms to confirm and to supersede it."""
    return _page(request, _load(rule_id))


@require_POST
def confirm_deadline_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Confirm a row."""
    rule, now = _load(rule_id), timezone.now()
    form = ConfirmForm(request.POST, today=timezone.localdate(now))
    tried = run_action(
        request,
        form,
        lambda: services.confirm_rule(
            rule_id=rule_id,
            seen_version=seen_version(request),
            by=request.user,
            at=now,
            **form.cleaned_data,
        ),
        row=rule,
    )
    if tried.done:
        messages.success(request, "Confirmed.")
        return redirect("cases:deadline_rule", rule_id)
    return _page(request, rule, status=tried.status, confirm=form)


@require_POST
def supersede_deadline_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Show what the new row would change; store it when exactly that was shown before."""
    rule, now = _load(rule_id), timezone.now()
    form = SupersedeForm(request.POST, rule=rule, today=timezone.localdate(now))

    def supersede_or_show() -> DeadlineRule | dict[str, Any]:
        """The new row; or, of what was not shown yet, what it would change."""
        days = {name: form.cleaned_data[name] for name in ("effective_from", "effective_to")}
        typed = repr((rule_id, sorted(form.cleaned_data.items())))
        shown = hashlib.sha256(typed.encode()).hexdigest()
        if request.POST.get("shown") == shown:
            return services.supersede_rule(
                rule_id=rule_id,
                terms=form.terms(),
                why=form.cleaned_data["why"],
                seen_version=seen_version(request),
                by=request.user,
                at=now,
                **days,
            )
        rule.refuse_if_stale(seen_version(request))
        rows = services.superseding(rule=rule, terms=form.terms(), **days)
        changes = recounting.would_change(
            law=services.law_with(rows=rows), deadline_kind=rule.deadline_kind
        )
        return {"shown": shown, **_told(changes)}

    tried = run_action(request, form, supersede_or_show, row=rule)
    if not tried.done:
        return _page(request, rule, status=tried.status, supersede=form)
    if isinstance(tried.result, dict):
        return _page(request, rule, supersede=form, **tried.result)
    messages.success(
        request, "The new row is on file. No date has moved yet; recalculate them if you wish."
    )
    return redirect("cases:deadline_rule", tried.result.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def recount(request: StaffRequest) -> HttpResponse:
    """Which running dates differ from the rules on file, and working them out again."""
    form = RecountForm(posted(request))
    tried = run_action(
        request,
        form,
        lambda: recounting.recount(
            why=form.cleaned_data["why"], by=request.user, at=timezone.now()
        ),
    )
    if tried.done:
        messages.success(request, f"{len(tried.result)} deadlines were recalculated.")
        return redirect("cases:recount")
    context = {"form": form, **_told(recounting.would_change())}
    return render(request, "cases/recount.html", context, status=tried.status)


def _load(rule_id: int) -> DeadlineRule:
    rule: DeadlineRule = get_object_or_404(
        DeadlineRule.objects.select_related("confirmed_by"), pk=rule_id
    )
    return rule


def _told(changes: list[DateChange]) -> dict[str, Any]:
    moving = [one for one in changes if one.moves]
    return {
        "changes": moving[:MOST_SHOWN],
        "count": len(moving),
        "more": max(len(moving) - MOST_SHOWN, 0),
        "reworded": len(changes) - len(moving),
    }


def _page(
    request: StaffRequest, rule: DeadlineRule, *, status: int = 200, **bound: Any
) -> HttpResponse:
    today = timezone.localdate()
    confirm, supersede = bound.pop("confirm", None), bound.pop("supersede", None)
    context = {
        "rule": rule,
        "label": DEADLINE_KINDS[rule.deadline_kind].label
        if rule.deadline_kind in DEADLINE_KINDS
        else rule.deadline_kind,
        "engine": rule.as_rule(),
        "history": rule.history.select_related("history_user").order_by("-history_id"),
        "confirm": confirm or ConfirmForm(today=today, auto_id="confirm-%s"),
        "supersede": supersede or SupersedeForm(rule=rule, today=today),
        "form": confirm or supersede,
        "today": today,
        **bound,
    }
    return render(request, "cases/deadline_rule.html", context, status=status)
