"""Pages of the deadline rules: periods in force, confirmation, replacement, recalculation."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data, seen_version
from cases.hold_reasons import HOLD_REASONS
from cases.services import recounting
from cases.services.recounting import DateChange
from deadlines import services
from deadlines.forms import ConfirmForm, RecountForm, SupersedeForm
from deadlines.kinds import DEADLINE_KINDS, METHODS
from deadlines.models import DeadlineRule
from deadlines.rules import EXTENSION, Effect

MOST_SHOWN = 100
_EFFECTS = {
    Effect.EXTENDS: "adds days to the legal date",
    Effect.SUSPENDS: "stops the deadline while it lasts",
    Effect.RESTARTS: "restarts the deadline when it ends",
}


@require_safe
def list_deadline_rules(request: StaffRequest) -> HttpResponse:
    """List every deadline with its rules in order of time."""
    by_deadline_kind: dict[str, list[DeadlineRule]] = {name: [] for name in DEADLINE_KINDS}
    for row in DeadlineRule.objects.select_related("confirmed_by").order_by("effective_from", "pk"):
        by_deadline_kind.setdefault(row.deadline_kind, []).append(row)
    listed = [
        (DEADLINE_KINDS[name].label, [(row, _describe_length(row)) for row in rows])
        for name, rows in by_deadline_kind.items()
        if rows
    ]
    context = {"deadline_kinds": listed, "unconfirmed": DeadlineRule.objects.unconfirmed().count()}
    return render(request, "cases/deadline_rules.html", context)


@require_safe
def show_deadline_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Show a rule with its history and the forms to confirm and to replace it."""
    return _render_rule_page(request, _load_rule(rule_id))


@require_POST
def confirm_deadline_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Record that a rule was compared with the law."""
    rule, now = _load_rule(rule_id), timezone.now()
    form = ConfirmForm(request.POST, today=timezone.localdate(now))
    attempt = run_action(
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
    if attempt.done:
        messages.success(request, "Rule confirmed.")
        return redirect("cases:deadline_rule", rule_id)
    return _render_rule_page(request, rule, status=attempt.status, confirm=form)


@require_POST
def supersede_deadline_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Preview what a new rule would change; store it on the second submit.

    The hash of the typed values in the form shows that exactly these were previewed.
    """
    rule, now = _load_rule(rule_id), timezone.now()
    form = SupersedeForm(request.POST, rule=rule, today=timezone.localdate(now))

    def supersede_or_show() -> DeadlineRule | dict[str, Any]:
        """Store the new rule, or return what it would change if that was not shown yet."""
        days = {name: form.cleaned_data[name] for name in ("effective_from", "effective_to")}
        # With the id, so that a preview of another rule does not count.
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
        # A preview stores nothing, but one of an outdated rule would mislead.
        rule.refuse_if_stale(seen_version(request))
        rows = services.preview_superseding(rule=rule, terms=form.terms(), **days)
        changes = recounting.find_date_changes(
            law=services.rules_as_changed(rows=rows), deadline_kind=rule.deadline_kind
        )
        return {"shown": shown, **_summarize_changes(changes)}

    attempt = run_action(request, form, supersede_or_show, row=rule)
    if not attempt.done:
        return _render_rule_page(request, rule, status=attempt.status, supersede=form)
    if isinstance(attempt.result, dict):
        return _render_rule_page(request, rule, supersede=form, **attempt.result)
    messages.success(
        request, "New rule saved. No dates have moved yet. Recalculate open cases to apply it."
    )
    return redirect("cases:deadline_rule", attempt.result.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def recount_open_cases(request: StaffRequest) -> HttpResponse:
    """Preview and run the recalculation of the active deadlines of open cases."""
    form = RecountForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: recounting.recount_dates(
            why=form.cleaned_data["why"], by=request.user, at=timezone.now()
        ),
    )
    if attempt.done:
        messages.success(request, f"{len(attempt.result)} deadlines were recalculated.")
        return redirect("cases:recount")
    context = {"form": form, **_summarize_changes(recounting.find_date_changes())}
    return render(request, "cases/recount.html", context, status=attempt.status)


def _load_rule(rule_id: int) -> DeadlineRule:
    """Return a rule, or answer 404."""
    rule: DeadlineRule = get_object_or_404(
        DeadlineRule.objects.select_related("confirmed_by"), pk=rule_id
    )
    return rule


def _describe_length(rule: DeadlineRule) -> str:
    """Describe how long a rule runs, such as "15 calendar days"."""
    # A penalty has amounts instead of a length.
    if rule.usd_per_day:
        return f"${rule.usd_per_day} a day, up to ${rule.usd_limit}"
    unit = rule.get_kind_display()
    if rule.length:
        words = f"{rule.length} {unit}"
    else:
        by_method = [
            f"{length} {METHODS.get(method, method)}"
            for method, length in rule.length_by_method.items()
        ]
        words = f"{', '.join(by_method)} ({unit})"
    return f"{words}; {rule.get_calendar_display()}" if rule.calendar else words


def _describe_hold_reason(code: str) -> str:
    """Return a label. Extensions move dates like holds but are not hold reasons."""
    if code == EXTENSION:
        return "extension for good cause"
    return HOLD_REASONS[code].label.lower() if code in HOLD_REASONS else code


def _summarize_changes(changes: list[DateChange]) -> dict[str, Any]:
    """Summarize date changes for the page."""
    moving = [one for one in changes if one.moves]
    return {
        "changes": moving[:MOST_SHOWN],
        "count": len(moving),
        "more": max(len(moving) - MOST_SHOWN, 0),
        "reworded": len(changes) - len(moving),
    }


def _render_rule_page(
    request: StaffRequest, rule: DeadlineRule, *, status: int = 200, **bound: Any
) -> HttpResponse:
    """Render a rule with its forms, one of which may be bound."""
    today, terms = timezone.localdate(), rule.as_rule()
    confirm, supersede = bound.pop("confirm", None), bound.pop("supersede", None)
    context = {
        "rule": rule,
        "label": DEADLINE_KINDS[rule.deadline_kind].label
        if rule.deadline_kind in DEADLINE_KINDS
        else rule.deadline_kind,
        "length": _describe_length(rule),
        "added_days": [
            (METHODS.get(method, method), added) for method, added in terms.extensions.items()
        ],
        "legal_holds": [
            (_describe_hold_reason(reason), _EFFECTS[hold.effect], hold)
            for reason, hold in terms.legal_holds.items()
        ],
        "history": rule.history.select_related("history_user").order_by("-history_id"),
        "confirm": confirm or ConfirmForm(today=today, auto_id="confirm-%s"),
        "supersede": supersede or SupersedeForm(rule=rule, today=today),
        "form": confirm or supersede,
        "today": today,
        **bound,
    }
    return render(request, "cases/deadline_rule.html", context, status=status)
