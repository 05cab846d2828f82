"""Pages of one reviewer's file: details, status, account and dated facts."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.requests import StaffRequest, posted_data, seen_version
from reviewers import panel
from reviewers.forms.panel import (
    FORMS,
    TITLES,
    AsOfForm,
    FactForm,
    ReviewerForm,
    SignInForm,
    StatusForm,
    read_as_of,
)
from reviewers.matching.track_record import get_matching_rules
from reviewers.models import (
    Reviewer,
)
from reviewers.profiles import load_profile
from reviewers.services import credentialing

from .panel import load_reviewer

ADD: dict[str, Callable[..., Any]] = {
    "license": credentialing.add_license,
    "certification": credentialing.add_certification,
    "practice": credentialing.add_practice_fact,
    "training": credentialing.add_training,
    "sanction-check": credentialing.add_sanction_check,
    "experience": credentialing.add_experience,
    "file-proof": credentialing.add_file_proof,
    "leave": credentialing.add_leave,
    "affiliation": credentialing.add_affiliation,
}


@require_http_methods(["GET", "HEAD", "POST"])
def add_reviewer(request: StaffRequest) -> HttpResponse:
    """Add a reviewer to the panel."""
    form = ReviewerForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: credentialing.create_reviewer(
            **form.cleaned_data, by=request.user, at=timezone.now()
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"{attempt.result.code} was added. Add the credentials next.")
        return redirect("reviewers:reviewer", attempt.result.code)
    context = {"form": form, "title": "New reviewer", "button": "Add reviewer"}
    return render(request, "reviewers/form.html", context, status=attempt.status)


@require_safe
def show_reviewer(request: StaffRequest, code: str) -> HttpResponse:
    """Show one reviewer's file, today's or as of a day and as known then."""
    row = load_reviewer(code)
    return _render_reviewer_page(request, row)


@require_http_methods(["GET", "HEAD", "POST"])
def change_reviewer(request: StaffRequest, code: str) -> HttpResponse:
    """Change a reviewer's name, contact details and capacity."""
    row = load_reviewer(code)
    initial = {name: getattr(row, name) for name in ReviewerForm.base_fields}
    form = ReviewerForm(posted_data(request), initial=initial)
    attempt = run_action(
        request,
        form,
        lambda: credentialing.change_reviewer(
            reviewer_id=row.pk,
            **form.cleaned_data,
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=row,
    )
    if attempt.done:
        messages.success(request, "The details are saved.")
        return redirect("reviewers:reviewer", code)
    context = {
        "form": form,
        "reviewer": row,
        "title": "Details",
        "button": "Save",
        "version": row.version,
        # After a change by someone else, the page shows typed and stored values side by side.
        "pairs": _list_differences(form, row) if attempt.status == 409 else [],
    }
    return render(request, "reviewers/form.html", context, status=attempt.status)


@require_POST
def change_status(request: StaffRequest, code: str) -> HttpResponse:
    """Suspend, deactivate or reactivate a reviewer."""
    row = load_reviewer(code)
    form = StatusForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: credentialing.set_reviewer_status(
            reviewer_id=row.pk,
            status=Reviewer.Status(form.cleaned_data["status"]),
            reason=form.cleaned_data["reason"],
            seen_version=seen_version(request),
            by=request.user,
            at=timezone.now(),
        ),
        row=row,
    )
    if attempt.done:
        messages.success(request, "The status is saved. Check the open cases below.")
        return redirect("reviewers:reviewer", code)
    return _render_reviewer_page(request, row, status_form=form, status=attempt.status)


@require_POST
def link_sign_in(request: StaffRequest, code: str) -> HttpResponse:
    """Link a user account to a reviewer."""
    row = load_reviewer(code)
    form = SignInForm(request.POST)

    def link() -> None:
        # Looked up inside the action, so that an unknown address is shown like any refusal.
        user = User.objects.filter(email__iexact=form.cleaned_data["email"]).first()
        if user is None:
            raise NotAllowed("No account has this email address. Ask an administrator to add it.")
        credentialing.link_user(
            reviewer_id=row.pk, user_id=user.pk, by=request.user, at=timezone.now()
        )

    attempt = run_action(request, form, link, field="email")
    if attempt.done:
        messages.success(request, "The account is linked.")
        return redirect("reviewers:reviewer", code)
    return _render_reviewer_page(request, row, sign_in_form=form, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def add_fact(request: StaffRequest, code: str, kind: str) -> HttpResponse:
    """Add a fact to a reviewer's file."""
    row, make = load_reviewer(code), _get_fact_form(kind)
    now = timezone.now()
    form = make(
        posted_data(request),
        today=timezone.localdate(now),
        initial={"verified_on": timezone.localdate(now), "verified_by": request.user.name},
    )
    attempt = run_action(
        request,
        form,
        lambda: ADD[kind](reviewer_id=row.pk, **form.new_fact(), by=request.user, at=now),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"{TITLES[kind]} was saved.")
        return redirect("reviewers:reviewer", code)
    context = {
        "form": form,
        "reviewer": row,
        "title": f"Add {TITLES[kind].lower()}",
        "button": "Save",
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/form.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def correct_fact(request: StaffRequest, code: str, kind: str, fact_id: int) -> HttpResponse:
    """Correct a fact by a new row."""
    row, make = load_reviewer(code), _get_fact_form(kind)
    wrong = get_object_or_404(credentialing.FACT_KINDS[kind], pk=fact_id, reviewer=row)
    now = timezone.now()
    form = make(
        posted_data(request), today=timezone.localdate(now), correcting=True, initial=make.of(wrong)
    )
    attempt = run_action(
        request,
        form,
        lambda: credentialing.correct_fact(
            kind=kind,
            fact_id=wrong.pk,
            changes=form.facts(),
            withdrawn=form.cleaned_data["withdrawn"],
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        messages.success(request, "The correction is saved. The old entry is kept in the history.")
        return redirect("reviewers:reviewer", code)
    context = {
        "form": form,
        "reviewer": row,
        "title": f"Correct {TITLES[kind].lower()}",
        "button": "Save correction",
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/form.html", context, status=attempt.status)


def _render_reviewer_page(
    request: StaffRequest,
    row: Reviewer,
    *,
    status_form: StatusForm | None = None,
    sign_in_form: SignInForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    query = {name: request.GET[name] for name in ("on", "known") if request.GET.get(name)}
    form = AsOfForm(query or None, today=today, initial={"on": today, "known": today})
    on, known_at = read_as_of(form, today=today, now=now)
    profile = load_profile(row, on=on, known_at=known_at)
    counted = panel.annotate_workload(Reviewer.objects.filter(pk=row.pk), on=on).get()
    # Status, capacity and limits are in the reviewer's row, so a past day needs its history.
    entry = panel.load_roster_entries([row], known_at=known_at).get(row.pk)
    subjects, days_off = panel.describe_offer_limits(
        entry.subjects if entry else row.subjects, entry.days_off if entry else row.days_off
    )
    context = {
        "reviewer": row,
        "profile": profile,
        "form": form,
        "on": on,
        "known_at": known_at,
        "is_as_of": bool(query),
        "hindrances": panel.list_blocking_reasons(
            profile,
            counted,
            rules=get_matching_rules(on, known_at=known_at),
            entry=entry,
            # Open cases are known for the present only, so they do not count for a past day.
            with_work=not query,
        ),
        "subjects": subjects,
        "days_off": days_off,
        "workload": counted.workload,
        "open_work": panel.list_open_work(row, request.user),
        "facts": panel.load_reviewer_file(row, on=on, known_at=known_at, holding_only=bool(query)),
        "is_keeper": request.user.may("reviewers.manage_credentials"),
        "sees_record": request.user.may("determinations.view_track_record"),
        "status_form": status_form or StatusForm(initial={"status": row.status}),
        "sign_in_form": sign_in_form
        or SignInForm(initial={"email": row.user.email if row.user else ""}),
        "today": today,
    }
    if form.is_bound and form.errors:
        status = 422
    return render(request, "reviewers/reviewer.html", context, status=status)


def _list_differences(form: ReviewerForm, row: Reviewer) -> list[dict[str, Any]]:
    """Pair the typed values with the stored ones where they differ."""
    return [
        {"label": field.label, "yours": field.value(), "theirs": getattr(row, field.name)}
        for field in form.visible_fields()
        if str(field.value() or "") != str(getattr(row, field.name) or "")
    ]


def _get_fact_form(kind: str) -> type[FactForm]:
    if kind not in FORMS:
        raise Http404("There is no such kind of fact.")
    return FORMS[kind]
