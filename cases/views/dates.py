"""Pages of the dates of a case: deadlines, holds, extensions, commitments and priority."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actions import Attempt, run_action
from accounts.requests import StaffRequest, posted_data, posted_files
from cases import policies
from cases.case_rows import rows_of
from cases.forms.dates import (
    AddCommitmentForm,
    DayForm,
    EndHoldForm,
    ExtensionForm,
    HoldForm,
    MoveCommitmentForm,
    PriorityForm,
)
from cases.forms.received_documents import WithDocument
from cases.formulary import propose_for_case
from cases.models import Case, Deadline, ReceivedDocument
from cases.services import (
    commitments,
    deadline_information,
    extensions,
    holds,
    post_determination,
    priority,
    time_in_stage,
)
from cases.services.deadline_information import DeadlineNote
from deadlines.kinds import DEADLINE_KINDS
from deadlines.models import rules_on_file
from form_fields.fields import DatedForm
from guidelines.formulary import Proposal

from .acting import load_case, run_with_document

_READ_AND_ANSWER = ["GET", "HEAD", "POST"]


@require_safe
def show_deadlines(request: StaffRequest, number: str) -> HttpResponse:
    """Show the deadlines of a case, and everything that moves or adds dates."""
    case, now = load_case(request, number), timezone.now()
    today = timezone.localdate(now)
    user = request.user
    rows = rows_of(case)
    holds, deadlines, law = rows.holds, rows.deadlines, rules_on_file()
    information = deadline_information.list_deadline_notes(case=case, on=today, law=law)
    context = {
        "case": case,
        "tab": "deadlines",
        "today": today,
        "deadlines": deadlines,
        "information": information,
        "is_unconfirmed": _is_unconfirmed(deadlines, information),
        "lateness": deadline_information.describe_lateness(case=case, at=now),
        "holds": [(hold, hold.lasts_on(today), hold.can_end(today)) for hold in holds],
        "held_days": _count_days_held(holds),
        "extensions": rows.extensions,
        "days_left": extensions.count_extension_days_left(case=case, law=law),
        "commitments": [
            (one, commitments.why_not_move_commitment(one))
            for one in case.commitments.select_related("party", "letter").order_by("pk")
        ],
        "priority_changes": case.priority_changes.select_related("changed_by").order_by("pk"),
        "in_lists": time_in_stage.sum_intervals(
            intervals=time_in_stage.list_queue_intervals(case=case, at=now)
        ),
        "with_people": time_in_stage.sum_intervals(
            intervals=[
                *time_in_stage.list_claim_intervals(case=case, reader=user, at=now),
                *time_in_stage.list_review_intervals(case=case, at=now),
            ]
        ),
        "why_not_hold": policies.why_not_hold(user, case),
        "why_not_extend": policies.why_not_extend(user, case),
        "why_not_convert": policies.why_not_change_priority(user, case),
        "why_not_commitment": policies.why_not_record_commitment(user, case),
        "may_state_receipt": not policies.why_not_state_receipt(user, case),
    }
    return render(request, "cases/deadlines.html", context)


def _is_unconfirmed(deadlines: Iterable[Deadline], notes: Iterable[DeadlineNote]) -> bool:
    """Return whether a rule in these calculations has not been confirmed."""
    steps = [step for row in deadlines for step in row.steps]
    steps += [step for note in notes for step in note.steps]
    return any(step["source"] and not step["confirmed"] for step in steps)


def _count_days_held(rows: list[Any]) -> int:
    """Count the calendar days on hold, each day once."""
    # A set, because holds may overlap.
    days = {
        hold.starts_on.toordinal() + n
        for hold in rows
        # A hold of one deadline does not stop the case.
        if not hold.deadline_kind
        for n in range(max(0, hold.days))
    }
    return len(days)


@require_safe
def show_deadline(request: StaffRequest, number: str, deadline_kind: str) -> HttpResponse:
    """Show one deadline with its calculation, and its earlier calculations."""
    case, today = load_case(request, number), timezone.localdate()
    if deadline_kind not in DEADLINE_KINDS:
        raise Http404("There is no such deadline.")
    # Of all rounds, with replaced rows: they are the history of the date.
    rows = list(
        case.deadlines.filter(deadline_kind=deadline_kind).select_related("service").order_by("-pk")
    )
    notes = [
        one
        for one in deadline_information.list_deadline_notes(case=case, on=today)
        if one.deadline_kind == deadline_kind
    ]
    if not rows and not notes:
        raise Http404("The case never had this deadline.")
    context = {
        "case": case,
        "tab": "deadlines",
        "today": today,
        "deadline_kind": DEADLINE_KINDS[deadline_kind],
        "current": [row for row in rows if row.replaced_at is None],
        "earlier": [row for row in rows if row.replaced_at is not None],
        "notes": notes,
        "is_unconfirmed": _is_unconfirmed(rows, notes),
    }
    return render(request, "cases/deadline.html", context)


def _answer_date_form(
    request: StaffRequest,
    case: Case,
    form: DatedForm,
    *,
    title: str,
    button: str,
    why_not: str,
    service: Callable[..., Any],
    success_message: str,
    sender: str = "",
    lead: str = "",
    proposal: Proposal | None = None,
) -> HttpResponse:
    """Show and process a page with one form, whose data one service takes.

    :param service: called without arguments, or with the document if the form takes one.
    :param sender: who sends that document, as a value of ``ReceivedDocument.Sender``.
    """
    attempt: Attempt[Any]
    if isinstance(form, WithDocument):
        attempt = run_with_document(
            request,
            form,
            case=case,
            action=service,
            sender=sender,
            button=button,
            at=timezone.now(),
        )
    else:
        attempt = run_action(request, form, service, once=True)
    if attempt.done:
        messages.success(request, success_message)
        return redirect("cases:deadlines", case.number)
    context = {
        "case": case,
        "form": form,
        "title": title,
        "button": button,
        "why_not": why_not,
        "lead": lead,
        "proposal": proposal,
        "tab": "deadlines",
        "today": form.today,
    }
    return render(request, "cases/date_act.html", context, status=attempt.status)


def _format_day(day: date) -> str:
    # The format in which people type dates, for initial values of forms.
    return f"{day:%m/%d/%Y}"


@require_http_methods(_READ_AND_ANSWER)
def begin_hold(request: StaffRequest, number: str) -> HttpResponse:
    """Begin a hold of a case or of one of its deadlines."""
    case, now = load_case(request, number), timezone.now()
    today = timezone.localdate(now)
    form = HoldForm(
        posted_data(request),
        posted_files(request),
        today=today,
        case=case,
        initial={"starts_on": _format_day(today)},
    )
    return _answer_date_form(
        request,
        case,
        form,
        title="Begin hold",
        button="Begin hold",
        why_not=policies.why_not_hold(request.user, case),
        lead="A hold moves the internal target. It moves the legal date only if the law provides "
        "for the reason; the calculation of each deadline shows it.",
        service=lambda document: holds.begin_hold(
            case_id=case.pk,
            **form.action_values(),
            document=document,
            by=request.user,
            at=now,
        ),
        sender=ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
        success_message="Hold saved. All deadlines were recalculated.",
    )


@require_http_methods(_READ_AND_ANSWER)
def end_hold(request: StaffRequest, number: str, hold_id: int) -> HttpResponse:
    """End a hold."""
    case, now = load_case(request, number), timezone.now()
    hold = get_object_or_404(case.holds, pk=hold_id)
    today = timezone.localdate(now)
    form = EndHoldForm(
        posted_data(request),
        posted_files(request),
        today=today,
        hold=hold,
        initial={"ended_on": _format_day(today)},
    )
    over = "" if hold.can_end(today) else "This hold has ended."
    return _answer_date_form(
        request,
        case,
        form,
        title=f"End hold: {hold.get_reason_display().lower()}",
        button="End hold",
        why_not=policies.why_not_end_hold(request.user) or over,
        service=lambda document: holds.end_hold(
            hold_id=hold.pk, **form.action_values(), document=document, by=request.user, at=now
        ),
        sender=ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
        success_message="Hold ended. All deadlines were recalculated.",
    )


@require_http_methods(_READ_AND_ANSWER)
def extend_determination(request: StaffRequest, number: str) -> HttpResponse:
    """Record an extension that the Administrative Director approved."""
    case, now = load_case(request, number), timezone.now()
    form = ExtensionForm(posted_data(request), today=timezone.localdate(now))
    days_left = extensions.count_extension_days_left(case=case)
    return _answer_date_form(
        request,
        case,
        form,
        title="Extension for good cause",
        button="Save extension",
        why_not=policies.why_not_extend(request.user, case),
        lead=f"{days_left} day{'' if days_left == 1 else 's'} can still be added to the deadline.",
        service=lambda: extensions.extend_determination(
            case_id=case.pk, **form.cleaned_data, by=request.user, at=now
        ),
        success_message="Extension saved. The legal date has moved.",
    )


@require_http_methods(_READ_AND_ANSWER)
def change_priority(request: StaffRequest, number: str) -> HttpResponse:
    """Change the priority of a case."""
    case, now = load_case(request, number), timezone.now()
    form = PriorityForm(
        posted_data(request), posted_files(request), today=timezone.localdate(now), case=case
    )
    return _answer_date_form(
        request,
        case,
        form,
        title="Change priority",
        button="Change priority",
        why_not=policies.why_not_change_priority(request.user, case),
        lead=f"Now: {case.get_priority_display().lower()}. Active deadlines will be recalculated.",
        service=lambda document: priority.change_priority(
            case_id=case.pk,
            **form.service_arguments(),
            document=document,
            by=request.user,
            at=now,
        ),
        sender=ReceivedDocument.Sender.REQUESTING_PHYSICIAN,
        success_message="Priority changed. All active deadlines were recalculated.",
        proposal=propose_for_case(case),
    )


@require_http_methods(_READ_AND_ANSWER)
def add_commitment(request: StaffRequest, number: str) -> HttpResponse:
    """Record a date that was promised to a party."""
    case, now = load_case(request, number), timezone.now()
    today = timezone.localdate(now)
    form = AddCommitmentForm(
        posted_data(request), today=today, case=case, initial={"informed_on": _format_day(today)}
    )
    return _answer_date_form(
        request,
        case,
        form,
        title="Add commitment",
        button="Save commitment",
        why_not=policies.why_not_record_commitment(request.user, case),
        service=lambda: commitments.add_commitment(
            case_id=case.pk, **form.service_arguments(), by=request.user, at=now
        ),
        success_message="Commitment saved.",
    )


@require_http_methods(_READ_AND_ANSWER)
def move_commitment(request: StaffRequest, number: str, commitment_id: int) -> HttpResponse:
    """Record a later date for a commitment."""
    case, now = load_case(request, number), timezone.now()
    commitment = get_object_or_404(case.commitments.select_related("party"), pk=commitment_id)
    today = timezone.localdate(now)
    form = MoveCommitmentForm(
        posted_data(request), today=today, case=case, initial={"informed_on": _format_day(today)}
    )
    return _answer_date_form(
        request,
        case,
        form,
        title="Move commitment",
        button="Move date",
        why_not=policies.why_not_record_commitment(request.user, case)
        or commitments.why_not_move_commitment(commitment),
        lead=f"{commitment.party.name}: {commitment.description}, "
        f"by {_format_day(commitment.due_on)}. "
        f"A date can be moved at most {commitments.MOST_MOVES} times.",
        service=lambda: commitments.move_commitment(
            commitment_id=commitment.pk, **form.service_arguments(), by=request.user, at=now
        ),
        success_message="The later date is saved.",
    )


@require_http_methods(_READ_AND_ANSWER)
def keep_commitment(request: StaffRequest, number: str, commitment_id: int) -> HttpResponse:
    """Record that a commitment was kept."""
    case, now = load_case(request, number), timezone.now()
    commitment = get_object_or_404(case.commitments.select_related("party"), pk=commitment_id)
    today = timezone.localdate(now)
    form = DayForm(posted_data(request), today=today, initial={"on": _format_day(today)})
    return _answer_date_form(
        request,
        case,
        form,
        title="Commitment kept",
        button="Save",
        why_not=policies.why_not_record_commitment(request.user, case),
        lead=f"{commitment.party.name}: {commitment.description}, "
        f"by {_format_day(commitment.due_on)}.",
        service=lambda: commitments.keep_commitment(
            commitment_id=commitment.pk, kept_on=form.cleaned_data["on"], by=request.user, at=now
        ),
        success_message="Commitment marked as kept.",
    )


@require_http_methods(_READ_AND_ANSWER)
def record_receipt(request: StaffRequest, number: str) -> HttpResponse:
    """Record when the claims administrator received the determination."""
    case, now = load_case(request, number), timezone.now()
    form = DayForm(posted_data(request), today=timezone.localdate(now))
    return _answer_date_form(
        request,
        case,
        form,
        title="Determination received by the claims administrator",
        button="Save date",
        why_not=policies.why_not_state_receipt(request.user, case),
        lead="The time to authorize or to pay starts on this day.",
        service=lambda: post_determination.record_determination_receipt(
            case_id=case.pk, received_on=form.cleaned_data["on"], by=request.user, at=now
        ),
        success_message="Date of receipt saved.",
    )
