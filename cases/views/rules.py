"""Pages of the deadline rules: periods in force, confirmation, replacement, recalculation."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.counting import count_noun
from accounts.models import User
from accounts.requests import StaffRequest, posted_data, seen_version
from cases.hold_reasons import HOLD_REASONS
from cases.models.restrictions import hidden_cases
from cases.services import date_recalculation
from cases.services.date_recalculation import DateChange
from deadlines import services
from deadlines.days import format_count, format_time
from deadlines.forms import ConfirmForm, ConfirmRowsForm, RecountForm, SupersedeForm
from deadlines.kinds import DEADLINE_KINDS, METHODS, PLACES
from deadlines.models import DeadlineRule
from deadlines.rules import EXTENSION, MAIL_METHODS, Effect, Kind, Rule

MOST_SHOWN = 100
_EFFECTS = {
    Effect.EXTENDS: "Adds days to the legal date",
    Effect.SUSPENDS: "Stops the deadline while it lasts",
    Effect.RESTARTS: "Restarts the deadline when it ends",
}


@require_safe
def list_deadline_rules(request: StaffRequest) -> HttpResponse:
    """List every deadline with its rules in order of time."""
    return _render_rules_page(request, _list_rules())


@require_POST
def confirm_deadline_rules(request: StaffRequest) -> HttpResponse:
    """Record that the selected rules were compared with one text of the law."""
    rules, now = _list_rules(), timezone.now()
    form = ConfirmRowsForm(request.POST, rows=rules, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: services.confirm_rules(
            seen_versions=form.cleaned_data["rows"],
            compared_with=form.cleaned_data["compared_with"],
            on=form.cleaned_data["on"],
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        messages.success(request, f"{format_count(len(attempt.result), 'rule')} confirmed.")
        return redirect("cases:deadline_rules")
    return _render_rules_page(request, _list_rules(), form, status=attempt.status)


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
    form = _build_supersede_form(rule, request.POST)

    def supersede_or_show() -> DeadlineRule | dict[str, Any]:
        """Store the new rule, or return what it would change if that was not shown yet."""
        days = {name: form.cleaned_data[name] for name in ("effective_from", "effective_to")}
        # With the id, so that a preview of another rule does not count.
        terms_hash = hash_typed_values(form, rule_id)
        if request.POST.get("shown") == terms_hash:
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
        changes = date_recalculation.find_date_changes(
            on=timezone.localdate(now),
            law=services.rules_as_changed(rows=rows),
            deadline_kind=rule.deadline_kind,
        )
        return {"shown": terms_hash, **summarize_changes(changes, request.user)}

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
def recalculate_open_cases(request: StaffRequest) -> HttpResponse:
    """Preview and run the recalculation of the active deadlines of open cases."""
    form = RecountForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: date_recalculation.recalculate_dates(
            why=form.cleaned_data["why"], by=request.user, at=timezone.now()
        ),
    )
    if attempt.done:
        messages.success(
            request,
            f"{count_noun(len(attempt.result), 'deadline was,deadlines were')} recalculated.",
        )
    changes = date_recalculation.find_date_changes(on=timezone.localdate())
    context = {"form": form, **summarize_changes(changes, request.user)}
    return render(request, "cases/recalculate_dates.html", context, status=attempt.status)


def summarize_changes(changes: list[DateChange], reader: User) -> dict[str, Any]:
    """Summarize date changes for the page, without the cases that are hidden from the reader."""
    hidden = set(hidden_cases(reader).values_list("case", flat=True))
    changes = [one for one in changes if one.case.pk not in hidden]
    moving = [one for one in changes if one.moves]
    return {
        "changes": moving[:MOST_SHOWN],
        "count": len(moving),
        "more": max(len(moving) - MOST_SHOWN, 0),
        "reworded": len(changes) - len(moving),
    }


def hash_typed_values(form: forms.Form, about: object) -> str:
    """Return a hash of a valid form, to recognize what was previewed.

    :param about: what else has to be the same, such as the id of the row.
    """
    typed = repr((about, sorted(form.cleaned_data.items())))
    return hashlib.sha256(typed.encode()).hexdigest()


def _list_rules() -> list[DeadlineRule]:
    """Return every rule, in order of time."""
    return list(
        DeadlineRule.objects.select_related("confirmed_by").order_by("effective_from", "pk")
    )


def _render_rules_page(
    request: StaffRequest,
    rules: list[DeadlineRule],
    form: ConfirmRowsForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render the list of rules with the form to confirm several of them."""
    by_deadline_kind: dict[str, list[DeadlineRule]] = {name: [] for name in DEADLINE_KINDS}
    for row in rules:
        by_deadline_kind.setdefault(row.deadline_kind, []).append(row)
    context = {
        "deadline_kinds": [
            (DEADLINE_KINDS[name].label, [(row, _describe_length(row)) for row in rows])
            for name, rows in by_deadline_kind.items()
            if rows
        ],
        "unconfirmed": sum(not row.is_confirmed for row in rules),
        "form": form or ConfirmRowsForm(rows=rules, today=timezone.localdate()),
    }
    return render(request, "cases/deadline_rules.html", context, status=status)


def _build_supersede_form(rule: DeadlineRule, data: Any = None) -> SupersedeForm:
    """Build the form to replace a rule."""
    reasons = {reason: _describe_hold_reason(reason) for reason in rule.legal_holds}
    return SupersedeForm(data, rule=rule, reasons=reasons, today=timezone.localdate())


def _load_rule(rule_id: int) -> DeadlineRule:
    """Return a rule, or answer 404."""
    rule: DeadlineRule = get_object_or_404(
        DeadlineRule.objects.select_related("confirmed_by"), pk=rule_id
    )
    return rule


def _describe_length(rule: DeadlineRule) -> str:
    """Describe how long a rule runs, such as "15 calendar days"."""
    # A penalty has amounts instead of a length.
    if rule.deadline_kind == "records_penalty":
        if rule.usd_per_day is None:
            return "Amount not on file"
        limit = f"up to ${rule.usd_limit:,}" if rule.usd_limit else "with no limit"
        return f"${rule.usd_per_day:,} for each day late, {limit}"
    unit = Kind(rule.kind).unit
    if rule.length:
        formatted = format_count(rule.length, unit)
    else:
        formatted = "; ".join(
            f"{format_count(length, unit)} {METHODS.get(method, method)}"
            for method, length in rule.length_by_method.items()
        )
    return f"{formatted}; {rule.get_calendar_display()}" if rule.calendar else formatted


def _list_terms(rule: DeadlineRule, terms: Rule) -> Iterator[tuple[str, str, str]]:
    """List what a rule says besides its days: label, text and source of each term."""
    if rule.deadline_kind == "records_penalty":
        yield "Amount", _describe_length(rule), ""
        return
    yield "Length", _describe_length(rule), ""
    yield "If the last day is closed", rule.get_roll_display(), ""
    if terms.defines_calendar:
        yield "Days that count", "The law defines which days count", ""
    if terms.cutoff is not None:
        yield (
            "Cut-off",
            f"By fax after {format_time(terms.cutoff).removesuffix(' PT')}: counts as received on "
            "the next open day; not for concurrent or expedited reviews",
            "",
        )
    for method, days in terms.deemed_received.items():
        label = METHODS.get(method, method)
        text = f"Counts as received {format_count(days, 'day')} after posting"
        yield f"Received {label}", text, ""
    if terms.outer_days is not None:
        days_after = format_count(terms.outer_days, "day")
        yield "Outer limit", f"Never later than {days_after} after the recommendation", ""
    if terms.extends_by_address:
        yield (
            "Days added",
            "By the address of the person served, for every way of service except in hand",
            "",
        )
    place_by_key = (
        {key: place for place, key in MAIL_METHODS.items()} if terms.extends_by_address else {}
    )
    for method, added in terms.extensions.items():
        formatted_days = format_count(added.days, "court day" if added.court_days else "day")
        label = f"Served {METHODS.get(method, method)}"
        if method in place_by_key:
            label = f"Address {PLACES[place_by_key[method]]}"
        more = f"{formatted_days} more" if added.days else "No days added"
        yield label, f"{more}, disputed" if added.disputed else more, added.source
    for reason, hold in terms.legal_holds.items():
        most = f", at most {format_count(hold.max_days, 'day')}" if hold.max_days else ""
        yield (
            f"Hold: {_describe_hold_reason(reason)}",
            f"{_EFFECTS[hold.effect]}{most}",
            hold.source,
        )


def _describe_hold_reason(code: str) -> str:
    """Return a label. Extensions move dates like holds but are not hold reasons."""
    if code == EXTENSION:
        return "extension for good cause"
    return HOLD_REASONS[code].label.lower() if code in HOLD_REASONS else code


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
        "terms": list(_list_terms(rule, terms)),
        "history": rule.history.select_related("history_user").order_by("-history_id"),
        "confirm": confirm or ConfirmForm(today=today, auto_id="confirm-%s"),
        "supersede": supersede or _build_supersede_form(rule),
        "form": confirm or supersede,
        "today": today,
        **bound,
    }
    return render(request, "cases/deadline_rule.html", context, status=status)
